// HTTP1Body: the body of the request in flight, as far as its handler takes it; what the handler did not want is
// dropped.
//
// Invariants: a handler is given no more than its credit; the bytes behind a body are never taken for it, nor the body
// for a request. A peer gets bodyTimeoutMs, and for each byte the time that it takes at bodyRateBytesMin, but is never
// bodyTimeoutMs ahead: so no silence is longer, and a body ends in bounded time. Time in which the handler gives no
// credit is not the peer's. Reference: RFC 9112 6 and 7.1; Tornado's http1connection.py, _read_body.

import {
  CHUNKED_BYTES,
  CHUNK_DATA,
  CHUNK_END,
  CHUNK_TRAILERS,
  chunkedConsumed,
  chunkedGiveBack,
  chunkedNext,
  chunkedOffset,
  chunkedRemaining,
  chunkedReset,
  chunkedSize,
} from "../protocol/http/chunked";
import { BODY_CHUNKED } from "../protocol/http/headstate";
import { Refusal } from "../protocol/http/refusal";
import { HTTP1ConnectionParameters } from "./parameters";
import { HTTP1Writer } from "./writer";
import { HTTPHandler } from "./request";
import { DISCARD_BYTES_MAX, READ_CHUNK_BYTES } from "../core/limits";

export const NS_PER_MS: i64 = 1_000_000;
const NS_PER_S: i64 = 1_000_000_000;

// What of the request is awaited.
export const HEAD: i32 = 0;
export const LENGTH: i32 = 1; // a body of known length
export const CHUNKED: i32 = 2;
export const ANSWER: i32 = 3; // the request is complete
export const OVER: i32 = 4; // nothing more: the connection is being closed, or belongs to another protocol

export abstract class HTTP1Body extends HTTP1Writer {
  protected state: i32 = OVER;
  private remaining: i64 = 0; // of a body of known length; means nothing for a chunked one
  private bodySize: i64 = 0; // taken so far
  private due: i64 = 0; // when more must have come, 0: the handler gives no credit
  private chunks: StaticArray<u8> = new StaticArray<u8>(i32(CHUNKED_BYTES));

  constructor(
    protected handler: HTTPHandler,
    protected parameters: HTTP1ConnectionParameters,
  ) {
    super();
  }

  /**
   * Answers with the refusal's status where an answer can still be given, and closes. Returns 0: nothing more is taken.
   */
  protected abstract refuse(code: i32): i32;
  /** Closes a connection on which the client may still be sending; what it was answered arrives. */
  protected abstract leave(): void;
  /** Request and answer are complete. */
  protected abstract next(): void;
  /** It is the handler's turn: to take more of the body, or to answer. The socket is left alone for now. */
  protected abstract wait(): void;

  /** The head of a request has come, whose body is of this kind and length. */
  protected beginBody(kind: i32, length: i64): void {
    this.bodySize = 0;
    this.remaining = length;
    this.state = kind == BODY_CHUNKED ? CHUNKED : length ? LENGTH : ANSWER;
    if (this.state == CHUNKED) chunkedReset(changetype<usize>(this.chunks));
    if (this.inBody) this.restartClock();
    else this.setDeadline(0);
  }

  /** The peer has all the time that a silence may last. */
  protected restartClock(): void {
    this.due = this.loop.time + i64(this.parameters.bodyTimeoutMs) * NS_PER_MS;
    this.stream.setDeadline(this.due);
  }

  /** So many bytes have come, which pay for some time. */
  private payClock(bytes: i32): void {
    const parameters = this.parameters;
    const latest = this.loop.time + i64(parameters.bodyTimeoutMs) * NS_PER_MS;
    const rate = parameters.bodyRateBytesMin;
    this.due = this.due && rate ? min(latest, this.due + (i64(bytes) * NS_PER_S) / rate) : latest;
    this.stream.setDeadline(this.due);
  }

  /** The time for the body is over. What has come by now, and was not read because others were busy, still counts. */
  protected bodyTimeout(): void {
    const due = this.due;
    const serial = this.request.serial;
    this.stream.readNow();
    if (this.inBody && this.due == due && this.request.serial == serial) this.refuse(Refusal.BODY_TIMEOUT);
  }

