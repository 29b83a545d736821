/**
 * Bytes that wait in this process because peers are slow to take them, of all connections together.
 *
 * Invariant: one connection may hold as much as is left of the total. So the more is held, the less each of them may
 * hold: those that hold most are refused first, and something is left for all others.
 */
import { StreamBufferFullError } from "./errors.js";
import { WRITES_HELD_BYTES_MAX } from "./limits.js";
import { memoryShare, WRITES_HELD_SHARE } from "./memorybudget.js";

let held = 0;

/** `bytes` more wait; fewer, when it is negative. */
export function holdWrites(bytes: number): void {
  held += bytes;
}

/** Whether `bytes` more are too many for a connection for which `waiting` wait, of which `bytesMax` may. */
export function isTooMuchToHold(bytesMax: number, waiting: number, bytes: number): boolean {
  return waiting + bytes > Math.min(bytesMax, memoryShare(WRITES_HELD_SHARE, WRITES_HELD_BYTES_MAX) - held);
}

/** What a write that is too much is refused with. */
export function tooMuchToHold(bytesMax: number): StreamBufferFullError {
  return new StreamBufferFullError(`too many bytes wait for a slow peer (writeBufferBytesMax: ${bytesMax})`);
}
