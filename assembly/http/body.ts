// HTTP1Body: the body of the request in flight: how much of it is still to come, how large it may be, and how much time
// its client has.
//
// Invariants: bytes after a body are never taken for a part of it, nor a body for a request. A client gets
// bodyTimeoutMs, and for each byte the time that the byte takes at bodyRateBytesMin, but is never more than
// bodyTimeoutMs ahead: so no silence is longer, and a body ends in bounded time. Time in which the handler gives no
// credit does not count. Reference: RFC 9112 6 and 7.1; Tornado's http1connection.py, _read_body.

import {
  CHUNKED_BYTES,
  CHUNK_DATA,
  chunkedConsumed,
  chunkedGiveBack,
  chunkedNext,
  chunkedOffset,
  chunkedRemaining,
  chunkedReset,
  chunkedSize,
} from "../protocol/http/chunked";
import { NS_PER_MS, NS_PER_S } from "../core/units";
import { HTTP1ConnectionParameters } from "./parameters";

if (CHUNKED_BYTES != 32) ERROR("the chunked decoder's state does not fit its fields");

/** Whether a body of `size` bytes is over the server's limit: its request is refused with 413. */
// @ts-ignore: decorator
@inline
export function isTooLarge(size: i64, parameters: HTTP1ConnectionParameters): bool {
  return size > parameters.bodyBytesMax;
}


@final
export class HTTP1Body {
  /** When more must have come; 0: the client is not waited for. */
  due: i64 = 0;
  /** When all of the request must have come, at the latest. */
  latest: i64 = i64.MAX_VALUE;
  /** Bytes that were taken so far. */
  taken: i64 = 0;
  /** Of the last next(): the bytes that it found, and how many it has used in all. */
  offset: i32 = 0;
  size: i32 = 0;
  used: i32 = 0;
  private chunked: bool = false;
  private remaining: i64 = 0; // of a body of known length
  // The decoder's state stands in the object itself, since each connection has one: CHUNKED_BYTES.
  private chunks0: u64 = 0;
  private chunks1: u64 = 0;
  private chunks2: u64 = 0;
  private chunks3: u64 = 0;

  constructor(private parameters: HTTP1ConnectionParameters) {}

  /** A request's body begins; `length` says how long one is that is not chunked. */
  begin(chunked: bool, length: i64): void {
    this.taken = 0;
    this.chunked = chunked;
    this.remaining = length;
    if (chunked) chunkedReset(this.chunks);
  }

  /** What these bytes are: CHUNK_DATA, CHUNK_TRAILERS, CHUNK_END, CHUNK_NEED_MORE, or a Refusal. */
  next(source: usize, size: i32): i32 {
    if (!this.chunked) {
      this.offset = 0;
      this.size = this.used = i32(min<i64>(this.remaining, size));
      return CHUNK_DATA;
    }
    const chunks = this.chunks;
    const event = chunkedNext(chunks, source, size);
    this.offset = chunkedOffset(chunks);
    this.size = chunkedSize(chunks);
    this.used = chunkedConsumed(chunks);
    return event;
  }

  /** `bytes` of the data that next() has found are taken; the rest comes again with the next call. */
  take(bytes: i32): void {
    this.taken += bytes;
    const left = this.size - bytes;
    this.used -= left;
    if (!this.chunked) this.remaining -= bytes;
    else if (left) chunkedGiveBack(this.chunks, left);
  }

  /** A body of known length has come to its end. */
  get isComplete(): bool {
    return !this.chunked && !this.remaining;
  }

  /** What a body of known length still has, 0 for a chunked one. */
  get rest(): i64 {
    return this.chunked ? 0 : this.remaining;
  }

  /** Whether more than `bytes` are still to come, as far as is known. */
  isLongerThan(bytes: i64): bool {
    return this.chunked || this.remaining > bytes;
  }

  /** After next(): how large the body is at least. */
  get sizeMin(): i64 {
    return this.taken + this.size + (this.chunked ? chunkedRemaining(this.chunks) : 0);
  }

  private get chunks(): usize {
    return changetype<usize>(this) + offsetof<HTTP1Body>("chunks0");
  }

  // --- the client's time ---

  private silenceEnd(now: i64): i64 {
    return min(this.latest, now + i64(this.parameters.bodyTimeoutMs) * NS_PER_MS);
  }

  /** The client has all the time that a silence may last. Returns when it is over. */
  restartClock(now: i64): i64 {
    return (this.due = this.silenceEnd(now));
  }

  /** So many bytes have come, which pay for some time. Returns when it is over. */
  payClock(now: i64, bytes: i32): i64 {
    const latest = this.silenceEnd(now);
    const rate = this.parameters.bodyRateBytesMin;
    return (this.due = this.due && rate ? min(latest, this.due + (i64(bytes) * NS_PER_S) / rate) : latest);
  }
}
