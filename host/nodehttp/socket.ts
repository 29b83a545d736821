/**
 * What `req.socket` and `res.socket` are: who asks, and the end of it all. No byte goes through it.
 *
 * Invariants: `destroy` cuts the connection while the answer is not complete, and is without effect afterwards, since the
 * connection is the sandbox's. It is a Duplex, but has a stream's state only when somebody uses it as one: few requests do.
 */
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { Duplex, getDefaultHighWaterMark } from "node:stream";
import type { Address } from "../address.js";
import type { HTTPServerRequest } from "../httprequest.js";

type Listener = (...given: unknown[]) => void;
const OF_STREAMS = ["data", "readable"];
const HIGH_WATER_MARK = getDefaultHighWaterMark(false);

/** An emitter by its constructor, a Duplex by its prototype. */
class Emitter extends EventEmitter {}
Object.setPrototypeOf(Emitter.prototype, Duplex.prototype);

export class RequestSocket extends (Emitter as unknown as new () => Duplex) {
  static {
    for (const name of ["_readableState", "_writableState"]) {
      Object.defineProperty(RequestSocket.prototype, name, {
        get(this: RequestSocket) {
          if (!Object.hasOwn(this, name)) Reflect.apply(Duplex, this, []);
          return Object.getOwnPropertyDescriptor(this, name)?.value;
        },
        set(this: RequestSocket, value: unknown) {
          Object.defineProperty(this, name, { value, writable: true, configurable: true });
        },
      });
    }
    for (const name of ["on", "addListener", "off", "removeListener"] as const) {
      Object.defineProperty(RequestSocket.prototype, name, {
        value(this: RequestSocket, event: string, listener: Listener) {
          const { prototype } = OF_STREAMS.includes(event) ? Duplex : EventEmitter;
          return Reflect.apply(prototype[name], this, [event, listener]);
        },
      });
    }
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
  readonly #request: HTTPServerRequest;
  #destroyed = false;

  constructor(request: HTTPServerRequest) {
    super();
    this.#request = request;
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

  /** True over TLS. */
  get encrypted(): boolean {
    return this.#request.tls !== null;
  }

  /** Without effect: the limits in time are options of the server. */
  setTimeout(_ms: number, callback?: () => void): this {
    if (callback !== undefined) this.once("timeout", callback);
    return this;
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
    if (this.#destroyed) return this;
    this.#destroyed = true;
    this.#request.cancel();
    process.nextTick(() => {
      // Nobody has to listen, as with a server's sockets.
      if (error != null && this.listenerCount("error") > 0) this.emit("error", error);
      this.emit("close", error != null);
      const response = this._httpMessage as (ServerResponse & { _closed: boolean }) | null;
      if (response === null || response._closed) return;
      response.destroyed = true;
      response._closed = true;
      response.emit("close");
    });
    return this;
  }
}
