// HTTP1Connection: the requests of one connection, strictly one after the other. It reads a head and its body from the
// stream, hands them to the handler and, when the answer is complete, goes on with the next. Its parts know nothing of
// it: HTTP1Head and HTTP1Body say what the bytes are. What handlers do with the answer is in HTTP1Answering, all
// parsing in protocol/http/.
//
// Invariants: one request is in flight at most; the next head is not read before the answer to the last is complete (so
// answers keep their order) nor while much of it waits for a slow client; after a refusal nothing more is read as a
// request. Reference: RFC 9112; Tornado's http1connection.py.

import { REASON_BAD_REQUEST, REASON_BUFFER_FULL, REASON_CLOSED, REASON_TIMEOUT } from "../core/errors";
import { BODY_CHUNKED, bodyKind, contentLength, expectContinue, keepAlive } from "../protocol/http/headstate";
import { Connection, StreamOwner } from "../stream/connection";
import { HTTP1Answering } from "./answering";
import { TurnBudget } from "./turnbudget";
import { Refusal, reasonOf } from "../protocol/http/refusal";
import { HTTP1Body, isTooLarge } from "./body";
import { HTTP1Head } from "./head";
import { CHUNK_DATA, CHUNK_END, CHUNK_TRAILERS } from "../protocol/http/chunked";
import { HTTP1ConnectionParameters } from "./parameters";
import { HTTPHandler, HTTPServerRequest, Method, Upgraded } from "./request";
import { HTTP1Writer } from "./writer";
import { IOLoop } from "../loop/ioloop";
import { NS_PER_MS } from "../core/units";
import { IOStream } from "../stream/iostream";
import { countRefusal } from "../core/stats";
import { DISCARD_BYTES_MAX, PIPELINE_BYTES_MAX, READ_CHUNK_BYTES, WATCH_AFTER_MS } from "../core/limits";

// What of the request is awaited.
const HEAD: i32 = 0;
const BODY: i32 = 1;
const ANSWER: i32 = 2; // the request is complete
const OVER: i32 = 3; // nothing more: the connection is being closed, or belongs to another protocol

/** Keeps the connections of a server. */
export interface HTTP1ConnectionOwner {
  /** A request of this connection was not answered at once. */
  waiting(connection: HTTP1Connection): void;
  /** The connection is over: it may serve another client. */
  ended(connection: HTTP1Connection): void;
}

/** One HTTP/1 connection of a server: reads its requests one after the other and writes their answers. */
@final
export class HTTP1Connection extends HTTP1Answering implements StreamOwner {
  /** When the request in flight came, or the wait for one began. */
  since: i64 = 0;

  private state: i32 = OVER;
  private live: bool = false; // from start() to onClose(): `stream` is this connection's
  private served: i32 = 0; // requests so far
  private head: HTTP1Head;
  /** @internal */ readonly body: HTTP1Body;
  private loop: IOLoop = IOLoop.current();
  private watched: bool = false; // the request in flight takes long
  private endReported: bool = false;
  /** @internal Bytes of the packet that is being read; a handler that hears of its refusal can read them. */
  packet: i32 = 0;
  private seen: i32 = 0; // bytes that were shown before and not taken
  private budget: TurnBudget = new TurnBudget();
  private successor: Upgraded | null = null; // uses the stream after an upgrade
  private acceptedBy: StreamOwner | null = null; // the owner that its stream had before the upgrade

  constructor(
    private owner: HTTP1ConnectionOwner,
    private handler: HTTPHandler,
    private parameters: HTTP1ConnectionParameters,
    slot: i32,
  ) {
    super();
    this.head = new HTTP1Head(parameters);
    this.body = new HTTP1Body(parameters);
    this.request = new HTTPServerRequest(this);
    this.request.slot = slot;
    this.writer = new HTTP1Writer(this.request, this.parameters);
  }

