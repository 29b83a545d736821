/**
 * What TCPServer and HTTPServer have in common: listening sockets, the workers that serve them, and their end.
 *
 * Invariant: every call of `addSockets` has workers of its own, since a sandbox learns its listeners when it starts;
 * `stop` ends them all, and `closed` settles once.
 */

import { type Acceptor, Bridge, type Peer } from "../bridge/bridge.js";
import { Latencies } from "../bridge/latencies.js";
import { type ServerStats, sumStats, type WorkerStats } from "../bridge/stats.js";
import { type Address, hostAndPort, type ListeningSocket } from "../core/address.js";
import { OptionError } from "../core/errors.js";
import { RESTARTS_MAX, STATS_TIMEOUT_MS, STOP_GRACE_MS, STOP_SLACK_MS } from "../core/limits.js";
import { coreFileOf } from "../core/paths.js";
import { type Patience, TO_RETIRE, toStop } from "../core/patience.js";
import { programName } from "../core/program.js";
import { deferred, ignore, within } from "../core/promises.js";
import { RecentErrors } from "../core/recenterrors.js";
import type { Inspected, Report, ServingState } from "../metrics/report.js";
import { type BindOptions, bindNow, bindOwnSockets, bindSockets } from "../net/bind.js";
import { type GuardedSockets, guardSockets, runtimeNamed, type Worker } from "../runtime/index.js";
import { cpuCount, forkProcesses, serving } from "../workers/fork.js";
import { type Session, type SessionEvents, Supervisor } from "../workers/supervisor.js";
import { Inspection } from "./inspection.js";
import { mergedOptions, resolveOptions, type ServerOptions, type ServerSettings } from "./options.js";

/** By this a server is known across copies of the package. */
export const SERVER_BRAND: unique symbol = Symbol.for("waterspout.server") as never;

/** Where a server listens, if that is known, and when it does. */
export interface Listening {
  readonly address: Address | null;
  readonly done: Promise<void>;
}

/** The frames of one worker. */
class BridgeSession implements Session {
  readonly #bridge: Bridge;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
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

  takeLine(): boolean {
    return this.#bridge.takeLine();
  }

  end(): string {
    this.#bridge.end();
    return this.#bridge.lost;
  }

  stop(patience: Patience): void {
    this.#bridge.stop(patience);
  }
}

/** Listens, and runs the workers that serve: what TCPServer and HTTPServer have in common. */
export abstract class Server implements Inspected {
  /** @internal */
  static readonly [SERVER_BRAND] = true;
  #options: ServerSettings;
  #given: ServerOptions;
  readonly #supervisors: Supervisor[] = [];
  readonly #sockets: ListeningSocket[] = [];
  readonly #guarded: GuardedSockets[] = [];
  /** Those of the workers that live, and perhaps some that have ended. */
  #bridges: Bridge[] = [];
  /** By these a report distinguishes workers, also from those that they replaced. */
  readonly #keys = new WeakMap<Bridge, string>();
  #made = 0;
  /** What `bind` has been asked for. */
  readonly #binding: Promise<void>[] = [];
  /** Its sockets until `start` serves them; null from then on. */
  #bound: ListeningSocket[] | null = [];
  readonly #latencies = new Latencies();
  readonly #errors = new RecentErrors();
  readonly #begunMs = Date.now();
  readonly #inspection = new Inspection(this);
  #started = false;
  #stopped: Promise<void> | null = null;
  /** When a stop closes what is still in flight then. */
  #endsMs = Number.POSITIVE_INFINITY;
  /** From a stop on: settles when no further connection will be accepted. */
  #finished: Promise<unknown> | null = null;
  readonly #closed = deferred();

