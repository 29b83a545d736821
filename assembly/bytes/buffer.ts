// Buffer: bytes that are appended at one end and consumed at the other. This file is also the one place where memory
// for bytes is allocated.
//
// Invariants: 0 <= start, start + size <= capacity; SLACK readable bytes follow the capacity (the scanners of
// bytes/scan.ts read past the end of their input without using it); an empty buffer owns no memory; all buffers
// together stay below memoryBytesMax. No block is requested that the host would have to refuse, since that would end
// the module: having no memory is an ordinary result. Each class of blocks leaves memory for the classes before it, and
// for the objects of the language.

import { growHeap, heapBytes, heapHas } from "../core/heap";
import { MEMORY_BYTES_MAX, MEMORY_SPARE_BYTES } from "../core/limits";

/** Readable bytes behind every block, for scanners that load whole vectors. */
export const SLACK: usize = 64;
const CAPACITY_MIN: i32 = 1024;
/** Of each size from CAPACITY_MIN to 8 times that, one free block is kept, so that a turn's frames allocate nothing. */
const SPARES: u32 = 4;
const spares: usize = memory.data(i32(SPARES << 2), 4);

// Classes of blocks: each leaves that many eighths of memoryBytesMax to others, and as many of the heap, or
// MEMORY_SPARE_BYTES.
/** Frames for the host, so that an end can always be reported to it. */
export const FRAMES: i32 = 0;
/** What streams and requests need to go on. */
export const STREAM: i32 = 1;
/** Bodies and messages that are collected for a handler. */
export const BODY: i32 = 2;
const EIGHTHS: i32 = 3;
/** AssemblyScript's allocator has no larger blocks than twice this. */
const BLOCK_BYTES_MAX: i32 = 1 << 29;

let inUse: usize = 0;
let bytesMax: usize = MEMORY_BYTES_MAX;
let short: bool = false;
let heapShort: bool = false;

/** Bytes of memory in all buffers. */
export function bytesInUse(): usize {
  return inUse;
}

/** All buffers together may have so many bytes from now on. Default: MEMORY_BYTES_MAX. */
export function setMemoryBytesMax(bytes: i32): void {
  bytesMax = usize(bytes);
}

/** Whether a block of this class and of `size` bytes can be had. */
export function hasMemory(kind: i32, size: i32 = 0): bool {
  if (isThere(kind, size)) return true;
  if (kind <= STREAM) short = true;
  return false;
}

function isThere(kind: i32, size: i32): bool {
  if (size > BLOCK_BYTES_MAX || inUse + usize(size) + usize(kind) * (bytesMax >> EIGHTHS) > bytesMax) return false;
  const bytes = usize(size) + SLACK + usize(kind) * min<usize>(MEMORY_SPARE_BYTES, heapBytes() >> EIGHTHS);
  if (heapHas(bytes) || growHeap(bytes)) return true;
  heapShort = true;
  return false;
}

/** Whether the host has refused the module memory since the last call. */
export function wasHeapShort(): bool {
  const was = heapShort;
  heapShort = false;
  return was;
}

/** Whether streams have lacked memory since the last call. */
export function wasShort(): bool {
  const was = short;
  short = false;
  return was;
}

/** A block of at least `size` bytes and its slack, 0: there is no memory for it. Give it back with releaseBlock. */
export function takeBlock(size: i32, kind: i32 = STREAM): usize {
  if (!hasMemory(kind, size)) return 0;
  inUse += usize(size);
  const spare = spareOf(size);
  const kept = spare ? load<usize>(spare) : 0;
  if (!kept) return heap.alloc(usize(size) + SLACK);
  store<usize>(spare, 0);
  return kept;
}

/** The block is wiped: what one connection sent is not there for a bug to show to the next. */
export function releaseBlock(block: usize, size: i32): void {
  memory.fill(block, 0, usize(size));
  inUse -= usize(size);
  const spare = spareOf(size);
  if (spare && !load<usize>(spare)) store<usize>(spare, block);
  else heap.free(block);
}

/** Where the spare block of this size is noted, 0: none of this size is kept. */
function spareOf(size: i32): usize {
  const index = u32(ctz(size) - ctz(CAPACITY_MIN));
  return index < SPARES && size == CAPACITY_MIN << index ? spares + (usize(index) << 2) : 0;
}

/** Bytes that are added at the end and taken at the beginning. */
@final
export class Buffer {
  private block: usize = 0;
  private capacity: i32 = 0;
  private start: i32 = 0;
  /** Bytes that it holds. */
  size: i32 = 0;

  /** `kind`: the class of its blocks. */
  constructor(private kind: i32 = STREAM) {}

  /** Bytes of memory that it owns. */
  get owned(): i32 {
    return this.capacity;
  }

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
    if (needed > BLOCK_BYTES_MAX) return 0;
    // Moving the bytes to the front is only worth it when that frees half of the block: else a slow consumer costs
    // O(n²).
    const fits = needed <= i64(this.capacity);
    if (fits && this.size <= this.capacity >> 1) return this.moveToFront();
    const target = this.grow(i32(needed));
    return target || !fits ? target : this.moveToFront();
  }

  private moveToFront(): usize {
    memory.copy(this.block, this.source, usize(this.size));
    this.start = 0;
    return this.block + usize(this.size);
  }

  /** The same as a class of its own would have it: whether there is room that leaves others theirs. */
  hasRoom(size: i32, kind: i32): bool {
    const own = this.kind;
    this.kind = kind;
    const found = this.reserve(size) != 0;
    this.kind = own;
    return found;
  }

  /** The first `size` bytes of what reserve() gave hold something: they are added. */
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
    let capacity: i64 = CAPACITY_MIN;
    while (capacity < needed || capacity >> 1 < this.size) capacity <<= 1; // so that each move pays for itself
    if (capacity > BLOCK_BYTES_MAX) return 0;
    const block = takeBlock(i32(capacity), this.kind);
    if (!block) return 0;
    if (this.block) {
      memory.copy(block, this.source, usize(this.size));
      releaseBlock(this.block, this.capacity);
    }
    this.block = block;
    this.capacity = i32(capacity);
    this.start = 0;
    return block + usize(this.size);
  }
}
