/**
 * `--runtime node --workers N`: N Node processes that share the port, and the one that watches over them.
 *
 * Invariants: a worker that ends abnormally is started again, at most RESTARTS_MAX times in all; one that ends in order is not; a
 * signal to the watching process reaches each worker once, over its channel, so that a terminal's Ctrl-C does not count twice.
 */
import cluster, { type Worker } from "node:cluster";
import { createServer } from "node:net";
import { RESTART_PAUSE_MS, RESTARTS_MAX } from "./limits.js";

/** What a worker is told. */
const STOP = "stop";

interface Serving {
  /** The line that says where. */
  serving: string;
}

/** Whether this process is one of the workers. */
export const isWorkerProcess = cluster.isWorker;

/** A worker's side: reports that it serves. */
export function reportServing(line: string): void {
  process.send?.({ serving: line } satisfies Serving);
}

/** A worker's side: calls `stop` when the watching process says so. Signals are for that process. */
export function onStopMessage(stop: () => void): void {
  process.on("SIGINT", () => {});
  process.on("message", (message) => {
    if (message === STOP) stop();
  });
}

/** A port that is free now, for workers that are to share it. */
export function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen({ port: 0, host: address === "" ? undefined : address, exclusive: true }, () => {
      const bound = probe.address();
      probe.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : 0));
    });
  });
}

/** What the watching process is told. */
export interface WorkersEvents {
  /** All of them serve. */
  serving(line: string): void;
  /** Something to be told on stderr. */
  warn(text: string): void;
  /** All have ended; the process ends with `status`. */
  ended(status: number): void;
}

/** Workers that run this program with `args`. */
export class Workers {
  readonly #count: number;
  readonly #events: WorkersEvents;
  #servingCount = 0;
  #announced = false;
  #restarts = 0;
  #stopping = false;
  #status = 0;

  constructor(count: number, args: readonly string[], events: WorkersEvents) {
    this.#count = count;
    this.#events = events;
    cluster.setupPrimary({ args: [...args] });
    this.#fork(); // the first alone: what is wrong with the application is then said once
  }

  /** Asks every worker to stop in order. */
  stop(): void {
    this.#stopping = true;
    for (const worker of living()) worker.send(STOP);
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#stopping = true;
    for (const worker of living()) worker.process.kill("SIGKILL");
  }

  #fork(): void {
    const worker = cluster.fork();
    let serves = false;
    worker.on("message", (message: Serving) => {
      serves = true;
      this.#serves(message.serving);
    });
    worker.on("exit", (code: number | null, signal: string | null) => this.#exited(serves, code, signal));
  }

  #serves(line: string): void {
    this.#servingCount++;
    if (this.#announced) return;
    if (this.#servingCount === 1) for (let index = 1; index < this.#count; index++) this.#fork();
    if (this.#servingCount < this.#count) return;
    this.#announced = true;
    this.#events.serving(line);
  }

  #exited(served: boolean, code: number | null, signal: string | null): void {
    if (!this.#stopping && code !== 0) {
      if (!served && !this.#announced) this.#giveUp(code ?? 1);
      else if (this.#restarts >= RESTARTS_MAX) {
        this.#events.warn(`gave up after ${RESTARTS_MAX} restarts of worker processes`);
        this.#giveUp(1);
      } else {
        this.#restarts++;
        const how = signal === null ? `with status ${code}` : `by ${signal}`;
        this.#events.warn(`a worker process has ended ${how}; it is started again`);
        setTimeout(() => !this.#stopping && this.#fork(), RESTART_PAUSE_MS);
        return;
      }
    }
    if (living().length === 0) this.#events.ended(this.#status);
  }

  #giveUp(status: number): void {
    this.#status = status;
    this.kill();
  }
}

function living(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined && !worker.isDead()) as Worker[];
}