  /** Resolves when the server has been stopped; rejects when its workers ended too often. It need not be awaited. */
  readonly closed: Promise<void> = ignore(this.#closed.promise);

  /** Throws OptionError for an option that is not known or out of its range. */
  constructor(options: ServerOptions = {}) {
    this.#given = options;
    this.#options = this.#errors.watch(resolveOptions(options));
  }

  /** The scheme of its URLs. */
  abstract readonly scheme: "http" | "tcp";

  /** @internal How connections or requests of this server are begun. */
  abstract acceptor(): Acceptor;

  /** The options, complete. */
  get options(): ServerSettings {
    return this.#options;
  }

  /** Where it listens. */
  get addresses(): readonly Address[] {
    return this.#sockets.map((socket) => socket.address);
  }

  /** @internal `over` wins over the options of the constructor, and those over `under`; only before it listens. */
  configure(over: ServerOptions, under: ServerOptions = {}): void {
    this.#given = mergedOptions({ over, under }, this.#given);
    this.#options = this.#errors.watch(resolveOptions(this.#given));
  }

  /**
   * Binds `port` (0: a free one) on `address` (default 127.0.0.1; `""`: all interfaces) and serves it. May be called
   * again for other ports. Resolves when connections are accepted; rejects with BindError or RuntimeUnavailableError.
   */
  async listen(port: number, address?: string, options: Omit<BindOptions, "runtime"> = {}): Promise<void> {
    await this.#inspection.begin(this.#options.inspect, this.#given.logger);
    try {
      await this.addSockets(await bindOwnSockets(port, address, { ...options, runtime: this.#options.runtime }));
    } finally {
      await this.#inspection.endUnless(this.#supervisors.length > 0);
    }
  }

  /**
   * @internal As `listen`, but where it will listen is known at once, unless it has to be looked up. Throws BindError.
   */
  listenNow(port: number, address: string, options: Omit<BindOptions, "runtime">): Listening {
    const binding = bindNow(port, address, { ...options, runtime: this.#options.runtime });
    if (binding === null) return { address: null, done: this.listen(port, address, options) };
    return { address: binding.address, done: binding.socket.then((socket) => this.addSockets([socket])) };
  }

  /**
   * Binds `port` as `listen` does, to be served by `start`, which also waits for this and rejects with its error; after
   * `start` it is served at once.
   */
  bind(port: number, address?: string, options: Omit<BindOptions, "runtime"> = {}): Promise<void> {
    const done = this.#bind(port, address, { ...options, runtime: this.#options.runtime });
    this.#binding.push(done);
    return ignore(done); // `start` waits for it, too
  }

  async #bind(port: number, address: string | undefined, options: BindOptions): Promise<void> {
    const sockets = await bindSockets(port, address, options);
    if (this.#bound === null) await this.addSockets(sockets);
    else this.#bound.push(...sockets);
  }

  /**
   * Serves what `bind` has bound, in `processes` processes; 0 or null: one a processor. With the runtime `"node"` these
   * are Node processes that run the whole program again, as with `forkProcesses`: this resolves in them, and never in
   * the process that was started first. 1 serves in this process. With `"wasmtime"` they are wasmtime processes below
   * this one; a component is one process, and 1 is all that it takes.
   *
   * Rejects with the errors of `bind`, `forkProcesses` and `addSockets`, and with OptionError when it is called twice.
   */
  async start(processes: number | null = 1, maxRestarts: number = RESTARTS_MAX): Promise<void> {
    if (this.#started) throw new OptionError("the server has been started before");
    this.#started = true;
    await Promise.all(this.#binding);
    const count = processes === null || processes === 0 ? cpuCount() : processes;
    if (this.#options.runtime !== "node") this.configure({ workers: count });
    else if (processes !== 1) await forkProcesses(count, maxRestarts);
    const sockets = this.#bound ?? [];
    this.#bound = null;
    if (sockets.length > 0) await this.addSockets(sockets);
  }

  /** Serves sockets from `bindSockets`; they belong to the server from then on, also when it fails. */
  async addSockets(sockets: readonly ListeningSocket[]): Promise<void> {
    for (const { watched } of sockets) {
      // The socket stays open: it belongs to the server or the handler that has it already.
      if (watched === true) throw new OptionError("the connections of this socket are taken already");
    }
    let guarded: GuardedSockets | null = null;
    let supervisor: Supervisor | null = null;
    try {
      await this.#inspection.begin(this.#options.inspect, this.#given.logger);
      for (const socket of sockets) checkRuntime(socket, this.#options);
      guarded = await guardSockets(sockets, this.scheme, this.#options);
      if (this.#stopped !== null) throw new OptionError("the server has been stopped");
      supervisor = this.#newSupervisor(guarded);
      this.#supervisors.push(supervisor);
      this.#sockets.push(...guarded.sockets);
      this.#guarded.push(guarded);
      const { connected } = this.acceptor();
      if (connected !== undefined) for (const socket of guarded.sockets) socket.announce?.(connected);
      serving.add(this);
      await supervisor.start();
    } catch (error) {
      this.#forget(supervisor, guarded?.sockets ?? sockets);
      await this.#inspection.endUnless(this.#supervisors.length > 0);
      throw error;
    }
  }

  /** `addSockets` of one. */
  addSocket(socket: ListeningSocket): Promise<void> {
    return this.addSockets([socket]);
  }

  #newSupervisor({ sockets, peers }: GuardedSockets): Supervisor {
    const options = this.#options;
    return new Supervisor({
      runtime: runtimeNamed(options.runtime),
      module: coreFileOf(options.runtime),
      sockets,
      count: options.runtime === "node" ? 1 : options.workers,
      logger: options.logger,
      session: (events) => new BridgeSession(this.#newBridge(options, sockets.length, events, peers)),
      failed: (error) => this.#fail(error),
    });
  }

  /**
   * Stops accepting, lets what is in flight finish within `graceMs` (default 10 seconds), then closes it. Resolves when
   * all workers have ended. Calling it again may shorten the time, and does not lengthen it.
   */
  stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    return this.#stopWithin(toStop(graceMs));
  }

  /** @internal As `stop`, of a server that has a successor. Calls `quiet` when it accepts no more connections. */
  retire(quiet: () => void, patience: Patience = TO_RETIRE): Promise<void> {
    const ended = this.#stopWithin(patience);
    // The workers answer for their statistics once they have carried out what they were sent before.
    void ignore((this.#finished as Promise<unknown>).then(() => this.report()).then(quiet));
    return ended;
  }

  /**
   * Reads the files of `sslOptions` again, for handshakes from now on; connections that are open go on. Throws
   * TLSConfigError, and keeps the certificates that it has, when a file is not what it should be. Without `sslOptions`
   * it throws OptionError.
   */
  reloadCertificates(): void {
    if (this.#options.tls === null) throw new OptionError("the server has no sslOptions");
    this.#options.tls.reload();
  }

  /**
   * Closes all open connections, also those with something in flight: after `stop`, to wait no longer. Without it the
   * server goes on accepting. Resolves when they are closed.
   */
  async closeAllConnections(): Promise<void> {
    await this.#finished;
    await Promise.all(this.#bridges.map((bridge) => within(bridge.closeAll(), STATS_TIMEOUT_MS)));
  }

  /**
   * What the server has done since its workers were started: connections, requests, bytes, time. All 0 once it has been
   * stopped.
   */
  async stats(): Promise<ServerStats> {
    const { workers, workerRestarts, connectionsRefused } = await this.report();
    const known = workers.map(({ stats }) => stats).filter((each): each is WorkerStats => each !== null);
    const stats = sumStats(known, workerRestarts);
    return { ...stats, connectionsRefused: stats.connectionsRefused + connectionsRefused };
  }

  /** Whether it takes new requests: `"serving"` from the moment that it listens until a stop begins. */
  get state(): ServingState {
    if (this.#stopped !== null) return "stopping";
    return this.#supervisors.some((supervisor) => supervisor.started) ? "serving" : "starting";
  }

  /** Workers that serve now; one that has ended by accident does not until it has been started again. */
  get workersServing(): number {
    return this.#supervisors.reduce((sum, supervisor) => sum + supervisor.serving, 0);
  }

  /** @internal All that metrics and the live page are made of. */
  async report(): Promise<Report> {
    const asked = this.#bridges.map(async (bridge) => ({
      bridge,
      stats: await within(bridge.stats(), STATS_TIMEOUT_MS),
    }));
    const workers = (await Promise.all(asked)).filter(({ bridge }) => !bridge.over);
    const live = this.#supervisors;
    return {
      state: this.state,
      runtime: this.#options.runtime,
      program: programName(),
      addresses: this.addresses.map(hostAndPort),
      begunMs: this.#begunMs,
      errors: this.#errors.list,
      workersConfigured: live.reduce((sum, supervisor) => sum + supervisor.count, 0),
      workersServing: this.workersServing,
      workerRestarts: live.reduce((sum, supervisor) => sum + supervisor.restarts, 0),
      connectionsRefused: this.#sockets.reduce((sum, socket) => sum + (socket.refused ?? 0), 0),
      workers: workers.map(({ bridge, stats }) => ({ key: this.#keys.get(bridge) ?? "", stats })),
      latencies: [{ key: "", series: this.#latencies.series }],
      counts: true,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  #newBridge(
    options: ServerSettings,
    listeners: number,
    events: SessionEvents,
    peers: ReadonlyMap<string, Peer> | null,
  ): Bridge {
    const bridge = new Bridge(this.acceptor(), options, listeners, events, peers, this.#latencies);
    this.#keys.set(bridge, String(this.#made++));
    this.#bridges = [...this.#bridges.filter((each) => !each.over), bridge];
    return bridge;
  }

  #stopWithin(patience: Patience): Promise<void> {
    const endsMs = performance.now() + patience.graceMs;
    if (endsMs < this.#endsMs) {
      this.#endsMs = endsMs;
      if (this.#stopped === null) this.#stopped = this.#end(patience);
      else void this.#finished?.then(() => this.#endWorkers(patience));
    }
    return this.#stopped as Promise<void>;
  }

  async #end(patience: Patience): Promise<void> {
    for (const socket of this.#bound ?? []) socket.close();
    this.#finished = Promise.all(this.#sockets.map((socket) => socket.finish?.() ?? socket.close()));
    await this.#finished;
    await this.#endWorkers(patience);
    await this.#inspection.end();
    serving.delete(this);
    this.#closed.resolve();
  }

  async #endWorkers(patience: Patience): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop(patience)));
    const restMs = Math.max(this.#endsMs - performance.now(), STOP_SLACK_MS);
    await Promise.all(this.#guarded.map((guarded) => guarded.drained(restMs)));
  }

  #fail(error: Error): void {
    this.#options.logger.error(error.message);
    this.#closed.reject(error);
    void this.stop(0);
  }

  #forget(supervisor: Supervisor | null, sockets: readonly ListeningSocket[]): void {
    for (const socket of sockets) {
      socket.close();
      const at = this.#sockets.indexOf(socket);
      if (at >= 0) this.#sockets.splice(at, 1);
    }
    if (supervisor === null) return;
    const at = this.#supervisors.indexOf(supervisor);
    if (at >= 0) this.#supervisors.splice(at, 1);
    if (this.#supervisors.length === 0) serving.delete(this);
  }
}

function checkRuntime(socket: ListeningSocket, options: ServerSettings): void {
  if (socket.runtime === options.runtime) return;
  throw new OptionError(`a socket bound for the runtime "${socket.runtime}" cannot be served by "${options.runtime}"`);
}
