/**
 * How often and how soon workers that have ended by accident are started again: for those of a server, and for worker
 * processes.
 *
 * Invariants: a worker that ends now and then is always started again, at once; one that ends in a loop waits longer
 * each time, and uses up what there is for all workers together.
 */

import { RESTART_FORGET_MS, RESTART_PAUSE_MAX_MS, RESTART_PAUSE_MS, RESTART_REFILL_MS } from "../core/limits.js";
import { TokenBucket } from "../core/tokenbucket.js";

/** How many restarts are left: `max` in a row; each comes back after RESTART_REFILL_MS. */
export function restartLimiter(max: number): TokenBucket {
  return new TokenBucket(max, RESTART_REFILL_MS);
}

/** The pauses of one worker. */
export class RestartPauses {
  #startedMs = 0;
  #nextMs = 0;

  /** The worker is started now. */
  started(): void {
    this.#startedMs = performance.now();
  }

  /** The worker has ended: how long to wait before it is started again. */
  ended(): number {
    if (performance.now() - this.#startedMs > RESTART_FORGET_MS) this.#nextMs = 0;
    const pauseMs = this.#nextMs;
    this.#nextMs = pauseMs === 0 ? RESTART_PAUSE_MS : Math.min(pauseMs * 2, RESTART_PAUSE_MAX_MS);
    return pauseMs;
  }
}

/** For a log line: `it is started again`, and when. */
export function startedAgain(pauseMs: number): string {
  return pauseMs === 0 ? "it is started again" : `it is started again in ${pauseMs} ms`;
}
