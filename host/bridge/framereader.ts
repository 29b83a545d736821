/**
 * Cuts the bytes of a worker's channel into frames.
 *
 * Invariant: a frame is handed on whole, from memory that the reader will not write again, and no memory is taken for a
 * frame before its size is known to be within FRAME_BYTES_MAX. Reference: docs/protocol.md.
 */
import { ProtocolError } from "../core/errors.js";
import { copyBytes, FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from "./frames.js";

/** Takes frames: a payload is `chunk` from `start` to `end`, and may be kept, but not changed. */
export interface FrameSink {
  /** A frame has come. Throws ProtocolError when it is malformed. */
  frame(type: number, id: number, chunk: Buffer, start: number, end: number): void;
}

/** Turns chunks, cut anywhere, into frames. Throws ProtocolError for a size over the cap; use it no more after that. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  /** The frame that was cut: its header first, then all of it. */
  #held: Buffer | null = null;
  #heldBytes = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    let at = this.#held === null ? 0 : this.#fill(chunk);
    const length = chunk.length;
    while (length - at >= FRAME_HEADER_BYTES) {
      const word = chunk.readUInt32LE(at);
      const size = word & 0xffffff;
      if (size > FRAME_BYTES_MAX) throw new ProtocolError(`a payload of ${size} bytes`);
      const start = at + FRAME_HEADER_BYTES;
      if (size > length - start) break;
      at = start + size;
      this.#sink.frame(word >>> 24, chunk.readUInt32LE(start - 4), chunk, start, at);
    }
    if (at < length) this.#hold(chunk, at);
  }

  /** Begins a cut frame. Its bytes are copied, so that a small piece does not keep a large chunk. */
  #hold(chunk: Buffer, at: number): void {
    this.#held = this.#header;
    this.#heldBytes = 0;
    this.#fill(chunk.subarray(at));
  }

  /** Adds to the cut frame, hands it on when it is whole, and returns how much of `chunk` that took. */
  #fill(chunk: Buffer): number {
    let taken = 0;
    if (this.#held === this.#header) {
      taken = this.#copy(chunk, 0);
      if (this.#heldBytes < FRAME_HEADER_BYTES) return taken;
      const size = this.#header.readUInt32LE(0) & 0xffffff;
      if (size > FRAME_BYTES_MAX) throw new ProtocolError(`a payload of ${size} bytes`);
      this.#held = Buffer.allocUnsafe(FRAME_HEADER_BYTES + size);
      this.#header.copy(this.#held);
    }
    const held = this.#held as Buffer;
    taken += this.#copy(chunk, taken);
    if (this.#heldBytes === held.length) {
      this.#held = null;
      const type = held.readUInt32LE(0) >>> 24;
      this.#sink.frame(type, held.readUInt32LE(4), held, FRAME_HEADER_BYTES, held.length);
    }
    return taken;
  }

  #copy(chunk: Buffer, at: number): number {
    const held = this.#held as Buffer;
    const bytes = Math.min(held.length - this.#heldBytes, chunk.length - at);
    chunk.copy(held, this.#heldBytes, at, at + bytes);
    this.#heldBytes += bytes;
    return bytes;
  }
}

/**
 * A frame from this size on is kept in memory of its own: it may be kept long, and its neighbours need not be kept with
 * it.
 */
const OWN_MEMORY_BYTES = 4096;

/**
 * Copies a batch out of memory that will be written again, and adds it to `kept` in pieces: each large frame by itself,
 * and what lies between two of them together. Only sizes are looked at; the reader checks them.
 */
export function keepBatch(batch: Uint8Array, kept: Buffer[]): void {
  let from = 0;
  let at = batch.length < OWN_MEMORY_BYTES ? batch.length : 0;
  while (batch.length - at >= FRAME_HEADER_BYTES) {
    const end = at + FRAME_HEADER_BYTES + get24(batch, at);
    if (end > batch.length) break;
    if (end - at >= OWN_MEMORY_BYTES) {
      if (at > from) kept.push(copyOf(batch, from, at));
      kept.push(copyOf(batch, at, end));
      from = end;
    }
    at = end;
  }
  if (from < batch.length) kept.push(copyOf(batch, from, batch.length));
}

function copyOf(source: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  copyBytes(source, start, end, copy, 0);
  return copy;
}

function get24(buffer: Uint8Array, at: number): number {
  return (buffer[at] as number) | ((buffer[at + 1] as number) << 8) | ((buffer[at + 2] as number) << 16);
}
