// HTTP1Connection: one connection's requests, strictly one after the other: reads a head and its body from a stream, hands them
// to the handler and, when the answer is complete, goes on with the next. All parsing is in http/, which does no I/O.
//
// Invariants: one request is in flight at most; the next head is not read before the answer to the last is complete (so
// answers keep their order) nor while much of it waits for a slow peer; after a refusal nothing more is read as a request.
// Reference: RFC 9112; Tornado's http1connection.py.

import { releaseBlock, takeBlock } from "./buffer";
import { REASON_BAD_REQUEST, REASON_BUFFER_FULL, REASON_CLOSED, REASON_TIMEOUT } from "./errors";
import {
  CHUNKED_BYTES,
  CHUNK_DATA,
  CHUNK_END,
  chunkedConsumed,
  chunkedGiveBack,
  chunkedNext,
  chunkedOffset,
  chunkedRemaining,
  chunkedReset,
  chunkedSize,
} from "./http/chunked";
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  bodyKind,
  contentLength,
  expectContinue,
  keepAlive,
  methodCode,
} from "./http/headstate";
import { Connection } from "./connection";
import { checkHead } from "./http/framing";
import { PARTIAL, headBytes, headReset, minorVersion, parseHead, skipEmptyLines, targetSize } from "./http/head";
import { Refusal, reasonOf } from "./http/refusal";
import { HTTP1ConnectionOwner, HTTP1ConnectionParameters } from "./http1parameters";
import { HTTP1Writer } from "./http1writer";
import { HTTPHandler, HTTPServerRequest } from "./httputil";
import { IOStream } from "./iostream";
import { REQUESTS_REFUSED, count } from "./stats";
import {
  DISCARD_BYTES_MAX,
  DRAIN_REQUEST_MS,
  EMPTY_LINES_BYTES_MAX,
  FIELDS_MAX,
  PIPELINE_BYTES_MAX,
  READ_CHUNK_BYTES,
  TARGET_BYTES_MAX,
} from "./limits";

const NS_PER_MS: i64 = 1_000_000;

// What of the request is awaited.
const HEAD: i32 = 0;
const LENGTH: i32 = 1; // a body of known length
const CHUNKED: i32 = 2;
const ANSWER: i32 = 3; // the request is complete
const OVER: i32 = 4; // nothing more: the connection is being closed

/** A head that comes in one piece, the usual case, is parsed into this shared state. */
const HEAD_STATE_BYTES: i32 = i32(headBytes(FIELDS_MAX));
const sharedHead: usize = memory.data(4096, 16);


@final
export class HTTP1Connection extends HTTP1Writer {
  /** When the request in flight came, or the wait for one began. */
  since: i64 = 0;

  private state: i32 = OVER;
  private head: usize = 0; // the state of a head that has come in part, 0: none has
  private remaining: i64 = 0; // of a body of known length
  private bodySize: i64 = 0; // taken so far
  private emptyBytes: i32 = 0;
  private watched: bool = false;
  private chunks: StaticArray<u8> = new StaticArray<u8>(i32(CHUNKED_BYTES));

  constructor(
    private owner: HTTP1ConnectionOwner,
    private handler: HTTPHandler,
    private parameters: HTTP1ConnectionParameters,
    slot: i32,
  ) {
    super();
    this.request = new HTTPServerRequest(this);
    this.request.slot = slot;
  }

  /** Begins with a new connection. */
  start(stream: IOStream): void {
    this.stream = stream;
    stream.writeTimeoutMs = this.parameters.writeTimeoutMs;
    stream.setHandler(this);
    this.keepAlive = true;
    this.live = true;
    this.awaitHead(this.parameters.headerTimeoutMs);
    stream.consume();
  }

  get socket(): Connection {
    return this.stream;
  }

  /** One more answer at most. An idle connection is read once more, and closed unless a request comes within DRAIN_REQUEST_MS. */
  drain(): void {
    this.keepAlive = false;
    if (!this.live || this.state != HEAD || this.head) return;
    this.stream.setDeadline(this.since + DRAIN_REQUEST_MS * NS_PER_MS);
    this.stream.readNow();
  }

  /** Reads on while the answer is awaited, so that the handler learns when the client is gone. */
  watch(): void {
    if (this.state != ANSWER || this.watched || !this.inFlight) return;
    this.watched = true;
    this.stream.readAhead = PIPELINE_BYTES_MAX;
    this.stream.resume();
  }

