// Ids of streams and requests: a slot and its generation, never 0. An id is taken only for what is reported to the
// host, so that none comes back before all other generations of its slot have been used. Reference: docs/protocol.md,
// section Frames.

import { HANDLES_MAX } from "../core/limits";
import { SLOT_BITS } from "./frames";

export const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const GENERATIONS_MAX: u32 = (1 << (32 - SLOT_BITS)) - 1;

if (HANDLES_MAX > i32(SLOT_MASK) + 1) ERROR("a slot does not fit into an id");

/** The id that follows `last` in `slot`, 0: there was none. The generation goes round from 1 to 16383. */
export function idAfter(last: u32, slot: i32): u32 {
  const generation = last >>> SLOT_BITS;
  return ((generation == GENERATIONS_MAX ? 1 : generation + 1) << SLOT_BITS) | u32(slot);
}
