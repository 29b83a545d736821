/**
 * A token bucket: a bound on how often something may happen, which allows a burst.
 *
 * Invariant: it never holds more tokens than at first.
 */
export class TokenBucket {
  readonly #max: number;
  readonly #refillMs: number;
  #left: number;
  #atMs = performance.now();

  /** It begins with `max` tokens; one is added every `refillMs`. */
  constructor(max: number, refillMs: number) {
    this.#max = max;
    this.#refillMs = refillMs;
    this.#left = max;
  }

  /** Takes a token. False: there is none left. */
  take(): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#max, this.#left + (now - this.#atMs) / this.#refillMs);
    this.#atMs = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
