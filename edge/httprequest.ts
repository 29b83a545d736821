/**
 * A request as handlers of Tornado's kind get it, and its answer. In a component this takes the place of
 * host/http/request.ts and host/http/response.ts, also below an Application; docs/edge.md says what is not there.
 */
import "./textglobals.js";
import { withFields } from "host:http/answerfields";
import { type Form, type FormOptions, readForm } from "host:http/form/form";
import { resolveFormLimits } from "host:http/form/limits";
import { BodyTooLargeError, HeaderError, HTTPOutputError, StreamClosedError } from "../host/core/errors.js";
import { parseCookies } from "../host/http/cookies.js";
import { authorityOf, pathOf } from "../host/http/target.js";
import { type Bytes, bytesOfSource } from "./body.js";
import { Buffer, viewOf } from "./buffer.js";
import type { AbortSignal } from "./events.js";
import type { Exchange } from "./exchange.js";
import { firstValueOf } from "./headers.js";
import { encodeHeaders, type HeadersInput, HTTPHeaders, headerPairs } from "./httpheaders.js";
import type { Upgrade } from "./link.js";
import { type Logger, logger } from "./logger.js";
import type { Response } from "./messages.js";
import type { OutgoingBody } from "./outgoing.js";
import { URLSearchParams } from "./searchparams.js";

const STATUS_NO_CONTENT = 204;
const STATUS_NOT_MODIFIED = 304;
/** Fields that a 304 does not have (RFC 9110 15.4.5). */
const OF_A_BODY = /^content-(?:encoding|language|length|type)$/i;
const ALL_TAKEN = Promise.resolve();

