// HTTP1Connection: one connection's requests, strictly one after the other: reads a head and its body from a stream,
// hands them to the handler and, when the answer is complete, goes on with the next. All parsing is in http/, which
// does no I/O.
//
// Invariants: one request is in flight at most; the next head is not read before the answer to the last is complete (so
// answers keep their order) nor while much of it waits for a slow peer; after a refusal nothing more is read as a
// request. Reference: RFC 9112; Tornado's http1connection.py.

import { BODY, STREAM, hasMemory, releaseBlock, takeBlock } from "../bytes/buffer";
import { REASON_BAD_REQUEST, REASON_BUFFER_FULL, REASON_CLOSED, REASON_TIMEOUT } from "../core/errors";
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  ROW_BYTES,
  TABLE,
  bodyKind,
  contentLength,
  expectContinue,
  keepAlive,
  methodCode,
} from "../protocol/http/headstate";
import { Connection, StreamOwner } from "../stream/connection";
import { TurnBudget } from "./turnbudget";
import { checkHead } from "../protocol/http/framing";
import { PARTIAL, headReset, minorVersion, parseHead, skipEmptyLines, targetSize } from "../protocol/http/head";
import { Refusal, reasonOf } from "../protocol/http/refusal";
import { ANSWER, CHUNKED, HEAD, HTTP1Body, LENGTH, NS_PER_MS, OVER } from "./body";
import { HTTP1ConnectionParameters } from "./parameters";
import { HTTPHandler, HTTPServerRequest, Method, Upgraded } from "./request";
import { IOStream } from "../stream/iostream";
import { countRefusal } from "../core/stats";
import {
  DRAIN_REQUEST_MS,
  EMPTY_LINES_BYTES_MAX,
  FIELDS_MAX,
  PIPELINE_BYTES_MAX,
  READ_CHUNK_BYTES,
  TARGET_BYTES_MAX,
  WATCH_AFTER_MS,
} from "../core/limits";

/** A head that comes in one piece, the usual case, is parsed into this shared state. */
const HEAD_STATE_BYTES: i32 = i32(TABLE) + FIELDS_MAX * i32(ROW_BYTES);
const sharedHead: usize = memory.data(HEAD_STATE_BYTES, 16);

/** Keeps the connections of a server. */
export interface HTTP1ConnectionOwner {
  /** A request of this connection was not answered at once. */
  waiting(connection: HTTP1Connection): void;
  /** The connection is over: it may serve another client. */
  ended(connection: HTTP1Connection): void;
}


@final
export class HTTP1Connection extends HTTP1Body implements StreamOwner {
  /** When the request in flight came, or the wait for one began. */
  since: i64 = 0;

  private head: usize = 0; // the state of a head that has come in part, 0: none has
  private emptyBytes: i32 = 0;
  private headOnly: bool = false; // the request whose head has come in part, or is refused, is a HEAD
  private watched: bool = false; // the request in flight takes long
  private endTold: bool = false;
  private budget: TurnBudget = new TurnBudget();
  private successor: Upgraded | null = null; // uses the stream after an upgrade
  private acceptedBy: StreamOwner | null = null; // the owner that its stream had before the upgrade

  constructor(
    private owner: HTTP1ConnectionOwner,
    handler: HTTPHandler,
    parameters: HTTP1ConnectionParameters,
    slot: i32,
  ) {
    super(handler, parameters);
    this.request = new HTTPServerRequest(this);
    this.request.slot = slot;
  }

  /** Begins with a new connection. */
  start(stream: IOStream): void {
    this.stream = stream;
    this.budget.start(stream);
    stream.writeTimeoutMs = this.parameters.writeTimeoutMs;
    stream.writeRateBytesMin = this.parameters.writeRateBytesMin;
    stream.halfCloseTimeoutMs = this.parameters.halfCloseTimeoutMs;
    this.served = 0;
    stream.setHandler(this);
    this.keepAlive = true;
    this.live = true;
    this.awaitHead(this.parameters.headerTimeoutMs);
    stream.consume();
  }

