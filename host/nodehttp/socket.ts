/**
 * What `req.socket` and `res.socket` are: who asks, and the end of it all. No byte goes through it.
 *
 * Invariant: `destroy` cuts the connection while the answer is not complete, and is without effect afterwards, since the
 * connection is the sandbox's.
 */
import { Duplex } from "node:stream";
import type { HTTPServerRequest } from "../httprequest.js";

export class RequestSocket extends Duplex {
  static {
    // An accessor in Node's class, a property in its types.
    Object.defineProperty(RequestSocket.prototype, "writableLength", {
      get(this: RequestSocket) {
        return this.pending;
      },
    });
  }

  /** Bytes of the answer that the peer's connection has not been given yet; Node counts them as this socket's. */
  pending = 0;
  readonly #request: HTTPServerRequest;

  constructor(request: HTTPServerRequest) {
    super();
    this.#request = request;
    this.on("error", () => {}); // nobody has to listen, as with a server's sockets
  }

  /** The client's IP address; undefined when it is not known. */
  get remoteAddress(): string | undefined {
    return this.#request.remoteAddress?.address;
  }

  /** The client's port; undefined when it is not known. */
  get remotePort(): number | undefined {
    return this.#request.remoteAddress?.port;
  }

  /** `"IPv4"` or `"IPv6"`; undefined when it is not known. */
  get remoteFamily(): string | undefined {
    return this.#request.remoteAddress?.family;
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

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#request.cancel();
    callback(error);
  }
}
