// A clock that stands until it is moved, in place of Node's timers and of what tells the time, for one process at a time.
//
// Invariant: timers fire in the order of their times, and only in `advance`; setImmediate stays Node's.

interface SimTimer {
  readonly atMs: number;
  readonly everyMs: number | null;
  readonly set: string;
  readonly fire: () => void;
  isUnref: boolean;
  ref(): SimTimer;
  unref(): SimTimer;
  hasRef(): boolean;
}

const NAMES = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;

export class SimClock {
  #nowMs = 1000;
  readonly #timers = new Set<SimTimer>();
  readonly #real = Object.fromEntries(NAMES.map((name) => [name, globalThis[name]]));
  readonly #clearReal = globalThis.clearTimeout;
  /** Whether a timer that is set now knows from where, which is slow. */
  traces = false;

  /** From now on this clock is the process's, and no timer of another is left. */
  install(): void {
    this.#timers.clear();
    const set = (fire: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): SimTimer =>
      this.#add(() => fire(...args), ms, null);
    const repeat = (fire: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): SimTimer =>
      this.#add(() => fire(...args), ms, Math.max(1, ms));
    const clear = (timer: unknown): void => {
      if (!this.#timers.delete(timer as SimTimer)) this.#clearReal(timer as NodeJS.Timeout);
    };
    Object.assign(globalThis, { setTimeout: set, setInterval: repeat, clearTimeout: clear, clearInterval: clear });
    performance.now = () => this.#nowMs;
  }

  #add(fire: () => void, ms: number, everyMs: number | null): SimTimer {
    const timer: SimTimer = {
      atMs: this.#nowMs + Math.max(1, ms),
      everyMs,
      set: this.traces ? String(new Error().stack) : "",
      isUnref: false,
      fire: () => {
        if (everyMs !== null) this.#timers.add(Object.assign(timer, { atMs: timer.atMs + everyMs }));
        fire();
      },
      ref: () => Object.assign(timer, { isUnref: false }),
      unref: () => Object.assign(timer, { isUnref: true }),
      hasRef: () => !timer.isUnref,
    };
    this.#timers.add(timer);
    return timer;
  }

  /** Gives Node's back. */
  uninstall(): void {
    Object.assign(globalThis, this.#real);
    Reflect.deleteProperty(performance, "now"); // the prototype's is there again
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Those that would keep a process alive, or hold what they would do: how far they are away, and where they were set. */
  get waiting(): string[] {
    return [...this.#timers]
      .filter((timer) => !timer.isUnref)
      .map(({ atMs, set }) => `in ${atMs - this.#nowMs} ms ${set}`);
  }

  /** Lets `ms` pass and fires what is due. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      let next: SimTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = endMs;
  }
}
