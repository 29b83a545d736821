/**
 * One request as its handler sees it, and its answer.
 *
 * Invariants: the frame is checked when it comes and read when the handler asks, so a handler that wants nothing costs
 * nothing; an answer is given once; after it the host has forgotten the request's id. What is kept while a handler
 * takes its time is the request's own bytes, not the chunk of the channel that they came in.
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
import type { BodyReader } from "./bodyreader.js";
import { CONSUMED, consumedFields, GzipBody } from "./compression/gunzip.js";
import { type Compression, headerPairs } from "./compression/options.js";
import { codeNotModified, codeWhole } from "./compression/whole.js";
import { type Form, type FormOptions, readForm } from "./form/form.js";
import { resolveFormLimits } from "./form/limits.js";
import { type Forwarded, forwardedBy } from "./forwarded.js";
import { encodeHeaders, type HeaderBlock, type HeadersInput, HTTPHeaders, withReason } from "./headers.js";
import { HeldBody } from "./heldbodies.js";
import { RequestBody } from "./requestbody.js";
import { RequestHead, urlOf } from "./requesthead.js";
import { checkStatus, HTTPConnection, isBodyless, type ResponseOwner, respondBusy, respondWhole } from "./response.js";
import type { HTTPSettings } from "./settings.js";
import { readTrailers } from "./trailers.js";
import { awaitAnswer, awaitNoMore, foundForgotten, type Unanswered, WeaklyHeld } from "./unanswered.js";

/** What leaves in one frame is on its way. */
const ALL_TAKEN = Promise.resolve();

const STATUS_SWITCHING_PROTOCOLS = 101;
const STATUS_NOT_MODIFIED = 304;
/** Fields that describe a body, and so have no place without one. */
const OF_A_BODY = /^content-(?:encoding|language|length|type)$/i;

/** The server that a request came to. */
export interface RequestOwner {
  readonly settings: HTTPSettings;
  /** Has its handler answer the request. Called once for each. */
  serve(request: HTTPServerRequest): void;
}

export class HTTPServerRequest extends RequestHead implements Endpoint, ResponseOwner, Unanswered {
  /** @internal */
  readonly noun = "request";
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #owner: RequestOwner;
  #peer: Peer | null | undefined;
  /** When it came, in milliseconds of the monotonic clock. */
  #cameMs: number;
  /** The id is not live any more: the answer is complete, or the peer or the worker is gone. */
  #over = false;
  #answered = false;
  #trailers: HTTPHeaders | null = null;
  #gone: StreamClosedError | null = null;
  /** Why the client seems to have left: it has ended its side, or it is gone. */
  #leaving: StreamClosedError | null = null;
  #body: RequestBody | null = null;
  #connection: HTTPConnection | null = null;
  #abort: AbortController | null = null;
  #forwarded: Forwarded | null = null;
  /** Bounds the body, and what is inflated of it. */
  #bodyBytesMax: number;
  /** What reads the body when it came compressed. */
  #gzip: GzipBody | null = null;
  #handled = false;
  /** What its handler holds of the body. */
  #held: HeldBody | null = null;
  /** @internal Called when the client has ended its side: what `signal` tells, for less. */
  onLeaving: (() => void) | null = null;
  /** @internal Called when the peer goes away before the answer is complete. */
  onGone: (() => void) | null = null;
  /** @internal A handler has left it to a function that has given no promise: it may be answered later. */
  isLeft = false;
  /** Called when the request is over and its handler has ended. */
  #onOver: (() => void)[] | null = null;
  /** Called when no code can answer it any more, with a request in its place. */
  #forgotten: ((request: HTTPServerRequest) => void) | null = null;
  /** What stands in its place in the bridge while only its handler holds it. */
  #weakly: WeaklyHeld | null = null;

