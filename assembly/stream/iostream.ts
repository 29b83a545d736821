// IOStream: one connection's bytes in both directions, with bounded buffers and back-pressure.
//
// A read lands in one shared block and is handed on from there; only what is not taken is copied to the stream's own
// buffer, so an idle connection owns no memory for bytes. What is written is gathered (cork.ts) and sent; what the
// socket does not take waits in a WriteQueue.
//
// Invariants: one read is pending at most. onClose is the last call that a handler gets, once, at the end of a turn and
// never from inside a call of its own; after it the stream belongs to the pool. When the peer ends its side
// (half-close) only reading ends: what is pending fails with REASON_END, writing goes on. A stream that cannot notice
// whether its peer is still there does not stay open for ever, whatever its handler does: see `absence`.
// Reference: Tornado's iostream.py, whose streams end with the peer's side where these go on.

import { Buffer } from "../bytes/buffer";
import { Address } from "../core/address";
import { Connection } from "./connection";
import * as cork from "./cork";
import { CorkedStream } from "./cork";
import {
  AGAIN,
  REASON_BUFFER_FULL,
  REASON_BUSY,
  REASON_CLOSED,
  REASON_END,
  REASON_TIMEOUT,
  REASON_TOO_LONG,
} from "../core/errors";
import { EventHandler, IOLoop, READ, WRITE } from "../loop/ioloop";
import {
  BUFFER_BYTES_MAX,
  DELIMITER_BYTES_MAX,
  HALF_CLOSE_TIMEOUT_MS,
  READS_PER_TURN,
  READ_CHUNK_BYTES,
  UNREAD_TIMEOUT_MS,
} from "../core/limits";
import { Linger } from "./linger";
import { BYTES, CLOSE, CONSUME, DISCARD, IDLE, MORE, PARTIAL, PendingRead } from "./pendingread";
import { BYTES_IN, count } from "../core/stats";
import { NS_PER_MS, NS_PER_S } from "../core/units";
import { StreamTimeout, TimedStream } from "./streamtimeout";
import { TurnEndStream, addStream, closeAtTurnEnd, prepare, resumeLater } from "./turnend";
import { WriteQueue } from "./writequeue";
import * as wasi from "../wasi/index";

// A stream's life.
const OPEN: i32 = 0;
const FINISHING: i32 = 1; // sends what waits, then closes
const RETIRED: i32 = 2; // to be closed at the end of the turn
const POOLED: i32 = 3;

/** Every read lands here first. */
const inScratch: usize = memory.data(READ_CHUNK_BYTES + 64, 64);
let readBytesMax: i32 = READ_CHUNK_BYTES;

/** One read of any stream takes no more from now on, at most READ_CHUNK_BYTES. */
export function setReadBytesMax(bytes: i32): void {
  readBytesMax = bytes;
}

/** When a deadline is looked at again that passed while the host was behind. */
const READ_LATER_NS: i64 = NS_PER_S;

const pool: Array<IOStream> = [];

/** Uses a stream. What it is given to read is valid during the call only. The language has no closures: so a class. */
export abstract class StreamHandler {
  /** The pending read is done. */
  onRead(stream: IOStream, source: usize, size: i32): void {}
  /** The pending read has no result. Writing may still work. */
  onReadFailed(stream: IOStream, reason: i32): void {}
  /**
   * For consume(): bytes have come; returns how many were taken. The rest is shown again when there are more, or by
   * resume().
   */
  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    return size;
  }
  /** The peer will send no more; called once, after all bytes have been taken. */
  onEnd(stream: IOStream): void {}
  /** Bytes that had to wait have left; `stream.unsent` says how many have not. */
  onSent(stream: IOStream): void {}
  /** The deadline of setDeadline has passed. */
  onTimeout(stream: IOStream): void {}
  /**
   * Memory is short, and this stream with its handler holds the most: both must give their memory back, in this call or
   * soon.
   */
  onMemoryShort(stream: IOStream): void {
    stream.close(REASON_BUFFER_FULL);
  }
  /** Bytes of memory that the handler holds for this stream, beside the stream's own. */
  get held(): i32 {
    return 0;
  }
  /** The stream is closed: the last call for it, at the end of a turn. */
  onClose(stream: IOStream, reason: i32): void {}
}

