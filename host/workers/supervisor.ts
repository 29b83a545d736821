/**
 * Keeps a server's workers running: starts them, starts a dead one again, gives up after too many, and ends them in
 * order.
 *
 * Invariant: each slot has at most one live worker. One that ends without being asked to is replaced, as long as
 * restarts are left (workers/restartpolicy.ts); then the others are stopped too, and `failed` is called once.
 */
import type { ListeningSocket } from "../core/address.js";
import { WorkerError } from "../core/errors.js";
import { RESTARTS_MAX, START_TIMEOUT_MS, STOP_SLACK_MS } from "../core/limits.js";
import type { Logger } from "../core/log.js";
import type { Patience } from "../core/patience.js";
import type { Grants } from "../runtime/grants.js";
import type { Runtime, Worker, WorkerEvents } from "../runtime/index.js";
import { RestartPauses, restartLimiter, startedAgain } from "./restartpolicy.js";

/** What the bytes of one worker mean. One is made for every start. */
export interface Session {
  /** The worker runs; frames can be sent. */
  attach(worker: Worker): void;
  gather(): void;
  receive(chunk: Buffer): void;
  /** Whether a line of the worker's is to be logged. */
  takeLine(): boolean;
  /** The worker has ended. Returns what was lost with it, for a log line: `3 requests`, or nothing. */
  end(): string;
  /** Lets what is in flight finish and ends the worker. A second call may shorten the time. */
  stop(patience: Patience): void;
}

/** What a session tells. */
export interface SessionEvents {
  ready(): void;
  /** The worker is not to be believed any more and has been killed. */
  failed(error: Error): void;
}

export interface SupervisorSettings {
  readonly runtime: Runtime;
  /** The path of the .wasm file. */
  readonly module: string;
  readonly sockets: readonly ListeningSocket[];
  /** Folders that the workers may read. Default: none. */
  readonly grants?: Grants;
  /** Bytes that each worker's memory may grow by. Default: as many as its module allows. */
  readonly growthBytesMax?: number;
  readonly count: number;
  readonly logger: Logger;
  session(events: SessionEvents): Session;
  /** It has given up. */
  failed(error: Error): void;
}

interface Slot {
  readonly name: string;
  /** A worker of this slot has served before: an end is worth a restart. */
  served: boolean;
  /** Its worker serves now. */
  serving: boolean;
  worker: Worker | null;
  session: Session | null;
  timer: NodeJS.Timeout | null;
  readonly pauses: RestartPauses;
  /** What the session reported of the worker's end. */
  verdict: Error | null;
}

export class Supervisor {
  readonly #settings: SupervisorSettings;
  readonly #slots: Slot[] = [];
  readonly #limiter = restartLimiter(RESTARTS_MAX);
  #restarts = 0;
  #started = false;
  #stopping = false;
  #stopped: Promise<void> | null = null;
  #ended: () => void = () => {};

  constructor(settings: SupervisorSettings) {
    this.#settings = settings;
  }

  /** How many workers there should be. */
  get count(): number {
    return this.#settings.count;
  }

  /** Whether all workers have served once. */
  get started(): boolean {
    return this.#started;
  }

  /** How many workers serve now. */
  get serving(): number {
    return this.#slots.filter((slot) => slot.serving).length;
  }

