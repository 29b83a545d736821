// RequestHandler: subclass it, write get, post, …, and one object of your class answers each request.
//
//   prepare → get, post, … → finish → onFinish
//
// Invariants: an answer that a method leaves open is completed when it returns, unless it has set `autoFinish` to
// false; nothing that a client sends ends the module: there are no exceptions, so an error is an answer (sendError),
// and `finished` says so. What came is in its HeldHead, what is answered in its HandlerAnswer.
// Reference: Tornado's web.py (RequestHandler).

import { REASON_BAD_RESPONSE } from "../core/errors";
import { phraseOf } from "../protocol/http/phrases";
import { entrySize, entryText } from "../protocol/http/texttable";
import { HTTPServerRequest, Method } from "../http/request";
import { HandlerOwner } from "./handlerowner";
import { Arguments, cleaned } from "./arguments";
import { namesEtag } from "./etags";
import { HandlerAnswer } from "./handleranswer";
import { HeldHead } from "./heldhead";
import { allowOf } from "./methods";
import { NO_BLANKS, latin1Text, percentEncode } from "../bytes/text";

const EMPTY: usize = memory.data(16, 8);

/** In place of a set of methods: no route matches. */
export const NO_ROUTE: i32 = -1;

/** Answers one request: Tornado's RequestHandler. */
export abstract class RequestHandler {
  /** The application that has chosen this handler. */
  application!: HandlerOwner;
  /** The connection's request: for what is not here. It is another one when the answer is complete. */
  request!: HTTPServerRequest;
  /** What the groups of the route's pattern hold, in their order. */
  pathArguments: string[] = [];
  /** The names of these groups, `*` for a rest without one: see pathArgument. */
  pathNames: string[] = [];
  /** The answer is complete when the method returns. Set it to false to answer in a later turn, with finish(). */
  autoFinish: bool = true;
  private methods: i32 = NO_ROUTE; // those that its route has, as bits of Method
  /** The request's head, for the getters of this class. */
  protected heldHead: HeldHead = new HeldHead();
  private handlerAnswer: HandlerAnswer = new HandlerAnswer();
  private query: Arguments | null = null;
  private form: Arguments | null = null;

  // --- what subclasses write ---

  /** Called before the method; when it finishes the answer, the method is not called. */
  prepare(): void {}

  /** Answers GET. Default: 405. */
  get(): void {
    this.refuseMethod();
  }
  /** Default: get, of whose answer the head is sent. */
  head(): void {
    this.get();
  }
  /** Answers POST. Default: 405. */
  post(): void {
    this.refuseMethod();
  }
  /** Answers PUT. Default: 405. */
  put(): void {
    this.refuseMethod();
  }
  /** Answers DELETE. Default: 405. */
  delete(): void {
    this.refuseMethod();
  }
  /** Answers PATCH. Default: 405. */
  patch(): void {
    this.refuseMethod();
  }
  /** Answers OPTIONS. Default: 405. */
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

  // --- arguments ---

  /** What a group of the route's pattern holds, "": it has no such group. */
  pathArgument(name: string): string {
    const index = this.pathNames.indexOf(name);
    return index < 0 ? "" : this.pathArguments[index];
  }

  /**
   * The last value of an argument, from the form if it is there, else from the query. Without it `preset`; without that
   * the request is answered with 400, this returns "", and what else the method writes is dropped.
   */
  getArgument(name: string, preset: string | null = null): string {
    const value = this.formArguments().last(name);
    return this.one(value === null ? this.queryArguments().last(name) : value, preset);
  }

  /** As getArgument, from the query alone. */
  getQueryArgument(name: string, preset: string | null = null): string {
    return this.one(this.queryArguments().last(name), preset);
  }

  /** As getArgument, from the form in the body alone. */
  getBodyArgument(name: string, preset: string | null = null): string {
    return this.one(this.formArguments().last(name), preset);
  }

  /** All values of an argument: those of the query, then those of the form. */
  getArguments(name: string): string[] {
    const found = new Array<string>();
    this.queryArguments().all(name, found);
    this.formArguments().all(name, found);
    for (let i = 0; i < found.length; i++) found[i] = cleaned(found[i]);
    return found;
  }

  private one(value: string | null, preset: string | null): string {
    if (value !== null) return cleaned(value);
    if (preset !== null && !this.finished) return preset;
    this.sendError(400);
    return "";
  }

  private queryArguments(): Arguments {
    let found = this.query;
    if (!found) {
      found = this.query = this.heldHead.query();
      if (found.bad) this.sendError(400);
    }
    return found;
  }

  private formArguments(): Arguments {
    let found = this.form;
    if (!found) {
      found = this.form = new Arguments(this.body, this.isForm ? this.bodySize : 0);
      if (found.bad) this.sendError(400);
    }
    return found;
  }

  private get isForm(): bool {
    const type = this.getRequestHeader("content-type", "");
    const end = type.indexOf(";");
    return (end < 0 ? type : type.substring(0, end)).trim().toLowerCase() == "application/x-www-form-urlencoded";
  }

  // --- the rest of the request ---

  /** The whole body: `bodySize` bytes, valid until the answer is complete. */
  get body(): usize {
    return this.finished ? EMPTY : this.request.body.source;
  }
  /** Bytes of the body; 0 once the answer is complete. */
  get bodySize(): i32 {
    return this.finished ? 0 : this.request.body.size;
  }

  /** The path as it came. */
  get path(): string {
    return this.heldHead.path;
  }

  /** The field with this name in lower case, as latin-1; several are joined by `, `. Without one `preset`. */
  getRequestHeader(name: string, preset: string): string {
    return this.heldHead.field(name, preset);
  }

