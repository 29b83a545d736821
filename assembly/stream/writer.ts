// StreamWriter: the writing half of a stream.
//
// What is written while a stream is "corked" is gathered in one shared block and leaves in one piece, at uncork(), at
// another stream's cork or at the end of the turn. Only what the socket does not take is copied to the stream's own
// buffer. Invariants: one stream is corked at most; bytes leave in the order written; what waits stays below
// WRITE_BUFFER_BYTES_MAX.

import { Buffer } from "../bytes/buffer";
import { Connection } from "./connection";
import { AGAIN, REASON_BUFFER_FULL } from "../core/errors";
import { IOLoop } from "../loop/ioloop";
import { READS_PER_TURN, READ_CHUNK_BYTES, WRITE_BUFFER_BYTES_MAX, WRITE_TIMEOUT_MS } from "../core/limits";
import { BYTES_OUT, count } from "../core/stats";
import { NS_PER_MS, NS_PER_S } from "../core/units";
import * as wasi from "../wasi/index";

/** Room for what is gathered; reserve() never hands out more. */
export const CORK_BYTES: i32 = 65536;
/** A write of this size is not gathered: the copy would cost more than a call of its own. */
const DIRECT_BYTES: i32 = 32768;

const block: usize = memory.data(CORK_BYTES + 64, 64); // http/writer.ts overwrites a few bytes behind its result
let corked: StreamWriter | null = null;
let corkedSize: i32 = 0;

/** Sends what is gathered, at the end of a turn. */
export function uncorkAll(): void {
  if (corked) corked!.uncork();
}

export abstract class StreamWriter extends Connection {
  /** Bytes that have left for the peer, ever. */
  sent: u64 = 0;
  writeTimeoutMs: i32 = WRITE_TIMEOUT_MS;
  /**
   * Bytes a second that the peer must take of what waits, writeTimeoutMs of slack aside; 0: any at all in
   * writeTimeoutMs.
   */
  writeRateBytesMin: i32 = 0;
  protected outgoing: Buffer = new Buffer();
  /** When a byte last left, or was last taken by the handler, or reading last stopped. */
  protected movedAt: i64 = 0;
  /** When the peer must have taken something, 0: nothing waits. */
  protected writeDeadline: i64 = 0;
  protected loop: IOLoop = IOLoop.current();

  /** write() is allowed. */
  protected abstract get writable(): bool;
  /** Writing has failed, or too much waits: the stream ends. */
  protected abstract retire(reason: i32): void;
  protected abstract updateInterest(): void;
  protected abstract armTimeout(deadline: i64): void;

  /** Bytes that were written and have not left. */
  get unsent(): i32 {
    return this.outgoing.size + (corked === this ? corkedSize : 0);
  }

  /** Of these, what the socket has refused so far: more than 0 means that the peer is slow. */
  get waiting(): i32 {
    return this.outgoing.size;
  }

  /** Sends bytes, or keeps what the socket does not take. False: the stream is closed, or too much waits already. */
  write(source: usize, size: i32): bool {
    if (!this.writable) return false;
    if (corked === this) {
      if (size < DIRECT_BYTES && size <= CORK_BYTES - corkedSize) {
        memory.copy(block + usize(corkedSize), source, usize(size));
        corkedSize += size;
        return true;
      }
      this.flushCork();
    }
    return this.send(source, size);
  }

  /** Corks, and returns room for `size` bytes, at most CORK_BYTES; commitTo() says how much of it was used. */
  reserve(size: i32): usize {
    this.cork();
    if (size > CORK_BYTES - corkedSize) this.flushCork();
    return block + usize(corkedSize);
  }

  /** What was written since reserve(), up to `end`, counts. */
  commitTo(end: usize): void {
    corkedSize = i32(end - block);
  }

  cork(): void {
    if (corked === this) return;
    if (corked) corked!.uncork();
    corked = this;
    corkedSize = 0;
  }

  uncork(): void {
    if (corked !== this) return;
    this.flushCork();
    corked = null;
  }

  protected flushCork(): void {
    if (corked !== this) return;
    const size = corkedSize;
    corkedSize = 0;
    if (size && this.writable) this.send(block, size);
  }

  private send(source: usize, size: i32): bool {
    let taken = 0;
    if (!this.outgoing.size) {
      const n = wasi.write(this.handle, source, size);
      if (n < 0 && n != AGAIN) {
        this.retire(-n);
        return false;
      }
      taken = max(n, 0);
      this.countSent(taken);
      if (taken == size) return true;
      this.startWriteClock();
    }
    const rest = size - taken;
    if (this.outgoing.size + rest > WRITE_BUFFER_BYTES_MAX || !this.outgoing.append(source + usize(taken), rest)) {
      this.retire(REASON_BUFFER_FULL);
      return false;
    }
    this.updateInterest();
    return true;
  }

  /**
   * The socket may take more of what waits. True: some has left. It is asked until it takes less than it was given,
   * since a host may say only once that it can take some.
   */
  protected sendWaiting(): bool {
    let moved = false;
    while (this.outgoing.size) {
      const size = min(this.outgoing.size, READ_CHUNK_BYTES * READS_PER_TURN);
      const n = wasi.write(this.handle, this.outgoing.source, size);
      if (n == AGAIN) return moved;
      if (n < 0) {
        this.retire(-n);
        return false;
      }
      moved = true;
      this.countSent(n);
      this.outgoing.consume(n);
      if (this.outgoing.size) this.payWriteClock(n);
      else this.writeDeadline = 0;
      if (n < size) return true;
    }
    return moved;
  }

  private countSent(bytes: i32): void {
    this.sent += bytes;
    this.movedAt = this.loop.time;
    count(BYTES_OUT, bytes);
  }

  private startWriteClock(): void {
    this.writeDeadline = this.loop.time + i64(this.writeTimeoutMs) * NS_PER_MS;
    this.armTimeout(this.writeDeadline);
  }

  /** What the peer has taken pays for some time, never for more than writeTimeoutMs from now. */
  private payWriteClock(bytes: i32): void {
    const before = this.writeDeadline;
    this.startWriteClock();
    if (this.writeRateBytesMin) {
      this.writeDeadline = min(this.writeDeadline, before + (i64(bytes) * NS_PER_S) / this.writeRateBytesMin);
      this.armTimeout(this.writeDeadline);
    }
  }

  /** For the next connection of the pool. */
  protected resetWriter(): void {
    if (corked === this) corked = null;
    this.outgoing.clear();
    this.sent = 0;
    this.writeDeadline = 0;
    this.writeTimeoutMs = WRITE_TIMEOUT_MS;
    this.writeRateBytesMin = 0;
  }
}
