/**
 * Work of which peers can ask for more than a turn of the loop should take: done in shares, one share a turn for all of
 * them together.
 *
 * Invariants: the work of one turn costs at most the share and one piece more. What has to wait goes on in the order of
 * asking, one piece at a time, so no connection waits for all that another has asked for.
 */
export class TurnShare {
  readonly #share: number;
  #left: number;
  #waiting: (() => void)[] = [];
  #scheduled = false;

  constructor(share: number) {
    this.#share = share;
    this.#left = share;
  }

  /** Does a piece of work, now or in a later turn; it calls `spend`. Throws or rejects with what it throws. */
  run<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#left > 0 && this.#waiting.length === 0) return work();
    this.#schedule();
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** What a piece of work has cost. */
  spend(cost: number): void {
    this.#left -= cost;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#begin());
  }

  /** Another turn. */
  #begin(): void {
    this.#scheduled = false;
    this.#left = this.#share;
    const waiting = this.#waiting;
    this.#waiting = [];
    let done = 0;
    while (done < waiting.length && this.#left > 0) waiting[done++]?.();
    this.#waiting = [...waiting.slice(done), ...this.#waiting];
  }
}