export class HTTPServerRequest {
  readonly #exchange: Exchange;
  #query: URLSearchParams | null = null;
  #headers: HTTPHeaders | null = null;
  #connection: HTTPConnection | null = null;
  /** The pattern of the route that answers it; `""` unless a router has set one. */
  route = "";
  /** Its id, by the middleware `requestId`; else null. */
  requestId: string | null = null;
  /** @internal A handler has left it to a function that has given no promise: it may be answered later. */
  isLeft = false;
  /** @internal What `answerHeaders` has been given; null: nothing. */
  answerFields: HTTPHeaders | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    exchange.errorOfLeaving = () => new StreamClosedError("END");
  }

  /** @internal No code observes requests here. */
  get observation(): null {
    return null;
  }

  /** @internal No code takes the connection over. */
  get onGone(): null {
    return null;
  }

  /** Whether a WebSocketHandler may accept it. */
  get isWebSocket(): boolean {
    return this.#exchange.isWebSocket;
  }

  /** @internal What `make` makes takes it over, in place of an answer. Returns false when the client has left. */
  upgrade(make: Upgrade): boolean {
    return this.#exchange.upgrade(make);
  }

  /** Where the server logs. */
  get logger(): Logger {
    return logger;
  }

  get method(): string {
    return this.#exchange.method;
  }

  get target(): string {
    return this.#exchange.target;
  }

  get path(): string {
    return pathOf(this.target);
  }

  get query(): URLSearchParams {
    const mark = this.target.indexOf("?");
    this.#query ??= new URLSearchParams(mark < 0 ? "" : this.target.slice(mark));
    return this.#query;
  }

  get headers(): HTTPHeaders {
    this.#headers ??= HTTPHeaders.of(this.#exchange.fields);
    return this.#headers;
  }

  hasField(name: string): boolean {
    return firstValueOf(this.#exchange.fields, name) !== null;
  }

  /** @internal Whether there may be a condition: a field that begins with `If-`. */
  get isConditional(): boolean {
    return this.#exchange.fields.includes("\nif-");
  }

  get cookies(): ReadonlyMap<string, string> {
    return parseCookies(this.headers.get("cookie") ?? "");
  }

  get host(): string {
    return authorityOf(this.target) || this.headers.get("host") || "127.0.0.1";
  }

  fullUrl(): string {
    const mark = this.target.indexOf("?");
    return `http://${this.host}${this.path}${mark < 0 ? "" : this.target.slice(mark)}`;
  }

  /** Its port is not known. */
  get remoteAddress(): { address: string; port: number; family: string } | null {
    const { ip } = this.#exchange;
    return ip === undefined ? null : { address: ip, port: 0, family: ip.includes(":") ? "IPv6" : "IPv4" };
  }

  get protocol(): string {
    return "http";
  }

  get tls(): null {
    return null;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  get contentLength(): number | null {
    const { complete, body, fields } = this.#exchange;
    if (complete) return body?.length ?? 0;
    const length = firstValueOf(fields, "content-length");
    return length === null ? null : Number(length);
  }

  get body(): AsyncIterable<Buffer> {
    const { complete, body, incoming } = this.#exchange;
    return {
      async *[Symbol.asyncIterator]() {
        if (complete || incoming === null) {
          if (body !== null) yield viewOf(body);
          return;
        }
        for (let piece = await incoming.read(); piece !== null; piece = await incoming.read()) yield viewOf(piece);
      },
    };
  }

  /** Rejects with a BodyTooLargeError beyond `maxBytes`. */
  async readBody(maxBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
    if ((this.contentLength ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
    const { body, incoming } = this.#exchange;
    if (incoming === null) return body === null ? Buffer.alloc(0) : viewOf(body);
    const bytes = await bytesOfSource(incoming, maxBytes);
    if (bytes === null) throw new BodyTooLargeError(maxBytes);
    return viewOf(bytes);
  }

  /** As the host's; files of a form need `onFile`. */
  readForm(options: FormOptions = {}): Promise<Form> {
    const source = {
      next: async (): Promise<Buffer | null> => {
        const { done, value } = await pieces.next();
        return done ? null : value;
      },
      readAll: (maxBytes: number) => this.readBody(maxBytes),
      hold(): void {},
    };
    const pieces = this.body[Symbol.asyncIterator]();
    const limits = resolveFormLimits(options);
    return readForm({ headers: this.headers, body: source, onOver() {} }, limits, options);
  }

  /** @internal */
  get hasBody(): boolean {
    return this.contentLength !== 0;
  }

  /**
   * The whole answer; `body` is text or bytes. The phrase behind the status is always the status's own, whatever is
   * given. Throws HTTPOutputError when `Content-Length` is not that of the body.
   */
  respond(status: number, headers?: HeadersInput, body: Bytes | null = null): void {
    checkStatus(status);
    if (body !== null) checkData(body);
    const { fields, length } = encodeHeaders(withFields(headers, this.answerFields));
    if (length !== null && body !== null && length !== sizeOf(body)) {
      throw new HTTPOutputError(`Content-Length is ${length}, the body has ${sizeOf(body)} bytes`);
    }
    this.#exchange.answer(status, fields, body, body === null && this.#exchange.isHead ? length : null);
  }

  /** @internal 304 in the place of a 200 with `headers`: without those that describe its body. */
  respondNotModified(headers: HeadersInput): void {
    const kept = headerPairs(withFields(headers, this.answerFields)).filter(([name]) => !OF_A_BODY.test(name));
    this.respond(STATUS_NOT_MODIFIED, kept);
  }

  /** @internal */
  respondWith(response: Response): void {
    const { fields } = response.headers;
    const more = this.answerFields;
    this.#exchange.respond(response, more === null ? fields : encodeHeaders(withFields(response.headers, more)).fields);
  }

  /** @internal Ends the connection: the answer cannot be completed. */
  cancel(): void {
    this.#exchange.abort();
  }

  /** The answer bit by bit. */
  get connection(): HTTPConnection {
    this.#connection ??= new HTTPConnection(this.#exchange, this);
    return this.#connection;
  }

  get started(): boolean {
    return this.#exchange.answered;
  }

  get finished(): boolean {
    return this.#connection === null ? this.#exchange.answered : this.#connection.finished;
  }

  /** @internal Resolves when there is room for more of the answer; rejects when the client is gone. */
  get taken(): Promise<void> {
    return this.#connection === null ? ALL_TAKEN : this.#connection.taken();
  }

  /** @internal Whether it is answered, or other code will answer it. */
  get isTaken(): boolean {
    return this.started || this.isLeft || this.leaving !== null;
  }

  /** @internal What `signal` gives as its reason when the client has left. */
  get leaving(): unknown {
    return this.#exchange.gone;
  }

  /** Header fields of every answer to it: a middleware sets them. */
  get answerHeaders(): HTTPHeaders {
    this.answerFields ??= new HTTPHeaders();
    return this.answerFields;
  }
}

export class HTTPConnection {
  readonly #exchange: Exchange;
  readonly #request: HTTPServerRequest;
  #outgoing: OutgoingBody | null = null;
  #finished = false;

  constructor(exchange: Exchange, request: HTTPServerRequest) {
    this.#exchange = exchange;
    this.#request = request;
  }

  get started(): boolean {
    return this.#exchange.answered;
  }

  get finished(): boolean {
    return this.#finished;
  }

  writeHeaders(status: number, headers?: HeadersInput, chunk: Bytes = ""): Promise<void> {
    checkStatus(status);
    const { fields, length } = encodeHeaders(withFields(headers, this.#request.answerFields));
    this.#outgoing = this.#exchange.begin(status, fields, length);
    return this.write(chunk);
  }

  /** Resolves when there is room for more; rejects with a StreamClosedError when the client has left. */
  async write(chunk: Bytes): Promise<void> {
    checkData(chunk);
    if (this.#outgoing === null || this.#finished) throw new HTTPOutputError("no answer is being written");
    if (!this.#exchange.isHead) this.#outgoing.write(chunk);
    await this.taken();
  }

  /** @internal Rejects as `write` does. */
  async taken(): Promise<void> {
    if (this.#outgoing === null) return;
    await this.#outgoing.taken();
    if (this.#outgoing.isGone) throw new StreamClosedError("END");
  }

  finish(): void {
    if (this.#outgoing === null || this.#finished) throw new HTTPOutputError("no answer is being written");
    this.#finished = true;
    this.#outgoing.finish();
    this.#exchange.over();
  }
}

/** Throws HeaderError for a status that cannot be that of an answer. */
export function checkStatus(status: number): void {
  if (Number.isInteger(status) && status >= 200 && status <= 999) return;
  throw new HeaderError(`a status is a whole number from 200 to 999, not ${String(status)}`);
}

/** Whether an answer with `status` has no body whatever its handler gives. */
export function isBodyless(status: number): boolean {
  return status === STATUS_NO_CONTENT || status === STATUS_NOT_MODIFIED;
}

function checkData(value: unknown): void {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) throw new TypeError("data is text or a Uint8Array");
}

function sizeOf(data: Bytes): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}
