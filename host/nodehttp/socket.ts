/**
 * What `req.socket` and `res.socket` are: the peer's address, and a way to end the connection. No byte goes through it.
 *
 * Invariants: `destroy` cuts the connection while the answer is not complete, and is without effect afterwards, since
 * the connection is the sandbox's. It is a Duplex, but has a stream's state only when a handler uses it as one: few do.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getDefaultHighWaterMark } from "node:stream";
import type { Address } from "../core/address.js";
import type { HTTPServerRequest } from "../http/request.js";
import { emitCloseOnce } from "../nodeinternals/closedflag.js";
import { LazyDuplex } from "../nodeinternals/lazyduplex.js";
import { type LocalAddress, localOf, type ServerSocket } from "./localaddress.js";

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
  readonly maxHeadersCount: number | null;
  /** The client of `socket` has ended its side, and the answer is not complete. */
  clientEnded(socket: RequestSocket): void;
  /** The answer of such a socket is complete, or its connection is cut. */
  settled(socket: RequestSocket): void;
  emit(event: string, ...given: unknown[]): boolean;
}

/** What Node gives as the reason when a client leaves. */
export function aborted(): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET" });
}

const HIGH_WATER_MARK = getDefaultHighWaterMark(false);

export class RequestSocket extends LazyDuplex {
  static {
    const own: Record<string, (socket: RequestSocket) => unknown> = {
      // Accessors in Node's class, properties in its types.
      destroyed: (socket) => socket.#destroyed,
      readable: (socket) => !socket.#destroyed,
      writable: (socket) => !socket.#destroyed,
      writableLength: (socket) => socket.pending,
      readableHighWaterMark: () => HIGH_WATER_MARK,
      writableHighWaterMark: () => HIGH_WATER_MARK,
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
  readonly #request: HTTPServerRequest;
  #destroyed = false;
  #closeTold = false;
  #clientEnded = false;
  #timeoutMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(request: HTTPServerRequest, server: TimeoutSource | null = null) {
    super();
    this.#request = request;
    this.#server = server;
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
    const address = this.#request.remoteAddress;
    return address?.family === "unix" ? null : address;
  }

  /** True over TLS, or what a handler has set. */
  get encrypted(): boolean {
    return this.#request.tls !== null;
  }

  set encrypted(value: unknown) {
    Object.defineProperty(this, "encrypted", { value, writable: true, enumerable: true, configurable: true });
  }

  /** The server that it came to; null outside of one. */
  get server(): TimeoutSource | null {
    return this.#server;
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
   * As Node's: `timeout` comes when nothing has been read or written for `ms`; 0 takes that back. Ends with the answer.
   */
  setTimeout(ms: number, callback?: () => void): this {
    this.#timeoutMs = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener("timeout", callback);
      else this.once("timeout", callback);
    }
    this.#stopTimer();
    if (ms > 0 && !this.#destroyed) this.#timer = setTimeout(() => this.#timedOut(), ms).unref();
    return this;
  }

  /** Something was read or written. */
  active(): void {
    this.#timer?.refresh();
  }

  /** The answer is complete: the connection is not this request's any more. */
  settle(): void {
    this.#stopTimer();
    if (this.#clientEnded) this.#server?.settled(this);
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

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, callback: (error: Error) => void): void {
    callback(new Error("the connection is the sandbox's: write to the response"));
  }

  /** Cuts the connection, if the answer is not complete. */
  override destroy(error?: Error): this {
    if (!this.#begin()) return this;
    this.#request.cancel();
    setImmediate(() => this.#close(error));
    return this;
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
    this.settle();
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

  #tell(hadError: boolean): void {
    if (this._httpMessage !== null) emitCloseOnce(this._httpMessage);
    if (!this.#closeTold) this.emit("close", hadError);
    this.#closeTold = true;
  }
}
