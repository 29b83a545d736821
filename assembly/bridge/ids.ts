// Ids of streams and requests: a slot and its generation, never 0. Reference: docs/protocol.md, section Frames.

export const SLOT_BITS: u32 = 18;
export const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const GENERATIONS: u32 = (1 << 14) - 1;

/** `serial` counts what used the slot; the generation goes round from 1 to 16383. */
// @ts-ignore: decorator
@inline export function idOf(slot: i32, serial: u32): u32 {
  return (((serial % GENERATIONS) + 1) << SLOT_BITS) | u32(slot);
}
