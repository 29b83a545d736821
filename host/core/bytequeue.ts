/**
 * Bytes that wait for their reader: pieces go in, blocks come out.
 *
 * Invariant: what is held is at most about twice what is waiting. A small piece is copied into a block, since keeping
 * it would keep the whole chunk of the channel that it came in; only a large piece is kept as it is.
 */

/** Blocks that small pieces are gathered in. */
const BLOCK_BYTES = 8192;

export class ByteQueue {
  /** Bytes that wait. */
  length = 0;
  #blocks: Buffer[] = [];
  /**
   * The block that is being filled: its bytes up to `#filled` are taken, those from `#unshared` on are not in #blocks
   * yet.
   */
  #block: Buffer | null = null;
  #unshared = 0;
  #filled = 0;

  push(chunk: Buffer, start: number, end: number): void {
    const bytes = end - start;
    this.length += bytes;
    if (bytes >= BLOCK_BYTES) {
      this.#share();
      const piece = chunk.subarray(start, end);
      this.#blocks.push(bytes * 2 >= chunk.length ? piece : Buffer.from(piece));
      return;
    }
    if (this.#block === null || this.#block.length - this.#filled < bytes) {
      this.#share();
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#unshared = 0;
      this.#filled = 0;
    }
    chunk.copy(this.#block, this.#filled, start, end);
    this.#filled += bytes;
  }

  /** The next block, or null when nothing waits. */
  shift(): Buffer | null {
    if (this.#blocks.length === 0) this.#share();
    const block = this.#blocks.shift() ?? null;
    if (block !== null) this.length -= block.length;
    return block;
  }

  /** Everything that waits, in one piece. */
  all(): Buffer {
    this.#share();
    const blocks = this.#blocks;
    this.clear();
    return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
  }

  clear(): void {
    this.#blocks = [];
    this.#block = null;
    this.#unshared = 0;
    this.#filled = 0;
    this.length = 0;
  }

  /** Hands what was gathered over to the blocks; the rest of the block's room stays in use. */
  #share(): void {
    if (this.#block === null || this.#filled === this.#unshared) return;
    this.#blocks.push(this.#block.subarray(this.#unshared, this.#filled));
    this.#unshared = this.#filled;
  }
}

/** `chunk` from `start` to `end` as a buffer of its own, or as it is where that keeps little beside it. */
export function piece(chunk: Buffer, start: number, end: number): Buffer {
  const part = chunk.subarray(start, end);
  return part.length * 2 >= chunk.length ? part : Buffer.from(part);
}
