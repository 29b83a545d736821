/**
 * Processes that run this program again and accept from the sockets that this process holds; used by forkProcesses and
 * by the command's `--workers`.
 *
 * Invariants: a worker that ends abnormally is started again with the same id, at most `restartsMax` times in a row
 * (workers/restartpolicy.ts), by a spare process if one waits; one that ends in order is not. Each worker has a process
 * group of its own, so that a signal reaches it once, from here, and not from the terminal, too; and it learns by its
 * channel when this process is gone.
 *
 * Reference: Tornado's process.fork_processes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { ListeningSocket } from "../core/address.js";
import { WorkerError } from "../core/errors.js";
import { STOP_GRACE_MS, STOP_SLACK_MS } from "../core/limits.js";
import { deferred } from "../core/promises.js";
import type { TokenBucket } from "../core/tokenbucket.js";
import { type Inheritance, inheritance, TASK_VARIABLE } from "../net/inheritedsockets.js";
import { RestartPauses, restartLimiter, startedAgain } from "./restartpolicy.js";
import { Spare } from "./spare.js";

export interface GroupSettings {
  readonly count: number;
  readonly restartsMax: number;
  /** How many are started at once; the rest with `startRest`. */
  readonly first: number;
  /** Writes a warning to stderr. */
  warn(text: string): void;
  /** What a worker process sends. */
  message(id: number, value: unknown): void;
  /** Whether a worker that has ended abnormally is worth a restart; if not, the group ends with its status. */
  restarts(): boolean;
  /** What they accept from, which stays open when they have ended. Default: all that has been bound, until then. */
  readonly sockets?: readonly ListeningSocket[];
}

/** What a worker gets when others serve in its place. */
const RETIRE = { retire: true };

/** In a worker process: calls `retire` when others serve in its place. */
export function onRetire(retire: () => void): void {
  process.on("message", (value: unknown) => {
    if (typeof value === "object" && value !== null && "retire" in value) retire();
  });
  process.channel?.unref(); // to wait for that is no reason to stay
}

interface Slot {
  readonly id: number;
  child: ChildProcess | null;
  startedMs: number;
  timer: NodeJS.Timeout | null;
  readonly pauses: RestartPauses;
}

export class ProcessGroup {
  readonly #end = deferred<number>();
  /** Resolves with an exit status when all have ended; rejects with WorkerError when it has given up. */
  readonly ended: Promise<number> = this.#end.promise;
  readonly #settings: GroupSettings;
  readonly #slots: Slot[] = [];
  readonly #inheritance: Inheritance;
  readonly #limiter: TokenBucket;
  readonly #spare: Spare;
  #restarts = 0;
  /** The last signal that was forwarded: to end by it is in order. */
  #asked: NodeJS.Signals | null = null;
  #status = 0;
  #error: WorkerError | null = null;

