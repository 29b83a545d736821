// IOStream: one connection's bytes in both directions, with bounded buffers and back-pressure.
//
// A read lands in one shared block and is handed on from there; only what is not taken is copied to the stream's own buffer, so
// an idle connection owns no memory for bytes. What is written during a turn of the stream is gathered ("corked") in
// another shared block and leaves in one piece; only what the socket does not take is copied.
//
// Invariants: one read is pending at most; onClose is the last call a handler gets, once, at the end of a turn and never from
// inside a call of the handler's own; after it the stream belongs to the pool. The peer's end (half-close) ends
// reading alone: what is pending fails with REASON_END, writing goes on.
// Reference: Tornado's iostream.py; its places that are wrong are in the list at the end of docs/http.md's model.

import { Buffer, releaseBlock, takeBlock } from "./buffer";
import { find } from "./search";
import {
  AGAIN, REASON_BUFFER_FULL, REASON_BUSY, REASON_CLOSED, REASON_END, REASON_RESET, REASON_TIMEOUT, REASON_TOO_LONG,
} from "./errors";
import { Callback, EventHandler, IOLoop, READ, Timeout, WRITE } from "./ioloop";
import {
  BUFFER_BYTES_MAX, DELIMITER_BYTES_MAX, LINGER_BYTES_MAX, LINGER_MS, READS_PER_TURN, READ_CHUNK_BYTES, WRITE_BUFFER_BYTES_MAX,
  WRITE_TIMEOUT_MS,
} from "./limits";
import * as wasi from "./wasi/index";

/** Who uses a stream. What it is given to read is valid during the call only. */
export abstract class StreamHandler {
  /** The pending read is done. */
  onRead(stream: IOStream, source: usize, size: i32): void {}
  /** The pending read has no result; -1 as `reason` never comes. Writing may still work. */
  onReadFailed(stream: IOStream, reason: i32): void {}
  /** For consume(): bytes have come; returns how many were taken. The rest is shown again when there are more, or by resume(). */
  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    return size;
  }
  /** The peer will send no more; told once, behind all bytes that were taken. */
  onEnd(stream: IOStream): void {}
  /** Bytes that had to wait have left; `stream.unsent` says how many have not. */
  onSent(stream: IOStream): void {}
  /** The deadline of setDeadline has passed. */
  onTimeout(stream: IOStream): void {}
  /** The stream is closed. */
  onClose(stream: IOStream, reason: i32): void {}
}

// What is being read.
const IDLE: i32 = 0;
const UNTIL: i32 = 1;
const BYTES: i32 = 2;
const PARTIAL: i32 = 3;
const CLOSE: i32 = 4;
const CONSUME: i32 = 5;
const DISCARD: i32 = 6;

// A stream's life.
const OPEN: i32 = 0;
const FINISHING: i32 = 1; // sends what waits, then closes
const RETIRED: i32 = 2; // to be closed at the end of the turn
const POOLED: i32 = 3;

const inScratch: usize = memory.data(READ_CHUNK_BYTES + 64, 64);
const outScratch: usize = memory.data(READ_CHUNK_BYTES + 64, 64); // http/writer.ts overwrites a few bytes behind its result
let corked: IOStream | null = null;
let corkedSize: i32 = 0;

// @ts-ignore: decorator
@final
class StreamTimeout extends Timeout {
  constructor(private stream: IOStream) {
    super();
  }
  run(): void {
    this.stream.timeoutFired();
  }
}

/** At the end of a turn: sends what is still gathered, then closes what was retired. */
@final
class Retirement extends Callback {
  streams: Array<IOStream> = [];
  run(): void {
    if (corked) corked!.uncork();
    for (let i = 0; i < this.streams.length; i++) unchecked(this.streams[i]).bury();
    this.streams.length = 0;
  }
}
let retirement: Retirement | null = null;
const pool: Array<IOStream> = [];

/** Who counts a stream's life: the server that accepted it. */
export abstract class StreamOwner {
  abstract streamClosed(stream: IOStream): void;
}

@final
export class IOStream extends EventHandler {
  /** The connection's platform handle. */
  handle: i32 = -1;
  /** Bytes that have left for the peer, ever. */
  sent: u64 = 0;
  /** The peer will send no more. */
  ended: bool = false;
  /** How much unread input may wait here while nothing is being read. 0: the socket is left alone. */
  readAhead: i32 = READ_CHUNK_BYTES;
  writeTimeoutMs: i32 = WRITE_TIMEOUT_MS;
  /** Index of the listener that it came from. */
  listener: i32 = 0;
  owner: StreamOwner | null = null;
  bufferBytesMax: i32 = BUFFER_BYTES_MAX;

