/**
 * The bridge protocol's numbers and its codec: the mirror of assembly/bridge/frames.ts; docs/protocol.md is the
 * reference.
 *
 * Invariant: a frame is handed on whole, from memory that the reader will not write again, and no memory is taken for a
 * frame before its size is known to be within FRAME_BYTES_MAX. Frames for the sandbox are gathered in framewriter.ts.
 */
import { ProtocolError } from "../core/errors.js";

export const PROTOCOL_VERSION = 1;
/** Largest payload of a frame. */
export const FRAME_BYTES_MAX = 131072;
export const FRAME_HEADER_BYTES = 8;

// --- sandbox to host ---
export const FRAME_READY = 0x01;
export const FRAME_MARK = 0x02;
export const FRAME_DRAINED = 0x03;
export const FRAME_STATS = 0x04;
export const FRAME_REFUSED = 0x05;
export const FRAME_OPEN = 0x10;
export const FRAME_DATA = 0x11;
export const FRAME_DATA_END = 0x12;
export const FRAME_SENT = 0x13;
export const FRAME_READ_FAILED = 0x14;
export const FRAME_CLOSED = 0x15;
export const FRAME_END = 0x16;
export const FRAME_RAW = 0x17;
export const FRAME_RAW_FAILED = 0x18;
export const FRAME_REQUEST = 0x20;
export const FRAME_BODY = 0x21;
export const FRAME_BODY_END = 0x22;
export const FRAME_ABORT = 0x23;
export const FRAME_WS_DATA = 0x24;
export const FRAME_WS_PONG = 0x25;
export const FRAME_WS_PING = 0x26;
export const FRAME_WS_CLOSED = 0x27;
export const FRAME_TRAILERS = 0x28;
export const FRAME_WS_ENDING = 0x29;

// --- host to sandbox ---
export const FRAME_CONFIG = 0x41;
export const FRAME_ECHO = 0x42;
export const FRAME_STOP = 0x43;
export const FRAME_GET_STATS = 0x44;
export const FRAME_CLOSE_ALL = 0x45;
export const FRAME_READ_UNTIL = 0x50;
export const FRAME_READ_BYTES = 0x51;
export const FRAME_WRITE = 0x53;
export const FRAME_CLOSE = 0x54;
export const FRAME_START_TLS = 0x55;
export const FRAME_READ_RAW = 0x56;
export const FRAME_FEED = 0x57;
export const FRAME_FEED_END = 0x58;
export const FRAME_RESPONSE = 0x60;
export const FRAME_RESPONSE_BODY = 0x61;
export const FRAME_RESPONSE_END = 0x62;
export const FRAME_BODY_CREDIT = 0x63;
export const FRAME_CANCEL = 0x64;
export const FRAME_WS_ACCEPT = 0x65;
export const FRAME_WS_SEND = 0x66;
export const FRAME_WS_SEND_PING = 0x67;
export const FRAME_WS_CLOSE = 0x68;

// --- fixed parts ---
export const CONFIG_BYTES = 68;
export const REQUEST_BYTES = 24;
export const RESPONSE_BYTES = 16;
export const OPEN_BYTES = 8;
export const TRAILERS_BYTES = 4;
export const ADDRESS_BYTES = 20;
export const WS_ACCEPT_BYTES = 8;
/** What WS_DATA and WS_SEND have before the bytes. */
export const WS_DATA_BYTES = 4;
/** What WS_CLOSED has before its text. */
export const WS_CLOSED_BYTES = 4;
/** What REFUSED has before its sentence. */
export const REFUSED_BYTES = 28;
export const STATS_BYTES = 624;

export const REQUEST_KEEP_ALIVE = 1;
export const REQUEST_END = 2;
export const REQUEST_ADDRESS = 4;
export const REQUEST_WEBSOCKET = 8;
export const REQUEST_EXPECT = 16;
export const CONFIG_PROXY = 1;
export const RESPONSE_LAST = 1;
export const RESPONSE_CLOSE = 2;
export const WS_ACCEPT_DEFLATE = 1;
/** Flags of WS_DATA and of WS_SEND. */
export const WS_LAST = 1;
export const WS_COMPRESSED = 2;

/** An id's slot; the bits above it are the generation. */
export const SLOT_MASK = 0x3ffff;

/** The number behind `last` in a sequence of u32; behind the greatest comes `first`. */
export function sequenceAfter(last: number, first: 0 | 1): number {
  return last === 0xffffffff ? first : last + 1;
}

// --- reading ---

/** Takes frames: a payload is `chunk` from `start` to `end`, and may be kept, but not changed. */
export interface FrameSink {
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
 * and what lies between two of them together. Only sizes are looked at; what is wrong with them is for the reader to
 * say.
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

// --- writing ---

function get24(buffer: Uint8Array, at: number): number {
  return (buffer[at] as number) | ((buffer[at + 1] as number) << 8) | ((buffer[at + 2] as number) << 16);
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
