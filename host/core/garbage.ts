/**
 * Collecting garbage for the sake of what lies outside of V8's heap: blocks of bytes. V8 lets them grow by 64 MiB
 * before it does so, which is more than a process may have whose memory is limited to little.
 *
 * Invariant: where memory is not limited to little, V8 is left alone.
 * Reference: kExternalAllocationSoftLimit of V8.
 */
import v8 from "node:v8";
import { collectGarbage } from "../nodeinternals/collectgarbage.js";
import { GARBAGE_SHARE, isMemoryShort, memoryRoom } from "./memorybudget.js";

/** So often it is looked at until a part of the room has been taken. */
const LOOKS = 4;

/** Bytes that were taken since the last look. */
let taken = 0;
/** What there may be outside of the heap before the next collection. */
let bytesMax = Number.POSITIVE_INFINITY;

/** A block of so many bytes has been taken, which may be garbage soon. */
export function tookBlock(bytes: number): void {
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
