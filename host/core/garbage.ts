/**
 * Collecting garbage for the sake of what lies outside of V8's heap: blocks of bytes. V8 lets them grow by 64 MiB and
 * then collects all of its heap, again and again while large bodies come. Nearly all blocks are garbage soon after they
 * were taken, and a collection of the young generation, which costs a tenth, frees those. Where memory is limited to
 * little, 64 MiB are also more than the process may have.
 *
 * Invariant: without large bodies, and where memory is not limited to little, V8 is left alone.
 * Reference: kExternalAllocationSoftLimit of V8.
 */
import v8 from "node:v8";
import { collectGarbage, collectYoungGarbage } from "../nodeinternals/collectgarbage.js";
import { YOUNG_BLOCKS_BYTES_MAX } from "./limits.js";
import { GARBAGE_SHARE, isMemoryShort, memoryRoom } from "./memorybudget.js";

/** So often it is looked at until a part of the room has been taken. */
const LOOKS = 4;

/** Bytes that were taken since the last look, and since the young generation was last collected. */
let taken = 0;
let young = 0;
/** What there may be outside of the heap before the next collection. */
let bytesMax = Number.POSITIVE_INFINITY;

/** A block of so many bytes has been taken, which may be garbage soon. */
export function tookBlock(bytes: number): void {
  young += bytes;
  if (young >= YOUNG_BLOCKS_BYTES_MAX) {
    young = 0;
    collectYoungGarbage();
  }
  taken += bytes;
  if (!isMemoryShort() || taken < memoryRoom() / GARBAGE_SHARE / LOOKS) return;
  taken = 0;
  const step = memoryRoom() / GARBAGE_SHARE;
  if (outside() > bytesMax) {
    collectGarbage();
    bytesMax = Number.POSITIVE_INFINITY;
  }
  bytesMax = Math.min(bytesMax, outside() + step);
}

function outside(): number {
  return v8.getHeapStatistics().external_memory;
}
