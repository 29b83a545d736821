/**
 * A request as handlers of Tornado's kind get it, and its answer: the part of the host's `HTTPServerRequest` that needs
 * no Node. docs/edge.md says what is not there.
 * Reference: host/http/request.ts, host/http/response.ts.
 */
import { BodyTooLargeError, HeaderError, HTTPOutputError, StreamClosedError } from "../host/core/errors.js";
import { parseCookies } from "../host/http/cookies.js";
import { type Bytes, bytesOfSource } from "./body.js";
import type { AbortSignal } from "./events.js";
import type { Exchange } from "./exchange.js";
import { firstValueOf } from "./headers.js";
import { answerFields, type HeadersInput, HTTPHeaders } from "./httpheaders.js";
import type { OutgoingBody } from "./outgoing.js";
import { URLSearchParams } from "./searchparams.js";

export class HTTPServerRequest {
  readonly #exchange: Exchange;
  #query: URLSearchParams | null = null;
  #headers: HTTPHeaders | null = null;
  #connection: HTTPConnection | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get method(): string {
    return this.#exchange.method;
  }

  get target(): string {
    return this.#exchange.target;
  }

  get path(): string {
    const mark = this.target.indexOf("?");
    return mark < 0 ? this.target : this.target.slice(0, mark);
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

  get cookies(): ReadonlyMap<string, string> {
    return parseCookies(this.headers.get("cookie") ?? "");
  }

  get host(): string {
    return this.headers.get("host") ?? "127.0.0.1";
  }

  fullUrl(): string {
    return `http://${this.host}${this.target}`;
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

  get body(): AsyncIterable<Uint8Array> {
    const { complete, body, incoming } = this.#exchange;
    return {
      async *[Symbol.asyncIterator]() {
        if (complete || incoming === null) {
          if (body !== null) yield body;
          return;
        }
        for (let piece = await incoming.read(); piece !== null; piece = await incoming.read()) yield piece;
      },
    };
  }

  /** Bytes, which are no Buffer here. Rejects with a BodyTooLargeError beyond `maxBytes`. */
  async readBody(maxBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    if ((this.contentLength ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
    const { body, incoming } = this.#exchange;
    if (incoming === null) return body ?? new Uint8Array(0);
    const bytes = await bytesOfSource(incoming, maxBytes);
    if (bytes === null) throw new BodyTooLargeError(maxBytes);
    return bytes;
  }

  /** The whole answer; `body` is text or bytes. The reason phrase is always the status's own. */
  respond(status: number, headers?: HeadersInput, body: Bytes | null = null): void {
    checkStatus(status);
    if (body !== null) checkData(body);
    const { fields, length } = answerFields(headers);
    this.#exchange.answer(status, fields, body, body === null && this.#exchange.isHead ? length : null);
  }

  /** The answer bit by bit. */
  get connection(): HTTPConnection {
    this.#connection ??= new HTTPConnection(this.#exchange);
    return this.#connection;
  }

  get started(): boolean {
    return this.#exchange.answered;
  }

  get finished(): boolean {
    return this.#connection === null ? this.#exchange.answered : this.#connection.finished;
  }
}

export class HTTPConnection {
  readonly #exchange: Exchange;
  #outgoing: OutgoingBody | null = null;
  #finished = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get started(): boolean {
    return this.#exchange.answered;
  }

  get finished(): boolean {
    return this.#finished;
  }

  writeHeaders(status: number, headers?: HeadersInput, chunk: Bytes = ""): Promise<void> {
    checkStatus(status);
    const { fields, length } = answerFields(headers);
    this.#outgoing = this.#exchange.begin(status, fields, length);
    return this.write(chunk);
  }

  /** Resolves when there is room for more; rejects with a StreamClosedError when the client has left. */
  async write(chunk: Bytes): Promise<void> {
    checkData(chunk);
    if (this.#outgoing === null || this.#finished) throw new HTTPOutputError("no answer is being written");
    if (!this.#exchange.isHead) this.#outgoing.write(chunk);
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

function checkStatus(status: number): void {
  if (Number.isInteger(status) && status >= 200 && status <= 999) return;
  throw new HeaderError(`a status is a whole number from 200 to 999, not ${String(status)}`);
}

function checkData(value: unknown): void {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) throw new TypeError("data is text or a Uint8Array");
}
