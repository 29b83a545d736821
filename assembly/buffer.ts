// The one buffer type: bytes between two ends, with room to grow, and the one place where memory for bytes is taken.
//
// Invariant: 0 <= start, start + size <= capacity, SLACK readable bytes follow the capacity (the scanners of bytes.ts read past
// the end of their input without using it), an empty buffer owns no memory, all buffers together stay below MEMORY_BYTES_MAX.

import { MEMORY_BYTES_MAX } from "./limits";

/** Readable bytes behind every block, for scanners that load whole vectors. */
export const SLACK: usize = 64;
const CAPACITY_MIN: i32 = 1024;

let inUse: usize = 0;

/** Bytes of memory in all buffers. */
export function bytesInUse(): usize {
  return inUse;
}

/** A block of at least `size` bytes and its slack, 0: the sandbox's memory is used up. Give it back with releaseBlock. */
export function takeBlock(size: i32): usize {
  if (inUse + usize(size) > usize(MEMORY_BYTES_MAX)) return 0;
  inUse += usize(size);
  return heap.alloc(usize(size) + SLACK);
}

/** The block is wiped: what one connection sent is not there for a bug to show to the next. */
export function releaseBlock(block: usize, size: i32): void {
  memory.fill(block, 0, usize(size));
  inUse -= usize(size);
  heap.free(block);
}


@final
export class Buffer {
  private block: usize = 0;
  private capacity: i32 = 0;
  private start: i32 = 0;
  size: i32 = 0;

  /** Where the bytes begin; valid until the next call that adds some. */
  @inline get source(): usize {
    return this.block + usize(this.start);
  }

  /** Adds bytes at the end. False, and nothing added, when there is no memory. */
  append(source: usize, size: i32): bool {
    const target = this.reserve(size);
    if (!target) return false;
    memory.copy(target, source, usize(size));
    this.size += size;
    return true;
  }

  /** Room for `size` bytes at the end, 0: no memory. What is written there counts once commit() is called. */
  reserve(size: i32): usize {
    const end = this.start + this.size;
    if (this.capacity - end >= size && this.block) return this.block + usize(end);
    const needed = i64(this.size) + i64(size);
    if (needed > i64(MEMORY_BYTES_MAX)) return 0;
    // Moving the bytes to the front is only worth it when that frees half of the block: else a slow consumer costs O(n²).
    if (needed <= i64(this.capacity) && this.size <= this.capacity >> 1) {
      memory.copy(this.block, this.source, usize(this.size));
      this.start = 0;
      return this.block + usize(this.size);
    }
    return this.grow(i32(needed));
  }

  commit(size: i32): void {
    this.size += size;
  }

  /** Drops bytes at the beginning. */
  consume(size: i32): void {
    this.start += size;
    this.size -= size;
    if (!this.size) this.clear();
  }

  /** Drops everything and gives the memory back. */
  clear(): void {
    if (this.block) releaseBlock(this.block, this.capacity);
    this.block = 0;
    this.capacity = this.start = this.size = 0;
  }

  private grow(needed: i32): usize {
    let capacity = CAPACITY_MIN;
    while (capacity < needed || capacity >> 1 < this.size) capacity <<= 1; // so that each move pays for itself
    const block = takeBlock(capacity);
    if (!block) return 0;
    if (this.block) {
      memory.copy(block, this.source, usize(this.size));
      releaseBlock(this.block, this.capacity);
    }
    this.block = block;
    this.capacity = capacity;
    this.start = 0;
    return block + usize(this.size);
  }
}
