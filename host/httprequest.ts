/**
 * One request as its handler sees it, and its answer.
 *
 * Invariants: the frame is checked when it comes and read when somebody asks, so a handler that wants nothing costs nothing; an
 * answer is given once; after it the host has forgotten the request's id. What is kept while a handler takes its time is
 * the request's own bytes, not the chunk of the channel that they came in.
 *
 * Reference: docs/protocol.md, REQUEST; Tornado's httputil.HTTPServerRequest for the names.
 */
import type { Address } from "./address.js";
import type { Bridge, Endpoint, Peer } from "./bridge.js";
import { HTTPOutputError, ProtocolError, type Reason, reasonName, StreamClosedError } from "./errors.js";
import {
  ADDRESS_BYTES,
  FRAME_ABORT,
  FRAME_BODY,
  FRAME_BODY_END,
  FRAME_SENT,
  REQUEST_ADDRESS,
  REQUEST_BYTES,
  REQUEST_END,
  REQUEST_KEEP_ALIVE,
} from "./frames.js";
import { RequestBody } from "./httpbody.js";
import { encodeHeaders, type HeadersInput, HTTPHeaders } from "./httpheaders.js";
import { checkStatus, HTTPConnection, isBodyless, type ResponseOwner, respondWhole } from "./httpresponse.js";
import type { Data } from "./outflow.js";
import type { TLSInfo } from "./tls.js";