  private handler: StreamHandler;
  private incoming: Buffer = new Buffer();
  private outgoing: Buffer = new Buffer();
  private state: i32 = OPEN;
  private reason: i32 = 0;
  private mode: i32 = IDLE;
  private wanted: i32 = 0; // bytes or maxBytes of the pending read
  private scanned: i32 = 0; // readUntil: the delimiter does not begin before this
  private delimiter: usize = 0;
  private delimiterSize: i32 = 0;
  private delivering: bool = false;
  private endTold: bool = false;
  private linger: bool = false;
  private discarded: i32 = 0;
  private interest: i32 = 0;
  private deadline: i64 = 0;
  private writeDeadline: i64 = 0;
  private timeout: StreamTimeout | null = null;
  private loop: IOLoop = IOLoop.current();

  /** Streams come from open(), which takes them from the pool. */
  constructor(handler: StreamHandler) {
    super();
    this.handler = handler;
  }

  /** A stream for an accepted connection. */
  static open(handle: i32, handler: StreamHandler): IOStream {
    if (!retirement) {
      retirement = new Retirement();
      IOLoop.current().atTurnEnd(retirement!);
    }
    const stream = pool.length ? pool.pop() : new IOStream(handler);
    stream.handle = handle;
    stream.handler = handler;
    stream.state = OPEN;
    stream.loop.addHandler(handle, stream, 0);
    stream.updateInterest();
    return stream;
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler;
  }

  get closed(): bool {
    return this.state >= RETIRED;
  }

  /** The number by which the host knows the connection. */
  get descriptor(): u32 {
    return wasi.descriptor(this.handle);
  }

  /** Bytes that were written and have not left. */
  get unsent(): i32 {
    return this.outgoing.size + (corked === this ? corkedSize : 0);
  }

  /** Input that has come and was not taken. */
  get unread(): i32 {
    return this.incoming.size;
  }

  // --- reading ---

  /** Reads through `delimiter`, at most `maxBytes` with it; more fails with REASON_TOO_LONG and closes the stream. */
  readUntil(delimiter: usize, size: i32, maxBytes: i32): void {
    if (!this.begin(UNTIL, min(maxBytes, this.bufferBytesMax))) return;
    size = min(size, DELIMITER_BYTES_MAX);
    if (this.delimiterSize != size) {
      this.dropDelimiter();
      this.delimiter = takeBlock(size);
      if (!this.delimiter) return this.retire(REASON_BUFFER_FULL);
      this.delimiterSize = size;
    }
    memory.copy(this.delimiter, delimiter, usize(size));
    this.scanned = 0;
    this.resume();
  }

  /** Reads `count` bytes; with `partial` any number from 1 to `count`. */
  readBytes(count: i32, partial: bool = false): void {
    if (!this.begin(partial ? PARTIAL : BYTES, count)) return;
    if (!partial && count > this.bufferBytesMax) return this.failRead(REASON_TOO_LONG);
    this.resume();
  }

  /** Reads all until the peer's end, at most `bufferBytesMax`. */
  readUntilClose(): void {
    if (this.begin(CLOSE, this.bufferBytesMax)) this.resume();
  }

  /** Hands all input to onBytes as it comes, until the stream ends. */
  consume(): void {
    this.mode = CONSUME;
    this.resume();
  }

  /** Looks at the unread input again: after a handler that had not taken it can go on, or changed readAhead. */
  resume(): void {
    if (this.delivering || this.state != OPEN) return;
    if (this.incoming.size) this.incoming.consume(this.deliver(this.incoming.source, this.incoming.size));
    this.settle();
  }

  private begin(mode: i32, wanted: i32): bool {
    if (this.state != OPEN) return false;
    if (this.mode != IDLE) {
      this.handler.onReadFailed(this, REASON_BUSY);
      return false;
    }
    this.mode = mode;
    this.wanted = wanted;
    return true;
  }

  /** Gives input to the pending read, and to those that it starts; returns how much was taken. */
  private deliver(source: usize, size: i32): i32 {
    let used = 0;
    this.delivering = true;
    while (used < size && this.mode != IDLE && !this.closed) {
      const taken = this.step(source + usize(used), size - used);
      if (!taken) break;
      used += taken;
    }
    this.delivering = false;
    return used;
  }

  private step(source: usize, size: i32): i32 {
    switch (this.mode) {
      case CONSUME: return this.handler.onBytes(this, source, size);
      case UNTIL: return this.stepUntil(source, size);
      case PARTIAL: return this.finishRead(source, min(size, this.wanted));
      case BYTES: return size >= this.wanted ? this.finishRead(source, this.wanted) : 0;
      case DISCARD: return this.discard(size);
      default:
        if (size > this.wanted) this.failAndClose(REASON_TOO_LONG);
        return 0;
    }
  }

