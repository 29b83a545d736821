/**
 * One request as its handler sees it, and its answer. What came is in its parts: RequestHead reads the frame,
 * IncomingBody the body; HTTPConnection writes an answer bit by bit, LateAnswer waits for one.
 *
 * Invariants: parts are made when they are needed, so a handler that asks for nothing costs nothing; an answer is given
 * once; after it the host has forgotten the request's id. What is kept while a handler takes its time is the request's
 * own bytes, not the chunk of the channel that they came in.
 *
 * Reference: docs/protocol.md, REQUEST; Tornado's httputil.HTTPServerRequest for the names.
 */
import type { Bridge, Endpoint, FrameTaker, Peer } from "../bridge/bridge.js";
import {
  FRAME_ABORT,
  FRAME_BODY,
  FRAME_BODY_END,
  FRAME_CANCEL,
  FRAME_END,
  FRAME_SENT,
  FRAME_TRAILERS,
} from "../bridge/frames.js";
import type { Address } from "../core/address.js";
import { checkData, type Data } from "../core/data.js";
import { HTTPOutputError, ProtocolError, type Reason, reasonName, StreamClosedError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { TLSInfo } from "../tls/contexts.js";
import { accessEntry } from "./accesslog.js";
import { withFields } from "./answerfields.js";
import { codeWhole, notModifiedFields } from "./compression/whole.js";
import type { Form, FormOptions } from "./form/form.js";
import { type Forwarded, forwardedBy } from "./forwarded.js";
import { headerPairs } from "./headerpairs.js";
import { encodeHeaders, type HeaderBlock, type HeadersInput, type HTTPHeaders, withReason } from "./headers.js";
import { IncomingBody } from "./incomingbody.js";
import { RequestHead } from "./requesthead.js";
import { type Answered, RequestNotes } from "./requestnotes.js";
import {
  checkStatus,
  HTTPConnection,
  isBodyless,
  type ResponseOwner,
  respondBusy,
  respondWhole,
  STATUS_NOT_MODIFIED,
} from "./response.js";
import type { HTTPSettings } from "./settings.js";
import { readTrailers, trailerHeaders } from "./trailers.js";
import { awaitAnswer, awaitNoMore, LateAnswer, type Unanswered } from "./unanswered.js";

/** What leaves in one frame is on its way. */
const ALL_TAKEN = Promise.resolve();

/** The server that a request came to. */
export interface RequestOwner {
  /** The server's settings of requests and answers. */
  readonly settings: HTTPSettings;
  /** Names of fields come as the client wrote them; else in lower case. */
  readonly keepsNames?: boolean;
  /** Has its handler answer the request. Called once for each. */
  serve(request: HTTPServerRequest): void;
}

/** A request and its answer, as handlers get it: Tornado's HTTPServerRequest. */
export class HTTPServerRequest extends RequestNotes implements Endpoint, ResponseOwner, Unanswered {
  /** @internal */
  readonly noun = "request";
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #owner: RequestOwner;
  readonly #head: RequestHead;
  /** @internal The other end of its connection; null: not known, undefined: it must not be served. */
  peer: Peer | null | undefined;
  /** When it came, in milliseconds of the monotonic clock. */
  #cameMs: number;
  /** The id is not live any more: the answer is complete, or the peer or the worker is gone. */
  #over = false;
  #answered = false;
  #gone: StreamClosedError | null = null;
  /** Why the client seems to have left: it has ended its side, or it is gone. */
  #leaving: StreamClosedError | null = null;
  /** Null until the body is asked for, or comes. */
  #incoming: IncomingBody | null = null;
  /** Null until the answer is written bit by bit. */
  #connection: HTTPConnection | null = null;
  #abort: AbortController | null = null;
  #forwarded: Forwarded | null = null;
  #handled = false;
  /** Called when the request is over and its handler has ended. */
  #onOver: (() => void)[] | null = null;
  /** Once its handler has returned without an answer. */
  #late: LateAnswer<HTTPServerRequest> | null = null;

  /** @internal Throws ProtocolError when the payload does not add up. */
  constructor(bridge: Bridge, id: number, chunk: Buffer, start: number, end: number, owner: RequestOwner) {
    super();
    const head = new RequestHead(chunk, start, end, owner.settings.decompressRequest, owner.keepsNames === true);
    if ((head.contentLength ?? 0) > bridge.settings.bodyBytesMax)
      throw new ProtocolError("REQUEST with too large a body");
    this.#head = head;
    this.#bridge = bridge;
    this.#id = id;
    this.#owner = owner;
    this.peer = bridge.peer(head.descriptor, chunk, head.addressAt);
    this.#cameMs = bridge.receivedMs;
  }

  // --- the head ---

  /** The method as it came, for example `"GET"`. */
  get method(): string {
    return this.#head.method;
  }

  /** @internal The method's number in the protocol; 0 is one that has none. */
  get methodNumber(): number {
    return this.#head.methodNumber;
  }

  /** @internal Its connection has had as many requests as Node's server would answer on it. */
  get isExcess(): boolean {
    return this.#head.isExcess;
  }

  /** The request-target as it came, for example `"/a%20b?x=1"`. */
  get target(): string {
    return this.#head.target;
  }

  /** The target's path, not decoded: `"/a%20b"`. */
  get path(): string {
    return this.#head.path;
  }

  /** The target's query, decoded. */
  get query(): URLSearchParams {
    return this.#head.query;
  }

  /** `"HTTP/1.1"` or `"HTTP/1.0"`. */
  get version(): string {
    return this.#head.version;
  }

  /** Whether the connection may stay open after the answer. */
  get keepAlive(): boolean {
    return this.#head.keepAlive;
  }

  /** Whether it is a WebSocket's opening handshake that may be accepted (RFC 6455 4.2.1); see WebSocketHandler. */
  get isWebSocket(): boolean {
    return this.#head.isWebSocket;
  }

  /** The header fields. Under `decompressRequest` those of the inflated body. */
  get headers(): HTTPHeaders {
    return this.#head.headers;
  }

  /** @internal Names, in lower case unless the server keeps them, and values, one after the other. */
  get rawFields(): string[] {
    return this.#head.rawFields();
  }

  /** Whether there is a field of this name, in lower case; found without decoding the others. */
  hasField(name: string): boolean {
    return this.#head.hasField(name);
  }

  /** @internal Whether there may be a condition (RFC 9110 13.1): a field that begins with `If-`. */
  get isConditional(): boolean {
    return this.#head.isConditional;
  }

  /** The cookies that came with it; of several with one name the last. */
  get cookies(): ReadonlyMap<string, string> {
    return this.#head.cookies;
  }

  /**
   * The host that was asked for, with its port if there is one: `"example.org:8888"`. Without a Host field (HTTP/1.0)
   * `"127.0.0.1"`.
   */
  get host(): string {
    return this.#head.host;
  }

  /** The address that was asked for, with scheme and host: `"https://example.org/a?x=1"`. */
  fullUrl(): string {
    const { target, path, host } = this.#head;
    const mark = target.indexOf("?");
    return `${this.protocol}://${host}${path}${mark < 0 ? "" : target.slice(mark)}`;
  }

  // --- the connection ---

  /**
   * The client's address: with `xheaders` what a trusted proxy says; else what its PROXY protocol header says, else its
   * socket's; null under wasmtime without any of them. Over a Unix-domain socket it is that socket's path.
   */
  get remoteAddress(): Address | null {
    return this.#owner.settings.forward === null ? (this.peer?.address ?? null) : this.#from().address;
  }

  /** `"https"` over TLS, or when a trusted proxy (`xheaders`) or the server's option `protocol` says so. */
  get protocol(): "http" | "https" {
    return this.#from().protocol;
  }

  /** What TLS has agreed on; null for a request without TLS. */
  get tls(): TLSInfo | null {
    return this.peer?.tls ?? null;
  }

  #from(): Forwarded {
    const { forward, protocol: given } = this.#owner.settings;
    const address = this.peer?.address ?? null;
    const protocol = given ?? (this.tls === null ? "http" : "https");
    if (forward === null) return { address, protocol };
    this.#forwarded ??= forwardedBy(forward, this.headers, address, protocol);
    return this.#forwarded;
  }

  /** @internal The client's address by a trusted proxy; null: the server asks none. */
  get forwardedAddress(): Address | null {
    return this.#owner.settings.forward === null ? null : this.#from().address;
  }

  /** @internal Where its server logs. */
  get logger(): Logger {
    return this.#bridge.settings.logger;
  }

  /** @internal It came from a client that must not be served. */
  get isStray(): boolean {
    return this.peer === undefined;
  }

  /**
   * Aborted when the client leaves before the answer is complete, in whatever way. One that leaves in order only ends
   * its side, and so does one that sends no more and waits: an answer that is given all the same reaches it, unless
   * `halfCloseTimeoutMs` pass before.
   */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      this.#late?.keep(this.#abort);
      if (this.#leaving !== null) this.#abort.abort(this.#leaving);
    }
    return this.#abort.signal;
  }

  // --- the body ---

  /** The body's size in bytes as announced; 0 without a body, null when it is chunked. */
  get contentLength(): number | null {
    return this.#head.contentLength;
  }

  /** The body as it comes, inflated under `decompressRequest`; the peer is slowed down to the pace of its reader. */
  get body(): AsyncIterable<Buffer> {
    return this.#body.blocks;
  }

  /**
   * Reads the whole (rest of the) body. Rejects with BodyTooLargeError when it is more than `maxBytes` (default: the
   * server's `bodyBytesMax`), with BodiesFullError when handlers hold `bodiesBytesMax` already, with StreamClosedError
   * when the peer ends before it is complete.
   */
  readBody(maxBytes?: number): Promise<Buffer> {
    return this.#body.readAll(maxBytes);
  }

  /**
   * Reads a form, `application/x-www-form-urlencoded` or `multipart/form-data`: its fields, and its files as temporary
   * ones until the request is answered and its handler has ended, or given to `options.onFile`. Without a body the form
   * is empty. Rejects with HTTPInputError: 400 for a malformed one or too many parts, 413 for too much text, else 415.
   */
  readForm(options: FormOptions = {}): Promise<Form> {
    return this.#body.readForm(options, (callback) => this.#callWhenOver(callback));
  }

  /** The fields behind a chunked body, once it has come; none that frames, routes or authenticates (RFC 9110 6.5.1). */
  get trailers(): HTTPHeaders {
    return trailerHeaders(this.rawTrailers);
  }

  /** @internal Names and values of `trailers`, one after the other; as they came where names are kept. */
  get rawTrailers(): readonly string[] {
    return this.#incoming?.trailers ?? [];
  }

  /** @internal Whether a body has to be read: no bytes are a body, too, where gzip was promised. */
  get hasBody(): boolean {
    return this.#head.contentLength !== 0 || this.#head.isInflated;
  }

  /** @internal All of its body has come. */
  get hasArrived(): boolean {
    return this.#head.isComplete || this.#incoming?.ended === true;
  }

  /** @internal */
  limitBody(bounds: { maxBytes?: number; timeoutMs?: number }): void {
    if (this.#head.contentLength !== 0) this.#body.limit(bounds);
  }

  get #body(): IncomingBody {
    if (this.#incoming === null) {
      this.#incoming = new IncomingBody(this.#bridge, this.#id, this.#head, this.#owner.settings);
      this.#late?.keep(this.#incoming);
      if (this.#over) this.#incoming.end(this.#gone);
    }
    return this.#incoming;
  }

  // --- the answer ---

  /**
   * Sends the whole answer. Text is sent as UTF-8. Does nothing when the peer is gone. `reason` takes the place of the
   * status's standard phrase. In answer to HEAD a body gives its length and is not sent; without one no length is said
   * but that of `headers`. Throws HTTPOutputError when there was an answer before or `Content-Length` does not match,
   * HeaderError for a status, a header or a reason that must not be sent, TypeError for a body that is neither text nor
   * bytes; nothing has been sent then.
   */
  respond(status: number, own?: HeadersInput, body: Data | null = null, reason?: string): void {
    const headers = withFields(own, this.answerFields);
    if (this.started) throw new HTTPOutputError("the request has been answered");
    checkStatus(status);
    if (body !== null) checkData(body);
    const { compression } = this.#owner.settings;
    const fields = compression === null ? null : headerPairs(headers);
    const block = withReason(encodeHeaders(fields ?? headers), reason);
    if (this.#gone !== null) {
      this.#answered = true;
      return;
    }
    const isUnknown = this.#head.isHead && body === null && !isBodyless(status);
    if (isUnknown && (fields !== null || block.contentLength < 0))
      return this.#respondHead(status, fields ?? headers, reason);
    if (compression === null || fields === null) return this.#respond(status, block, body);
    const coded = codeWhole(compression, this.#head.acceptEncoding, status, fields, block, body);
    const head = withReason(coded.block, reason);
    if (coded.later === null) this.#respond(status, head, coded.body);
    else this.connection.respondCompressed(status, head, coded.body, coded.later);
  }

  /**
   * The head of a body that is not here: only its Content-Length says how long it would be, and whether it would be
   * compressed.
   */
  #respondHead(status: number, fields: HeadersInput | undefined, reason: string | undefined): void {
    void this.connection.writeHeaders(status, fields, undefined, reason);
    this.connection.finish();
  }

  /**
   * @internal 304 in the place of a 200 with `headers` and a body of so many bytes, -1: not known. Fields that describe
   * the body are left out, and the others are those of the 200 (RFC 9110 15.4.5), whose ETag may be another one when it
   * would have been compressed.
   */
  respondNotModified(headers: HeadersInput, bytes: number, reason?: string): void {
    const { compression } = this.#owner.settings;
    const pairs = headerPairs(withFields(headers, this.answerFields));
    const kept = notModifiedFields(compression, this.#head.acceptEncoding, pairs, bytes);
    this.respond(STATUS_NOT_MODIFIED, kept, null, reason);
  }

  #respond(status: number, block: HeaderBlock, body: Data | null): void {
    const bytes =
      this.#head.isHead || isBodyless(status) ? -1 : respondWhole(this.#bridge, this.#id, status, block, body);
    if (bytes < 0) return this.connection.respond(status, block, body);
    this.#bridge.written();
    this.#connection?.answered();
    this.#release();
    this.#log(status, bytes, null);
  }

  /** The answer bit by bit: `writeHeaders`, `write`, `finish`. */
  get connection(): HTTPConnection {
    if (this.#connection === null) {
      awaitNoMore(this);
      this.#late?.holdStrongly(this);
      const { compression } = this.#owner.settings;
      this.#connection = new HTTPConnection(this.#bridge, this.#id, this, this.#head, compression, this.#answered);
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

  /** @internal Resolves when the peer's connection has taken what was answered so far; rejects when it is gone. */
  get taken(): Promise<void> {
    if (this.#connection !== null || this.#gone !== null) return this.connection.taken;
    return ALL_TAKEN;
  }

  /** Milliseconds since it came. */
  requestTime(): number {
    return performance.now() - this.#cameMs;
  }

  /** @internal Why the client seems to have left, which `signal` gives as its reason; null: it does not. */
  get leaving(): StreamClosedError | null {
    return this.#leaving;
  }

  /** @internal Why the peer is gone; null while it is not known to be. */
  get gone(): StreamClosedError | null {
    return this.#gone;
  }

  /**
   * @internal Hands the connection over: the id's frames are from now on for what `make` gives, which answers the
   *   request, and says with `answered` what the access log has.
   * Returns false, without a call, when the peer is gone. Throws HTTPOutputError when there was an answer before.
   */
  upgrade(make: (bridge: Bridge, id: number, peer: Peer | null, answered: Answered) => FrameTaker): boolean {
    if (this.started) throw new HTTPOutputError("the request has been answered");
    if (this.#gone !== null) return false;
    this.#head.detach();
    this.#answered = true;
    this.#end(null);
    this.#connection?.gone(new StreamClosedError("CLOSED"));
    const answered: Answered = (status, aborted = null) => this.#log(status, 0, aborted);
    this.#bridge.replace(this.#id, make(this.#bridge, this.#id, this.peer ?? null, answered));
    return true;
  }

  /** @internal Its handler has ended. When its client had left before, no code is left to complete the answer. */
  handled(): void {
    this.#handled = true;
    const isAlone = this.onGone === null && !this.isLeft; // else it may be answered by what the handler has begun
    if (this.#leaving !== null && isAlone && !this.finished) this.cancel();
    if (this.#over) this.#callOver();
  }

  #callWhenOver(callback: () => void): void {
    this.#onOver ??= [];
    this.#onOver.push(callback);
    if (this.#over && this.#handled) this.#callOver();
  }

  #callOver(): void {
    if (this.#onOver !== null) for (const callback of this.#onOver.splice(0)) callback();
  }

  // --- an answer that comes later, or never ---

  /** @internal Whether it is answered, is being answered, or other code has taken it and will answer. */
  get isTaken(): boolean {
    const isLeaving = this.#leaving !== null;
    return this.started || isLeaving || this.#connection !== null || this.onGone !== null || this.#late !== null;
  }

  /**
   * @internal Its handler has returned without an answer, and may answer later. `forgotten` is called when no code
   *   holds the request any more, with another one in its place. It must not hold the request.
   */
  expectAnswer(forgotten: (request: HTTPServerRequest) => void): void {
    this.#late = new LateAnswer(this.#bridge, this.#id, forgotten);
    awaitAnswer(this);
  }

  /** @internal */
  holdWeakly(): void {
    if (this.#over || this.#connection !== null || this.#late === null) return;
    this.#late.holdWeakly(this, this.#twin(), [this.#incoming, this.#abort]);
  }

  /** The same request again, as it was when it came. */
  #twin(): HTTPServerRequest {
    const twin = this.#head.copy(
      (chunk, start, end) => new HTTPServerRequest(this.#bridge, this.#id, chunk, start, end, this.#owner),
    );
    twin.peer = this.peer;
    twin.#cameMs = this.#cameMs;
    twin.#onOver = this.#onOver ??= [];
    twin.#incoming = new IncomingBody(this.#bridge, this.#id, twin.#head, this.#owner.settings, this.#body.held);
    twin.#handled = true;
    twin.takeNotes(this);
    return twin;
  }

  // --- frames ---

  /** @internal */
  run(): void {
    this.#owner.serve(this);
    if (!this.#over) this.#head.detach();
  }

  /** @internal */
  receive(type: number, chunk: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME_BODY:
      case FRAME_BODY_END:
        this.#body.push(chunk, start, end, type === FRAME_BODY_END);
        return type === FRAME_BODY_END ? this.onArrived?.() : undefined;
      case FRAME_TRAILERS:
        return this.#body.pushTrailers(readTrailers(chunk, start, end));
      case FRAME_SENT:
        if (end - start !== 4 || this.#connection === null) throw new ProtocolError("SENT");
        return this.#connection.sent(chunk.readUInt32LE(start));
      case FRAME_END:
        return this.#takeEnd(end - start);
      case FRAME_ABORT:
        return this.#takeAbort(chunk, start, end);
      default:
        throw new ProtocolError(`type 0x${type.toString(16)} for a request`);
    }
  }

  /** @internal Answered with 503 if it can be. Its handler sees what it sees when the client leaves. */
  shed(): void {
    const bridge = this.#bridge;
    if (this.started) bridge.writer.empty(FRAME_CANCEL, this.#id);
    else respondBusy(bridge, this.#id);
    bridge.written();
    bridge.release(this.#id);
    this.#incoming?.shed(new StreamClosedError("BUFFER_FULL"));
    this.#leave("BUFFER_FULL");
  }

  /** @internal */
  lost(): void {
    this.#leave("WORKER");
  }

  /** @internal */
  answered(aborted: Reason | null): void {
    this.#release();
    this.#log(this.connection.status, this.connection.bodyBytes, aborted);
  }

  #release(): void {
    this.#answered = true;
    this.#bridge.release(this.#id);
    this.#end(null);
    if (this.#handled) this.#callOver();
  }

  /** From here on the id is not live. `gone`: why the peer is gone, if it is. */
  #end(gone: StreamClosedError | null): void {
    this.#over = true;
    if (this.#late !== null) awaitNoMore(this);
    this.#incoming?.end(gone);
  }

  /** @internal Ends the connection at once: the handler failed after its head was sent. */
  cancel(): void {
    if (!this.#over) this.connection.cancel();
  }

  /** Behind the whole request, once. */
  #takeEnd(size: number): void {
    if (size !== 0 || this.#leaving !== null || !this.hasArrived) throw new ProtocolError("END");
    this.#left(new StreamClosedError("END"));
    this.onLeaving?.();
  }

  #left(error: StreamClosedError): void {
    this.#leaving ??= error;
    this.#abort?.abort(this.#leaving);
  }

  #takeAbort(chunk: Buffer, start: number, end: number): void {
    const reason = end - start === 2 ? reasonName(chunk.readUInt16LE(start)) : undefined;
    if (reason === undefined) throw new ProtocolError("ABORT for an unknown reason");
    this.#bridge.forget(this.#id);
    this.#leave(reason);
  }

  /** The peer or the worker is gone. */
  #leave(reason: Reason): void {
    this.#gone = new StreamClosedError(reason);
    this.#end(this.#gone);
    this.#connection?.gone(this.#gone);
    this.#left(this.#gone);
    this.onGone?.();
    if (this.#handled) this.#callOver();
    this.#log(this.#connection?.status ?? null, this.#connection?.bodyBytes ?? 0, reason);
  }

  /** Called once for each request that a handler has seen: when the host is done with its id. */
  #log(status: number | null, bytes: number, aborted: Reason | null): void {
    if (this.isStray) return;
    this.#bridge.latencies.answered(this.methodNumber, aborted === null ? status : null, this.route, this.#cameMs);
    this.observation?.finish(this, status, bytes, aborted);
    const { accessLog } = this.#owner.settings;
    if (accessLog !== null) accessLog(accessEntry(this, this.#cameMs, status, bytes, aborted));
  }
}
