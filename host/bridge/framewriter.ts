/**
 * Gathers frames for the sandbox until its channel takes them.
 *
 * Invariants: what waits is whole frames, in the order in which they were written, and no frame is cut by the end of a
 * block; a block that was taken is not written again before it has been given back. Bytes are copied when they are
 * written, so a buffer of user code is its own again at once.
 */

import { BlockPool } from "../core/blockpool.js";
import { PIECE_BYTES } from "../core/limits.js";
import { copyBytes, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, put32 } from "./frames.js";

/** The first block: enough for a turn of small frames. */
const FIRST_BYTES = 65536;
/** Further ones: so many of the pieces that bodies are cut into, or one of the largest frames. */
const BLOCK_PIECES = 4;
const BLOCK_BYTES = Math.max(BLOCK_PIECES * (PIECE_BYTES + FRAME_HEADER_BYTES), FRAME_BYTES_MAX + FRAME_HEADER_BYTES);
const SPARES = 16;

const pool = new BlockPool(BLOCK_BYTES, SPARES);

/** What waits in a block that was full. */
interface Full {
  readonly buffer: Buffer;
  start: number;
  readonly end: number;
}

/** Frames that wait until the sandbox's channel takes them. */
export class FrameWriter {
  /** Where frames are written; another one after `reserve`, `copyTo` or `take`. */
  buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** Where the next frame goes. */
  length = 0;
  /** Where in `buffer` the first byte lies that was not taken. */
  #start = 0;
  #full: Full[] = [];
  #fullBytes = 0;

  /** Bytes that have not been taken. */
  get waiting(): number {
    return this.#fullBytes + this.length - this.#start;
  }

  /** Makes room for `bytes` more in one piece and returns where they go; `buffer` may be another one afterwards. */
  reserve(bytes: number): number {
    if (this.length + bytes > this.buffer.length) this.#goOn(bytes);
    return this.length;
  }

  #goOn(bytes: number): void {
    if (this.length > this.#start) {
      this.#full.push({ buffer: this.buffer, start: this.#start, end: this.length });
      this.#fullBytes += this.length - this.#start;
    } else if (bytes <= this.buffer.length) {
      return this.#begin(this.buffer);
    } else {
      pool.give(this.buffer);
    }
    this.#begin(pool.take());
    if (bytes > BLOCK_BYTES) this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  #begin(buffer: Buffer): void {
    this.buffer = buffer.length > BLOCK_BYTES ? pool.take() : buffer;
    this.#start = 0;
    this.length = 0;
  }

  /** Takes up to `size` bytes and copies them to `target` from `at` on. Returns their number. */
  copyTo(target: Uint8Array, at: number, size: number): number {
    let taken = 0;
    while (taken < size) {
      const full = this.#full[0];
      const source = full?.buffer ?? this.buffer;
      const start = full?.start ?? this.#start;
      const bytes = Math.min(size - taken, (full?.end ?? this.length) - start);
      if (bytes === 0) break;
      copyBytes(source, start, start + bytes, target, at + taken);
      taken += bytes;
      if (full === undefined) this.#start += bytes;
      else this.#advance(full, bytes);
    }
    if (this.#start === this.length) this.#begin(this.buffer);
    return taken;
  }

  #advance(full: Full, bytes: number): void {
    full.start += bytes;
    this.#fullBytes -= bytes;
    if (full.start < full.end) return;
    this.#full.shift();
    pool.give(full.buffer);
  }

  /**
   * Hands all that waits to `take`, block by block: true means that the block is free again, else `giveBack` does so
   * later.
   */
  drain(take: (block: Buffer, start: number, end: number) => boolean): void {
    const full = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    for (const { buffer, start, end } of full) if (take(buffer, start, end)) pool.give(buffer);
    const isFree = this.length === this.#start || take(this.buffer, this.#start, this.length);
    this.#begin(isFree ? this.buffer : pool.take());
  }

  /** A block that `drain` has handed out is not needed any more. */
  giveBack(block: Buffer): void {
    pool.give(block);
  }

  /** Forgets what waits. */
  clear(): void {
    this.drain(() => true);
  }

  /** Writes a header, makes room for its payload and returns where that goes. */
  open(type: number, id: number, size: number): number {
    const at = this.reserve(FRAME_HEADER_BYTES + size);
    const buffer = this.buffer;
    put32(buffer, at, (type << 24) | size);
    put32(buffer, at + 4, id);
    this.length = at + FRAME_HEADER_BYTES + size;
    return at + FRAME_HEADER_BYTES;
  }

  /** A frame without a payload. */
  empty(type: number, id: number): void {
    this.open(type, id, 0);
  }

  /** A frame that holds one number. */
  number(type: number, id: number, value: number): void {
    const at = this.open(type, id, 4);
    put32(this.buffer, at, value);
  }

  /** A frame that holds two numbers. */
  numbers(type: number, id: number, first: number, second: number): void {
    const at = this.open(type, id, 8);
    put32(this.buffer, at, first);
    put32(this.buffer, at + 4, second);
  }

  /** A frame that holds `source` from `start` to `end`. */
  bytes(type: number, id: number, source: Uint8Array, start: number, end: number): void {
    const at = this.open(type, id, end - start);
    copyBytes(source, start, end, this.buffer, at);
  }
}