/** Reads and writes of one connection; results go to its StreamHandler. Tornado's IOStream. */
// @ts-ignore: decorator
@final
export class IOStream extends EventHandler implements TurnEndStream, CorkedStream, TimedStream {
  /** What is known of the connection, apart from its bytes. */
  readonly connection: Connection = new Connection();
  /** The peer will send no more. */
  ended: bool = false;
  /** How much unread input may wait here while nothing is being read. 0: the socket is left alone. */
  readAhead: i32 = READ_CHUNK_BYTES;
  /** Bytes that one read may gather. Default 16 MiB. */
  bufferBytesMax: i32 = BUFFER_BYTES_MAX;
  /** A peer that has ended its side and was sent nothing for so long counts as gone: closes with REASON_END. */
  halfCloseTimeoutMs: i32 = HALF_CLOSE_TIMEOUT_MS;

  private handler: StreamHandler;
  private loop: IOLoop = IOLoop.current();
  private queue: WriteQueue = new WriteQueue();
  private incoming: Buffer = new Buffer();
  private pending: PendingRead = new PendingRead();
  private state: i32 = OPEN;
  private reason: i32 = 0;
  private delivering: bool = false;
  private endReported: bool = false;
  private lingers: bool = false;
  private linger: Linger = new Linger();
  private interest: i32 = 0;
  private deadline: i64 = 0;
  private movedAt: i64 = 0; // when the handler last took a byte, or reading last stopped
  private timeout!: StreamTimeout;
  private isPutOff: bool = false; // resume() waits until the host is no longer behind

  /** Streams come from open(), which takes them from the pool. */
  constructor(handler: StreamHandler) {
    super();
    this.handler = handler;
    this.timeout = new StreamTimeout(this);
    addStream(this);
  }

  /** A stream for an accepted connection. */
  static open(handle: i32, handler: StreamHandler): IOStream {
    prepare();
    const stream = pool.length ? pool.pop() : new IOStream(handler);
    stream.connection.handle = handle;
    stream.handler = handler;
    stream.state = OPEN;
    stream.loop.addHandler(handle, stream, 0);
    stream.updateInterest();
    return stream;
  }

  /** Index of the listener that the connection came from. */
  get listener(): i32 {
    return this.connection.listener;
  }

  /** Where the peer is, null: unknown. */
  get address(): Address | null {
    return this.connection.address;
  }

  /** Calls `handler` from now on. */
  setHandler(handler: StreamHandler): void {
    this.handler = handler;
    this.endReported = false; // onEnd is called for each handler
  }

  /** Nothing can be read or written any more. */
  get closed(): bool {
    return this.state >= RETIRED;
  }

  /** Input that has come and was not taken. */
  get unread(): i32 {
    return this.incoming.size;
  }

  /** Bytes of memory that the stream and its handler hold. */
  get held(): i32 {
    return this.closed ? 0 : this.incoming.owned + this.queue.owned + this.handler.held;
  }

  shed(): void {
    this.handler.onMemoryShort(this);
  }

  /** A read is pending. */
  get reading(): bool {
    return this.pending.mode != IDLE;
  }

  // --- reading ---

  /** Reads through `delimiter`, at most `maxBytes` with it; more fails with REASON_TOO_LONG and closes the stream. */
  readUntil(delimiter: usize, size: i32, maxBytes: i32): void {
    if (!this.mayRead()) return;
    size = min(size, DELIMITER_BYTES_MAX);
    if (!this.pending.beginUntil(delimiter, size, min(maxBytes, this.bufferBytesMax)))
      return this.retire(REASON_BUFFER_FULL);
    this.resume();
  }

  /** Reads `count` bytes, none at once; with `partial` any number from 1 to `count`. */
  readBytes(count: i32, partial: bool = false): void {
    if (!this.mayRead()) return;
    if (count <= 0) return this.handler.onRead(this, this.incoming.source, 0);
    if (!partial && count > this.bufferBytesMax) return this.failRead(REASON_TOO_LONG);
    this.pending.begin(partial ? PARTIAL : BYTES, count);
    this.resume();
  }

  /** Reads all until the peer's end, at most `bufferBytesMax`. */
  readUntilClose(): void {
    if (!this.mayRead()) return;
    this.pending.begin(CLOSE, this.bufferBytesMax);
    this.resume();
  }