  /** A body is awaited, or its rest. */
  protected get inBody(): bool {
    return this.state == LENGTH || this.state == CHUNKED;
  }

  /**
   * The head of a request that expects `100 Continue` was handled: the client waits until the handler takes something.
   */
  protected awaitReader(): void {
    if (this.request.credit > 0) return this.writeContinue();
    this.due = 0;
    this.setDeadline(0);
  }

  takeBody(bytes: i64): void {
    if (this.request.credit != i64.MAX_VALUE) this.request.credit += bytes;
    if (!this.inBody || !this.inFlight) return;
    if (this.continueDue && this.request.credit > 0) {
      this.writeContinue();
      this.restartClock();
    }
    this.stream.readAhead = READ_CHUNK_BYTES;
    this.stream.resume();
  }

  protected readBody(source: usize, size: i32): i32 {
    const taken = this.takePiece(source, i32(min<i64>(this.remaining, size)));
    if (!this.remaining && this.state == LENGTH) this.bodyComplete();
    return taken;
  }

  protected readChunks(source: usize, size: i32): i32 {
    const chunks = changetype<usize>(this.chunks);
    const event = chunkedNext(chunks, source, size);
    if (event < 0) return this.refuse(event);
    const used = chunkedConsumed(chunks);
    if (event == CHUNK_END) this.bodyComplete();
    if (event == CHUNK_TRAILERS) this.keepTrailers(source + usize(chunkedOffset(chunks)), chunkedSize(chunks));
    if (event != CHUNK_DATA) return used;
    const offered = chunkedSize(chunks);
    const atLeast = this.bodySize + offered + chunkedRemaining(chunks);
    if (atLeast > this.parameters.bodyBytesMax && !this.answerDone) return this.refuse(Refusal.BODY_TOO_LARGE);
    const taken = this.takePiece(source + usize(chunkedOffset(chunks)), offered);
    if (taken < offered) chunkedGiveBack(chunks, offered - taken);
    return used - (offered - taken);
  }

  /** Trailers are given to the handler when they are complete; their size is bounded by TRAILER_BYTES_MAX. */
  private keepTrailers(source: usize, size: i32): void {
    if (!this.answerDone && !this.request.trailers.append(source, size)) this.shed();
  }

  /** Gives a piece of the body to the handler, as far as it has credit; returns how much was taken. */
  private takePiece(source: usize, size: i32): i32 {
    const request = this.request;
    if (this.answerDone) {
      this.remaining -= size;
      this.bodySize += size;
      if (this.bodySize > DISCARD_BYTES_MAX) this.leave();
      return size;
    }
    const taken = i32(min<i64>(size, request.credit));
    if (taken < size) this.wait();
    if (!taken) {
      this.due = 0; // it is the handler that is slow
      this.setDeadline(0);
      return 0;
    }
    this.remaining -= taken; // before the handler, which may answer in that call
    this.bodySize += taken;
    if (request.credit != i64.MAX_VALUE) request.credit -= taken;
    this.payClock(taken);
    if (!request.collects) this.handler.dataReceived(request, source, taken);
    else if (!request.body.append(source, taken)) this.shed();
    return taken;
  }

  private bodyComplete(): void {
    this.state = ANSWER;
    this.setDeadline(0);
    if (this.inFlight) this.handler.finish(this.request);
    this.request.trailers.clear();
    if (this.state != ANSWER) return;
    if (this.answerDone) this.next();
    else this.wait();
  }

  /**
   * The answer is complete and the body is not. A small rest is read and dropped, a large one is not worth the
   * connection.
   */
  protected dropRest(): void {
    const rest = this.state == LENGTH ? this.remaining : 0;
    this.bodySize = 0;
    if (rest > DISCARD_BYTES_MAX || !this.keepAlive) return this.leave();
    this.restartClock();
    this.stream.readAhead = READ_CHUNK_BYTES;
    this.stream.resume();
  }

  protected setDeadline(timeoutMs: i32): void {
    this.stream.setDeadline(timeoutMs ? this.loop.time + i64(timeoutMs) * NS_PER_MS : 0);
  }
}
