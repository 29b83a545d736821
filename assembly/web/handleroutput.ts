// The answer as a RequestHandler writes it: status, header fields, a body in one piece or in several.
//
// Invariants: until flush() or startBody() nothing has been sent, and all of it can be taken back; what is written
// after the answer is complete, or after its client has left, is dropped.

import { Buffer } from "../bytes/buffer";
import { REASON_BAD_RESPONSE } from "../core/errors";
import { Method } from "../http/request";
import { precondition } from "./conditions";
import { parseDate } from "./dates";
import { etagOf, namesEtag } from "./etags";
import { isField, isSame } from "./fields";
import { HandlerInput } from "./handlerinput";
import { NO_BLANKS, percentEncode } from "../bytes/text";

const HTML_TYPE: string = "text/html; charset=UTF-8";

export abstract class HandlerOutput extends HandlerInput {
  private status: i32 = 200;
  private names: string[] = [];
  private values: string[] = [];
  private output: Buffer = new Buffer();
  private isFinished: bool = false;
  private begun: bool = false;

  /** The answer is complete and all of the handler is over. */
  protected abstract ended(): void;

  /** Set fields that all answers have here: called first, and when what was written is taken back. */
  setDefaultHeaders(): void {}

  /** Whether the answer is complete, or its client has left. */
  get finished(): bool {
    return this.isFinished;
  }

  /** Whether the head has been sent. */
  get headersWritten(): bool {
    return this.begun;
  }

  getStatus(): i32 {
    return this.status;
  }

  /** From 200 to 999; any other becomes 500. */
  setStatus(status: i32): void {
    this.status = status < 200 || status > 999 ? 500 : status;
  }

  /** Sets a field, in place of those of this name. False: it must not be sent, and is not. */
  setHeader(name: string, value: string): bool {
    if (!isField(name, value)) return false;
    this.clearHeader(name);
    return this.addHeader(name, value);
  }

  /** Adds a field beside those of this name. False: it must not be sent, and is not. */
  addHeader(name: string, value: string): bool {
    if (this.begun || !isField(name, value)) return false;
    this.names.push(name);
    this.values.push(value);
    return true;
  }

  clearHeader(name: string): void {
    for (let i = this.names.length - 1; i >= 0; i--) {
      if (!isSame(this.names[i], name)) continue;
      this.names.splice(i, 1);
      this.values.splice(i, 1);
    }
  }

  /** The value of a field that the answer will have, "": it has none. */
  getHeader(name: string): string {
    for (let i = 0; i < this.names.length; i++) if (isSame(this.names[i], name)) return this.values[i];
    return "";
  }

  /** Takes back status, header fields and what was written. */
  clear(): void {
    this.status = 200;
    this.names.length = this.values.length = 0;
    this.output.clear();
    this.addHeader("Content-Type", HTML_TYPE);
    this.setDefaultHeaders();
  }

  /** Adds text to the body. False: the answer is complete, or there is no memory. */
  write(text: string): bool {
    if (this.isFinished) return false;
    const size = String.UTF8.byteLength(text);
    const target = size ? this.output.reserve(size) : 0;
    if (!target) return !size;
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, target);
    this.output.commit(size);
    return true;
  }

  /** Adds bytes to the body. */
  writeBytes(source: usize, size: i32): bool {
    return !this.isFinished && (!size || this.output.append(source, size));
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
    if (this.isFinished) return false;
    if (!this.begun) this.startBody(-1);
    const sent = !this.output.size || this.request.writeBytes(this.output.source, this.output.size);
    this.output.clear();
    return sent;
  }

  /** Bytes of the answer that have not left. */
  get unsent(): i32 {
    return this.isFinished ? 0 : this.request.unsent;
  }

  /** Of these, what the peer's socket has refused so far: more than 0 means that the peer is slow. */
  get waiting(): i32 {
    return this.isFinished ? 0 : this.request.waiting;
  }

  /** Completes the answer. */
  finish(text: string = ""): void {
    if (this.isFinished) return;
    if (text.length) this.write(text);
    if (!this.begun) this.respond();
    else if (this.output.size) this.flush();
    if (!this.request.inFlight) return; // onConnectionClose follows
    this.isFinished = true;
    this.over();
    this.request.finish(); // last: the connection's next request may begin in this call
  }

  /** Sends the client elsewhere: 302, or 301 when it is for ever, or another status. Ends the answer. */
  redirect(url: string, permanent: bool = false, status: i32 = 0): void {
    this.setStatus(status ? status : permanent ? 301 : 302);
    if (!this.setHeader("Location", percentEncode(url, NO_BLANKS))) return this.sendError(500);
    this.finish();
  }

  /** The answer's ETag, "": none. Default: the sha1 of its body. */
  computeEtag(): string {
    return etagOf(this.output.source, this.output.size);
  }

  /** Whether the client has what `etag` is for, as it says in If-None-Match. */
  checkEtag(etag: string): bool {
    return this.hasRequestHeader("if-none-match") && namesEtag(this.getRequestHeader("if-none-match", ""), etag);
  }

  /** Whether the body is of no interest: HEAD. */
  protected get isHead(): bool {
    return this.request.method == Method.HEAD;
  }

  /** Sends the head of a body of so many bytes (-1: not known), which writeNow() then sends. */
  protected startBody(contentLength: i64): void {
    this.begun = true;
    this.request.startResponse(this.status, contentLength);
    const bodiless = this.status == 204 || this.status == 304;
    for (let i = 0; i < this.names.length; i++) {
      if (bodiless && describesBody(this.names[i])) continue;
      this.request.setHeader(this.names[i], this.values[i]);
    }
  }

  /** Sends bytes behind startBody(), without gathering them. */
  protected writeNow(source: usize, size: i32): bool {
    return !this.isFinished && this.request.writeBytes(source, size);
  }

  /** Ends an answer that cannot be completed, and its connection. */
  protected cut(): void {
    if (!this.isFinished) this.request.connection.abort(REASON_BAD_RESPONSE);
  }

  /** The client has left. */
  protected abandon(): void {
    this.isFinished = true;
    this.over();
  }

  private over(): void {
    this.output.clear();
    this.ended();
    this.dropHead();
  }

  private respond(): void {
    const method = this.request.method;
    if (this.status == 200 && (method == Method.GET || method == Method.HEAD)) this.tag();
    if (this.status == 204 || this.status == 304) this.output.clear();
    this.startBody(this.status == 304 ? -1 : this.output.size);
    if (this.output.size) this.request.writeBytes(this.output.source, this.output.size);
  }

  /** Gives the answer its tag, and turns it into 304 or 412 where the request's conditions say so. */
  private tag(): void {
    let etag = this.getHeader("Etag");
    if (!etag.length) {
      etag = this.computeEtag();
      if (etag.length) this.addHeader("Etag", etag);
    }
    this.status = precondition(this, etag, parseDate(this.getHeader("Last-Modified")));
    if (this.status != 412) return;
    this.output.clear();
    this.clearHeader("Content-Type");
  }
}

/** Fields that have no place without a body. */
function describesBody(name: string): bool {
  return isSame(name, "content-type") || isSame(name, "content-encoding") || isSame(name, "content-language");
}