  /** How many were started again after an end by accident. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts all workers. Resolves when every one serves; rejects, with all of them ended, when one does not. */
  async start(): Promise<void> {
    const { runtime, module, count, growthBytesMax } = this.#settings;
    await runtime.prepare(module, growthBytesMax);
    const starts: Promise<void>[] = [];
    for (let index = 0; index < count; index++) {
      const name = count === 1 ? "the worker" : `worker ${index}`;
      const slot = newSlot(name);
      this.#slots.push(slot);
      starts.push(this.#firstStart(slot));
    }
    try {
      await Promise.all(starts);
      this.#started = true;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Ends all workers once they have finished what is in flight. Calling it again may shorten the time for that. */
  stop(patience: Patience): Promise<void> {
    this.#stopping = true;
    this.#stopped ??= this.#allEnded();
    for (const slot of this.#slots) {
      const { worker } = slot;
      if (worker === null) continue;
      slot.session?.stop(patience);
      if (slot.timer !== null) clearTimeout(slot.timer);
      slot.timer = setTimeout(() => worker.kill(), patience.graceMs + STOP_SLACK_MS);
    }
    this.#ended();
    return this.#stopped;
  }

  /** Ends all workers at once. */
  kill(): Promise<void> {
    this.#stopping = true;
    this.#stopped ??= this.#allEnded();
    for (const slot of this.#slots) slot.worker?.kill();
    this.#ended();
    return this.#stopped;
  }

  /** From here on no worker is started. */
  #allEnded(): Promise<void> {
    for (const slot of this.#slots) {
      if (slot.timer !== null) clearTimeout(slot.timer);
      slot.timer = null;
    }
    return new Promise((resolve) => {
      this.#ended = () => {
        if (this.#slots.every((slot) => slot.worker === null)) resolve();
      };
    });
  }

  #firstStart(slot: Slot): Promise<void> {
    return new Promise((resolve, reject) => {
      slot.timer = setTimeout(() => {
        reject(new WorkerError(`${slot.name} did not begin to serve within ${START_TIMEOUT_MS} ms`));
      }, START_TIMEOUT_MS);
      this.#startWorker(slot, resolve, reject);
    });
  }

  #startWorker(slot: Slot, ready: () => void, failed: (error: Error) => void): void {
    const { runtime, module, sockets, logger } = this.#settings;
    slot.pauses.started();
    slot.verdict = null;
    const session = this.#settings.session({
      ready: () => {
        if (slot.timer !== null) clearTimeout(slot.timer);
        slot.timer = null;
        slot.served = true;
        slot.serving = true;
        ready();
      },
      failed: (error) => {
        slot.verdict = error;
      },
    });
    slot.session = session;
    const events: WorkerEvents = {
      gather: () => session.gather(),
      receive: (chunk) => session.receive(chunk),
      log: (line) => {
        if (session.takeLine()) logger.warn(`${slot.name}: ${line}`);
      },
      ended: (error) => this.#workerEnded(slot, slot.verdict ?? error, failed),
    };
    slot.worker = runtime.start(module, sockets, events, this.#settings.grants);
    session.attach(slot.worker);
  }

  #workerEnded(slot: Slot, error: Error | null, failed: (error: Error) => void): void {
    const lost = slot.session?.end() ?? "";
    slot.session = null;
    slot.worker = null;
    slot.serving = false;
    if (slot.timer !== null) clearTimeout(slot.timer);
    slot.timer = null;
    const reason = error ?? new WorkerError("it ended without being asked to");
    failed(new WorkerError(`${slot.name} could not be started: ${reason.message}`, { cause: reason }));
    if (this.#stopping && lost !== "") {
      this.#settings.logger.error(`${slot.name} has ended: ${reason.message}; lost with it: ${lost}`);
    }
    if (this.#stopping) this.#ended();
    else if (slot.served) this.#restart(slot, reason, lost);
  }

  #restart(slot: Slot, reason: Error, lost: string): void {
    const { logger } = this.#settings;
    if (!this.#limiter.take()) {
      const error = new WorkerError(
        `gave up after ${this.#restarts} restarts of workers; the last one: ${reason.message}`,
      );
      void this.kill().then(() => this.#settings.failed(error));
      return;
    }
    this.#restarts++;
    const pauseMs = slot.pauses.ended();
    const withIt = lost === "" ? "" : `; lost with it: ${lost}`;
    logger.error(`${slot.name} has ended: ${reason.message}${withIt}; ${startedAgain(pauseMs)}`);
    slot.timer = setTimeout(() => {
      slot.timer = setTimeout(() => slot.worker?.kill(), START_TIMEOUT_MS);
      this.#startWorker(
        slot,
        () => {},
        () => {},
      );
    }, pauseMs);
  }
}

function newSlot(name: string): Slot {
  return {
    name,
    served: false,
    serving: false,
    worker: null,
    session: null,
    timer: null,
    pauses: new RestartPauses(),
    verdict: null,
  };
}
