/**
 * Tornado's PeriodicCallback: a function that is called again and again.
 *
 * Invariants: calls are counted from the start, so they do not drift; one call at a time, also when it returns a
 * promise; a call whose time has passed while another ran is left out. What a call throws is logged, and the next one
 * comes as if nothing had been.
 */
import { OptionError } from "../core/errors.js";
import { IOLoop, type TimeoutHandle } from "./ioloop.js";

/** Calls a function again and again, one call at a time: Tornado's PeriodicCallback. */
export class PeriodicCallback {
  readonly #callback: () => unknown;
  /** The period, in milliseconds. */
  readonly callbackTimeMs: number;
  /** The share of it by which each may be longer or shorter. */
  readonly jitter: number;
  readonly #loop: IOLoop;
  #timeout: TimeoutHandle | null = null;
  #running = false;
  #next = 0;

  /**
   * `callback` is called every `callbackTimeMs` milliseconds, for the first time that long after `start`. `jitter` is
   * the share of a period by which each may be longer or shorter, half of it to each side: 0.1 gives 95 % to 105 %.
   * Throws OptionError when the time is not above 0 or the jitter not from 0 to 1.
   */
  constructor(callback: () => unknown, callbackTimeMs: number, jitter = 0) {
    if (!(callbackTimeMs > 0 && callbackTimeMs < Number.POSITIVE_INFINITY)) {
      throw new OptionError(`callbackTimeMs must be above 0, not ${String(callbackTimeMs)}`);
    }
    if (!(jitter >= 0 && jitter <= 1)) throw new OptionError(`jitter must be from 0 to 1, not ${String(jitter)}`);
    this.#callback = callback;
    this.callbackTimeMs = callbackTimeMs;
    this.jitter = jitter;
    this.#loop = IOLoop.current();
  }

  /** Whether it has been started and not stopped. */
  isRunning(): boolean {
    return this.#running;
  }

  /** Starts the calls; does nothing while it is running. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#next = this.#loop.time();
    this.#schedule();
  }

  /** Ends the calls; one that is under way is finished. May be called again, and `start` after it. */
  stop(): void {
    this.#running = false;
    if (this.#timeout !== null) this.#loop.removeTimeout(this.#timeout);
    this.#timeout = null;
  }

  #schedule(): void {
    const now = this.#loop.time();
    const period = this.callbackTimeMs * (1 + this.jitter * (Math.random() - 0.5));
    // A timer may fire a little early: then the next one is a period after the time it stood for.
    const missed = Math.max(0, Math.floor((now - this.#next) / period));
    this.#next += (missed + 1) * period;
    const timeout: TimeoutHandle = this.#loop.callAt(this.#next, () => this.#call(timeout));
    this.#timeout = timeout;
  }

  async #call(timeout: TimeoutHandle): Promise<void> {
    try {
      await this.#callback();
    } finally {
      // The loop logs what was thrown. A stop, and perhaps another start, may have come in between.
      if (this.#timeout === timeout) this.#schedule();
    }
  }
}