  /** Whether the request has a field with this name in lower case. */
  hasRequestHeader(name: string): bool {
    return this.heldHead.hasField(name);
  }

  // --- the answer ---

  /** Set fields that all answers have here: called first, and when what was written is taken back. */
  setDefaultHeaders(): void {}

  /** Whether the answer is complete, or its client has left: what is written then is dropped. */
  get finished(): bool {
    return this.handlerAnswer.finished;
  }

  /** Whether the head has been sent. */
  get headersWritten(): bool {
    return this.handlerAnswer.begun;
  }

  /** The answer's status, 200 unless set. */
  getStatus(): i32 {
    return this.handlerAnswer.status;
  }

  /** From 200 to 999; any other becomes 500. */
  setStatus(status: i32): void {
    this.handlerAnswer.status = status < 200 || status > 999 ? 500 : status;
  }

  /** Sets a field, in place of those of this name. False: it must not be sent, and is not. */
  setHeader(name: string, value: string): bool {
    return this.handlerAnswer.setHeader(name, value);
  }

  /** Adds a field beside those of this name. False: it must not be sent, and is not. */
  addHeader(name: string, value: string): bool {
    return this.handlerAnswer.addHeader(name, value);
  }

  /** Removes the fields of this name. */
  clearHeader(name: string): void {
    this.handlerAnswer.clearHeader(name);
  }

  /** The value of a field that the answer will have, "": it has none. */
  getHeader(name: string): string {
    return this.handlerAnswer.getHeader(name);
  }

  /** Takes back status, header fields and what was written. */
  clear(): void {
    this.handlerAnswer.clear();
    this.setDefaultHeaders();
  }

  /** Adds text to the body. False: the answer is complete, or there is no memory. */
  write(text: string): bool {
    return this.handlerAnswer.write(text);
  }

  /** Adds bytes to the body. False: the answer is complete, or there is no memory. */
  writeBytes(source: usize, size: i32): bool {
    return this.handlerAnswer.writeBytes(source, size);
  }

  /** Adds text to the body that is JSON, and says so. */
  writeJSON(text: string): bool {
    this.setHeader("Content-Type", "application/json; charset=UTF-8");
    return this.write(text);
  }

  /**
   * Sends what was written so far, behind the head when that has not left yet. Go on in onSent while `waiting` is 0.
   */
  flush(): bool {
    return this.handlerAnswer.flush();
  }

  /** Bytes of the answer that have not left. */
  get unsent(): i32 {
    return this.finished ? 0 : this.request.unsent;
  }

  /** Of these, what the peer's socket has refused so far: more than 0 means that the peer is slow. */
  get waiting(): i32 {
    return this.finished ? 0 : this.request.waiting;
  }

  /** Completes the answer. */
  finish(text: string = ""): void {
    const answer = this.handlerAnswer;
    if (answer.finished) return;
    if (text.length) this.write(text);
    if (answer.wantsTag) {
      const etag = this.getHeader("Etag");
      answer.tag(etag.length ? etag : this.computeEtag(), this.heldHead);
    }
    answer.sendRest();
    if (!this.request.inFlight) return; // onConnectionClose follows
    this.endAnswer();
    this.request.finish(); // last: the connection's next request may begin in this call
  }

  /** Sends the client elsewhere: 302, or 301 with `permanent`, or `status`. Ends the answer. */
  redirect(url: string, permanent: bool = false, status: i32 = 0): void {
    this.setStatus(status ? status : permanent ? 301 : 302);
    if (!this.setHeader("Location", percentEncode(url, NO_BLANKS))) return this.sendError(500);
    this.finish();
  }

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

  /** The answer's ETag, "": none. Default: the sha1 of its body. */
  computeEtag(): string {
    return this.handlerAnswer.bodyEtag();
  }

  /** Whether the client has what `etag` is for, as it says in If-None-Match. */
  checkEtag(etag: string): bool {
    return this.hasRequestHeader("if-none-match") && namesEtag(this.getRequestHeader("if-none-match", ""), etag);
  }

  // --- for handlers of this package ---

  /** Whether the body is of no interest: HEAD. */
  protected get isHead(): bool {
    return this.request.method == Method.HEAD;
  }

  /** Sends the head of a body of so many bytes (-1: not known), which writeNow() then sends. */
  protected startBody(contentLength: i64): void {
    this.handlerAnswer.startBody(contentLength);
  }

  /** Sends bytes behind startBody(), without gathering them. */
  protected writeNow(source: usize, size: i32): bool {
    return !this.finished && this.request.writeBytes(source, size);
  }

  /** Ends an answer that cannot be completed, and its connection. */
  protected cut(): void {
    if (!this.finished) this.request.connection.abort(REASON_BAD_RESPONSE);
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
    this.handlerAnswer.request = request;
    this.heldHead.read(request);
    this.clear();
  }

  /** A body will come: the head is kept for it. */
  awaitBody(): void {
    if (this.heldHead.keep(this.request)) this.request.collectBody();
    else this.request.connection.shed();
  }

  /** The request is complete. */
  execute(): void {
    this.prepare();
    if (!this.finished) this.callMethod();
    if (this.finished) return;
    if (this.autoFinish) this.finish();
    else if (!this.heldHead.keep(this.request)) this.cut();
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
    this.endAnswer();
    if (!this.endReported) this.onConnectionClose();
    this.onFinish();
  }

  /** The answer is complete, or cannot be completed. */
  private endAnswer(): void {
    this.handlerAnswer.end();
    this.application.over(this.request.slot);
    if (!this.isLost) this.onFinish();
    this.heldHead.drop();
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