  private stepUntil(source: usize, size: i32): i32 {
    const from = max(0, this.scanned);
    const at = find(source + usize(from), size - from, this.delimiter, this.delimiterSize);
    const end = at < 0 ? 0 : from + at + this.delimiterSize;
    if (end > this.wanted || (!end && size >= this.wanted)) {
      this.failAndClose(REASON_TOO_LONG);
      return 0;
    }
    if (end) return this.finishRead(source, end);
    this.scanned = max(0, size - this.delimiterSize + 1);
    return 0;
  }

  private finishRead(source: usize, size: i32): i32 {
    this.mode = IDLE;
    this.handler.onRead(this, source, size);
    return size;
  }

  private failRead(reason: i32): void {
    this.mode = IDLE;
    this.handler.onReadFailed(this, reason);
  }

  private failAndClose(reason: i32): void {
    this.failRead(reason);
    this.close(reason);
  }

  private discard(size: i32): i32 {
    this.discarded += size;
    if (this.discarded > LINGER_BYTES_MAX) this.retire(this.reason);
    return size;
  }

  /** After input was offered: tells the end once, and watches for what is now wanted. */
  private settle(): void {
    if (this.ended && !this.closed) this.tellEnd();
    this.updateInterest();
  }

  private tellEnd(): void {
    if (this.mode == DISCARD) return this.retire(this.reason);
    if (this.mode == CONSUME) {
      if (this.endTold) return;
    } else if (this.mode == CLOSE) {
      const size = this.incoming.size;
      this.delivering = true;
      this.finishRead(this.incoming.source, size);
      this.delivering = false;
      this.incoming.clear();
    } else if (this.mode != IDLE) {
      this.failRead(REASON_END);
    } else if (this.incoming.size) return; // told when it has been read
    if (this.endTold || this.closed) return;
    this.endTold = true;
    this.handler.onEnd(this);
  }

  // --- writing ---

  /** Sends bytes, or keeps what the socket does not take. False: the stream is closed, or too much waits already. */
  write(source: usize, size: i32): bool {
    if (this.state != OPEN) return false;
    if (corked === this) {
      if (size <= READ_CHUNK_BYTES - corkedSize) {
        memory.copy(outScratch + usize(corkedSize), source, usize(size));
        corkedSize += size;
        return true;
      }
      this.flushCork();
    }
    return this.send(source, size);
  }

  /** Room for at most 64 KiB at the end of what is being gathered; commitTo() says how much of it was used. */
  reserve(size: i32): usize {
    if (corked !== this) this.cork();
    if (size > READ_CHUNK_BYTES - corkedSize) this.flushCork();
    return outScratch + usize(corkedSize);
  }

  /** What was written since reserve(), up to `end`, counts. */
  commitTo(end: usize): void {
    corkedSize = i32(end - outScratch);
  }

  /** What is written from now on is gathered until uncork(), the end of this stream's turn or another stream's cork. */
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