  /** Begins with a new connection. */
  start(stream: IOStream): void {
    this.stream = stream;
    this.budget.start(stream);
    this.writer.start(stream);
    stream.writeTimeoutMs = this.parameters.writeTimeoutMs;
    stream.writeRateBytesMin = this.parameters.writeRateBytesMin;
    stream.halfCloseTimeoutMs = this.parameters.halfCloseTimeoutMs;
    this.served = this.seen = 0;
    stream.setHandler(this);
    this.live = true;
    this.awaitHead(this.parameters.headerTimeoutMs);
    stream.consume();
  }

  /**
   * One more answer that has not begun, at most; it says that it is the last. As with Node's server that is the next
   * request's, which the handler may refuse. An idle connection is read once more, and closed unless a request comes
   * within `drainRequestMs`, or its own idle time.
   */
  drain(): void {
    if (this.successor) return this.successor!.drain();
    const isOfNode = this.parameters.asNode && this.writer.unanswered;
    if (!this.writer.begun && !isOfNode) this.closeAfterAnswer();
    if (!this.live || this.state != HEAD || this.head.begun) return;
    const requestMs = this.parameters.drainRequestMs;
    if (requestMs < this.parameters.idleTimeoutMs) this.stream.setDeadline(this.since + i64(requestMs) * NS_PER_MS);
    this.stream.readNow();
  }

  /** The handler takes its time: its connection is read on, so that it learns when the client has left. */
  watch(): void {
    if (!this.watched) {
      this.watched = true;
      this.stream.readAhead = PIPELINE_BYTES_MAX;
      this.stream.resume();
    }
    if (this.stream.ended) this.reportEnd();
  }

  /** The client has ended its side, and the request in flight waits. */
  private reportEnd(): void {
    if (this.state == BODY) return this.endOfInput(this.stream.unread);
    if (this.state != ANSWER || this.endReported || !this.inFlight) return;
    if (this.loop.time - this.since < i64(WATCH_AFTER_MS) * NS_PER_MS) return; // watch() comes again
    this.endReported = true;
    this.writer.uncount();
    this.handler.onEnd(this.request); // last: it may answer, and the next request begin
  }

  /** The handler gives up: the answer, or its rest, will not come. */
  cancel(): void {
    this.writer.drop();
    this.abort(REASON_CLOSED);
  }

  /**
   * Ends HTTP on this connection after an accepted upgrade: its stream goes on with `successor`, which writes the
   * answer (101) and begins to read; what came behind the request is unread. Only for a request in flight that is
   * complete and whose answer has not begun; null: it is not. Request and slot stay as they are until the stream has
   * closed, and a stop of the server calls successor.drain(). Then this object serves another connection.
   */
  detach(successor: Upgraded): IOStream | null {
    if (this.state != ANSWER || !this.writer.unanswered) return null;
    const stream = this.stream;
    this.state = OVER;
    this.live = false;
    this.writer.drop();
    this.successor = successor;
    this.acceptedBy = stream.connection.owner;
    stream.connection.owner = this;
    stream.setDeadline(0);
    stream.readAhead = READ_CHUNK_BYTES;
    stream.pause();
    stream.setHandler(successor);
    return stream;
  }

  /** A stream that was handed over has closed; until now it held this connection's slot. */
  streamClosed(connection: Connection): void {
    const server = this.acceptedBy;
    this.successor = null;
    this.acceptedBy = null;
    this.owner.ended(this);
    if (server) server.streamClosed(connection);
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

  /** Bytes of memory that the request in flight holds. */
  get held(): i32 {
    return this.request.body.owned + this.request.trailers.owned;
  }

  /** The server stops: no connection is kept for another request. */
  get draining(): bool {
    return this.parameters.draining;
  }

  /** No answer can be given any more: the handler is called, and nothing of it is written from here on. */
  private lose(reason: i32): void {
    if (this.writer.isDone) return;
    this.writer.drop();
    this.handler.onConnectionClose(this.request, reason);
  }

  // --- the stream's calls ---

  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    const seen = this.seen < size ? this.seen : 0;
    this.packet = size - seen;
    let used = 0;
    while (used < size && !stream.closed) {
      const n = this.step(source + usize(used), size - used);
      if (n < 0) used = seen;
      if (n <= 0) break;
      used += n;
    }
    this.packet = 0;
    this.seen = size - used;
    if (stream.ended) this.endOfInput(size - used);
    return used;
  }