  takeBody(bytes: i64): void {
    if (this.request.credit != i64.MAX_VALUE) this.request.credit += bytes;
    if (this.state != LENGTH && this.state != CHUNKED) return;
    this.stream.readAhead = READ_CHUNK_BYTES;
    this.stream.resume();
  }

  /** The handler gives up: no answer (or no rest of it) will come. */
  cancel(): void {
    this.dropAnswer();
    this.abort(REASON_CLOSED);
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
    this.endOfInput(stream.unread);
  }

  /** The peer's end, with `unread` bytes before it. Requests that came whole before it still get their answers. */
  private endOfInput(unread: i32): void {
    if (this.state == LENGTH || this.state == CHUNKED) {
      if (unread && !this.answerDone) return; // the handler has still to take it
      this.lose(REASON_BAD_REQUEST);
      this.leave();
    } else if (this.state == HEAD && (!unread || !this.heldBack)) this.leave();
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
      else if (this.head || stream.unread) this.refuse(Refusal.HEAD_TIMEOUT);
      else stream.finish(false, REASON_TIMEOUT);
    } else if (this.state == LENGTH || this.state == CHUNKED) this.refuse(Refusal.BODY_TIMEOUT);
  }

  onClose(stream: IOStream, reason: i32): void {
    this.state = OVER;
    this.live = false;
    this.dropHead();
    this.lose(reason);
    this.request.body.clear();
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
    this.watched = false;
    this.stream.readAhead = this.parameters.headBytesMax + 1;
    this.since = this.loop.time;
    this.setDeadline(this.parameters.draining ? DRAIN_REQUEST_MS : timeoutMs);
  }

  private readHead(source: usize, size: i32): i32 {
    if (this.heldBack) return 0;
    if (!this.head) {
      const empty = skipEmptyLines(source, size);
      if (empty) return empty < 0 ? 0 : this.dropEmpty(empty);
      headReset(sharedHead);
    }
    const head = this.head ? this.head : sharedHead;
    const n = parseHead(head, source, size, FIELDS_MAX);
    if (n == PARTIAL) return this.keepHead(size);
    if (n < 0) return this.refuse(n);
    if (n > this.parameters.headBytesMax) return this.refuse(Refusal.HEAD_TOO_LARGE);
    if (targetSize(head) > TARGET_BYTES_MAX) return this.refuse(Refusal.TARGET_TOO_LONG);
    const refusal = checkHead(head, source);
    if (refusal) return this.refuse(refusal);
    return this.begin(head, source, n, size - n);
  }

  private dropEmpty(empty: i32): i32 {
    this.emptyBytes += empty;
    return this.emptyBytes > EMPTY_LINES_BYTES_MAX ? this.refuse(Refusal.BAD_METHOD) : empty;
  }

  /** Part of a head has come: its state is kept for the rest. */
  private keepHead(size: i32): i32 {
    const head = this.head ? this.head : sharedHead;
    if (targetSize(head) > TARGET_BYTES_MAX) return this.refuse(Refusal.TARGET_TOO_LONG);
    if (size > this.parameters.headBytesMax) return this.refuse(Refusal.HEAD_TOO_LARGE);
    if (!this.head) {
      this.head = takeBlock(HEAD_STATE_BYTES);
      if (!this.head) this.stream.close(REASON_BUFFER_FULL);
      else memory.copy(this.head, sharedHead, usize(HEAD_STATE_BYTES));
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
    if (kind == BODY_LENGTH && length > this.parameters.bodyBytesMax) return this.refuse(Refusal.BODY_TOO_LARGE);
    request.method = methodCode(head);
    request.minor = minorVersion(head);
    request.keepAlive = this.keepAlive = keepAlive(head) && !this.parameters.draining && this.keepAlive;
    request.contentLength = kind == BODY_CHUNKED ? -1 : length;
    request.credit = i64.MAX_VALUE;
    request.collects = false;
    request.tag = 0;
    request.head = head;
    request.source = source;
    request.ahead = source + usize(size);
    request.aheadSize = ahead;
    request.serial++;
    this.bodySize = 0;
    this.remaining = length;
    this.state = kind == BODY_CHUNKED ? CHUNKED : length ? LENGTH : ANSWER;
    if (this.state == CHUNKED) chunkedReset(changetype<usize>(this.chunks));
    const expected = expectContinue(head);
    this.expectAnswer();
    this.setDeadline(this.state == ANSWER ? 0 : this.parameters.bodyTimeoutMs);
    this.handler.headersReceived(request);
    if (this.state == ANSWER && !this.answerDone) this.handler.finish(request);
    request.head = 0;
    this.dropHead();
    if (this.state == ANSWER) {
      if (!this.answerDone) this.wait();
    } else if (expected) this.writeContinue();
    return size;
  }

  /** The request is complete and its answer is not: the socket is left alone for now. */
  private wait(): void {
    this.stream.readAhead = 0;
    this.since = this.loop.time;
    this.owner.waiting(this);
  }

  // --- bodies ---

  private readBody(source: usize, size: i32): i32 {
    const taken = this.takePiece(source, i32(min<i64>(this.remaining, size)));
    this.remaining -= taken;
    if (!this.remaining && this.state == LENGTH) this.bodyComplete();
    return taken;
  }

  private readChunks(source: usize, size: i32): i32 {
    const chunks = changetype<usize>(this.chunks);
    const event = chunkedNext(chunks, source, size);
    if (event < 0) return this.refuse(event);
    const used = chunkedConsumed(chunks);
    if (event == CHUNK_END) this.bodyComplete();
    if (event != CHUNK_DATA) return used;
    const offered = chunkedSize(chunks);
    const atLeast = this.bodySize + offered + chunkedRemaining(chunks);
    if (atLeast > this.parameters.bodyBytesMax && !this.answerDone) return this.refuse(Refusal.BODY_TOO_LARGE);
    const taken = this.takePiece(source + usize(chunkedOffset(chunks)), offered);
    if (taken < offered) chunkedGiveBack(chunks, offered - taken);
    return used - (offered - taken);
  }

  /** Gives a piece of the body to the handler, as far as it has credit; returns how much was taken. */
  private takePiece(source: usize, size: i32): i32 {
    const request = this.request;
    if (this.answerDone) {
      this.bodySize += size;
      if (this.bodySize > DISCARD_BYTES_MAX) this.leave();
      return size;
    }
    const taken = i32(min<i64>(size, request.credit));
    if (taken < size) this.stream.readAhead = 0;
    if (!taken) {
      this.setDeadline(0); // it is the handler that is slow
      return 0;
    }
    this.bodySize += taken;
    if (request.credit != i64.MAX_VALUE) request.credit -= taken;
    this.setDeadline(this.parameters.bodyTimeoutMs);
    if (!request.collects) this.handler.dataReceived(request, source, taken);
    else if (!request.body.append(source, taken)) this.stream.close(REASON_BUFFER_FULL);
    return taken;
  }

  private bodyComplete(): void {
    this.state = ANSWER;
    this.setDeadline(0);
    if (!this.answerDone) this.handler.finish(this.request);
    if (this.state != ANSWER) return;
    if (this.answerDone) this.next();
    else this.wait();
  }

  // --- the end of a request ---

  protected answered(): void {
    this.request.body.clear();
    if (this.state == ANSWER) return this.next();
    // The handler did not want the body. A small rest is read and dropped, a large one is not worth the connection.
    const rest = this.state == LENGTH ? this.remaining : 0;
    this.bodySize = 0;
    if (rest > DISCARD_BYTES_MAX || !this.keepAlive) return this.leave();
    this.stream.readAhead = READ_CHUNK_BYTES;
    this.stream.resume();
  }

  private next(): void {
    if (!this.keepAlive || (this.stream.ended && !this.stream.unread)) {
      return this.leave();
    }
    this.awaitHead(this.parameters.idleTimeoutMs);
    this.stream.resume();
  }

  /** Closes a connection on which the client may still be sending; what it was answered arrives. */
  private leave(): void {
    this.state = OVER;
    this.stream.finish(true, REASON_CLOSED);
  }

  /** Answers with the refusal's status where an answer can still be given, and closes. Returns 0: nothing more is taken. */
  private refuse(code: i32): i32 {
    count(REQUESTS_REFUSED);
    if (this.state == HEAD || this.unanswered) this.writeRefusal(code);
    this.state = OVER;
    this.lose(reasonOf(code));
    this.stream.finish(true, REASON_BAD_REQUEST);
    return 0;
  }

  private setDeadline(timeoutMs: i32): void {
    this.stream.setDeadline(timeoutMs ? this.loop.time + i64(timeoutMs) * NS_PER_MS : 0);
  }
}