  /** Hands all input to onBytes as it comes, until the stream ends. */
  consume(): void {
    this.pending.begin(CONSUME, 0);
    this.resume();
  }

  /** Ends consume(): input waits until something is read. */
  pause(): void {
    this.pending.begin(IDLE, 0);
  }

  /** Looks at the unread input again: after a handler that had not taken it can go on, or changed readAhead. */
  resume(): void {
    if (this.delivering || this.state != OPEN) return;
    if (wasi.held() && this.incoming.size) return this.putOff();
    this.deliverIncoming();
    this.settle();
  }

  /** The host is behind: what has come stays here until it is not. */
  private putOff(): void {
    if (!this.isPutOff) resumeLater(this);
    this.isPutOff = true;
    this.updateInterest();
  }

  goOn(): void {
    this.isPutOff = false;
    this.resume();
  }

  private mayRead(): bool {
    if (this.state != OPEN) return false;
    if (this.pending.mode != IDLE) this.handler.onReadFailed(this, REASON_BUSY);
    return this.pending.mode == IDLE;
  }

  /** Gives input to the pending read, and to those that it starts; returns how much was taken. */
  private deliver(source: usize, size: i32): i32 {
    let used = 0;
    this.delivering = true;
    while (used < size && this.pending.mode != IDLE && !this.closed) {
      const taken = this.step(source + usize(used), size - used);
      if (!taken) break;
      used += taken;
    }
    this.delivering = false;
    return used;
  }

  private deliverIncoming(): void {
    if (!this.incoming.size) return;
    const used = this.deliver(this.incoming.source, this.incoming.size);
    if (used) this.movedAt = this.loop.time;
    if (this.state == OPEN) this.incoming.consume(used);
    else this.incoming.clear();
  }

  private step(source: usize, size: i32): i32 {
    if (this.pending.mode == CONSUME) return this.handler.onBytes(this, source, size);
    if (this.pending.mode == DISCARD) return this.discard(size);
    const n = this.pending.match(source, size);
    if (n > 0) return this.finishRead(source, n);
    if (n != MORE) this.failAndClose(REASON_TOO_LONG);
    return 0;
  }

  private finishRead(source: usize, size: i32): i32 {
    this.pending.mode = IDLE;
    this.handler.onRead(this, source, size);
    return size;
  }

  private failRead(reason: i32): void {
    this.pending.mode = IDLE;
    this.handler.onReadFailed(this, reason);
  }

  private failAndClose(reason: i32): void {
    this.failRead(reason);
    this.close(reason);
  }

  private discard(size: i32): i32 {
    if (!this.linger.drop(size)) this.retire(this.reason);
    else if (this.deadline) this.deadline = this.linger.next(this.loop.time);
    return size;
  }

  /** After input was offered: reports the end once, and watches for what is now wanted. */
  private settle(): void {
    if (this.ended && !this.closed && !this.isPutOff) this.reportEnd();
    this.updateInterest();
  }

  private reportEnd(): void {
    if (this.pending.mode == DISCARD) return this.finishWhenSent();
    if (this.pending.mode == CONSUME) {
      if (this.endReported) return;
    } else if (this.pending.mode == CLOSE) {
      const size = this.incoming.size;
      this.delivering = true;
      this.finishRead(this.incoming.source, size);
      this.delivering = false;
      this.incoming.clear();
      if (this.pending.mode == DISCARD) return this.finishWhenSent();
      if (this.pending.mode != IDLE && this.pending.mode != CONSUME && !this.closed) this.failRead(REASON_END);
    } else if (this.pending.mode != IDLE) {
      this.failRead(REASON_END);
    } else if (this.incoming.size) return; // reported when it has been read
    if (this.endReported || this.closed) return;
    this.endReported = true;
    this.handler.onEnd(this);
  }

  // --- writing ---

  /** Bytes that have left for the peer, ever. */
  get sent(): u64 {
    return this.queue.sent;
  }

  /** Bytes that were written and have not left. */
  get unsent(): i32 {
    return this.queue.size + cork.gatheredOf(this);
  }