  get socket(): Connection {
    return this.stream;
  }

  /**
   * One more answer at most. An idle connection is read once more, and closed unless a request comes within
   * DRAIN_REQUEST_MS.
   */
  drain(): void {
    if (this.successor) return this.successor!.drain();
    this.keepAlive = false;
    if (!this.live || this.state != HEAD || this.head) return;
    this.stream.setDeadline(this.since + DRAIN_REQUEST_MS * NS_PER_MS);
    this.stream.readNow();
  }

  /** The handler takes its time: its connection is read on, so that it learns when the client has left. */
  watch(): void {
    if (!this.watched) {
      this.watched = true;
      this.stream.readAhead = PIPELINE_BYTES_MAX;
      this.stream.resume();
    }
    if (this.stream.ended) this.tellEnd();
  }

  /** The client has ended its side behind the request in flight. */
  private tellEnd(): void {
    if (this.state != ANSWER || this.endTold || !this.inFlight) return;
    if (this.loop.time - this.since < i64(WATCH_AFTER_MS) * NS_PER_MS) return; // watch() comes again
    this.endTold = true;
    this.uncount();
    this.handler.onEnd(this.request); // last: it may answer, and the next request begin
  }

  /** The handler gives up: no answer (or no rest of it) will come. */
  cancel(): void {
    this.dropAnswer();
    this.abort(REASON_CLOSED);
  }

  /**
   * Ends HTTP on this connection after an accepted upgrade: its stream goes on with `successor`, which writes the
   * answer (101) and begins to read; what came behind the request is unread. Only for a request in flight that is
   * complete and whose answer has not begun; null: it is not. Request and slot stay as they are until the stream has
   * closed, and a stop of the server calls successor.drain(). Then this object serves another connection.
   */
  detach(successor: Upgraded): IOStream | null {
    if (this.state != ANSWER || !this.unanswered || !this.inFlight) return null;
    const stream = this.stream;
    this.state = OVER;
    this.live = false;
    this.dropAnswer();
    this.successor = successor;
    this.acceptedBy = stream.owner;
    stream.owner = this;
    stream.setDeadline(0);
    stream.readAhead = READ_CHUNK_BYTES;
    stream.pause();
    stream.setHandler(successor);
    return stream;
  }

  /** A stream that was handed over has closed; until now it held this connection's slot. */
  streamClosed(stream: Connection): void {
    const server = this.acceptedBy;
    this.successor = null;
    this.acceptedBy = null;
    this.owner.ended(this);
    if (server) server.streamClosed(stream);
  }

  shed(): void {
    if (this.begun) this.abort(REASON_BUFFER_FULL);
    else if (this.inFlight) this.refuse(Refusal.MEMORY_SHORT);
  }

  /** Memory is short, and of all streams this one holds the most. */
  onMemoryShort(stream: IOStream): void {
    if (this.inFlight && !this.begun && !stream.waiting) this.shed();
    else stream.close(REASON_BUFFER_FULL);
  }

  get held(): i32 {
    return this.request.body.owned + this.request.trailers.owned;
  }

  /** The server stops: no connection is kept for another request. */
  get draining(): bool {
    return this.parameters.draining;
  }

  /** No answer can be given any more: the handler is told, and nothing of it is written from here on. */
  private lose(reason: i32): void {
    if (this.answerDone) return;
    this.dropAnswer();
    this.handler.onConnectionClose(this.request, reason);
  }