  /** @internal Throws ProtocolError when the payload does not add up. */
  constructor(bridge: Bridge, id: number, chunk: Buffer, start: number, end: number, owner: RequestOwner) {
    super(chunk, start, end);
    if ((this.contentLength ?? 0) > bridge.settings.bodyBytesMax)
      throw new ProtocolError("REQUEST with too large a body");
    this.#bridge = bridge;
    this.#id = id;
    this.#owner = owner;
    this.#peer = bridge.peer(this.descriptor, chunk, this.addressAt);
    this.#cameMs = bridge.receivedMs;
    this.#bodyBytesMax = bridge.settings.bodyBytesMax;
  }

  /**
   * The pattern of the route that answers it, such as `"/users/:id"`, for the metrics; `""` unless a router has set
   * one. It must be one of a few, and never what a peer has sent.
   */
  route = "";

  // --- the connection ---

  /**
   * The client's address: with `xheaders` what a trusted proxy says; else what its PROXY protocol header says, else its
   * socket's; null under wasmtime without any of them. Over a Unix-domain socket it is that socket's path.
   */
  get remoteAddress(): Address | null {
    return this.#from().address;
  }

  /** `"https"` over TLS, or when a trusted proxy says so (`xheaders`). */
  get protocol(): "http" | "https" {
    if (this.#owner.settings.forward === null) return this.tls === null ? "http" : "https";
    return this.#from().protocol;
  }

  /** The address that was asked for, with scheme and host: `"https://example.org/a?x=1"`. */
  fullUrl(): string {
    return urlOf(this.protocol, this);
  }

  /** What TLS has agreed on; null for a request without TLS. */
  get tls(): TLSInfo | null {
    return this.#peer?.tls ?? null;
  }

  #from(): Forwarded {
    const { forward } = this.#owner.settings;
    const address = this.#peer?.address ?? null;
    const protocol = this.tls === null ? "http" : "https";
    if (forward === null) return { address, protocol };
    this.#forwarded ??= forwardedBy(forward, this.headers, address, protocol);
    return this.#forwarded;
  }

  /** @internal Where its server logs. */
  get logger(): Logger {
    return this.#bridge.settings.logger;
  }

  /** @internal It came from a client that must not be served. */
  get isStray(): boolean {
    return this.#peer === undefined;
  }

