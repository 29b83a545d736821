/**
 * A `.wasm` application: it serves by itself, without frames. What it writes to its descriptor 1 goes to stdout.
 *
 * Invariant: it is held to be serving when it has lived for SETTLE_MS; one that ends before that is not started again.
 */
import type { Address, ListeningSocket } from "./address.js";
import { guardSockets } from "./guard.js";
import { STOP_GRACE_MS } from "./limits.js";
import { bindOwnSockets } from "./netutil.js";
import { type ResolvedOptions, resolveOptions, type ServerOptions } from "./options.js";
import { runtimeNamed, type Worker } from "./runtime/index.js";
import { type Session, type SessionEvents, Supervisor } from "./supervisor.js";

const SETTLE_MS = 100;

class PlainSession implements Session {
  readonly #ready: () => void;
  #worker: Worker | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(events: SessionEvents) {
    this.#ready = () => events.ready();
  }

  attach(worker: Worker): void {
    this.#worker = worker;
    this.#timer = setTimeout(this.#ready, SETTLE_MS);
  }

  gather(): void {}

  receive(chunk: Buffer): void {
    process.stdout.write(chunk);
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  stop(): void {
    this.#worker?.finish();
  }
}

export class WasmApplication {
  /** What a sandboxed application speaks is its own business; most speak HTTP. */
  readonly scheme = "http";
  readonly options: ResolvedOptions;
  readonly closed: Promise<void>;
  readonly #file: string;
  #supervisor: Supervisor | null = null;
  #sockets: readonly ListeningSocket[] = [];
  #settle: { resolve: () => void; reject: (error: Error) => void };

  /** `file` is the path of the module. */
  constructor(file: string, options: ServerOptions) {
    this.#file = file;
    this.options = resolveOptions(options);
    let settle = { resolve: () => {}, reject: (_error: Error) => {} };
    this.closed = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.closed.catch(() => {});
    this.#settle = settle;
  }

  get addresses(): readonly Address[] {
    return this.#sockets.map((socket) => socket.address);
  }

  async listen(port: number, address: string): Promise<void> {
    const { runtime, workers, logger } = this.options;
    const bound = await bindOwnSockets(port, address, { runtime });
    const { sockets } = await guardSockets(bound, this.scheme, this.options);
    this.#sockets = sockets;
    this.#supervisor = new Supervisor({
      runtime: runtimeNamed(runtime),
      module: this.#file,
      sockets,
      count: runtime === "wasmtime" ? workers : 1,
      logger,
      session: (events) => new PlainSession(events),
      failed: (error) => {
        logger.error(error.message);
        this.#closeSockets();
        this.#settle.reject(error);
      },
    });
    try {
      await this.#supervisor.start();
    } catch (error) {
      this.#closeSockets();
      throw error;
    }
  }

  async stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    this.#closeSockets();
    await this.#supervisor?.stop(graceMs);
    this.#settle.resolve();
  }

  #closeSockets(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
