/**
 * Handlers of Node's kind: `createServer((req, res) => …)`, on which Express, Fastify and such run.
 *
 * Invariants: `req` and `res` are Node's own classes; a client that leaves ends both. What is not as with Node's server is in
 * docs/node-handlers.md.
 */
import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import { OptionError } from "../errors.js";
import { HTTPServer } from "../httpserver.js";
import type { ServerOptions } from "../options.js";
import { type NodeListener, runListener } from "./listener.js";

/** Where a server of Node's kind listens. */
export interface NodeListenOptions {
  /** Default 0: a free one. */
  port?: number | string | undefined;
  /** Default 127.0.0.1; `""`: all interfaces. */
  host?: string | undefined;
  backlog?: number | undefined;
}

/**
 * A server that calls `listener` as Node's would. `options` are those of any server here; they may come first, as with Node, or last.
 * Throws OptionError.
 */
export function createServer(listener?: NodeListener, options?: ServerOptions): NodeServer;
export function createServer(options: ServerOptions, listener?: NodeListener): NodeServer;
export function createServer(first?: NodeListener | ServerOptions, second?: NodeListener | ServerOptions): NodeServer {
  const [listener, options] = typeof first === "object" ? [second, first] : [first, second];
  const server = new NodeServer((options ?? {}) as ServerOptions);
  if (typeof listener === "function") server.on("request", listener);
  return server;
}

/** With the events `request`, `listening`, `error` and `close` of Node's server. */
export class NodeServer extends EventEmitter {
  /** Milliseconds without a byte read or written after which a connection with a request gets `timeout`; default 0: none. */
  timeout = 0;
  /** Without effect, as the other limits that Node has here: see the options of a server. */
  keepAliveTimeout = 0;
  headersTimeout = 0;
  requestTimeout = 0;
  maxHeadersCount: number | null = null;
  maxRequestsPerSocket: number | null = 0;
  /** Whether connections are accepted. */
  listening = false;
  readonly #server: HTTPServer;
  #opening: Promise<void> | null = null;

  /** @internal */
  constructor(options: ServerOptions) {
    super();
    const emit: NodeListener = (message, response) => void this.emit("request", message, response);
    this.#server = new HTTPServer({ handle: (request, logger) => runListener(request, logger, emit, this) }, options);
  }

  /**
   * Listens: `listen(port, host, callback)` or `listen({ port, host }, callback)`; `callback` is called at `listening`. What goes
   * wrong is told by `error`.
   */
  listen(...given: unknown[]): this {
    const callback = given.find((each) => typeof each === "function") as (() => void) | undefined;
    const options = listenOptions(given);
    if (this.#opening !== null) throw notSo("ERR_SERVER_ALREADY_LISTEN", "listen has been called before");
    if (callback !== undefined) this.once("listening", callback);
    const { port, host, backlog } = options;
    const address = host === "localhost" ? "127.0.0.1" : host;
    this.#opening = this.#server.listen(Number(port ?? 0), address, backlog === undefined ? {} : { backlog });
    this.#opening.then(
      () => this.#opened(null),
      (error) => this.#opened(error),
    );
    return this;
  }

  /** Outside of the promise: an `error` that nobody hears ends the program, as with Node's. */
  #opened(error: Error | null): void {
    if (error !== null) this.#opening = null;
    this.listening = error === null;
    process.nextTick(() => (error === null ? this.emit("listening") : this.emit("error", error)));
  }

  /** Where it listens; null before and after. */
  address(): AddressInfo | null {
    const [address] = this.#server.addresses;
    return address === undefined || !this.listening ? null : { ...address };
  }

  /**
   * Accepts no more, lets what is in flight finish within 10 seconds and ends; then `close` comes and `callback` is called, with an
   * error when the server did not listen.
   */
  close(callback?: (error?: Error) => void): this {
    if (this.#opening === null) {
      const error = notSo("ERR_SERVER_NOT_RUNNING", "Server is not running.");
      if (callback !== undefined) process.nextTick(callback, error);
      return this;
    }
    this.listening = false;
    if (callback !== undefined) this.once("close", callback);
    const opening = this.#opening;
    this.#opening = null;
    const stopped = opening.then(() => this.#server.stop());
    stopped.then(() => process.nextTick(() => this.emit("close"))).catch(() => {});
    return this;
  }

  /** Closes all connections, also those with something in flight. */
  closeAllConnections(): void {
    void this.#server.closeAllConnections();
  }

  /** Without effect: idle connections are closed by `close`. */
  closeIdleConnections(): void {}

  /** Sets `timeout`, and has `callback` called with the socket; without a listener such a connection is cut. */
  setTimeout(ms: number, callback?: (socket: unknown) => void): this {
    this.timeout = ms;
    if (callback !== undefined) this.on("timeout", callback);
    return this;
  }

  /** Closes the server; resolves when it is closed. */
  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.close(() => resolve()));
  }

  /** Without effect: a program ends when its servers are closed. */
  ref(): this {
    return this;
  }

  /** Without effect. */
  unref(): this {
    return this;
  }
}

function listenOptions(given: unknown[]): NodeListenOptions {
  const [first, second] = given;
  const options: NodeListenOptions =
    typeof first === "object" && first !== null
      ? (first as NodeListenOptions)
      : {
          port: typeof first === "function" ? undefined : (first as number | string | undefined),
          host: typeof second === "string" ? second : undefined,
          backlog: given.slice(1).find((each) => typeof each === "number") as number | undefined,
        };
  if ("path" in options && options.path != null)
    throw new OptionError("a path cannot be listened at here; see bindUnixSocket");
  return options;
}

function notSo(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
