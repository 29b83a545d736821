/**
 * What `req.socket` and `res.socket` are, and what `connection` gives: the peer's address, and a way to end the
 * connection. What is written to it before the answer takes the place of the answer.
 *
 * Invariants: where this process holds the connection, it has one socket from when it was accepted to its end; else
 * each request has one of its own. `destroy` cuts the connection while an answer is not complete; between two requests
 * the connection ends behind what is on its way, or goes on where this process does not hold it. It is a Duplex, but
 * has a stream's state only when a handler uses it as one: few do.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex, getDefaultHighWaterMark } from "node:stream";
import type { Accepted, Address } from "../core/address.js";
import { HTTPOutputError } from "../core/errors.js";
import type { HTTPServerRequest } from "../http/request.js";
import { emitCloseOnce } from "../nodeinternals/closedflag.js";
import { LazyDuplex } from "../nodeinternals/lazyduplex.js";
import type { StreamSettings } from "../stream/settings.js";
import { type LocalAddress, localOf, type ServerSocket } from "./localaddress.js";
import { asNetSocket } from "./netsocket.js";
import type { MessageOptions } from "./options.js";
import { RawConnection, statusIn } from "./rawconnection.js";

export interface MessageClasses {
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
}

/** The server of a socket: its timeout, where it listens, and what it hears of the connection. */
export interface TimeoutSource extends ServerSocket {
  /** Milliseconds; 0: none. */
  readonly timeout: number;
  /** Of what classes requests and answers are. */
  readonly classes: MessageClasses;
  readonly messageOptions: MessageOptions;
  readonly streamSettings: StreamSettings;
  readonly maxHeadersCount: number | null;
  /** Names, in lower case, of which an answer has one field. */
  readonly uniqueHeaders: ReadonlySet<string> | null;
  /** The client of `socket` has ended its side, and the answer is not complete. */
  clientEnded(socket: RequestSocket): void;
  /** The answer of such a socket is complete, or its connection is cut. */
  settled(socket: RequestSocket): void;
  /** `socket` is of a connection that this process holds, and closes when that ends. */
  opened(socket: RequestSocket): void;
  closed(socket: RequestSocket): void;
  emit(event: string, ...given: unknown[]): boolean;
}

/** What Node gives as the reason when a client leaves. */
export function aborted(): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET" });
}

type Peer = NonNullable<HTTPServerRequest["peer"]>;

const HIGH_WATER_MARK = getDefaultHighWaterMark(false);

export class RequestSocket extends LazyDuplex {
  static {
    asNetSocket(RequestSocket.prototype);
    const own: Record<string, (socket: RequestSocket) => unknown> = {
      // Accessors in Node's class, properties in its types.
      destroyed: (socket) => socket.#destroyed,
      readable: (socket) => !socket.#destroyed,
      writable: (socket) => !socket.#destroyed,
      writableLength: (socket) => socket.pending,
      readableHighWaterMark: (socket) => socket.#server?.messageOptions.highWaterMark ?? HIGH_WATER_MARK,
      writableHighWaterMark: (socket) => socket.#server?.messageOptions.highWaterMark ?? HIGH_WATER_MARK,
    };
    for (const [name, value] of Object.entries(own)) {
      Object.defineProperty(RequestSocket.prototype, name, {
        get(this: RequestSocket) {
          return value(this);
        },
        set() {},
      });
    }
  }

  /** Bytes of the answer that the peer's connection has not been given yet; Node counts them as this socket's. */
  pending = 0;
  /** The answer that it is of, Node's name; null once that is complete. */
  _httpMessage: ServerResponse | null = null;
  /** The request that it is of; what is left of it ends with the connection. */
  incoming: IncomingMessage | null = null;
  readonly #server: TimeoutSource | null;
  /** The connection, where this process holds it. */
  readonly #accepted: Accepted | null;
  /** Since something was written to this, or an answer that HTTP cannot frame. */
  #raw: RawConnection | null = null;
  /** The request whose answer is not complete; where each has a socket of its own, that one for good. */
  #request: HTTPServerRequest | null = null;
  #peer: Peer | null = null;
  /** What a trusted proxy has said of the last request. */
  #forwarded: Address | null = null;
  #destroyed = false;
  #closeTold = false;
  #isSpared = false;
  #clientEnded = false;
  #timeoutMs = 0;
  #timer: NodeJS.Timeout | null = null;

  private constructor(accepted: Accepted | null, server: TimeoutSource | null) {
    super();
    this.#accepted = accepted;
    this.#server = server;
  }

  /** The socket of a request: that of its connection, where this process holds it. */
  static of(request: HTTPServerRequest, server: TimeoutSource | null): RequestSocket {
    const peer = request.peer ?? null;
    const accepted = server === null ? null : (peer?.accepted ?? null);
    const socket = accepted === null ? new RequestSocket(null, server) : RequestSocket.ofConnection(accepted, server);
    socket.#peer = peer;
    socket.#request = request;
    return socket;
  }

