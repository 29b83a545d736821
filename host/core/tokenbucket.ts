/**
 * So many at once, and then as many as come back with time: a token bucket.
 *
 * Invariant: what has come back never exceeds what there was at first.
 */
export class TokenBucket {
  readonly #max: number;
  readonly #refillMs: number;
  #left: number;
  #atMs = performance.now();

  /** `max` at once; one comes back every `refillMs`. */
  constructor(max: number, refillMs: number) {
    this.#max = max;
    this.#refillMs = refillMs;
    this.#left = max;
  }

  /** Takes one. False: there is none left. */
  take(): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#max, this.#left + (now - this.#atMs) / this.#refillMs);
    this.#atMs = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
