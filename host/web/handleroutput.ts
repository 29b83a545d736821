/**
 * What a RequestHandler answers with: status, header fields, a body in one piece or in several.
 *
 * Invariants: until `flush` nothing has been sent, and all of it can be taken back; an answer that ends without `flush`
 * leaves in one frame, with its ETag; names and values of header fields are checked where they are set.
 */
import { HTTPOutputError, OptionError } from "../core/errors.js";
import { ignore } from "../core/promises.js";
import { encodeHeaders, type HeaderBlock } from "../http/headers.js";
import { checkStatus, isBodyless } from "../http/response.js";
import { precondition, type Validators } from "./conditions.js";
import { Finish, HTTPError, reasonPhrase } from "./errors.js";
import { etagOf, namesEtag } from "./etags.js";
import { HandlerInput } from "./handlerinput.js";
import { type FieldSet, firstFields, type HeaderValue } from "./headers.js";
import { parseHTTPDate } from "./httpdate.js";

export type { HeaderValue } from "./headers.js";

/** What can be written: text is sent as UTF-8, an object as JSON. Arrays are refused, as in Tornado. */
export type Chunk = string | Uint8Array | object;

const JSON_TYPE = "application/json; charset=UTF-8";
/** Fields that describe a body, and so have no place without one. */
const OF_A_BODY = ["Content-Encoding", "Content-Language", "Content-Type"];
/** What no application says in the head of an upgraded connection. */
const OF_A_CONNECTION = ["Connection", "Content-Length", "Date", "Transfer-Encoding", "Upgrade"];
/** RFC 9112 4: what may stand in a status line; `<` never helps anybody. */
const REASON = /^[\t\x20-\x3b\x3d-\x7e\x80-\xff]+$/;

export abstract class HandlerOutput<Own extends object = Readonly<Record<string, unknown>>> extends HandlerInput<Own> {
  #status = 200;
  #reason: string | null = null;
  #fields = firstFields();
  #text = "";
  #parts: Uint8Array[] | null = null;
  #headersWritten = false;
  #finished = false;

  /** Whether the head has been sent: nothing of it can be changed any more. */
  get headersWritten(): boolean {
    return this.#headersWritten;
  }

  /** Whether the answer is complete, as far as the handler is concerned. */
  get finished(): boolean {
    return this.#finished;
  }

  /** The answer's status, 200 unless set. */
  getStatus(): number {
    return this.#status;
  }

  /** The phrase behind the status. */
  getReason(): string {
    return this.#reason ?? reasonPhrase(this.#status);
  }

  /** Throws HeaderError unless `status` is from 200 to 999. A reason that must not be sent becomes `Unknown`. */
  setStatus(status: number, reason?: string): void {
    checkStatus(status);
    this.#status = status;
    this.#reason = reason === undefined ? null : REASON.test(reason) ? reason : "Unknown";
  }

  // --- header fields ---

  /**
   * Called before every other method of the handler, and when its output is taken back: set fields that all answers
   * have here.
   */
  setDefaultHeaders(): void {}

  /** Sets a field, in place of those of this name. Throws HeaderError for what must not be sent. */
  setHeader(name: string, value: HeaderValue): void {
    this.#checkUnsent();
    this.#fields = this.#fields.with(name, value);
  }

  /** Adds a field beside those of this name. Throws HeaderError for what must not be sent. */
  addHeader(name: string, value: HeaderValue): void {
    this.#checkUnsent();
    this.#fields = this.#fields.withAnother(name, value);
  }

  /** Removes the fields of this name, set or added. */
  clearHeader(name: string): void {
    this.#checkUnsent();
    this.#fields = this.#fields.without(name);
  }

  /** The value of a field that the answer will have; the first of several; null without one. */
  getHeader(name: string): string | null {
    return this.#fields.get(name);
  }

  /** Takes back status, header fields and what was written; cookies stay. */
  clear(): void {
    this.#status = 200;
    this.#reason = null;
    this.#fields = firstFields();
    this.#text = "";
    this.#parts = null;
    this.setDefaultHeaders();
  }

  // --- the body ---