  // --- the stream's calls ---

  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    let used = 0;
    while (used < size && !stream.closed) {
      const n = this.step(source + usize(used), size - used);
      if (n <= 0) break;
      used += n;
    }
    if (stream.ended) this.endOfInput(size - used);
    return used;
  }

  onEnd(stream: IOStream): void {
    if (this.state == ANSWER) this.tellEnd();
    else this.endOfInput(stream.unread);
  }

  /** The peer's end, with `unread` bytes before it. Requests that came whole before it still get their answers. */
  private endOfInput(unread: i32): void {
    if (this.inBody) {
      if (unread && !this.answerDone) return; // the handler has still to take it
      this.lose(REASON_BAD_REQUEST);
      this.leave();
    } else if (this.state == HEAD && (!unread || !(this.heldBack || this.budget.spent))) this.leave();
  }

  /** A peer that does not read its answers gets no more of them. */
  private get heldBack(): bool {
    return this.stream.unsent > READ_CHUNK_BYTES;
  }

  onSent(stream: IOStream): void {
    if (this.inFlight) this.handler.onSent(this.request);
    if (this.state == HEAD) stream.resume();
  }

  onTimeout(stream: IOStream): void {
    if (this.state == HEAD) {
      if (this.heldBack) this.setDeadline(this.parameters.idleTimeoutMs);
      else this.headTimeout(stream);
    } else if (this.inBody) this.bodyTimeout();
  }

  /**
   * The time for a head is over; one of which nothing came is not answered. What has come by now and was not read yet
   * counts.
   */
  private headTimeout(stream: IOStream): void {
    if (!this.head && !stream.unread) {
      const serial = this.request.serial;
      stream.readNow();
      if (this.state != HEAD || this.head || this.request.serial != serial) return;
    }
    if (this.head || stream.unread) this.refuse(Refusal.HEAD_TIMEOUT);
    else stream.finish(false, REASON_TIMEOUT);
  }

  onClose(stream: IOStream, reason: i32): void {
    this.state = OVER;
    this.live = false;
    this.dropHead();
    this.lose(reason);
    this.request.clear();
    this.owner.ended(this);
  }

  // --- reading ---

  private step(source: usize, size: i32): i32 {
    switch (this.state) {
      case HEAD:
        return this.readHead(source, size);
      case LENGTH:
        return this.readBody(source, size);
      case CHUNKED:
        return this.readChunks(source, size);
      default:
        return 0;
    }
  }

  private awaitHead(timeoutMs: i32): void {
    this.state = HEAD;
    this.emptyBytes = 0;
    this.headOnly = this.watched = this.endTold = false;
    this.stream.readAhead = this.parameters.headBytesMax + 1;
    this.since = this.loop.time;
    this.setDeadline(this.parameters.draining ? DRAIN_REQUEST_MS : timeoutMs);
  }

  private readHead(source: usize, size: i32): i32 {
    if (this.heldBack || !this.budget.take()) return 0;
    if (!this.head) {
      const empty = skipEmptyLines(source, size);
      if (empty) return empty < 0 ? 0 : this.dropEmpty(empty);
      headReset(sharedHead);
    }
    const head = this.head ? this.head : sharedHead;
    const n = parseHead(head, source, size, FIELDS_MAX);
    if (n == PARTIAL) return this.keepHead(source, size);
    const refusal = n < 0 ? n : this.checkSizes(head, source, n);
    if (refusal) {
      this.headOnly = isHead(source, size);
      return this.refuse(refusal);
    }
    return this.begin(head, source, n, size - n);
  }

  /** 0, or why a complete head is refused. */
  private checkSizes(head: usize, source: usize, size: i32): i32 {
    const parameters = this.parameters;
    if (size > parameters.headBytesMax) return Refusal.HEAD_TOO_LARGE;
    if (targetSize(head) > TARGET_BYTES_MAX) return Refusal.TARGET_TOO_LONG;
    const refusal = checkHead(head, source);
    if (refusal) return refusal;
    if (bodyKind(head) == BODY_LENGTH && contentLength(head) > parameters.bodyBytesMax) return Refusal.BODY_TOO_LARGE;
    const hasBody = bodyKind(head) == BODY_CHUNKED || contentLength(head) > 0;
    return hasMemory(hasBody ? BODY : STREAM) ? 0 : Refusal.MEMORY_SHORT;
  }

  private dropEmpty(empty: i32): i32 {
    this.emptyBytes += empty;
    return this.emptyBytes > EMPTY_LINES_BYTES_MAX ? this.refuse(Refusal.BAD_METHOD) : empty;
  }

  /** Part of a head has come: its state is kept for the rest. */
  private keepHead(source: usize, size: i32): i32 {
    const head = this.head ? this.head : sharedHead;
    this.headOnly = isHead(source, size);
    if (targetSize(head) > TARGET_BYTES_MAX) return this.refuse(Refusal.TARGET_TOO_LONG);
    if (size > this.parameters.headBytesMax) return this.refuse(Refusal.HEAD_TOO_LARGE);
    if (!this.head) {
      this.head = takeBlock(HEAD_STATE_BYTES);
      if (!this.head) return this.refuse(Refusal.MEMORY_SHORT);
      memory.copy(this.head, sharedHead, usize(HEAD_STATE_BYTES));
      this.setDeadline(this.parameters.headerTimeoutMs);
    }
    return 0;
  }

  private dropHead(): void {
    if (this.head) releaseBlock(this.head, HEAD_STATE_BYTES);
    this.head = 0;
  }

  /** A head is complete and in order. `ahead` bytes stand behind it. */
  private begin(head: usize, source: usize, size: i32, ahead: i32): i32 {
    const request = this.request;
    const kind = bodyKind(head);
    const length = contentLength(head);
    request.method = methodCode(head);
    request.minor = minorVersion(head);
    const last = ++this.served >= this.parameters.requestsMax || this.parameters.draining;
    request.keepAlive = this.keepAlive = keepAlive(head) && !last && this.keepAlive;
    request.contentLength = kind == BODY_CHUNKED ? -1 : length;
    request.credit = i64.MAX_VALUE;
    request.collects = false;
    request.tag = 0;
    request.head = head;
    request.source = source;
    request.ahead = source + usize(size);
    request.aheadSize = ahead;
    request.serial++;
    // Who has begun to send the body does not wait.
    request.expectsContinue = this.continueDue = expectContinue(head) && !ahead;
    this.expectAnswer();
    this.beginBody(kind, length);
    if (request.isServerWide) this.answerOptions();
    else this.handler.headersReceived(request);
    if (this.state == ANSWER && this.inFlight) this.handler.finish(request);
    request.head = 0;
    this.dropHead();
    if (this.state == ANSWER) {
      if (!this.answerDone) this.wait();
    } else if (this.continueDue && this.inFlight) this.awaitReader();
    return size;
  }

  /** OPTIONS *: a question to the server as such, which is there (RFC 9110 9.3.7). */
  private answerOptions(): void {
    this.startResponse(204, 0, 0, -1);
    this.finishResponse();
  }

  protected wait(): void {
    this.stream.readAhead = this.watched ? PIPELINE_BYTES_MAX : 0;
    this.since = this.loop.time;
    this.owner.waiting(this);
  }

  // --- the end of a request ---

  protected answered(): void {
    this.request.clear();
    if (this.state == ANSWER) return this.next();
    this.dropRest();
  }

  protected next(): void {
    if (!this.keepAlive || (this.stream.ended && !this.stream.unread)) {
      return this.leave();
    }
    this.awaitHead(this.parameters.idleTimeoutMs);
    this.stream.resume();
  }

  protected leave(): void {
    this.state = OVER;
    this.stream.finish(true, REASON_CLOSED);
  }

  protected refuse(code: i32): i32 {
    const inHead = this.state == HEAD;
    if (inHead || !this.answerDone) {
      countRefusal(code);
      this.handler.requestRefused(this, code);
    }
    if (inHead) this.writeRefusal(code, this.headOnly);
    else if (this.unanswered) this.writeRefusal(code, this.request.method == Method.HEAD);
    this.state = OVER;
    this.lose(reasonOf(code));
    this.request.clear();
    this.stream.finish(true, REASON_BAD_REQUEST);
    return 0;
  }
}

const HEAD_METHOD: u32 = 0x44414548;
const SPACE: u8 = 0x20;

/** Whether a request that begins so is a HEAD. */
function isHead(source: usize, size: i32): bool {
  return size > 4 && load<u32>(source) == HEAD_METHOD && load<u8>(source, 4) == SPACE;
}