  constructor(settings: GroupSettings) {
    this.#settings = settings;
    this.#limiter = restartLimiter(settings.restartsMax);
    this.#inheritance = inheritance(settings.sockets ?? null);
    this.#spare = new Spare({
      spawn: () => this.#spawn(null),
      warn: (text) => settings.warn(text),
      ended: () => this.#settleIfEnded(),
    });
    this.#start(settings.first);
  }

  /** Starts those that the first ones were waited for: `count` in all. */
  startRest(count: number = this.#settings.count): void {
    this.#start(count);
  }

  /** Has a spare process wait, which takes the place of the next worker that dies; called again when that serves. */
  keepSpare(): void {
    this.#spare.keep();
  }

  /** Forwards a signal; a worker that ends from now on is not started again. */
  signal(name: NodeJS.Signals): void {
    this.#endAll(name, (child) => child.kill(name));
  }

  /** Sends RETIRE, for which a worker ends once it has served its connections; it is not started again. */
  retire(): void {
    this.#endAll("SIGTERM", (child) => (child.connected ? child.send(RETIRE, () => {}) : child.kill("SIGTERM")));
  }

  #endAll(asked: NodeJS.Signals, ask: (child: ChildProcess) => unknown): void {
    this.#asked = asked;
    this.#spare.end();
    // Each worker has its own descriptors of these sockets, which it closes by itself.
    if (this.#settings.sockets === undefined) this.#inheritance.close();
    for (const slot of this.#slots) {
      if (slot.timer !== null) clearTimeout(slot.timer);
      slot.timer = null;
      if (slot.child !== null) ask(slot.child);
    }
    this.#settleIfEnded();
  }

  /** The processes that live, and when each was started, as performance.now() tells it. */
  get live(): readonly { readonly id: number; readonly pid: number; readonly startedMs: number }[] {
    return this.#slots.flatMap(({ id, child, startedMs }) =>
      child?.pid === undefined ? [] : { id, pid: child.pid, startedMs },
    );
  }

  /** Ends one at once; another one is started in its place. */
  kill(id: number): void {
    this.#slots[id]?.child?.kill("SIGKILL");
  }

  /** How many were started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Whether a signal to end has been forwarded. */
  get stopping(): boolean {
    return this.#asked !== null;
  }

  /** Sends `value` to all of them; one that is just ending does not get it. */
  send(value: object): void {
    for (const { child } of this.#slots) if (child?.connected === true) child.send(value, () => {});
  }

  #start(count: number): void {
    while (this.#slots.length < count) {
      const slot: Slot = {
        id: this.#slots.length,
        child: null,
        startedMs: 0,
        timer: null,
        pauses: new RestartPauses(),
      };
      this.#slots.push(slot);
      this.#fill(slot);
    }
  }

  /** A process with the number `id`, or a spare one. */
  #spawn(id: number | null): ChildProcess {
    const { task, fds } = this.#inheritance;
    return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      stdio: ["inherit", "inherit", "inherit", "ipc", ...fds],
      env: { ...process.env, [TASK_VARIABLE]: task(id) },
      detached: true,
    });
  }

  #fill(slot: Slot): void {
    const child = this.#spare.take(slot.id) ?? this.#spawn(slot.id);
    slot.child = child;
    slot.startedMs = performance.now();
    slot.timer = null;
    slot.pauses.started();
    child.on("message", (value) => this.#settings.message(slot.id, value));
    child.once("error", () => this.#ended(slot, 1, null)); // it could not be started
    child.once("exit", (code, signal) => this.#ended(slot, code, signal));
  }

  #ended(slot: Slot, code: number | null, signal: NodeJS.Signals | null): void {
    if (slot.child === null) return;
    slot.child = null;
    const status = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
    if (status !== 0 && (signal === null || signal !== this.#asked)) {
      const how = signal === null ? `with status ${status}` : `by ${signal}`;
      if (this.#asked !== null) this.#endsUnfinished(slot, status, how);
      else if (!this.#settings.restarts()) this.#endsUnserved(slot, status, signal);
      else this.#restart(slot, how);
    }
    this.#settleIfEnded();
  }

  /** It was to finish its requests: those that it had are lost. */
  #endsUnfinished({ id }: Slot, status: number, how: string): void {
    this.#status ||= status;
    this.#settings.warn(`worker process ${id} has ended ${how} before it had finished its requests`);
  }

  /** A process that exits with a status has logged its reason. */
  #endsUnserved(slot: Slot, status: number, signal: NodeJS.Signals | null): void {
    if (signal !== null) this.#settings.warn(`worker process ${slot.id} has ended by ${signal} before it served`);
    this.#giveUp(status, null);
  }

  #restart(slot: Slot, how: string): void {
    if (!this.#limiter.take()) {
      const last = `the last one, worker ${slot.id}, has ended ${how}`;
      return this.#giveUp(1, new WorkerError(`gave up after ${this.#restarts} restarts of worker processes; ${last}`));
    }
    this.#restarts++;
    const pauseMs = slot.pauses.ended();
    this.#settings.warn(`worker process ${slot.id} has ended ${how}; ${startedAgain(pauseMs)}`);
    slot.timer = setTimeout(() => this.#fill(slot), pauseMs);
  }

  /** The others get the time of a stop. */
  #giveUp(status: number, error: WorkerError | null): void {
    this.#status = status;
    this.#error = error;
    this.signal("SIGTERM");
    setTimeout(() => this.signal("SIGKILL"), STOP_GRACE_MS + STOP_SLACK_MS).unref();
  }

  #settleIfEnded(): void {
    if (this.#slots.some(({ child, timer }) => child !== null || timer !== null)) return;
    this.#spare.end();
    if (this.#spare.waits) return; // its end comes here again
    if (this.#error !== null) this.#end.reject(this.#error);
    else this.#end.resolve(this.#status);
  }
}