  /**
   * Adds to the body. An object is written as JSON, and sets Content-Type to that.
   * Throws HTTPOutputError when the answer is finished, TypeError for an array or what is no text, bytes or object.
   */
  write<Piece extends Chunk>(chunk: Piece extends readonly unknown[] ? never : Piece): void {
    if (this.#finished) throw new HTTPOutputError("write() after finish()");
    if (typeof chunk === "string") this.#writeText(chunk);
    else if (chunk instanceof Uint8Array) this.#writeBytes(chunk);
    else this.#writeJSON(chunk);
  }

  /**
   * Sends what was written so far, behind the head when that has not left yet. Resolves when the peer's connection has
   * taken it; rejects with StreamClosedError when the peer is gone, which may be ignored. Await it:
   * nothing piles up then. An answer of which more than `writeBufferBytesMax` would wait for a slow peer is cut.
   */
  flush(): Promise<void> {
    return ignore(this.#flush());
  }

  async #flush(): Promise<void> {
    if (this.#finished) throw new HTTPOutputError("flush() after finish()");
    const chunk = this.#take();
    const { connection } = this.request;
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
   * Completes the answer. Resolves when the peer's connection has taken all of it; rejects with StreamClosedError when
   * the peer is gone, which may be ignored. Throws HTTPOutputError when it is complete already, or cannot have the
   * body that it was given.
   */
  finish<Piece extends Chunk = string>(chunk?: Piece extends readonly unknown[] ? never : Piece): Promise<void> {
    if (this.#finished) throw new HTTPOutputError("finish() after finish()");
    if (chunk !== undefined) this.write(chunk as string);
    const rest = this.#take();
    if (this.#headersWritten) {
      const { connection } = this.request;
      if (rest !== null) void ignore(connection.write(rest)); // the client may have left
      connection.finish();
    } else {
      this.#respond(rest);
      this.#headersWritten = true;
    }
    this.#finished = true;
    const { taken } = this.request;
    this.ended();
    return taken;
  }

  /** Sends the client elsewhere: 302, or 301 when it is for ever, or `status`. Ends the answer. */
  redirect(url: string, { permanent = false, status }: { permanent?: boolean; status?: number } = {}): void {
    if (this.#headersWritten) throw new HTTPOutputError("redirect() after the head has been sent");
    const code = status ?? (permanent ? 301 : 302);
    if (!(code >= 300 && code <= 399)) throw new OptionError(`a redirect has a status from 300 to 399, not ${code}`);
    this.setStatus(code);
    this.setHeader("Location", url.replace(TO_ESCAPE, encodeURIComponent));
    this.finish();
  }

  /**
   * For addresses that end with a slash: ends the request of one that does not, GET and HEAD by a redirect for ever,
   * others by 404.
   */
  requireSlash(): void {
    const { path } = this.request;
    if (!path.endsWith("/")) this.#moveTo(`${path}/`);
  }

  /** The opposite: for addresses that do not end with a slash. The root keeps its own. */
  requireNoSlash(): void {
    const { path } = this.request;
    const end = lengthWithoutSlashes(path);
    if (end > 0 && end < path.length) this.#moveTo(path.slice(0, end));
  }

  #moveTo(path: string): never {
    const { method, target } = this.request;
    if (method !== "GET" && method !== "HEAD") throw new HTTPError(404);
    // A browser would take the first part of such a path for a host.
    if (/^[/\\]{2}/.test(path)) throw new HTTPError(403, "a path that begins with two slashes is not redirected");
    const mark = target.indexOf("?");
    this.redirect(mark < 0 ? path : path + target.slice(mark), { permanent: true });
    throw new Finish();
  }

  // --- entity tags ---

  /** The answer's ETag: the sha1 of its body. Override it to know better, or return null for none. */
  computeEtag(body: string | Uint8Array): string | null {
    return etagOf(body);
  }

  /** Whether the client has the body that `etag` is for, as it says in If-None-Match. */
  checkEtag(etag: string): boolean {
    if (!this.request.hasField("if-none-match")) return false;
    return namesEtag(this.request.headers.get("if-none-match") ?? "", etag);
  }

  // --- for the classes below ---

  /** The Set-Cookie fields of the answer; null without any. */
  protected abstract cookieFields(): string[] | null;

  /** The answer is complete. */
  protected abstract ended(): void;

  /** @internal Whether a 200 that leaves at once gets a tag, and is held against the request's conditions. */
  protected get isConditional(): boolean {
    const { method } = this.request;
    return (method === "GET" || method === "HEAD") && this.application.settings.etag !== false;
  }

  /** @internal The connection has been cut: nothing more can be written. */
  protected abandon(): void {
    this.#headersWritten = true;
    this.#finished = true;
  }

  /**
   * @internal The head of an answer that hands the connection over, with fields of its own, and without what is about a
   *   body or is said by the
   * sandbox.
   */
  protected takeHead(own: readonly [string, string][]): HeaderBlock {
    for (const name of [...OF_A_BODY, ...OF_A_CONNECTION]) this.#fields = this.#fields.without(name);
    const block = encodeHeaders([...this.#allFields(), ...own]);
    this.abandon();
    return block;
  }

  #respond(given: string | Uint8Array | null): void {
    const { request } = this;
    let body = given;
    if (this.#status === 200 && this.isConditional) {
      this.#tag(body ?? "");
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

  #tag(body: string | Uint8Array): void {
    if (this.#fields.get("Etag") !== null) return;
    const etag = this.computeEtag(body);
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
    const cookies = this.cookieFields();
    return cookies === null ? this.#fields : this.#fields.withCookies(cookies);
  }

  #writeText(text: string): void {
    if (this.#parts === null) this.#text += text;
    else this.#parts.push(Buffer.from(text));
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#parts ??= this.#text === "" ? [] : [Buffer.from(this.#text)];
    this.#text = "";
    this.#parts.push(bytes);
  }

  #writeJSON(value: unknown): void {
    if (Array.isArray(value)) {
      throw new TypeError(
        "write() takes no arrays, since old browsers let other sites read such JSON: write an object",
      );
    }
    if (typeof value !== "object" || value === null) throw new TypeError(`write() takes no ${typeof value}`);
    this.setHeader("Content-Type", JSON_TYPE);
    const text = JSON.stringify(value);
    this.#writeText(text.includes("</") ? text.replaceAll("</", "<\\/") : text);
  }

  #take(): string | Uint8Array | null {
    const [text, parts] = [this.#text, this.#parts];
    this.#text = "";
    this.#parts = null;
    if (parts === null) return text === "" ? null : text;
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }
}

/** What stands in no address; control characters are left to be refused. */
const TO_ESCAPE = /[ \u0080-\u{10ffff}]+/gu;

function lengthWithoutSlashes(path: string): number {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === SLASH) end--;
  return end;
}

const SLASH = 0x2f;
