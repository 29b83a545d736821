// RequestHandler: subclass it, write get, post, …, and one object of your class answers each request.
//
//   prepare → get, post, … → finish → onFinish
//
// Invariants: an answer that a method leaves open is completed when it returns, unless it has set `autoFinish` to
// false; nothing that a client sends ends the module: there are no exceptions, so an error is an answer (sendError),
// and `finished` says so. Reference: Tornado's web.py (RequestHandler).

import { phraseOf } from "../protocol/http/phrases";
import { entrySize, entryText } from "../protocol/http/texttable";
import { HTTPServerRequest, Method } from "../http/request";
import { HandlerOwner } from "./handlerowner";
import { HandlerOutput } from "./handleroutput";
import { allowOf } from "./methods";
import { latin1Text } from "../bytes/text";

/** In place of a set of methods: no route matches. */
export const NO_ROUTE: i32 = -1;

export abstract class RequestHandler extends HandlerOutput {
  application!: HandlerOwner;
  /** The answer is complete when the method returns. Set it to false to answer in a later turn, with finish(). */
  autoFinish: bool = true;
  private methods: i32 = NO_ROUTE; // those that its route has, as bits of Method

  // --- what subclasses write ---

  /** Called before the method; when it finishes the answer, the method is not called. */
  prepare(): void {}

  get(): void {
    this.refuseMethod();
  }
  /** Default: get, of whose answer the head is sent. */
  head(): void {
    this.get();
  }
  post(): void {
    this.refuseMethod();
  }
  put(): void {
    this.refuseMethod();
  }
  delete(): void {
    this.refuseMethod();
  }
  patch(): void {
    this.refuseMethod();
  }
  options(): void {
    this.refuseMethod();
  }

  /** Bytes of the answer that had to wait for a slow client have left: with much to send, go on here. */
  onSent(): void {}
  /** The answer is complete, or its client has left: nothing can be sent any more. */
  onFinish(): void {}
  /**
   * The client has left before its answer was complete, or has at least ended its side: the two look the same. Called
   * once. What is still written is for a client that reads on; onFinish follows when the answer is complete, or cannot
   * be any more.
   */
  onConnectionClose(): void {}

  /** Writes the page of an error. Default: its status and phrase. */
  writeError(status: i32): void {
    const phrase = phraseOf(status);
    const text = status.toString() + ": " + latin1Text(entryText(phrase), entrySize(phrase));
    this.write("<html><title>" + text + "</title><body>" + text + "</body></html>");
  }

  // --- what subclasses call ---

  /** Answers with an error's page, in place of what was written. When the head has left the connection is cut. */
  sendError(status: i32): void {
    if (this.finished) return;
    if (this.headersWritten) return this.cut();
    const allow = status == 405 ? this.getHeader("Allow") : "";
    this.clear();
    this.setStatus(status);
    if (allow.length) this.setHeader("Allow", allow);
    this.writeError(status);
    this.finish();
  }

  /** The path of the route with this name; "" without one, or with another number of values than it has groups. */
  reverseUrl(name: string, values: string[] = []): string {
    return this.application.reverseUrl(name, values);
  }

  // --- for the application ---

  /** The head has come. `methods`: those that its route has, as bits of Method; NO_ROUTE: no route matches. */
  begin(application: HandlerOwner, request: HTTPServerRequest, methods: i32): void {
    this.application = application;
    this.request = request;
    this.methods = methods;
    this.readHead();
    this.clear();
  }

  /** A body will come: the head is kept for it. */
  awaitBody(): void {
    if (this.keepHead()) this.request.collectBody();
    else this.request.connection.shed();
  }

  /** The request is complete. */
  execute(): void {
    this.prepare();
    if (!this.finished) this.callMethod();
    if (this.finished) return;
    if (this.autoFinish) this.finish();
    else if (!this.keepHead()) this.cut();
  }

  /** Whether its route has the request's method; if not it has been answered with 405. */
  acceptsMethod(): bool {
    if ((this.methods >> this.request.method) & 1 && this.request.method != Method.OTHER) return true;
    this.refuseMethod();
    return false;
  }

  /** The client has ended its side. */
  clientEnded(): void {
    this.endReported = true;
    this.onConnectionClose(); // last: it may finish the answer
  }

  /** The connection is gone. */
  lose(): void {
    if (this.finished) return;
    this.isLost = true;
    this.abandon();
    if (!this.endReported) this.onConnectionClose();
    this.onFinish();
  }

  protected ended(): void {
    this.application.over(this.request.slot);
    if (!this.isLost) this.onFinish();
  }
  private isLost: bool = false;
  private endReported: bool = false;

  private callMethod(): void {
    switch (this.request.method) {
      case Method.GET:
        return this.get();
      case Method.HEAD:
        return this.head();
      case Method.POST:
        return this.post();
      case Method.PUT:
        return this.put();
      case Method.DELETE:
        return this.delete();
      case Method.PATCH:
        return this.patch();
      default:
        this.options();
    }
  }

  private refuseMethod(): void {
    if (this.methods != NO_ROUTE) this.setHeader("Allow", allowOf(this.methods));
    this.sendError(405);
  }
}
