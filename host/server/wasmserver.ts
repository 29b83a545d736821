/**
 * A `.wasm` application: it serves by itself, without frames. What it writes to its descriptor 1 goes to stdout.
 *
 * Invariant: a module is held to be serving when it has lived for SETTLE_MS, a component, which opens its port itself,
 * when a connection is accepted; one that ends before that is not started again.
 */
import { connect } from "node:net";
import { type Address, hostAndPort, type ListeningSocket } from "../core/address.js";
import { STOP_GRACE_MS } from "../core/limits.js";
import { APPLICATION_SHARE, memoryShare } from "../core/memorybudget.js";
import { type Patience, TO_RETIRE, toStop } from "../core/patience.js";
import { programName } from "../core/program.js";
import { deferred, ignore } from "../core/promises.js";
import { RecentErrors } from "../core/recenterrors.js";
import { isComponent } from "../core/runtimename.js";
import type { Inspected, Report, ServingState } from "../metrics/report.js";
import { bindOwnSockets } from "../net/bind.js";
import { type Grants, NO_GRANTS } from "../runtime/grants.js";
import { guardSockets, runtimeNamed, type Worker } from "../runtime/index.js";
import { type Session, type SessionEvents, Supervisor } from "../workers/supervisor.js";
import { Inspection } from "./inspection.js";
import { resolveOptions, type ServerOptions, type ServerSettings } from "./options.js";

const SETTLE_MS = 100;
/** How often it is tried whether a component accepts connections. */
const PROBE_MS = 10;

class PlainSession implements Session {
  readonly #ready: () => void;
  /** Where a component will accept connections. */
  readonly #address: Address | null;
  #worker: Worker | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(events: SessionEvents, address: Address | null) {
    this.#ready = () => events.ready();
    this.#address = address;
  }

  attach(worker: Worker): void {
    this.#worker = worker;
    this.#timer = this.#address === null ? setTimeout(this.#ready, SETTLE_MS) : this.#probeLater(this.#address);
  }

  #probeLater(address: Address): NodeJS.Timeout {
    return setTimeout(() => {
      const probe = connect(address.port, address.address);
      probe.once("connect", () => {
        probe.destroy();
        if (this.#worker !== null) this.#ready();
      });
      probe.once("error", () => {
        if (this.#worker !== null) this.#timer = this.#probeLater(address);
      });
    }, PROBE_MS);
  }

  gather(): void {}

  receive(chunk: Buffer): void {
    process.stdout.write(chunk);
  }

  /** How much an application logs is not bounded here. */
  takeLine(): boolean {
    return true;
  }

  end(): string {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#worker = null;
    return "";
  }

  stop(patience: Patience): void {
    this.#worker?.finish(patience);
  }
}

export class WasmApplication implements Inspected {
  /** The protocol of a sandboxed application is not known here; most speak HTTP. */
  readonly scheme = "http";
  readonly #file: string;
  readonly #grants: Grants;
  #given: ServerOptions;
  #options: ServerSettings;
  readonly #inspection = new Inspection(this);
  readonly #errors = new RecentErrors();
  readonly #begunMs = Date.now();
  #stopping = false;
  #supervisor: Supervisor | null = null;
  #sockets: readonly ListeningSocket[] = [];
  readonly #closed = deferred();
  readonly closed: Promise<void> = ignore(this.#closed.promise);

  /** `file` is the path of the module, which has `grants`. */
  constructor(file: string, options: ServerOptions, grants: Grants = NO_GRANTS) {
    this.#file = file;
    this.#grants = grants;
    this.#given = options;
    this.#options = this.#errors.watch(resolveOptions(options));
  }

  get options(): ServerSettings {
    return this.#options;
  }

  /** Other options win over those of the constructor; only before it listens. */
  configure(over: ServerOptions): void {
    this.#given = { ...this.#given, ...over };
    this.#options = this.#errors.watch(resolveOptions(this.#given));
  }

  get addresses(): readonly Address[] {
    return this.#sockets.map((socket) => socket.address);
  }

  /** Whether it runs; its counters are not known here. */
  get state(): ServingState {
    if (this.#stopping) return "stopping";
    return this.#supervisor?.started === true ? "serving" : "starting";
  }

  get workersServing(): number {
    return this.#supervisor?.serving ?? 0;
  }

  async report(): Promise<Report> {
    return {
      state: this.state,
      runtime: this.options.runtime,
      program: programName(),
      addresses: this.addresses.map(hostAndPort),
      begunMs: this.#begunMs,
      errors: this.#errors.list,
      workersConfigured: this.#supervisor?.count ?? 0,
      workersServing: this.workersServing,
      workerRestarts: this.#supervisor?.restarts ?? 0,
      connectionsRefused: 0,
      workers: [],
      latencies: [],
      counts: false,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  async listen(port: number, address: string): Promise<void> {
    await this.#inspection.begin(this.options.inspect, this.#given.logger);
    try {
      await this.#serve(port, address);
    } catch (error) {
      await this.#inspection.end();
      throw error;
    }
  }

  async #serve(port: number, address: string): Promise<void> {
    const { runtime, workers, logger } = this.options;
    const count = runtime === "wasmtime" ? workers : 1;
    const bound = await bindOwnSockets(port, address, { runtime });
    const { sockets } = await guardSockets(bound, this.scheme, this.options);
    this.#sockets = sockets;
    this.#supervisor = new Supervisor({
      runtime: runtimeNamed(runtime),
      module: this.#file,
      grants: this.#grants,
      sockets,
      count,
      growthBytesMax: memoryShare(APPLICATION_SHARE * count, Number.POSITIVE_INFINITY),
      logger,
      session: (events) => new PlainSession(events, isComponent(runtime) ? (this.addresses[0] ?? null) : null),
      failed: (error) => {
        logger.error(error.message);
        this.#closeSockets();
        this.#closed.reject(error);
      },
    });
    try {
      await this.#supervisor.start();
    } catch (error) {
      this.#closeSockets();
      throw error;
    }
  }

  stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    return this.#stopWithin(toStop(graceMs));
  }

  /** As `stop`, of an application that has a successor. Calls `quiet` when it accepts no more connections. */
  retire(quiet: () => void): Promise<void> {
    return this.#stopWithin(TO_RETIRE, quiet);
  }

  async #stopWithin(patience: Patience, quiet: () => void = () => {}): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#sockets.map((socket) => socket.finish?.() ?? socket.close()));
    const ended = this.#supervisor?.stop(patience);
    quiet();
    await ended;
    await this.#inspection.end();
    this.#closed.resolve();
  }

  #closeSockets(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