const METHODS = ["", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;
const METHOD_OTHER = 0;
const METHOD_HEAD = 2;

/** What serves requests; `HTTPServer` calls it with each. */
export type RequestRunner = (request: HTTPServerRequest) => void;

export class HTTPServerRequest implements Endpoint, ResponseOwner {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #run: RequestRunner;
  readonly #peer: Peer | null | undefined;
  // The REQUEST payload, and where its parts begin.
  #chunk: Buffer;
  #start: number;
  #end: number;
  #textAt: number;
  #bodyAt: number;
  /** The id is not live any more: the answer is complete, or the peer or the worker is gone. */
  #over = false;
  #answered = false;
  #gone: StreamClosedError | null = null;
  #target: string | null = null;
  #headers: HTTPHeaders | null = null;
  #query: URLSearchParams | null = null;
  #body: RequestBody | null = null;
  #connection: HTTPConnection | null = null;
  #abort: AbortController | null = null;

  /** @internal Throws ProtocolError when the payload does not add up. */
  constructor(bridge: Bridge, id: number, chunk: Buffer, start: number, end: number, run: RequestRunner) {
    this.#bridge = bridge;
    this.#id = id;
    this.#run = run;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
    if (end - start < REQUEST_BYTES) throw new ProtocolError("REQUEST is cut short");
    this.#textAt = start + REQUEST_BYTES + chunk.readUInt16LE(start + 4) * 4;
    this.#bodyAt = textEnd(chunk, start, end, this.#textAt);
    const addressAt = hasAddress(chunk, start) ? this.#bodyAt : -1;
    if (addressAt >= 0) this.#bodyAt += ADDRESS_BYTES;
    checkFlags(chunk, start, end - this.#bodyAt);
    this.#peer = bridge.peer(chunk.readUInt32LE(start + 12), chunk, addressAt);
  }

  // --- the head ---

  /** The method as it came, for example `"GET"`. */
  get method(): string {
    const code = this.#chunk[this.#start] as number;
    if (code !== METHOD_OTHER) return METHODS[code] as string;
    return this.#chunk.toString("latin1", this.#textAt, this.#textAt + this.#methodBytes());
  }

  /** The request-target as it came, for example `"/a%20b?x=1"`. */
  get target(): string {
    if (this.#target === null) {
      const at = this.#textAt + this.#methodBytes();
      this.#target = this.#chunk.toString("latin1", at, at + this.#chunk.readUInt16LE(this.#start + 8));
    }
    return this.#target;
  }

  /** The target's path, not decoded: `"/a%20b"`. */
  get path(): string {
    const target = this.target;
    const start = pathStart(target);
    const mark = target.indexOf("?", start);
    const path = start === 0 && mark < 0 ? target : target.slice(start, mark < 0 ? target.length : mark);
    return path === "" ? "/" : path;
  }

  /** The target's query, decoded. */
  get query(): URLSearchParams {
    if (this.#query === null) {
      const mark = this.target.indexOf("?");
      this.#query = new URLSearchParams(mark < 0 ? "" : this.target.slice(mark + 1));
    }
    return this.#query;
  }

  /** `"HTTP/1.1"` or `"HTTP/1.0"`. */
  get version(): string {
    return this.#chunk[this.#start + 1] === 1 ? "HTTP/1.1" : "HTTP/1.0";
  }

  /** Whether the connection may stay open after the answer. */
  get keepAlive(): boolean {
    return ((this.#chunk[this.#start + 2] as number) & REQUEST_KEEP_ALIVE) !== 0;
  }

  /** The header fields. */
  get headers(): HTTPHeaders {
    this.#headers ??= new HTTPHeaders(this.#fields());
    return this.#headers;
  }

  /** The peer's address: what its PROXY protocol header says, else its socket's; null under wasmtime without such a header or TLS. */
  get remoteAddress(): Address | null {
    return this.#peer?.address ?? null;
  }

  /** What TLS has agreed on; null for a request without TLS. */
  get tls(): TLSInfo | null {
    return this.#peer?.tls ?? null;
  }

  /** @internal It came from somebody who must not be served. */
  get isStray(): boolean {
    return this.#peer === undefined;
  }

  /** Aborted when the peer goes away before the answer is complete. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#gone !== null) this.#abort.abort(this.#gone);
    }
    return this.#abort.signal;
  }

  // --- the body ---

  /** The body's size in bytes as announced; 0 without a body, null when it is chunked. */
  get contentLength(): number | null {
    const length = Number(this.#chunk.readBigInt64LE(this.#start + 16));
    return length < 0 ? null : length;
  }

  /** The body as it comes. The peer is slowed down to the pace at which it is taken. */
  get body(): AsyncIterable<Buffer> {
    return this.#reader();
  }

  /**
   * Reads the whole (rest of the) body. Rejects with BodyTooLargeError when it is more than `maxBytes` (default: the server's
   * `bodyBytesMax`), with StreamClosedError when the peer ends before it is complete.
   */
  readBody(maxBytes: number = this.#bridge.options.bodyBytesMax): Promise<Buffer> {
    return this.#reader().readAll(maxBytes);
  }

  // --- the answer ---

  /**
   * Sends the whole answer. Text is sent as UTF-8. Does nothing when the peer is gone.
   * Throws HTTPOutputError when there was an answer before or `Content-Length` does not match, HeaderError for a status or a
   * header that must not be sent; nothing has been sent then.
   */
  respond(status: number, headers?: HeadersInput, body: Data | null = null): void {
    if (this.#answered || this.#connection?.started === true)
      throw new HTTPOutputError("the request has been answered");
    checkStatus(status);
    const block = encodeHeaders(headers);
    if (this.#gone !== null) {
      this.#answered = true;
      return;
    }
    if (this.#chunk[this.#start] === METHOD_HEAD || isBodyless(status)) {
      this.connection.respond(status, block, body);
    } else if (respondWhole(this.#bridge, this.#id, status, block, body)) {
      this.#bridge.written();
      this.answered();
    } else {
      this.connection.respond(status, block, body);
    }
  }

  /** The answer bit by bit: `writeHeaders`, `write`, `finish`. */
  get connection(): HTTPConnection {
    if (this.#connection === null) {
      const isHead = this.#chunk[this.#start] === METHOD_HEAD;
      this.#connection = new HTTPConnection(this.#bridge, this.#id, this, isHead, this.#answered);
      if (this.#gone !== null) this.#connection.gone(this.#gone);
    }
    return this.#connection;
  }

  /** Whether an answer has been started or given. */
  get started(): boolean {
    return this.#answered || this.#connection?.started === true;
  }

  /** Whether the answer is complete, as far as the handler is concerned. */
  get finished(): boolean {
    return this.#answered || this.#connection?.finished === true;
  }

  /** @internal Why the peer is gone; null while it is not known to be. */
  get gone(): StreamClosedError | null {
    return this.#gone;
  }

  // --- frames ---

  /** @internal */
  run(): void {
    this.#run(this);
    if (!this.#over) this.#detach();
  }

  /** @internal */
  receive(type: number, chunk: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME_BODY:
      case FRAME_BODY_END:
        if (this.#isComplete()) throw new ProtocolError("BODY for a request that is complete");
        return this.#reader().push(chunk, start, end, type === FRAME_BODY_END);
      case FRAME_SENT:
        if (end - start !== 4 || this.#connection === null) throw new ProtocolError("SENT");
        return this.#connection.sent(chunk.readUInt32LE(start));
      case FRAME_ABORT:
        return this.#takeAbort(chunk, start, end);
      default:
        throw new ProtocolError(`type 0x${type.toString(16)} for a request`);
    }
  }

  /** @internal */
  lost(): void {
    this.#leave("WORKER");
  }

  /** @internal */
  answered(): void {
    this.#answered = true;
    this.#over = true;
    this.#bridge.release(this.#id);
    this.#body?.fail(new StreamClosedError("CLOSED"));
  }

  /** @internal Ends the connection at once: the handler failed after its head was sent. */
  cancel(): void {
    if (!this.#over) this.connection.cancel();
  }

  #takeAbort(chunk: Buffer, start: number, end: number): void {
    const reason = end - start === 2 ? reasonName(chunk.readUInt16LE(start)) : undefined;
    if (reason === undefined) throw new ProtocolError("ABORT for an unknown reason");
    this.#bridge.forget(this.#id);
    this.#leave(reason);
  }

  #leave(reason: Reason): void {
    this.#over = true;
    this.#gone = new StreamClosedError(reason);
    this.#connection?.gone(this.#gone);
    this.#body?.fail(this.#gone);
    this.#abort?.abort(this.#gone);
  }

  // --- reading the frame ---

  #isComplete(): boolean {
    return ((this.#chunk[this.#start + 2] as number) & REQUEST_END) !== 0;
  }

  /** The body's reader, which begins with what came in the REQUEST. */
  #reader(): RequestBody {
    if (this.#body === null) {
      this.#body = new RequestBody(this.#bridge, this.#id, Number(this.#chunk.readBigInt64LE(this.#start + 16)));
      if (this.#isComplete() || this.#end > this.#bodyAt) {
        this.#body.push(this.#chunk, this.#bodyAt, this.#end, this.#isComplete());
      }
      if (this.#gone !== null) this.#body.fail(this.#gone);
      else if (this.#over) this.#body.fail(new StreamClosedError("CLOSED"));
    }
    return this.#body;
  }

  #methodBytes(): number {
    return this.#chunk.readUInt16LE(this.#start + 6);
  }

  *#fields(): IterableIterator<[string, string]> {
    const table = this.#start + REQUEST_BYTES;
    const first = this.#textAt + this.#methodBytes() + this.#chunk.readUInt16LE(this.#start + 8);
    const text = this.#chunk.toString("latin1", first, this.#bodyAt);
    let at = 0;
    for (let row = table; row < this.#textAt; row += 4) {
      const middle = at + this.#chunk.readUInt16LE(row);
      const end = middle + this.#chunk.readUInt16LE(row + 2);
      yield [text.slice(at, middle), text.slice(middle, end)];
      at = end;
    }
  }

  /** Lets go of the chunk: the handler has not answered yet, and may take long. */
  #detach(): void {
    const bytes = this.#end - this.#start;
    if (bytes * 2 >= this.#chunk.length) return;
    const own = Buffer.from(this.#chunk.subarray(this.#start, this.#end));
    this.#textAt -= this.#start;
    this.#bodyAt -= this.#start;
    this.#start = 0;
    this.#end = bytes;
    this.#chunk = own;
  }
}

/** Where the texts of a REQUEST end; throws unless they lie within it. */
function textEnd(chunk: Buffer, start: number, end: number, textAt: number): number {
  if (textAt > end) throw new ProtocolError("REQUEST is cut short");
  let at = textAt + chunk.readUInt16LE(start + 6) + chunk.readUInt16LE(start + 8);
  for (let row = start + REQUEST_BYTES; row < textAt; row += 2) at += chunk.readUInt16LE(row);
  if (at > end) throw new ProtocolError("REQUEST's texts are longer than it is");
  return at;
}

/** The fixed fields have few values; Content-Length has to fit what the frame holds. */
function hasAddress(chunk: Buffer, start: number): boolean {
  return ((chunk[start + 2] as number) & REQUEST_ADDRESS) !== 0;
}

function checkFlags(chunk: Buffer, start: number, bodyBytes: number): void {
  const method = chunk[start] as number;
  const flags = chunk[start + 2] as number;
  const length = chunk.readUInt32LE(start + 16) + chunk.readInt32LE(start + 20) * 2 ** 32;
  const hasText = chunk.readUInt16LE(start + 6) > 0;
  const methodFits = method < METHODS.length && hasText === (method === METHOD_OTHER);
  if (!methodFits || (chunk[start + 1] as number) > 1 || flags > 7 || chunk[start + 3] !== 0) {
    throw new ProtocolError("REQUEST with fields that have no meaning");
  }
  const complete = (flags & REQUEST_END) !== 0;
  const fits = length < 0 || (complete ? bodyBytes === length : bodyBytes <= length && length > 0);
  if (!fits || length < -1 || bodyBytes < 0)
    throw new ProtocolError("REQUEST with a body that is not of its Content-Length");
}

/** Where the path begins: after the authority of an absolute-form target (RFC 9112 3.2.2). */
function pathStart(target: string): number {
  if (target.startsWith("/")) return 0;
  const scheme = target.indexOf("://");
  if (scheme < 0) return 0;
  const end = target.slice(scheme + 3).search(/[/?]/);
  return end < 0 ? target.length : scheme + 3 + end;
}
