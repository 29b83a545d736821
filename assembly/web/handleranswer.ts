// The answer as a RequestHandler builds it up: status, header fields, a body in one piece or in several.
//
// Invariant: until flush() or startBody() nothing has been sent, and all of it can be taken back.

import { Buffer } from "../bytes/buffer";
import { HTTPServerRequest, Method } from "../http/request";
import { precondition } from "./conditions";
import { parseDate } from "./dates";
import { etagOf } from "./etags";
import { isField, isSame } from "./fields";
import { HeldHead } from "./heldhead";

const HTML_TYPE: string = "text/html; charset=UTF-8";

// @ts-ignore: decorator
@final
export class HandlerAnswer {
  request!: HTTPServerRequest;
  status: i32 = 200;
  /** The answer is complete, or its client has left. */
  finished: bool = false;
  /** The head has been sent. */
  begun: bool = false;
  private names: string[] = [];
  private values: string[] = [];
  private output: Buffer = new Buffer();

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
  }

  /** Adds text to the body. False: the answer is complete, or there is no memory. */
  write(text: string): bool {
    if (this.finished) return false;
    const size = String.UTF8.byteLength(text);
    const target = size ? this.output.reserve(size) : 0;
    if (!target) return !size;
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, target);
    this.output.commit(size);
    return true;
  }

  /** Adds bytes to the body. */
  writeBytes(source: usize, size: i32): bool {
    return !this.finished && (!size || this.output.append(source, size));
  }

  /** The sha1 of what was written and not sent. */
  bodyEtag(): string {
    return etagOf(this.output.source, this.output.size);
  }

  /** Sends what was written so far, behind the head when that has not left yet. */
  flush(): bool {
    if (this.finished) return false;
    if (!this.begun) this.startBody(-1);
    const sent = !this.output.size || this.request.writeBytes(this.output.source, this.output.size);
    this.output.clear();
    return sent;
  }

  /** Sends the head of a body of so many bytes (-1: not known), which the request then sends. */
  startBody(contentLength: i64): void {
    this.begun = true;
    this.request.startResponse(this.status, contentLength);
    const bodiless = this.status == 204 || this.status == 304;
    for (let i = 0; i < this.names.length; i++) {
      if (bodiless && describesBody(this.names[i])) continue;
      this.request.setHeader(this.names[i], this.values[i]);
    }
  }

  /** Whether an answer that would leave now gets a tag, and is held against the request's conditions. */
  get wantsTag(): bool {
    const method = this.request.method;
    return !this.begun && this.status == 200 && (method == Method.GET || method == Method.HEAD);
  }

  /** Gives the answer its tag, and turns it into 304 or 412 where the request's conditions say so. */
  tag(etag: string, head: HeldHead): void {
    if (etag.length && !this.getHeader("Etag").length) this.addHeader("Etag", etag);
    this.status = precondition(head, etag, parseDate(this.getHeader("Last-Modified")));
    if (this.status != 412) return;
    this.output.clear();
    this.clearHeader("Content-Type");
  }

  /** Sends all that has not been sent. */
  sendRest(): void {
    if (this.begun) {
      if (this.output.size) this.flush();
      return;
    }
    if (this.status == 204 || this.status == 304) this.output.clear();
    this.request.connection.ignoreRest();
    this.startBody(this.status == 304 ? -1 : this.output.size);
    if (this.output.size) this.request.writeBytes(this.output.source, this.output.size);
  }

  /** Nothing more is written. */
  end(): void {
    this.finished = true;
    this.output.clear();
  }
}

/** Fields that have no place without a body. */
function describesBody(name: string): bool {
  return isSame(name, "content-type") || isSame(name, "content-encoding") || isSame(name, "content-language");
}
