/**
 * Blocks of memory that are used again and again. What a process allocates outside of V8's heap counts towards its
 * collections: a fresh block for every 64 KiB that pass through is a full collection every few milliseconds.
 *
 * Invariants: a block belongs to the code that took it until it is given back. It is given back only by that code,
 * once, when no other code has a view of it; so user code never gets a part of a block. At most `spares` wait here.
 */
export class BlockPool {
  /** Bytes of a block. */
  readonly size: number;
  readonly #spares: number;
  readonly #free: Buffer[] = [];

  constructor(size: number, spares: number) {
    this.size = size;
    this.#spares = spares;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  /** Takes a block back; one of another size is forgotten. */
  give(block: Buffer): void {
    if (block.length === this.size && this.#free.length < this.#spares) this.#free.push(block);
  }
}
