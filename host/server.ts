/**
 * What TCPServer and HTTPServer have in common: listening sockets, the workers that serve them, and their end.
 *
 * Invariant: every call of `addSockets` has workers of its own, since a sandbox learns its listeners when it starts; `stop`
 * ends them all, and `closed` settles once.
 */
import type { Address, ListeningSocket } from "./address.js";
import { type Acceptor, Bridge } from "./bridge.js";
import { OptionError } from "./errors.js";
import { STOP_GRACE_MS } from "./limits.js";
import { bindSockets } from "./netutil.js";
import { type ResolvedOptions, resolveOptions, type ServerOptions } from "./options.js";
import { CORE_FILE } from "./paths.js";
import { runtimeNamed, type Worker } from "./runtime/index.js";
import { type Session, type SessionEvents, Supervisor } from "./supervisor.js";

/** By this a server is known across copies of the package. */
export const SERVER_BRAND: unique symbol = Symbol.for("waterspout.server") as never;

/** The frames of one worker. */
class BridgeSession implements Session {
  readonly #bridge: Bridge;

  constructor(acceptor: Acceptor, options: ResolvedOptions, listeners: number, events: SessionEvents) {
    this.#bridge = new Bridge(acceptor, options, listeners, events);
  }

  attach(worker: Worker): void {
    this.#bridge.attach(worker);
  }

  gather(): void {
    this.#bridge.flush();
  }

  receive(chunk: Buffer): void {
    this.#bridge.receive(chunk);
  }

  end(): void {
    this.#bridge.end();
  }

  stop(graceMs: number): void {
    this.#bridge.stop(graceMs);
  }
}

export abstract class Server {
  static readonly [SERVER_BRAND] = true;
  #options: ResolvedOptions;
  #given: ServerOptions;
  readonly #supervisors: Supervisor[] = [];
  readonly #sockets: ListeningSocket[] = [];
  #stopped: Promise<void> | null = null;
  #settle: { resolve: () => void; reject: (error: Error) => void };

  /** Resolves when the server has been stopped; rejects when its workers ended too often. Nobody has to listen. */
  readonly closed: Promise<void>;

  /** Throws OptionError for an option that is not known or out of its range. */
  constructor(options: ServerOptions = {}) {
    this.#given = options;
    this.#options = resolveOptions(options);
    let settle = { resolve: () => {}, reject: (_error: Error) => {} };
    this.closed = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.closed.catch(() => {});
    this.#settle = settle;
  }

  /** The scheme of its URLs. */
  abstract readonly scheme: "http" | "tcp";

  /** @internal How connections or requests of this server are begun. */
  abstract acceptor(): Acceptor;

  /** The options, complete. */
  get options(): ResolvedOptions {
    return this.#options;
  }

  /** Where it listens. */
  get addresses(): readonly Address[] {
    return this.#sockets.map((socket) => socket.address);
  }

  /** @internal Other options win over those of the constructor; only before it listens. */
  configure(options: ServerOptions): void {
    this.#given = { ...this.#given, ...options };
    this.#options = resolveOptions(this.#given);
  }

  /**
   * Binds `port` (0: a free one) on `address` (default 127.0.0.1; `""`: all interfaces) and serves it. May be called again for
   * other ports. Resolves when connections are accepted; rejects with BindError or RuntimeUnavailableError.
   */
  async listen(port: number, address?: string, options: { backlog?: number } = {}): Promise<void> {
    await this.addSockets(await bindSockets(port, address, { ...options, runtime: this.#options.runtime }));
  }

  /** Serves sockets from `bindSockets`; they belong to the server from then on, also when it fails. */
  async addSockets(sockets: readonly ListeningSocket[]): Promise<void> {
    const options = this.#options;
    const supervisor = new Supervisor({
      runtime: runtimeNamed(options.runtime),
      module: CORE_FILE,
      sockets,
      count: options.runtime === "wasmtime" ? options.workers : 1,
      logger: options.logger,
      session: (events) => new BridgeSession(this.acceptor(), options, sockets.length, events),
      failed: (error) => this.#fail(error),
    });
    try {
      if (this.#stopped !== null) throw new OptionError("the server has been stopped");
      for (const socket of sockets) checkRuntime(socket, options);
      this.#supervisors.push(supervisor);
      this.#sockets.push(...sockets);
      await supervisor.start();
    } catch (error) {
      this.#forget(supervisor, sockets);
      throw error;
    }
  }

  /**
   * Stops accepting, lets what is in flight finish within `graceMs` (default 10 seconds), then closes it. Resolves when all
   * workers have ended. Calling it again changes nothing.
   */
  stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    this.#stopped ??= this.#end(graceMs);
    return this.#stopped;
  }

  async #end(graceMs: number): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop(graceMs)));
    this.#settle.resolve();
  }

  #fail(error: Error): void {
    this.#options.logger.error(error.message);
    this.#settle.reject(error);
    void this.stop(0);
  }

  #forget(supervisor: Supervisor, sockets: readonly ListeningSocket[]): void {
    for (const socket of sockets) {
      socket.close();
      const at = this.#sockets.indexOf(socket);
      if (at >= 0) this.#sockets.splice(at, 1);
    }
    const at = this.#supervisors.indexOf(supervisor);
    if (at >= 0) this.#supervisors.splice(at, 1);
  }
}

function checkRuntime(socket: ListeningSocket, options: ResolvedOptions): void {
  if (socket.runtime === options.runtime) return;
  throw new OptionError(`a socket bound for the runtime "${socket.runtime}" cannot be served by "${options.runtime}"`);
}