  /** Of these, what the socket has refused so far: more than 0 means that the peer is slow. */
  get waiting(): i32 {
    return this.queue.size;
  }

  /** How long the peer may take nothing of what waits for it; then the stream closes with REASON_TIMEOUT. */
  get writeTimeoutMs(): i32 {
    return this.queue.timeoutMs;
  }
  set writeTimeoutMs(timeoutMs: i32) {
    this.queue.timeoutMs = timeoutMs;
  }

  /** Bytes a second that the peer must take of what waits, writeTimeoutMs of slack aside; 0: any in writeTimeoutMs. */
  set writeRateBytesMin(bytes: i32) {
    this.queue.rateBytesMin = bytes;
  }

  /** Sends bytes, or keeps what the socket does not take. False: the stream is closed, or too much waits already. */
  write(source: usize, size: i32): bool {
    if (this.state != OPEN) return false;
    if (cork.isCorked(this)) {
      if (cork.gather(source, size)) return true;
      cork.flush();
    }
    return this.send(source, size);
  }

  /** Corks, and returns room for `size` bytes, at most CORK_BYTES; commitTo() says how much of it was used. */
  reserve(size: i32): usize {
    cork.cork(this);
    return cork.reserve(size);
  }

  /** What was written since reserve(), up to `end`, counts. */
  commitTo(end: usize): void {
    cork.commitTo(end);
  }

  /** What is written from now on is gathered, until uncork() or the end of the turn. */
  cork(): void {
    cork.cork(this);
  }

  /** Sends what was gathered. */
  uncork(): void {
    if (cork.isCorked(this)) cork.uncork();
  }

  /** For the cork. */
  sendGathered(source: usize, size: i32): void {
    if (this.state == OPEN) this.send(source, size);
  }

  private send(source: usize, size: i32): bool {
    const reason = this.queue.send(this.connection.handle, source, size, this.loop.time);
    if (reason) {
      this.retire(reason);
      return false;
    }
    if (this.queue.size) {
      this.timeout.fireBy(this.queue.deadline);
      this.updateInterest();
    }
    return true;
  }

  // --- closing ---

  /** Closes at the end of this turn; what the socket does not take now is dropped. onClose follows. */
  close(reason: i32 = REASON_CLOSED): void {
    if (cork.isCorked(this)) cork.flush();
    this.retire(reason);
  }

  /**
   * Closes once all that was written has left. With `linger` what still comes is read and dropped for a bounded while
   * first, because closing with unread input would reset the connection before the peer has read the last answer.
   */
  finish(linger: bool, reason: i32 = REASON_CLOSED): void {
    if (cork.isCorked(this)) cork.flush();
    if (this.state != OPEN) return;
    this.state = FINISHING;
    this.lingers = linger;
    this.reason = reason;
    this.pending.mode = DISCARD;
    this.deadline = 0;
    if (!this.delivering) this.incoming.clear();
    this.finishWhenSent();
  }

  private finishWhenSent(): void {
    if (this.state != FINISHING || this.queue.size) return this.updateInterest();
    if (!this.lingers || this.ended) return this.retire(this.reason);
    wasi.shutdown(this.connection.handle);
    this.deadline = this.linger.begin(this.loop.time);
    this.timeout.fireBy(this.deadline);
    this.updateInterest();
  }

  private retire(reason: i32): void {
    if (this.state >= RETIRED) return;
    this.state = RETIRED;
    this.reason = reason;
    this.updateInterest();
    closeAtTurnEnd(this);
  }

  /** The end of a retired stream; for the end of the turn. */
  closeNow(): void {
    const handle = this.connection.handle;
    this.loop.removeHandler(handle);
    this.timeout.cancel();
    wasi.close(handle);
    this.handler.onClose(this, this.reason);
    this.connection.end();
    this.incoming.clear();
    this.pending.reset();
    cork.forget(this);
    this.queue.reset();
    this.ended = this.endReported = this.lingers = this.delivering = this.isPutOff = false;
    this.readAhead = READ_CHUNK_BYTES;
    this.bufferBytesMax = BUFFER_BYTES_MAX;
    this.halfCloseTimeoutMs = HALF_CLOSE_TIMEOUT_MS;
    this.linger.reset();
    this.interest = 0;
    this.deadline = 0;
    this.state = POOLED;
    pool.push(this);
  }

