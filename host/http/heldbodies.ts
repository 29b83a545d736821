/**
 * What handlers hold of requests' bodies in memory, all together: one bound a process, since its servers share one
 * memory.
 *
 * Invariant: what is counted for a request is given back when that is over. Bodies that pass through block by block are
 * not counted.
 */
import { getHeapStatistics } from "node:v8";
import { BodiesFullError, BodyTooLargeError } from "../core/errors.js";
import { BODIES_HEAP_SHARE } from "../core/limits.js";
import { BODIES_SHARE, memoryShare } from "../core/memorybudget.js";

/** Bytes that all of them hold. */
let total = 0;

/** How many bytes may be held when no option says so. */
export function bodiesBytesMaxDefault(): number {
  return memoryShare(BODIES_SHARE, Math.floor(getHeapStatistics().heap_size_limit / BODIES_HEAP_SHARE));
}

/** What is held of one request's body. */
export class HeldBody {
  readonly #max: number;
  #bytes = 0;
  #over = false;

  /** `max`: bytes that all bodies together may have. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts `bytes` more. Throws, and has counted nothing, when that is too much: BodyTooLargeError for this body alone,
   * BodiesFullError for all.
   */
  hold(bytes: number): void {
    if (this.#over) return;
    if (this.#bytes + bytes > this.#max) throw new BodyTooLargeError(this.#max);
    if (total + bytes > this.#max) {
      this.#giveBack(); // a body that is refused is not kept, and the next one in line may fit already
      throw new BodiesFullError(this.#max);
    }
    this.#bytes += bytes;
    total += bytes;
  }

  /** The request is over: what its handler still keeps is its own affair. */
  end(): void {
    this.#giveBack();
    this.#over = true;
  }

  #giveBack(): void {
    total -= this.#bytes;
    this.#bytes = 0;
  }
}
