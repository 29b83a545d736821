/**
 * Tornado's IOLoop, over Node's own loop: there is one, it always runs, and here it has Tornado's names.
 *
 * Invariant: what a callback throws or rejects with is logged, and the loop goes on.
 */
import { defaultLogger, type Logger } from "./log.js";

/** What `callLater` returns and `removeTimeout` takes. */
export interface TimeoutHandle {
  /** @internal */
  readonly timer: NodeJS.Timeout;
}

/** Longest delay that Node's timers know, in milliseconds. */
const DELAY_MS_MAX = 0x7fffffff;

export class IOLoop {
  static readonly #instance = new IOLoop();
  /** Where failures of callbacks are reported. */
  logger: Logger = defaultLogger;
  #stop: (() => void) | null = null;
  #stopRequested = false;

  private constructor() {}

  /** The loop of this process. */
  static current(): IOLoop {
    return IOLoop.#instance;
  }

  /** Monotonic time in milliseconds. */
  time(): number {
    return performance.now();
  }

  /** Calls `callback` in the next iteration of the loop. */
  addCallback<A extends unknown[]>(callback: (...values: A) => unknown, ...values: A): void {
    setImmediate(() => this.#run(callback, values));
  }

  /** Calls `callback` after `delayMs` milliseconds (below 0: as 0). Returns a handle for `removeTimeout`. */
  callLater<A extends unknown[]>(delayMs: number, callback: (...values: A) => unknown, ...values: A): TimeoutHandle {
    if (typeof delayMs !== "number" || Number.isNaN(delayMs)) throw new TypeError("delayMs must be a number");
    const delay = Math.min(Math.max(delayMs, 0), DELAY_MS_MAX);
    return { timer: setTimeout(() => this.#run(callback, values), delay) };
  }

  /** Takes back a `callLater`; after it has run this does nothing. */
  removeTimeout(handle: TimeoutHandle): void {
    clearTimeout(handle.timer);
  }

  /** Keeps the process alive until `stop` is called, and resolves then; at once when it was called before. */
  start(): Promise<void> {
    if (this.#stop !== null) throw new Error("the loop is running already");
    if (this.#stopRequested) {
      this.#stopRequested = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const alive = setInterval(() => {}, DELAY_MS_MAX);
      this.#stop = () => {
        clearInterval(alive);
        this.#stop = null;
        resolve();
      };
    });
  }

  /** Ends `start`; the current iteration is finished. Before `start` it makes the next one return at once. */
  stop(): void {
    if (this.#stop === null) this.#stopRequested = true;
    else this.#stop();
  }

  #run<A extends unknown[]>(callback: (...values: A) => unknown, values: A): void {
    try {
      const result = callback(...values);
      if (result instanceof Promise) result.catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.logger.error({ err: error }, "a callback failed");
  }
}
