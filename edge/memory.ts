/**
 * How much of the handler's memory peers can fill: host/core/memorybudget.ts, in a component.
 *
 * Invariant: together these bounds leave a third of ROOM_BYTES to handlers and to the engine. Beyond a memory that the
 * runtime bounds a call of the core traps, which ends the component.
 */

/** No runtime tells a handler how large its memory may become: docs/edge.md asks for as much as this. */
const ROOM_BYTES = 256 << 20;

/** Parts of it, by what they bound. */
export const HELD_SHARE = 4;
export const BODIES_SHARE = 4;
export const WRITES_HELD_SHARE = 8;
/** No part: connections and their buffers have the core's memory. */
export const SANDBOX_SHARE = 0;
export const CONNECTION_BYTES = 0;

export function memoryShare(parts: number, bytesMax: number): number {
  return Math.min(bytesMax, ROOM_BYTES / parts);
}