  /**
   * Aborted when the client leaves before the answer is complete, in whatever way. One that leaves in order only ends
   * its side, and so does one that sends no more and waits: an answer that is given all the same reaches it, unless
   * `halfCloseTimeoutMs` pass before.
   */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      this.#weakly?.kept.push(this.#abort);
      if (this.#leaving !== null) this.#abort.abort(this.#leaving);
    }
    return this.#abort.signal;
  }

  // --- the body ---

  /**
   * The body as it comes, inflated under `decompressRequest`. The peer is slowed down to the pace at which it is taken.
   */
  get body(): AsyncIterable<Buffer> {
    return this.#inflated();
  }

  /**
   * Reads the whole (rest of the) body. Rejects with BodyTooLargeError when it is more than `maxBytes` (default: the
   * server's `bodyBytesMax`), with BodiesFullError when handlers hold `bodiesBytesMax` already, with StreamClosedError
   * when the peer ends before it is complete.
   */
  readBody(maxBytes: number = this.#bodyBytesMax): Promise<Buffer> {
    return this.#inflated().readAll(maxBytes);
  }

  /**
   * Reads a form, `application/x-www-form-urlencoded` or `multipart/form-data`: its fields, and its files as temporary
   * files that are there until the request is answered and its handler has ended, or given to `options.onFile`. A
   * request without a body has an empty form. Rejects with HTTPInputError: 400 for a malformed one or too many parts,
   * 413 for too much text, 415 for another body.
   */
  async readForm(options: FormOptions = {}): Promise<Form> {
    const limits = resolveFormLimits(options, this.#owner.settings.formLimits);
    const onOver = (callback: () => void) => this.#callWhenOver(callback);
    return readForm({ headers: this.headers, body: this.#inflated(), onOver }, limits, options);
  }

  /**
   * The fields that came behind a chunked body: empty until all of the body has come. Fields that frame, route or
   * authenticate are never among them (RFC 9110 6.5.1).
   */
  get trailers(): HTTPHeaders {
    return this.#trailers ?? new HTTPHeaders();
  }

  // --- the answer ---

  /**
   * Sends the whole answer. Text is sent as UTF-8. Does nothing when the peer is gone. `reason` takes the place of the
   * status's standard phrase. In answer to HEAD a body gives its length and is not sent; without one no length is said
   * but that of `headers`. Throws HTTPOutputError when there was an answer before or `Content-Length` does not match,
   * HeaderError for a status, a header or a reason that must not be sent, TypeError for a body that is neither text nor
   * bytes; nothing has been sent then.
   */
  respond(status: number, headers?: HeadersInput, body: Data | null = null, reason?: string): void {
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
    const isUnknown = this.isHead && body === null && !isBodyless(status);
    if (isUnknown && (fields !== null || block.contentLength < 0))
      return this.#respondHead(status, fields ?? headers, reason);
    if (compression === null || fields === null) return this.#respond(status, block, body);
    const coded = codeWhole(compression, this.acceptEncoding, status, fields, block, body);
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
    const pairs = headerPairs(headers);
    const fields = compression === null ? pairs : codeNotModified(compression, this.acceptEncoding, pairs, bytes);
    const kept = fields.filter(([name]) => !OF_A_BODY.test(name));
    this.respond(STATUS_NOT_MODIFIED, kept, null, reason);
  }

  #respond(status: number, block: HeaderBlock, body: Data | null): void {
    const bytes = this.isHead || isBodyless(status) ? -1 : respondWhole(this.#bridge, this.#id, status, block, body);
    if (bytes < 0) return this.connection.respond(status, block, body);
    this.#bridge.written();
    this.#connection?.answered();
    this.#release();
    this.#log(status, bytes, null);
  }

  /** The answer bit by bit: `writeHeaders`, `write`, `finish`. */
  get connection(): HTTPConnection {
    if (this.#connection === null) {
      this.#holdStrongly();
      const isHead = this.isHead;
      this.#connection = new HTTPConnection(this.#bridge, this.#id, this, isHead, this.#answered);
      if (this.#gone !== null) this.#connection.gone(this.#gone);
    }
    return this.#connection;
  }

  /** @internal */
  get compression(): Compression | null {
    return this.#owner.settings.compression;
  }

  /** @internal */
  get acceptEncoding(): string | null {
    return this.headers.get("accept-encoding");
  }

  /** Whether an answer has been started or given. */
  get started(): boolean {
    return this.#answered || this.#connection?.started === true;
  }

  /** Whether the answer is complete, as far as the handler is concerned. */
  get finished(): boolean {
    return this.#answered || this.#connection?.finished === true;
  }

  /**
   * @internal Resolves when the peer's connection has taken what was answered so far; rejects when the peer is gone.
   */
  get taken(): Promise<void> {
    if (this.#connection !== null || this.#gone !== null) return this.connection.taken;
    return ALL_TAKEN;
  }

  /** Milliseconds since it came. */
  requestTime(): number {
    return performance.now() - this.#cameMs;
  }

  /** @internal All of its body has come. */
  get hasArrived(): boolean {
    return this.isComplete || this.#body?.ended === true;
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
   *   request.
   * Returns false, without a call, when the peer is gone. Throws HTTPOutputError when there was an answer before.
   */
  upgrade(make: (bridge: Bridge, id: number, peer: Peer | null) => FrameTaker): boolean {
    if (this.started) throw new HTTPOutputError("the request has been answered");
    if (this.#gone !== null) return false;
    this.detach();
    this.#answered = true;
    this.#end();
    this.#connection?.gone(new StreamClosedError("CLOSED"));
    this.#bridge.replace(this.#id, make(this.#bridge, this.#id, this.#peer ?? null));
    this.#log(STATUS_SWITCHING_PROTOCOLS, 0, null);
    return true;
  }

  /**
   * @internal Its handler has ended. When its client had left before that, no code is left that would complete the
   * answer.
   */
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
    for (const callback of this.#onOver?.splice(0) ?? []) callback();
  }

  // --- an answer that comes later, or never ---

  /**
   * @internal Whether nothing has to be done for it any more: it is answered, is being answered, or will be by whoever
   * has taken it.
   */
  get isTaken(): boolean {
    const { started } = this;
    return (
      started || this.#leaving !== null || this.#connection !== null || this.onGone !== null || this.#forgotten !== null
    );
  }

  /**
   * @internal Its handler has returned without an answer, and may answer later. `forgotten` is called when no code
   * holds
   *   the request any
   * more, with another one in its place. It must not hold the request.
   */
  expectAnswer(forgotten: (request: HTTPServerRequest) => void): void {
    this.#forgotten = forgotten;
    awaitAnswer(this);
  }

  /** @internal */
  holdWeakly(): void {
    const forgotten = this.#forgotten;
    if (this.#over || this.#connection !== null || forgotten === null) return;
    const twin = this.#twin();
    const bridge = this.#bridge;
    const id = this.#id;
    this.#weakly = new WeaklyHeld(this, twin, (taker) => {
      if (!bridge.isFor(id, taker)) return;
      foundForgotten();
      bridge.replace(id, twin);
      forgotten(twin);
    });
    for (const kept of [this.#body, this.#abort]) if (kept !== null) this.#weakly.kept.push(kept);
    bridge.replace(id, this.#weakly);
  }

  /** The same request again, as it was when it came. */
  #twin(): HTTPServerRequest {
    const twin = this.copy(
      (chunk, start, end) => new HTTPServerRequest(this.#bridge, this.#id, chunk, start, end, this.#owner),
    );
    twin.#peer = this.#peer;
    twin.#cameMs = this.#cameMs;
    twin.#onOver = this.#onOver ??= [];
    twin.#held = this.#heldBody();
    twin.#handled = true;
    twin.route = this.route;
    return twin;
  }

  #holdStrongly(): void {
    awaitNoMore(this);
    if (this.#weakly !== null && this.#bridge.isFor(this.#id, this.#weakly)) this.#bridge.replace(this.#id, this);
    this.#weakly = null;
  }

  // --- frames ---

  /** @internal */
  run(): void {
    this.#owner.serve(this);
    if (!this.#over) this.detach();
  }

  /** @internal */
  receive(type: number, chunk: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME_BODY:
      case FRAME_BODY_END:
        if (this.isComplete) throw new ProtocolError("BODY for a request that is complete");
        return this.#reader().push(chunk, start, end, type === FRAME_BODY_END);
      case FRAME_TRAILERS:
        return this.#takeTrailers(readTrailers(chunk, start, end));
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

  /** Between the body and its end, once. */
  #takeTrailers(trailers: HTTPHeaders): void {
    if (this.isComplete || this.contentLength !== null || this.#trailers !== null || this.#reader().ended) {
      throw new ProtocolError("TRAILERS for a request that has none to come");
    }
    this.#trailers = trailers;
  }

  /** @internal Answered with 503 if it can be. Its handler sees what it sees when the client leaves. */
  shed(): void {
    const bridge = this.#bridge;
    if (this.started) bridge.writer.empty(FRAME_CANCEL, this.#id);
    else respondBusy(bridge, this.#id);
    bridge.written();
    bridge.release(this.#id);
    this.#body?.shed(new StreamClosedError("BUFFER_FULL"));
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
    this.#end();
    if (this.#forgotten !== null) awaitNoMore(this);
    this.#bridge.release(this.#id);
    // Only then, since an error costs more than all else here.
    if (this.#body?.ended === false) this.#body.fail(new StreamClosedError("CLOSED"));
    if (this.#handled) this.#callOver();
  }

  /** @internal Ends the connection at once: the handler failed after its head was sent. */
  cancel(): void {
    if (!this.#over) this.connection.cancel();
  }

  /** Behind the whole request, once. */
  #takeEnd(size: number): void {
    if (size !== 0 || this.#leaving !== null || !this.hasArrived) throw new ProtocolError("END");
    this.#tellLeaving(new StreamClosedError("END"));
    this.onLeaving?.();
  }

  #tellLeaving(error: StreamClosedError): void {
    this.#leaving ??= error;
    this.#abort?.abort(this.#leaving);
  }

  #takeAbort(chunk: Buffer, start: number, end: number): void {
    const reason = end - start === 2 ? reasonName(chunk.readUInt16LE(start)) : undefined;
    if (reason === undefined) throw new ProtocolError("ABORT for an unknown reason");
    this.#bridge.forget(this.#id);
    this.#leave(reason);
  }

  #leave(reason: Reason): void {
    this.#end();
    if (this.#forgotten !== null) awaitNoMore(this);
    this.#gone = new StreamClosedError(reason);
    this.#connection?.gone(this.#gone);
    this.#body?.fail(this.#gone);
    this.#tellLeaving(this.#gone);
    this.onGone?.();
    if (this.#handled) this.#callOver();
    this.#log(this.#connection?.status ?? null, this.#connection?.bodyBytes ?? 0, reason);
  }

  /** Called once for each request that a handler has seen: when the host is done with its id. */
  #log(status: number | null, bytes: number, aborted: Reason | null): void {
    if (this.isStray) return;
    this.#bridge.latencies.answered(this.methodNumber, aborted === null ? status : null, this.route, this.#cameMs);
    const { accessLog } = this.#owner.settings;
    if (accessLog !== null) accessLog(accessEntry(this, this.#cameMs, status, bytes, aborted));
  }

  /** @internal */
  limitBody({ maxBytes, timeoutMs }: { maxBytes?: number; timeoutMs?: number }): void {
    if (this.contentLength === 0) return;
    if (maxBytes !== undefined) {
      this.#bodyBytesMax = maxBytes;
      this.#reader().limit(maxBytes);
    }
    if (timeoutMs !== undefined) this.#reader().limitTime(timeoutMs);
  }

  #heldBody(): HeldBody {
    this.#held ??= new HeldBody(this.#owner.settings.bodiesBytesMax);
    return this.#held;
  }

  /** From here on the id is not live. */
  #end(): void {
    this.#over = true;
    this.#held?.end();
  }

  /** The body's reader, which begins with what came in the REQUEST. */
  #reader(): RequestBody {
    if (this.#body === null) {
      this.#body = new RequestBody(this.#bridge, this.#id, this.contentLength ?? -1, this.isAsking, this.#heldBody());
      this.#weakly?.kept.push(this.#body);
      this.fill(this.#body);
      if (this.#gone !== null) this.#body.fail(this.#gone);
      else if (this.#over) this.#body.fail(new StreamClosedError("CLOSED"));
    }
    return this.#body;
  }

  /** The same, inflated if it came compressed and the server takes that away. */
  #inflated(): BodyReader {
    if (!this.#isInflated()) return this.#reader();
    this.#gzip ??= new GzipBody(this.#reader(), this.#bodyBytesMax);
    return this.#gzip;
  }

  /** Whether there is a body, if only one of no bytes, and it is inflated. */
  #isInflated(): boolean {
    if (!this.#owner.settings.decompressRequest || !this.headers.has(CONSUMED)) return false;
    return this.contentLength !== 0 || this.headers.has("content-length");
  }

  /** @internal Whether a body has to be read: no bytes are a body, too, where gzip was promised. */
  get hasBody(): boolean {
    return this.contentLength !== 0 || this.#isInflated();
  }

  protected override fields(): string[] {
    const fields = super.fields();
    return this.#owner.settings.decompressRequest ? consumedFields(fields) : fields;
  }
}