  // --- readiness ---

  onReady(handle: i32, events: i32): void {
    if (this.closed) return;
    if (events & WRITE) this.writeReady();
    if (events & READ && this.interest & READ) this.readReady();
  }

  /**
   * Reads at once what has come, without waiting for the loop. Not in the middle of a delivery: the shared block is in
   * use.
   */
  readNow(): void {
    if (!this.delivering && this.interest & READ) this.readReady();
  }

  private readReady(): void {
    this.cork();
    for (let i = 0; i < READS_PER_TURN && this.wantsInput(); i++) {
      const n = wasi.read(this.connection.handle, inScratch, readBytesMax);
      if (n == AGAIN) break;
      if (n < 0) {
        this.retire(-n);
        break;
      }
      if (n == 0) {
        this.ended = true;
        break;
      }
      count(BYTES_IN, n);
      if (!this.take(n) || n < readBytesMax) break;
    }
    this.uncork();
    this.settle();
  }

  /** `size` bytes have come into the shared block. */
  private take(size: i32): bool {
    if (this.incoming.size) {
      if (this.incoming.append(inScratch, size)) {
        this.deliverIncoming();
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
    const sent = this.queue.sendWaiting(this.connection.handle, this.loop.time);
    if (sent < 0) return this.retire(-sent);
    if (!sent) return;
    if (this.queue.deadline) this.timeout.fireBy(this.queue.deadline);
    if (this.state == FINISHING) return this.finishWhenSent();
    this.handler.onSent(this);
    this.updateInterest();
  }

  private wantsInput(): bool {
    if (this.ended || this.state >= RETIRED) return false;
    if (this.state == FINISHING) return !this.queue.size;
    if (this.pending.mode == IDLE || this.pending.mode == CONSUME) return this.incoming.size < this.readAhead;
    return true; // bounded by the pending read: it fails when it does not fit
  }

  private updateInterest(): void {
    const interest = this.state >= RETIRED ? 0 : (this.wantsInput() ? READ : 0) | (this.queue.size ? WRITE : 0);
    if (interest == this.interest) return;
    const wasRead = this.interest & READ;
    this.interest = interest;
    if (wasRead && this.isNotRead) {
      this.movedAt = this.loop.time;
      this.timeout.fireBy(this.absence);
    }
    this.loop.updateHandler(this.connection.handle, interest);
  }

  // --- time ---

  /**
   * Calls onTimeout at `deadline`, monotonic nanoseconds; 0: never. Moving it later costs nothing. Without effect once
   * the stream is ending, which has a deadline of its own.
   */
  setDeadline(deadline: i64): void {
    if (this.state != OPEN) return;
    this.deadline = deadline;
    if (deadline) this.timeout.fireBy(deadline);
  }

  /** The peer's end, or its being gone, would not be noticed: it has ended its side, or what it sends is not read. */
  private get isNotRead(): bool {
    return this.state == OPEN && !(this.interest & READ);
  }

  /** When a peer that is not read counts as gone. */
  private get absence(): i64 {
    return (
      max(this.movedAt, this.queue.movedAt) + i64(this.ended ? this.halfCloseTimeoutMs : UNREAD_TIMEOUT_MS) * NS_PER_MS
    );
  }

  /** For the stream's timeout. */
  timeoutFired(): void {
    const now = this.loop.time;
    if (this.isNotRead && now >= this.absence) return this.retire(this.ended ? REASON_END : REASON_TIMEOUT);
    if (this.queue.deadline && now >= this.queue.deadline) return this.retire(REASON_TIMEOUT);
    if (this.deadline && now >= this.deadline && wasi.held() && this.interest & READ) {
      this.deadline = now + READ_LATER_NS; // nothing is read while the host is behind, so the peer may not be late
    } else if (this.deadline && now >= this.deadline) {
      this.deadline = 0;
      if (this.state == FINISHING) return this.retire(this.reason);
      this.cork();
      this.handler.onTimeout(this);
      this.uncork();
    }
    if (this.deadline) this.timeout.fireBy(this.deadline);
    if (this.queue.deadline) this.timeout.fireBy(this.queue.deadline);
    if (this.isNotRead) this.timeout.fireBy(this.absence);
  }
}
