/**
 * What TCPServer extends: host/server/server.ts, in a component. The component listens by itself, where its command
 * says so.
 */
import type { Acceptor, BridgeSettings } from "host:bridge/bridge";
import { resolveBridge } from "host:bridge/settings";
import { resolveServerStream } from "host:stream/settings";
import { OptionError } from "../host/core/errors.js";
import { serveStreams } from "./bridge.js";
import { noTLS } from "./withoutnode.js";

/** By this a server is known. */
export const SERVER_BRAND: unique symbol = Symbol.for("waterspout.server") as never;

export abstract class Server {
  static readonly [SERVER_BRAND] = true;
  readonly options: BridgeSettings;

  /** Throws OptionError for an option that is out of its range, and for TLS. Those of processes have no effect. */
  constructor(options: { readonly sslOptions?: unknown } = {}) {
    if (options.sslOptions !== undefined) throw noTLS();
    this.options = { ...resolveBridge(options), ...resolveServerStream(options) };
  }

  /** @internal */
  abstract acceptor(): Acceptor;

  /** @internal Has the core serve it. */
  serve(): void {
    serveStreams(this.acceptor(), this.options);
  }

  listen(): never {
    throw new OptionError("a server in a component does not listen: the component does, when it is the default export");
  }
}
