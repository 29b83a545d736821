// Numbers of requests and streams: a slot and its generation, never 0 and below 2^31. A slot's numbers come again after
// 8,191 of them, when neither side knows the first of them any more.

import { HANDLES_MAX } from "../core/limits";

/** As in the bridge's protocol, whose other side a handler in TypeScript has. */
const SLOT_BITS: i32 = 18;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const GENERATIONS_MAX: u32 = (1 << (31 - SLOT_BITS)) - 1;

if (HANDLES_MAX > i32(SLOT_MASK) + 1) ERROR("a slot does not fit into an id");

let last: StaticArray<u32> = new StaticArray<u32>(64);

/** The next number of `slot`. */
export function nextId(slot: i32): u32 {
  if (slot >= last.length) grow(slot);
  const generation = unchecked(last[slot]);
  const next = generation == GENERATIONS_MAX ? 1 : generation + 1;
  unchecked((last[slot] = next));
  return (next << SLOT_BITS) | u32(slot);
}

// @ts-ignore: decorator
@inline export function slotOf(id: u32): i32 {
  return i32(id & SLOT_MASK);
}

function grow(slot: i32): void {
  const more = new StaticArray<u32>(max(slot + 1, last.length * 2));
  memory.copy(changetype<usize>(more), changetype<usize>(last), usize(last.length) << 2);
  last = more;
}
