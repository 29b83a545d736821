/**
 * The answer that a RequestHandler builds up: status, header fields, cookies, and a body in one piece or in several.
 *
 * Invariants: until `flush` nothing has been sent, and all of it can be taken back; an answer that ends without `flush`
 * leaves in one frame, with its ETag; names and values of header fields are checked where they are set.
 */
import { HTTPOutputError } from "../core/errors.js";
import { jsonEncode } from "../core/escape.js";
import { ignore } from "../core/promises.js";
import { withFields } from "../http/answerfields.js";
import { encodeHeaders, type HeaderBlock } from "../http/headers.js";
import type { HTTPServerRequest } from "../http/request.js";
import { checkStatus, isBodyless } from "../http/response.js";
import { precondition, type Validators } from "./conditions.js";
import { reasonPhrase } from "./errors.js";
import { type FieldSet, firstFields, type HeaderValue } from "./headers.js";
import { parseHTTPDate } from "./httpdate.js";

/** Fields that describe a body, and so have no place without one. */
const OF_A_BODY = ["Content-Encoding", "Content-Language", "Content-Type"];
/** What no application says in the head of an upgraded connection. */
const OF_A_CONNECTION = ["Connection", "Content-Length", "Date", "Transfer-Encoding", "Upgrade"];
/** RFC 9112 4: what may stand in a status line. `<` is left out: it could begin markup in a client that shows it. */
const REASON = /^[\t\x20-\x3b\x3d-\x7e\x80-\xff]+$/;

/** What an answer's ETag comes from. */
export interface Tagger {
  /** The tag of a body; null: none. */
  computeEtag(body: string | Uint8Array): string | null;
}

export class HandlerAnswer {
  readonly #request: HTTPServerRequest;
  #status = 200;
  #reason: string | null = null;
  #fields = firstFields();
  /** Set-Cookie fields by the cookie's name: the last one of a name counts. */
  #cookies: Map<string, string> | null = null;
  #text = "";
  #parts: Uint8Array[] | null = null;
  #headersWritten = false;
  #finished = false;

  constructor(request: HTTPServerRequest) {
    this.#request = request;
  }

  get headersWritten(): boolean {
    return this.#headersWritten;
  }

  get finished(): boolean {
    return this.#finished;
  }

  // --- status and header fields ---

  get status(): number {
    return this.#status;
  }

  get reason(): string {
    return this.#reason ?? reasonPhrase(this.#status);
  }

  /** Throws HeaderError unless `status` is from 200 to 999. A reason that must not be sent becomes `Unknown`. */
  setStatus(status: number, reason?: string): void {
    checkStatus(status);
    this.#status = status;
    this.#reason = reason === undefined ? null : REASON.test(reason) ? reason : "Unknown";
  }

  /** Throws HeaderError for what must not be sent, HTTPOutputError when the head has been sent; so do the next two. */
  setHeader(name: string, value: HeaderValue): void {
    this.#checkUnsent();
    this.#fields = this.#fields.with(name, value);
  }

  addHeader(name: string, value: HeaderValue): void {
    this.#checkUnsent();
    this.#fields = this.#fields.withAnother(name, value);
  }

  clearHeader(name: string): void {
    this.#checkUnsent();
    this.#fields = this.#fields.without(name);
  }

  getHeader(name: string): string | null {
    return this.#fields.get(name);
  }

  /** `field` is the value of the cookie's Set-Cookie field. */
  setCookie(name: string, field: string): void {
    this.#cookies ??= new Map();
    this.#cookies.set(name, field);
  }

  /** Takes back all but the cookies. */
  clear(): void {
    this.#status = 200;
    this.#reason = null;
    this.#fields = firstFields();
    this.#text = "";
    this.#parts = null;
  }

  // --- the body ---

