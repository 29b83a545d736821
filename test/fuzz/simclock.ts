// A clock that stands until it is moved, in place of Node's timers and of what tells the time, for one process at a time.
//
// Invariant: timers fire in the order of their times, and only in `advance`; setImmediate stays Node's.

interface SimTimer {
  readonly atMs: number;
  readonly fire: () => void;
  ref(): SimTimer;
  unref(): SimTimer;
  hasRef(): boolean;
}

export class SimClock {
  #nowMs = 1000;
  readonly #timers = new Set<SimTimer>();
  readonly #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

  /** From now on this clock is the process's. */
  install(): void {
    const set = (fire: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): SimTimer => {
      const atMs = this.#nowMs + Math.max(1, ms);
      const timer: SimTimer = {
        atMs,
        fire: () => fire(...args),
        ref: () => timer,
        unref: () => timer,
        hasRef: () => true,
      };
      this.#timers.add(timer);
      return timer;
    };
    const clear = (timer: unknown): void => {
      if (!this.#timers.delete(timer as SimTimer)) this.#real.clearTimeout(timer as NodeJS.Timeout);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    performance.now = () => this.#nowMs;
  }

  /** Gives Node's back. */
  uninstall(): void {
    Object.assign(globalThis, this.#real);
    Reflect.deleteProperty(performance, "now"); // the prototype's is there again
  }

  /** Lets `ms` pass and fires what is due. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      const [next] = due;
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = endMs;
  }
}
