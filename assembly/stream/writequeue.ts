// WriteQueue: what was written to a stream and its socket has not taken, and how much time the peer has to take it.
//
// Invariants: bytes leave in the order written; what waits stays below WRITE_BUFFER_BYTES_MAX; a peer that takes
// nothing for timeoutMs, or less than rateBytesMin, is late. Being slow is not forgotten when nothing is left to wait:
// a handler that writes piece by piece may empty the queue with each.

import { Buffer } from "../bytes/buffer";
import { AGAIN, REASON_BUFFER_FULL } from "../core/errors";
import { READS_PER_TURN, READ_CHUNK_BYTES, WRITE_BUFFER_BYTES_MAX, WRITE_TIMEOUT_MS } from "../core/limits";
import { BYTES_OUT, count } from "../core/stats";
import { NS_PER_MS, NS_PER_S } from "../core/units";
import * as wasi from "../wasi/index";


@final
export class WriteQueue {
  /** Bytes that have left for the peer, ever. */
  sent: u64 = 0;
  /** When the socket was last given bytes that nothing waited before, or last took some. */
  movedAt: i64 = 0;
  /** When the peer must have taken something, 0: nothing waits. */
  deadline: i64 = 0;
  timeoutMs: i32 = WRITE_TIMEOUT_MS;
  /** Bytes a second that the peer must take of what waits, timeoutMs of slack aside; 0: any at all in timeoutMs. */
  rateBytesMin: i32 = 0;
  private bytes: Buffer = new Buffer();
  // When nothing was left to wait the last time, the deadline then, and `sent` then.
  private emptyAt: i64 = 0;
  private lastDeadline: i64 = 0; // 0: nothing has waited yet
  private lastSent: u64 = 0;

  /** Bytes that wait. */
  get size(): i32 {
    return this.bytes.size;
  }

  /** Bytes of memory for them. */
  get owned(): i32 {
    return this.bytes.owned;
  }

  /** Sends bytes, or keeps what the socket does not take. 0, or why the stream must end: one of core/errors.ts. */
  send(handle: i32, source: usize, size: i32, now: i64): i32 {
    let taken = 0;
    if (!this.bytes.size) {
      const n = wasi.write(handle, source, size);
      if (n < 0 && n != AGAIN) return -n;
      taken = max(n, 0);
      this.countSent(taken, now);
      if (taken == size) return 0;
      this.deadline = this.begun(now);
    }
    const rest = size - taken;
    if (this.bytes.size + rest > WRITE_BUFFER_BYTES_MAX) return REASON_BUFFER_FULL;
    return this.bytes.append(source + usize(taken), rest) ? 0 : REASON_BUFFER_FULL;
  }

  /**
   * Sends what the socket takes at once, for callers that have to ask for the time: how much that was, or -REASON. The
   * rest is for send().
   */
  sendAtOnce(handle: i32, source: usize, size: i32): i32 {
    if (this.bytes.size) return 0;
    const n = wasi.write(handle, source, size);
    if (n < 0) return n == AGAIN ? 0 : n;
    this.sent += n;
    count(BYTES_OUT, n);
    return n;
  }

  /**
   * The socket may take more of what waits: returns how much has left, or -REASON. It is asked until it takes less than
   * it was given, since a host may say only once that it can take some.
   */
  sendWaiting(handle: i32, now: i64): i32 {
    let moved = 0;
    while (this.bytes.size) {
      const size = min(this.bytes.size, READ_CHUNK_BYTES * READS_PER_TURN);
      const n = wasi.write(handle, this.bytes.source, size);
      if (n == AGAIN) return moved;
      if (n < 0) return n;
      moved += n;
      this.countSent(n, now);
      this.bytes.consume(n);
      this.deadline = this.laterBy(this.deadline, n, now);
      if (!this.bytes.size) this.emptied(now);
      if (n < size) return moved;
    }
    return moved;
  }

  private countSent(bytes: i32, now: i64): void {
    this.sent += bytes;
    this.movedAt = now;
    count(BYTES_OUT, bytes);
  }

  private latest(now: i64): i64 {
    return now + i64(this.timeoutMs) * NS_PER_MS;
  }

  /** The deadline for what begins to wait: time without anything that waited, and what has left in it, pay for it. */
  private begun(now: i64): i64 {
    if (!this.lastDeadline) return this.latest(now);
    const bytes = i32(min<u64>(this.sent - this.lastSent, i32.MAX_VALUE));
    return this.laterBy(this.lastDeadline + 2 * (now - this.emptyAt), bytes, now);
  }

  private emptied(now: i64): void {
    this.emptyAt = now;
    this.lastDeadline = this.deadline;
    this.lastSent = this.sent;
    this.deadline = 0;
  }

  /** What the peer has taken pays for some time, never for more than timeoutMs from now. */
  private laterBy(deadline: i64, bytes: i32, now: i64): i64 {
    const latest = this.latest(now);
    if (!this.rateBytesMin) return latest;
    return min(latest, deadline + (i64(bytes) * NS_PER_S) / this.rateBytesMin);
  }

  /** For the next connection of the pool. */
  reset(): void {
    this.bytes.clear();
    this.sent = this.lastSent = 0;
    this.deadline = this.lastDeadline = 0;
    this.timeoutMs = WRITE_TIMEOUT_MS;
    this.rateBytesMin = 0;
  }
}
