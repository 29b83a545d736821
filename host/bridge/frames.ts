/**
 * What both directions of the bridge protocol share: its numbers, and how integers are written. framereader.ts reads
 * frames of the sandbox, framewriter.ts gathers those of the host. Reference: docs/protocol.md.
 */
import { SLOT_BITS } from "./framenumbers.js";

export * from "./framenumbers.js";

/** An id's slot; the bits above it are the generation. */
export const SLOT_MASK = 2 ** SLOT_BITS - 1;

/** The number behind `last` in a sequence of u32; behind the greatest comes `first`. */
export function sequenceAfter(last: number, first: 0 | 1): number {
  return last === 0xffffffff ? first : last + 1;
}

export function put16(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
}

export function put32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  buffer[at + 2] = value >>> 16;
  buffer[at + 3] = value >>> 24;
}

/** Writes an integer of up to 53 bits as 64, two's complement. */
export function put64(buffer: Uint8Array, at: number, value: number): void {
  put32(buffer, at, value >>> 0);
  put32(buffer, at + 4, Math.floor(value / 2 ** 32));
}

export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
}