  onEnd(stream: IOStream): void {
    if (this.state == ANSWER) this.reportEnd();
    else this.endOfInput(stream.unread);
  }

  /** The peer's end, with `unread` bytes before it. Requests that came whole before it still get their answers. */
  private endOfInput(unread: i32): void {
    let cut = this.head.begun || unread != 0;
    if (this.state == BODY) {
      cut = !this.writer.isDone;
      if ((unread && cut) || this.mayBeAnswered()) return; // the handler has still to take it
    } else if (this.state != HEAD || (unread && (this.heldBack || this.budget.spent))) return;
    if (cut && this.parameters.asNode) this.refuse(Refusal.REQUEST_CUT);
    else {
      this.lose(REASON_BAD_REQUEST);
      this.leave();
    }
  }

  /** The body was cut. A handler that gives credit may have answered already, elsewhere: that has WATCH_AFTER_MS. */
  private mayBeAnswered(): bool {
    const may = !this.endReported && this.request.credit != i64.MAX_VALUE && this.writer.unanswered;
    this.endReported = true;
    if (may) this.wait();
    return may;
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
    } else if (this.state == BODY) this.bodyTimeout();
  }

  /**
   * The time for a head is over; one of which nothing came is not answered, unless it is the first one and answers are
   * as Node's. What has come by now and was not read yet counts.
   */
  private headTimeout(stream: IOStream): void {
    if (!this.head.begun && !stream.unread) {
      const serial = this.request.serial;
      stream.readNow();
      if (this.state != HEAD || this.head.begun || this.request.serial != serial) return;
    }
    if (this.head.begun || stream.unread || (this.parameters.asNode && !this.served)) this.refuse(Refusal.HEAD_TIMEOUT);
    else stream.finish(false, REASON_TIMEOUT);
  }

  onClose(stream: IOStream, reason: i32): void {
    this.state = OVER;
    this.live = false;
    this.head.drop();
    this.lose(reason);
    this.request.clear();
    this.owner.ended(this);
  }

  // --- reading ---

  private step(source: usize, size: i32): i32 {
    switch (this.state) {
      case HEAD:
        return this.readHead(source, size);
      case BODY:
        return this.readBody(source, size);
      default:
        return 0;
    }
  }

  private awaitHead(timeoutMs: i32): void {
    this.state = HEAD;
    this.head.emptyBytes = 0;
    this.head.isHeadMethod = this.watched = this.endReported = false;
    this.stream.readAhead = this.parameters.headBytesMax + 1;
    this.since = this.loop.time;
    this.setDeadline(this.parameters.draining ? min(timeoutMs, this.parameters.drainRequestMs) : timeoutMs);
  }

  private readHead(source: usize, size: i32): i32 {
    if (this.heldBack || !this.budget.take()) return 0;
    const head = this.head;
    const begun = head.begun;
    const empty = begun ? 0 : head.skipEmpty(source, size);
    if (empty) return empty < 0 ? 0 : empty > size ? this.refuse(Refusal.BAD_METHOD) : empty;
    if (!begun) this.body.latest = this.loop.time + i64(this.parameters.requestTimeoutMs) * NS_PER_MS;
    const n = head.read(source, size);
    if (n < 0) return this.refuse(n);
    if (n) return this.begin(head.state, source, n, size - n);
    if (!begun) this.setDeadline(this.parameters.headerTimeoutMs);
    return 0;
  }

  /** A head is complete and in order. `ahead` bytes stand behind it. */
  private begin(head: usize, source: usize, size: i32, ahead: i32): i32 {
    const request = this.request;
    const writer = this.writer;
    const kind = bodyKind(head);
    const length = contentLength(head);
    request.begin(head, source, size, ahead);
    request.excess = ++this.served - this.parameters.requestsMax;
    const last = request.excess >= i32(this.parameters.asNode) || this.parameters.draining;
    request.keepAlive = writer.keepAlive = keepAlive(head) && !last && writer.keepAlive;
    request.contentLength = kind == BODY_CHUNKED ? -1 : length;
    // A client that has begun to send the body does not wait.
    request.expectsContinue = writer.continueDue = expectContinue(head) && !ahead;
    writer.expectAnswer();
    this.beginBody(kind == BODY_CHUNKED, length);
    if (request.isServerWide && !this.parameters.asNode) request.answerOptions();
    else this.handler.headersReceived(request);
    if (this.state == ANSWER && this.inFlight) this.handler.finish(request);
    request.head = 0;
    this.head.drop();
    if (this.state == ANSWER) {
      if (!writer.isDone) this.wait();
    } else if (writer.continueDue && this.inFlight) this.awaitReader();
    return size;
  }

  /** It is the handler's turn: to take more of the body, or to answer. The socket is left alone for now. */
  private wait(): void {
    this.stream.readAhead = this.watched ? PIPELINE_BYTES_MAX : 0;
    this.since = this.loop.time;
    this.owner.waiting(this);
  }

  // --- the body ---

  private beginBody(chunked: bool, length: i64): void {
    if (!chunked && !length) {
      this.state = ANSWER;
      return this.setDeadline(0);
    }
    this.state = BODY;
    this.body.begin(chunked, length);
    this.restartBodyClock();
  }

  private restartBodyClock(): void {
    this.stream.setDeadline(this.body.restartClock(this.loop.time));
  }

  /** It is the handler's turn to give credit: its time is the client's only as far as all of a request is limited. */
  private stopBodyClock(): void {
    this.body.due = 0;
    this.stream.setDeadline(this.body.latest);
  }

  /** The time for the body is over. What has come by now, and was not read because others were busy, still counts. */
  private bodyTimeout(): void {
    const due = this.body.due;
    const serial = this.request.serial;
    this.stream.readNow();
    if (this.state == BODY && this.body.due == due && this.request.serial == serial) {
      this.refuse(Refusal.BODY_TIMEOUT);
    }
  }

  /**
   * The head of a request that expects `100 Continue` was handled: the client waits until the handler takes something.
   */
  private awaitReader(): void {
    if (this.request.credit > 0) this.writer.writeContinue();
    else this.stopBodyClock();
  }

  takeBody(bytes: i64): void {
    if (this.request.credit != i64.MAX_VALUE) this.request.credit += bytes;
    if (this.state != BODY || !this.inFlight) return;
    if (this.request.credit > 0 && !this.body.due) {
      this.writer.writeContinue();
      this.restartBodyClock();
    }
    this.stream.readAhead = READ_CHUNK_BYTES;
    this.stream.resume();
  }

  private readBody(source: usize, size: i32): i32 {
    const body = this.body;
    const event = body.next(source, size);
    if (event < 0) return this.refuse(event);
    if (event == CHUNK_TRAILERS) this.keepTrailers(source + usize(body.offset), body.size);
    else if (event == CHUNK_DATA) {
      if (isTooLarge(body.sizeMin, this.parameters) && !this.writer.isDone) return this.refuse(Refusal.BODY_TOO_LARGE);
      this.takePiece(source + usize(body.offset), body.size);
    }
    if (this.state == BODY && (event == CHUNK_END || body.isComplete)) this.bodyComplete();
    return body.used;
  }

  /** Trailers are given to the handler when they are complete; their size is bounded by TRAILER_BYTES_MAX. */
  private keepTrailers(source: usize, size: i32): void {
    if (!this.writer.isDone && !this.request.trailers.append(source, size)) this.shed();
  }

  /** Gives a piece of the body to the handler, as far as it has credit. */
  private takePiece(source: usize, size: i32): void {
    const request = this.request;
    const body = this.body;
    if (this.writer.isDone) {
      body.take(size);
      if (body.taken > DISCARD_BYTES_MAX) this.leave();
      return;
    }
    const taken = i32(min<i64>(size, request.credit));
    body.take(taken); // before the handler, which may answer in that call
    if (request.credit != i64.MAX_VALUE) request.credit -= taken;
    if (taken < size || (request.credit < request.creditMin && body.isLongerThan(request.credit))) {
      this.wait();
      this.stopBodyClock();
    } else this.stream.setDeadline(body.payClock(this.loop.time, taken));
    if (!taken) return;
    if (!request.collects) this.handler.dataReceived(request, source, taken);
    else if (!request.body.append(source, taken)) this.shed();
  }

  private bodyComplete(): void {
    this.state = ANSWER;
    this.setDeadline(0);
    if (this.inFlight) this.handler.finish(this.request);
    this.request.trailers.clear();
    if (this.state != ANSWER) return; // it was answered in that call, and the next request may have begun
    if (this.writer.isDone) this.next();
    else this.wait();
  }

  /**
   * The answer is complete and the body is not. A small rest is read and dropped, a large one is not worth the
   * connection.
   */
  private dropRest(): void {
    this.body.taken = 0;
    if (this.body.rest > DISCARD_BYTES_MAX || !this.isKept) return this.leave();
    this.restartBodyClock();
    this.stream.readAhead = READ_CHUNK_BYTES;
    this.stream.resume();
  }

  /** Another request may come. */
  private get isKept(): bool {
    return this.writer.keepAlive && (!this.stream.ended || this.stream.unread != 0);
  }

  private setDeadline(timeoutMs: i32): void {
    this.stream.setDeadline(timeoutMs ? this.loop.time + i64(timeoutMs) * NS_PER_MS : 0);
  }

  // --- the end of an answer ---

  ignoreRest(): void {
    if (this.state == BODY && this.body.rest > DISCARD_BYTES_MAX) this.closeAfterAnswer();
  }

  abort(reason: i32): void {
    if (!this.live) return;
    this.writer.fail();
    // Answers before this one are complete and arrive; this one is seen to be cut short.
    if (this.served > 1) this.stream.finish(true, reason);
    else this.stream.close(reason);
  }

  // --- the end of a request ---

  protected answered(): void {
    this.request.clear();
    if (this.state == ANSWER) return this.next();
    this.dropRest();
  }

  /** Request and answer are complete. */
  private next(): void {
    if (!this.isKept) return this.leave();
    this.awaitHead(this.parameters.idleTimeoutMs + this.parameters.idleBufferMs);
    this.stream.resume();
  }

  /** Closes a connection on which the client may still be sending; what it was answered arrives. */
  private leave(): void {
    this.state = OVER;
    this.stream.finish(true, REASON_CLOSED);
  }

  /** Answers with the refusal's status where that can be done, and closes: 0. The handler may detach instead: -1. */
  private refuse(code: i32): i32 {
    const inHead = this.state == HEAD;
    const writer = this.writer;
    const answers = inHead || writer.unanswered;
    const counts = answers || !writer.isDone;
    this.lose(reasonOf(code));
    if (counts) {
      countRefusal(code);
      if (answers && this.parameters.asNode && code != Refusal.MEMORY_SHORT) {
        this.state = ANSWER; // as of a complete request, for detach()
        writer.reopen();
      }
      this.handler.requestRefused(this, code);
      if (this.successor) return -1;
    }
    this.state = OVER;
    if (answers) writer.writeRefusal(code, inHead ? this.head.isHeadMethod : this.request.method == Method.HEAD);
    writer.drop();
    this.request.clear();
    this.stream.finish(true, REASON_BAD_REQUEST);
    return 0;
  }
}