  /** The socket of a connection that this process has accepted. */
  static ofConnection(accepted: Accepted, server: TimeoutSource | null): RequestSocket {
    if (accepted.attached !== undefined) return accepted.attached as RequestSocket;
    const socket = new RequestSocket(accepted, server);
    accepted.attached = socket;
    accepted.socket.on("end", () => socket.#clientLeft());
    accepted.socket.on("close", () => socket.#ended());
    server?.opened(socket);
    return socket;
  }

  /** The client's IP address; undefined when it is not known, and over a Unix-domain socket. */
  get remoteAddress(): string | undefined {
    return this.#remote?.address;
  }

  /** The client's port; undefined when it is not known, and over a Unix-domain socket. */
  get remotePort(): number | undefined {
    return this.#remote?.port;
  }

  /** `"IPv4"` or `"IPv6"`; undefined when it is not known, and over a Unix-domain socket. */
  get remoteFamily(): string | undefined {
    return this.#remote?.family;
  }

  get #remote(): Address | null {
    const address = this.#request?.remoteAddress ?? this.#forwarded ?? this.#accepted?.address ?? null;
    return address?.family === "unix" ? null : address;
  }

  /** True over TLS, or what a handler has set. */
  get encrypted(): boolean {
    const isSecured = (this.#accepted?.socket as { encrypted?: boolean } | undefined)?.encrypted === true;
    return isSecured || (this.#peer?.tls ?? null) !== null;
  }

  set encrypted(value: unknown) {
    Object.defineProperty(this, "encrypted", { value, writable: true, enumerable: true, configurable: true });
  }

  /** The server that it came to; null outside of one. */
  get server(): TimeoutSource | null {
    return this.#server;
  }

  /** Bytes that have come on the connection; undefined where this process does not hold it. */
  get bytesRead(): number | undefined {
    return this.#accepted?.socket.bytesRead;
  }

  /** Bytes written to the connection, with those that wait; undefined where this process does not hold it. */
  get bytesWritten(): number | undefined {
    return this.#accepted === null ? undefined : this.#accepted.socket.bytesWritten + this.pending;
  }

  /** The address that the client has connected to, as far as it is known. */
  address(): LocalAddress {
    return localOf(this.#server);
  }

  get localAddress(): string | undefined {
    return localOf(this.#server).address;
  }

  get localPort(): number | undefined {
    return localOf(this.#server).port;
  }

  get localFamily(): string | undefined {
    return localOf(this.#server).family;
  }

  /** Milliseconds without a byte read or written after which `timeout` comes; 0: none. */
  get timeout(): number | undefined {
    return this.#timeoutMs === 0 ? undefined : this.#timeoutMs;
  }

  /**
   * As Node's: `timeout` comes when nothing has been read or written for `ms`; 0 takes that back, and so does the end
   * of an answer.
   */
  setTimeout(ms: number, callback?: () => void): this {
    this.#timeoutMs = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener("timeout", callback);
      else this.once("timeout", callback);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (ms > 0 && !this.#destroyed) this.#timer = setTimeout(() => this.#timedOut(), ms).unref();
    return this;
  }

  /** Something was read or written. */
  active(): void {
    this.#timer?.refresh();
  }

  /** The answer to `request` is complete: what happens to the connection is no matter of that any more. */
  settle(request: HTTPServerRequest): void {
    if (this.#request !== request) return; // the next one has come
    this.#stopTimer();
    if (this.#clientEnded) this.#server?.settled(this);
    if (this.#accepted === null || !request.finished) return; // or its body is still read
    this.#forwarded = request.forwardedAddress;
    this.#request = null;
    this.incoming = null;
  }

  /** Between two requests, of which there was one. */
  get isIdle(): boolean {
    return this.#request === null && this.#peer !== null;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * Node's order: the connection is cut unless the request, the answer or the server has a listener; then comes this
   * one's own.
   */
  #timedOut(): void {
    const request = this.incoming;
    const heard = [
      request !== null && !request.complete && request.emit("timeout", this),
      this._httpMessage?.emit("timeout", this) ?? false,
      this.#server?.emit("timeout", this) ?? false,
    ];
    if (!heard.includes(true)) this.destroy();
    this.emit("timeout");
  }

  /** Without effect: small answers never wait. */
  setNoDelay(): this {
    return this;
  }

  /** Without effect. */
  setKeepAlive(): this {
    return this;
  }

  /** Without effect. */
  ref(): this {
    return this;
  }

  /** Without effect. */
  unref(): this {
    return this;
  }

  /** Throws Node's error: requests come as bytes. */
  override setEncoding(): never {
    throw Object.assign(new Error("Changing the socket encoding is not allowed per RFC7230 Section 3."), {
      code: "ERR_HTTP_SOCKET_ENCODING",
    });
  }

  override _read(): void {}

  /** As the answer to its request, when that has come whole and has none. */
  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    const raw = this.takeRaw(statusIn(chunk));
    if (raw === null) callback(new HTTPOutputError("the connection is the sandbox's: write to the response"));
    else raw.write(chunk).then(() => callback(), callback);
  }

  override _final(callback: () => void): void {
    this.#raw?.end();
    callback();
  }

  /** Whether what is written goes to the connection as it is. */
  get isRaw(): boolean {
    return this.#raw !== null;
  }

  /**
   * The connection without HTTP, from here on; null: the request has not come whole, or its answer has begun. `status`
   * is the answer's, null if it is not known.
   */
  takeRaw(status: number | null): RawConnection | null {
    const request = this.#request;
    if (this.#raw !== null || this.#server === null || request === null) return this.#raw;
    if (this.#destroyed || request.started || !request.hasArrived) return null;
    this.#raw = new RawConnection(request, this.#server.streamSettings, () => this.gone(), status);
    return this.#raw;
  }

  /** Cuts the connection while an answer is not complete; else it ends behind what is on its way. */
  override destroy(error?: Error): this {
    if (this.#isSpared || !this.#begin()) return this;
    const request = this.#request;
    if (this.#raw !== null) this.#raw.end();
    else if (request !== null) request.cancel();
    else if (this.#peer !== null) this.#peer.end?.();
    else this.#accepted?.socket.destroySoon(); // of which no request has come
    setImmediate(() => this.#close(error));
    return this;
  }

  /** As with the sockets of Node's server, an error without a listener ends the connection. */
  override emit(event: string | symbol, ...given: unknown[]): boolean {
    if (event !== "error" || this.listenerCount("error") > 0) return super.emit(event, ...given);
    this.destroy();
    return true;
  }

  /** Calls `act`; when that destroys this the connection goes on. */
  spareIn(act: () => void): void {
    this.#isSpared = true;
    act();
    this.#isSpared = false;
  }

  /** As `destroy`, unless there is something to write: what an answer has written needs no socket to leave. */
  override end(...given: unknown[]): this {
    const [data] = given;
    if (this.#raw === null && (data == null || typeof data === "function")) return this.destroy();
    return Reflect.apply(Duplex.prototype.end, this, given);
  }

  /** The client has ended its side: the sandbox looks for that only every so often while a request is answered. */
  #clientLeft(): void {
    if (this.#request?.hasArrived) this.#request.onLeaving?.();
  }

  /** The connection has ended, and none of its requests is unanswered: else `gone` is called, too. */
  #ended(): void {
    this.#server?.closed(this);
    if (this.#request === null) this.gone();
  }

  /** The client has left. */
  gone(): void {
    if (this.#begin()) process.nextTick(() => this.#close());
  }

  /** As `destroy`: what was written to it before is not held back here. */
  destroySoon(): void {
    this.destroy();
  }

  /** As `destroy`. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  #begin(): boolean {
    if (this.#destroyed) return false;
    this.#destroyed = true;
    this.#stopTimer();
    if (this.#clientEnded) this.#server?.settled(this);
    return true;
  }

  /** Node's order: what its server does comes before the listeners of others. */
  #close(error?: Error): void {
    // Without a listener it is dropped, as with the sockets of Node's server.
    if (error != null && this.listenerCount("error") > 0) this.emit("error", error);
    if (this._httpMessage !== null) {
      const request = this.incoming;
      if (request?.aborted)
        request.destroyed = true; // its listeners have been called when the client ended its side
      else request?.destroy(aborted());
      this._httpMessage.destroyed = true;
    }
    this.#tell(error != null);
  }

  /** `close` of this and of its response: the client has ended its side. What is written all the same is sent. */
  tellClose(): void {
    process.nextTick(() => this.#tell(false));
    this.#clientEnded = true;
    if (!this.#destroyed && this._httpMessage !== null) this.#server?.clientEnded(this);
  }

  /** For a server that closes: it waits for no answer whose client has ended its side, unless all of it is written. */
  endUnanswered(): void {
    if (this._httpMessage?.writableEnded === false) this.destroy();
  }

  /** The response's `close` is a part of this one's, as with Node: it calls listeners that the response's take off. */
  #tell(hadError: boolean): void {
    const response = this._httpMessage;
    const closeResponse = () => response !== null && emitCloseOnce(response);
    if (this.#closeTold) return void closeResponse();
    this.#closeTold = true;
    this.prependOnceListener("close", closeResponse);
    this.emit("close", hadError);
  }
}
