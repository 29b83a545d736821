/**
 * Where a request comes from, in the words of the servers whose `fetch(request, info)` applications know:
 * @hono/node-server (`info.incoming.socket`), Bun (`server.requestIP(request)`) and Deno (`info.remoteAddr`).
 *
 * Invariant: the address is `HTTPServerRequest.remoteAddress`; what is not known is undefined, in Bun's words null.
 */
import type { Address } from "../core/address.js";
import type { HTTPServerRequest } from "../http/request.js";

/** The second argument of a handler of fetch's kind. */
export class FetchInfo {
  readonly #request: HTTPServerRequest;

  /** @internal */
  constructor(request: HTTPServerRequest) {
    this.#request = request;
  }

  /** As Deno gives it. */
  get remoteAddr(): { transport: "tcp" | "unix"; hostname: string; port: number } | undefined {
    const from = this.#request.remoteAddress;
    if (from === null) return undefined;
    return { transport: from.family === "unix" ? "unix" : "tcp", hostname: from.address, port: from.port };
  }

  /** Of Node's `IncomingMessage`, as @hono/node-server gives it, the address alone. */
  get incoming(): { socket: { remoteAddress?: string; remotePort?: number; remoteFamily?: string } } {
    const from = this.#request.remoteAddress;
    if (from === null) return { socket: {} };
    return { socket: { remoteAddress: from.address, remotePort: from.port, remoteFamily: from.family } };
  }

  /** As Bun's server gives it; the argument does not matter. */
  requestIP(_request?: Request): Address | null {
    return this.#request.remoteAddress;
  }
}
