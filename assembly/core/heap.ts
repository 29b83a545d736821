// What AssemblyScript's allocator does not offer: whether it has a free block of some size, and growing its heap.
//
// The allocator ends the module when the host gives it no more memory. So its free blocks are looked up here before a
// block is asked for, and memory.grow, which can fail without harm, is called here in its place.
//
// Invariant: all of the module's memory belongs to the allocator, and its last 4 bytes are the end of an area: a used
// block of size 0. Reference: std/assembly/rt/tlsf.ts of AssemblyScript 0.28 (searchBlock, addMemory).

const PAGE_BITS: usize = 16;
/** A block's header, which precedes what it holds: its size and two flags. */
const HEADER: usize = 4;
const LEFT_FREE: u32 = 2;
/** Each power of two has 16 classes of sizes. */
const CLASS_BITS: usize = 4;
const SMALL_BITS: usize = 8;
const ALIGN_MASK: usize = 15;

heap.free(heap.alloc(1024)); // the allocator has set itself up

/** Bytes of the module's memory that the allocator has, free or not. */
export function heapBytes(): usize {
  return (usize(memory.size()) << PAGE_BITS) - __heap_base;
}

/** Whether the allocator has a free block for `size` bytes, 256 or more. */
export function heapHas(size: usize): bool {
  const root = (__heap_base + ALIGN_MASK) & ~ALIGN_MASK;
  const rounded = roundUp(size);
  const log = usize(31) - clz(rounded);
  const row = log + 1 - SMALL_BITS;
  const column = u32((rounded >> (log - CLASS_BITS)) ^ (usize(1) << CLASS_BITS));
  if (load<u32>(root + (row << 2), 4) & (u32.MAX_VALUE << column)) return true;
  return (load<u32>(root) & (u32.MAX_VALUE << u32(row + 1))) != 0;
}

/** Every block of the class that this falls into is large enough. */
function roundUp(size: usize): usize {
  const aligned = ((size + HEADER + ALIGN_MASK) & ~ALIGN_MASK) - HEADER;
  return aligned + (1 << (31 - CLASS_BITS - clz(aligned))) - 1;
}

/**
 * Makes room in the heap for a block of `size` bytes, and some more when the host gives it. False: the host does not.
 */
export function growHeap(size: usize): bool {
  const needed = i32((roundUp(size) + 2 * HEADER + 0xffff) >> PAGE_BITS);
  return addPages(max(needed, memory.size() >> 3)) || addPages(needed);
}

/** The new memory is laid out as a used block with the end of an area behind it, and that block is freed. */
function addPages(pages: i32): bool {
  const before = memory.grow(pages);
  if (before < 0) return false;
  const header = (usize(before) << PAGE_BITS) - HEADER; // the end of the area so far becomes the block's header
  const size = (usize(pages) << PAGE_BITS) - HEADER;
  store<u32>(header, u32(size) | (load<u32>(header) & LEFT_FREE));
  store<u32>(header + HEADER + size, 0);
  heap.free(header + HEADER);
  return true;
}