  private flushCork(): void {
    const size = corkedSize;
    corkedSize = 0;
    if (size && this.state <= FINISHING) this.send(outScratch, size);
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
      this.sent += taken;
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

  // --- closing ---

  /** Closes at the end of this turn; what has not left is dropped. onClose follows. */
  close(reason: i32 = REASON_CLOSED): void {
    this.retire(reason);
  }

  /**
   * Closes once all that was written has left. With `linger` what still comes is read and dropped for a bounded while
   * first, because closing with unread input would reset the connection before the peer has read the last answer.
   */
  finish(linger: bool, reason: i32 = REASON_CLOSED): void {
    if (this.state != OPEN) return;
    this.state = FINISHING;
    this.linger = linger;
    this.reason = reason;
    this.mode = DISCARD;
    this.deadline = 0;
    this.incoming.clear();
    if (corked === this) this.flushCork();
    this.finishWhenSent();
  }

  private finishWhenSent(): void {
    if (this.state != FINISHING || this.outgoing.size) return this.updateInterest();
    if (!this.linger || this.ended) return this.retire(this.reason);
    wasi.shutdown(this.handle);
    this.setDeadline(this.loop.time + i64(LINGER_MS) * 1_000_000);
    this.updateInterest();
  }

  private retire(reason: i32): void {
    if (this.state >= RETIRED) return;
    this.state = RETIRED;
    this.reason = reason;
    this.updateInterest();
    retirement!.streams.push(this);
  }

  /** The end of a retired stream; for the loop. */
  bury(): void {
    if (corked === this) corked = null;
    this.loop.removeHandler(this.handle);
    if (this.timeout) this.loop.removeTimeout(this.timeout!);
    wasi.close(this.handle);
    this.handler.onClose(this, this.reason);
    if (this.owner) this.owner!.streamClosed(this);
    this.incoming.clear();
    this.outgoing.clear();
    this.dropDelimiter();
    this.sent = 0;
    this.ended = this.endTold = this.linger = this.delivering = false;
    this.mode = IDLE;
    this.readAhead = READ_CHUNK_BYTES;
    this.interest = this.discarded = 0;
    this.deadline = this.writeDeadline = 0;
    this.handle = -1;
    this.state = POOLED;
    pool.push(this);
  }

  private dropDelimiter(): void {
    if (this.delimiter) releaseBlock(this.delimiter, this.delimiterSize);
    this.delimiter = 0;
    this.delimiterSize = 0;
  }

  // --- readiness ---

  onReady(handle: i32, events: i32): void {
    if (this.closed) return;
    if (events & WRITE) this.writeReady();
    if (events & READ && this.interest & READ) this.readReady();
  }

  private readReady(): void {
    this.cork();
    for (let i = 0; i < READS_PER_TURN && this.wantsInput(); i++) {
      const n = wasi.read(this.handle, inScratch, READ_CHUNK_BYTES);
      if (n == AGAIN) break;
      if (n < 0) {
        this.retire(-n);
        break;
      }
      if (n == 0) {
        this.ended = true;
        break;
      }
      if (!this.take(n) || n < READ_CHUNK_BYTES) break;
    }
    this.uncork();
    this.settle();
  }

  /** `size` bytes have come into the shared block. */
  private take(size: i32): bool {
    if (this.incoming.size) {
      if (this.incoming.append(inScratch, size)) {
        this.incoming.consume(this.deliver(this.incoming.source, this.incoming.size));
        return true;
      }
    } else {
      const used = this.deliver(inScratch, size);
      if (used == size || this.closed || this.incoming.append(inScratch + usize(used), size - used)) return true;
    }
    this.retire(REASON_BUFFER_FULL);
    return false;
  }

  private writeReady(): void {
    const size = this.outgoing.size;
    if (!size) return;
    const n = wasi.write(this.handle, this.outgoing.source, min(size, READ_CHUNK_BYTES * READS_PER_TURN));
    if (n == AGAIN) return;
    if (n < 0) return this.retire(-n);
    this.sent += n;
    this.outgoing.consume(n);
    this.writeDeadline = 0;
    if (this.outgoing.size) this.startWriteClock();
    if (this.state == FINISHING) return this.finishWhenSent();
    this.handler.onSent(this);
    this.updateInterest();
  }

  private wantsInput(): bool {
    if (this.ended || this.state >= RETIRED) return false;
    if (this.state == FINISHING) return !this.outgoing.size;
    if (this.mode == IDLE || this.mode == CONSUME) return this.incoming.size < this.readAhead;
    return true; // bounded by the pending read: it fails when it does not fit
  }

  private updateInterest(): void {
    const interest = this.state >= RETIRED ? 0 : (this.wantsInput() ? READ : 0) | (this.outgoing.size ? WRITE : 0);
    if (interest == this.interest) return;
    this.interest = interest;
    this.loop.updateHandler(this.handle, interest);
  }

  // --- time ---

  /** Calls onTimeout at `deadline`, monotonic nanoseconds; 0: never. Moving it later costs nothing. */
  setDeadline(deadline: i64): void {
    this.deadline = deadline;
    if (deadline) this.armTimeout(deadline);
  }

  private startWriteClock(): void {
    this.writeDeadline = this.loop.time + i64(this.writeTimeoutMs) * 1_000_000;
    this.armTimeout(this.writeDeadline);
  }

  /** The one timeout of the stream fires early rather than being moved for every request. */
  private armTimeout(deadline: i64): void {
    let timeout = this.timeout;
    if (!timeout) timeout = this.timeout = new StreamTimeout(this);
    if (!timeout.armed || deadline < timeout.deadline) this.loop.callAt(deadline, timeout);
  }

  /** The loop's word that the stream's timeout fired: it may be too early for both deadlines. */
  timeoutFired(): void {
    const now = this.loop.time;
    if (this.writeDeadline && now >= this.writeDeadline) return this.retire(REASON_TIMEOUT);
    if (this.deadline && now >= this.deadline) {
      this.deadline = 0;
      if (this.state == FINISHING) return this.retire(this.reason);
      this.cork();
      this.handler.onTimeout(this);
      this.uncork();
    }
    if (this.deadline) this.armTimeout(this.deadline);
    if (this.writeDeadline) this.armTimeout(this.writeDeadline);
  }
}