  writeText(text: string): void {
    if (this.#parts === null) this.#text += text;
    else this.#parts.push(Buffer.from(text));
  }

  writeBytes(bytes: Uint8Array): void {
    this.#parts ??= this.#text === "" ? [] : [Buffer.from(this.#text)];
    this.#text = "";
    this.#parts.push(bytes);
  }

  /** Rejects as RequestHandler.flush. */
  async flush(): Promise<void> {
    if (this.#finished) throw new HTTPOutputError("flush() after finish()");
    const chunk = this.#take();
    const { connection } = this.#request;
    if (this.#headersWritten) {
      if (chunk !== null) await connection.write(chunk);
      return;
    }
    const reason = this.#reason ?? undefined;
    const sent = connection.writeHeaders(this.#status, this.#allFields(), chunk ?? undefined, reason);
    this.#headersWritten = true;
    await sent;
  }

  /**
   * Sends what has not been sent. With `tagger` a 200 that leaves at once gets a tag, and is held against the request's
   * conditions. Throws HTTPOutputError when the answer cannot have the body that it was given.
   */
  finish(tagger: Tagger | null): void {
    const rest = this.#take();
    if (this.#headersWritten) {
      const { connection } = this.#request;
      if (rest !== null) void ignore(connection.write(rest)); // the client may have left
      connection.finish();
    } else {
      this.#respond(rest, tagger);
      this.#headersWritten = true;
    }
    this.#finished = true;
  }

  /** The connection has been cut, or the request is answered by other code: nothing more can be written. */
  abandon(): void {
    this.#headersWritten = true;
    this.#finished = true;
  }

  /**
   * The head of an answer that hands the connection over, with fields of its own, and without what is about a body or
   * is said by the sandbox.
   */
  takeHead(own: readonly [string, string][]): HeaderBlock {
    for (const name of [...OF_A_BODY, ...OF_A_CONNECTION]) this.#fields = this.#fields.without(name);
    const block = encodeHeaders(withFields([...this.#allFields(), ...own], this.#request.answerFields));
    this.abandon();
    return block;
  }

  #respond(given: string | Uint8Array | null, tagger: Tagger | null): void {
    const request = this.#request;
    let body = given;
    if (this.#status === 200 && tagger !== null) {
      this.#tag(body ?? "", tagger);
      const status = request.isConditional ? precondition(request.headers, this.#validators()) : 200;
      if (status !== 200) {
        this.setStatus(status);
        if (status === 304) return request.respondNotModified(this.#allFields(), this.#sizeOf(body));
        body = null;
        for (const name of [...OF_A_BODY, "Content-Length"]) this.#fields = this.#fields.without(name);
      }
    }
    const reason = this.#reason ?? undefined;
    if (isBodyless(this.#status)) {
      if (body !== null) throw new HTTPOutputError(`an answer with ${this.#status} has no body`);
      if (this.#status === 304) return request.respondNotModified(this.#allFields(), this.#sizeOf(null), reason);
      for (const name of OF_A_BODY) this.#fields = this.#fields.without(name);
    }
    const isEmpty = body === null && !isBodyless(this.#status) && this.#fields.get("Content-Length") === null;
    request.respond(this.#status, this.#allFields(), isEmpty ? "" : body, reason);
  }

  #tag(body: string | Uint8Array, tagger: Tagger): void {
    if (this.#fields.get("Etag") !== null) return;
    const etag = tagger.computeEtag(body);
    if (etag !== null) this.#fields = this.#fields.tagged(etag);
  }

  #validators(): Validators {
    const modified = this.#fields.get("Last-Modified");
    return { etag: this.#fields.get("Etag"), modifiedMs: modified === null ? null : parseHTTPDate(modified) };
  }

  /** Bytes of the body; without one those that Content-Length says, -1: not known. */
  #sizeOf(body: string | Uint8Array | null): number {
    return body === null ? Number(this.#fields.get("Content-Length") ?? -1) : Buffer.byteLength(body);
  }

  #checkUnsent(): void {
    if (this.#headersWritten) throw new HTTPOutputError("the head has been sent already");
  }

  #allFields(): FieldSet {
    return this.#cookies === null ? this.#fields : this.#fields.withCookies([...this.#cookies.values()]);
  }

  #take(): string | Uint8Array | null {
    const [text, parts] = [this.#text, this.#parts];
    this.#text = "";
    this.#parts = null;
    if (parts === null) return text === "" ? null : text;
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }
}

/**
 * A value that is written as JSON, safe inside of a page's script. Throws TypeError for an array or what is no object.
 */
export function jsonText(value: unknown): string {
  if (Array.isArray(value)) {
    throw new TypeError("write() takes no arrays, since old browsers let other sites read such JSON: write an object");
  }
  if (typeof value !== "object" || value === null) throw new TypeError(`write() takes no ${typeof value}`);
  return jsonEncode(value);
}
