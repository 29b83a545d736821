// IncomingConnection: a request that the runtime hands over by wasi:http, and its answer. It takes the place of
// HTTP1Connection in components of that kind: the runtime has the connection, parses the request and frames the answer.
//
// Invariants: an answer has the length that was declared, or is seen to be cut short; of the answer no more than
// WRITE_BUFFER_BYTES_MAX waits here, and of the body nothing but what the handler collects; a client that sends or
// takes nothing for too long is given up. Its slot is the handle of its exchange: 0.2 has one at a time.
// Reference: connection.ts, body.ts and writer.ts, which do the same for HTTP/1; wasi:http 0.2.0 and 0.3.0.

import { AGAIN, REASON_BAD_RESPONSE, REASON_BUFFER_FULL, REASON_CLOSED, REASON_TIMEOUT } from "../core/errors";
import { READ_CHUNK_BYTES, READS_PER_TURN } from "../core/limits";
import { NS_PER_MS } from "../core/units";
import { REQUESTS_EVER, REQUESTS_NOW, count, countRefusal } from "../core/stats";
import { Callback, EventHandler, IOLoop, READ, Timeout, WRITE } from "../loop/ioloop";
import { contentLength, keepAlive, methodCode } from "../protocol/http/headstate";
import { isField, writeDecimal } from "../protocol/http/writer";
import { reasonOf, statusOf, textOf, textSizeOf } from "../protocol/http/refusal";
import { Refusal } from "../protocol/http/refusals";
import { Connection } from "../stream/connection";
import { WriteQueue } from "../stream/writequeue";
import { OVER_HTTP } from "../wasi/build";
import * as exchange from "../wasi/exchanges";
import * as wasi from "../wasi/index";
import { HTTP1Body, isTooLarge } from "./body";
import { IncomingHead } from "./incominghead";
import { HTTP1ConnectionParameters } from "./parameters";
import { HTTPConnection, HTTPHandler, HTTPServerRequest, LENGTH_UNASKED, Method } from "./request";

// How far the answer is.
const NOT_BEGUN: i32 = 0;
const FIELDS: i32 = 1;
const BODY: i32 = 2;
const FLUSHING: i32 = 3; // it is complete, and some of it has not left
const OVER: i32 = 4;

/** What is read of a body, with room for scanners that load whole vectors. */
const chunk: usize = OVER_HTTP ? memory.data(65536 + 64, 64) : 0;
/** A header field of our own. */
const fieldName: usize = OVER_HTTP ? memory.data(32, 8) : 0;
const fieldValue: usize = OVER_HTTP ? memory.data(32, 8) : 0;

/** The exchanges of this instance, each in the place of its handle. */
@final
export class Exchanges extends Callback {
  private all: Array<IncomingConnection> = [];
  private touched: Array<IncomingConnection> = [];

  constructor(
    private handler: HTTPHandler,
    private parameters: HTTP1ConnectionParameters,
  ) {
    super();
    IOLoop.current().atTurnEnd(this);
  }

  /** A request has come. */
  begin(handle: i32): IncomingConnection {
    const all = this.all;
    while (all.length <= handle) all.push(new IncomingConnection(this, this.handler, this.parameters, all.length));
    const connection = unchecked(all[handle]);
    connection.begin();
    return connection;
  }

  /** `connection` is looked at when the turn ends. */
  touch(connection: IncomingConnection): void {
    this.touched.push(connection);
  }

  run(): void {
    const touched = this.touched;
    for (let i = 0; i < touched.length; i++) unchecked(touched[i]).update();
    touched.length = 0;
  }

  /**
   * After a turn, with what it returned: when nothing will ever call the handler again, those that wait for their
   * answers are given up, in the next turn. Returns whether there are such.
   */
  giveUpIfForgotten(rest: i64): bool {
    if (rest != wasi.FOREVER) return false;
    const all = this.all;
    for (let i = 0; i < all.length; i++) if (unchecked(all[i]).isWatching) return false;
    for (let i = 0; i < all.length; i++) unchecked(all[i]).abort(REASON_CLOSED);
    return this.touched.length != 0;
  }
}


@final
class Step extends Callback {
  constructor(private connection: IncomingConnection) {
    super();
  }
  run(): void {
    this.connection.step();
  }
}


@final
class Deadline extends Timeout {
  constructor(private connection: IncomingConnection) {
    super();
  }
  run(): void {
    this.connection.timeoutFired();
  }
}

/** Hears when the exchange may be ready. */
@final
class Readiness extends EventHandler {
  constructor(private connection: IncomingConnection) {
    super();
  }
  onReady(handle: i32, events: i32): void {
    this.connection.onReady(events);
  }
}


@final
export class IncomingConnection extends HTTPConnection {
  readonly request!: HTTPServerRequest;
  private loop: IOLoop = IOLoop.current();
  private connection: Connection = new Connection();
  private readiness!: Readiness;
  private next!: Step;
  private deadline!: Deadline;
  private head: IncomingHead;
  private body: HTTP1Body;
  private queue: WriteQueue = new WriteQueue();
  private progress: i32 = OVER;
  private failure: i32 = 0; // why the answer cannot be given any more
  private isTouched: bool = false; // it stands in the list of those
  private isHandled: bool = false; // the handler has been called
  private reading: bool = false; // the body's end has not come
  private status: i32 = 0;
  private left: i64 = 0; // of the declared length; -1: none was declared
  private lastDue: i64 = 0; // when the last of the answer must have left; 0: that is not waited for
  private bodiless: bool = false; // no body may follow the head: HEAD, 204, 304

  constructor(
    private exchanges: Exchanges,
    private handler: HTTPHandler,
    private parameters: HTTP1ConnectionParameters,
    private handle: i32,
  ) {
    super();
    this.head = new IncomingHead(parameters, handle);
    this.body = new HTTP1Body(parameters);
    this.request = new HTTPServerRequest(this);
    this.request.slot = handle;
    this.connection.handle = handle;
    this.readiness = new Readiness(this);
    this.next = new Step(this);
    this.deadline = new Deadline(this);
  }

  /** A request has come: it is read in the next turn, as all that handlers do is done in turns. */
  begin(): void {
    this.progress = NOT_BEGUN;
    this.isHandled = this.reading = false;
    this.failure = 0;
    this.lastDue = 0;
    this.loop.addCallback(this.next);
  }

  get isOver(): bool {
    return this.progress == OVER;
  }

  private touch(): void {
    if (this.isTouched) return;
    this.isTouched = true;
    this.exchanges.touch(this);
  }

  // --- the request ---

  step(): void {
    count(REQUESTS_EVER);
    count(REQUESTS_NOW);
    this.queue.timeoutMs = this.parameters.writeTimeoutMs;
    this.queue.rateBytesMin = this.parameters.writeRateBytesMin;
    this.touch();
    const head = this.head;
    const refusal = head.read();
    const state = head.state;
    const request = this.request;
    request.method = methodCode(state);
    if (refusal) return this.refuse(refusal);
    request.minor = 1;
    request.keepAlive = keepAlive(state);
    request.contentLength = contentLength(state);
    request.credit = i64.MAX_VALUE;
    request.collects = false;
    request.tag = 0;
    request.head = state;
    request.source = head.source;
    request.ahead = head.source + usize(head.size);
    request.aheadSize = 0;
    request.serial++;
    if (request.isServerWide) return request.answerOptions();
    if (this.head.hasLength || request.contentLength) this.beginBody();
    else request.contentLength = LENGTH_UNASKED;
    this.isHandled = true;
    this.handler.headersReceived(request);
    if (this.inFlight && !request.contentLength) this.handler.finish(request);
    request.head = 0;
    head.drop();
    if (this.reading && this.inFlight) {
      if (isTooLarge(request.contentLength, this.parameters)) return this.refuse(Refusal.BODY_TOO_LARGE);
      this.readBody();
    }
  }

  /**
   * Without a Content-Length only the runtime knows whether there is a body, of a GET too: it keeps Transfer-Encoding
   * to itself. That costs calls of the runtime, which a request that is answered at once is spared.
   */
  findLength(): void {
    this.request.contentLength = this.inFlight && exchange.hasBody(this.handle) ? -1 : 0;
    this.beginBody();
  }

  private beginBody(): void {
    const request = this.request;
    this.reading = request.contentLength != 0;
    this.body.begin(false, request.contentLength < 0 ? i64.MAX_VALUE : request.contentLength);
    if (this.reading) this.body.restartClock(this.loop.time);
  }

  takeBody(bytes: i64): void {
    if (this.request.credit != i64.MAX_VALUE) this.request.credit += bytes;
    if (!this.reading || !this.inFlight) return;
    if (!this.body.due) this.body.restartClock(this.loop.time);
    this.touch();
  }

  private readBody(): void {
    for (let reads = 0; this.isReading && reads < READS_PER_TURN; reads++) {
      const n = wasi.read(this.handle, chunk, i32(min<i64>(READ_CHUNK_BYTES, this.request.credit)));
      if (n == AGAIN) return;
      if (n < 0) return this.abort(-n);
      if (!n) return this.bodyComplete();
      this.takePiece(n);
    }
    if (this.request.credit <= 0) this.body.due = 0; // it is the handler's turn
  }

  /** `size` bytes of the body have come to `chunk`. */
  private takePiece(size: i32): void {
    const request = this.request;
    const body = this.body;
    if (isTooLarge(body.taken + size, this.parameters)) return this.refuse(Refusal.BODY_TOO_LARGE);
    body.next(chunk, size);
    body.take(size);
    body.payClock(this.loop.time, size);
    if (request.credit != i64.MAX_VALUE) request.credit -= size;
    if (!request.collects) this.handler.dataReceived(request, chunk, size);
    else if (!request.body.append(chunk, size)) this.shed();
  }

  private bodyComplete(): void {
    this.reading = false;
    this.body.due = 0;
    this.handler.finish(this.request);
  }

  // --- the loop's calls ---

  onReady(events: i32): void {
    this.touch();
    if (events & WRITE) {
      const moved = this.queue.sendWaiting(this.handle, this.loop.time);
      if (moved < 0) this.abort(-moved);
      else if (moved && this.inFlight) this.handler.onSent(this.request);
    }
    if (events & READ) this.readBody();
  }

  timeoutFired(): void {
    this.touch();
    const now = this.loop.time;
    const writeDue = this.writeDue;
    if (writeDue && writeDue <= now) this.abort(REASON_TIMEOUT);
    else if (this.isReading && this.body.due && this.body.due <= now) this.refuse(Refusal.BODY_TIMEOUT);
  }

  /** More of the body is wanted. */
  private get isReading(): bool {
    return this.reading && this.inFlight && this.request.credit > 0;
  }

  /** Bytes of the answer have not left. */
  private get isWriting(): bool {
    return this.queue.size != 0 || (this.progress == FLUSHING && exchange.isSending(this.handle));
  }

  /** Something can come of waiting. */
  get isWatching(): bool {
    return this.isWriting || this.isReading;
  }

  /** At the end of a turn: what is waited for, and how long. */
  update(): void {
    this.isTouched = false;
    if (this.failure) this.fail();
    if (this.progress == FLUSHING && !this.isWriting) this.end(true);
    if (this.progress != OVER) this.watch();
    exchange.brought(this.handle);
  }

  /** When the client must have taken something, 0: nothing waits. */
  private get writeDue(): i64 {
    if (this.queue.size) return this.queue.deadline;
    if (!this.isWriting) return 0;
    if (!this.lastDue) this.lastDue = this.loop.time + i64(this.parameters.writeTimeoutMs) * NS_PER_MS;
    return this.lastDue;
  }

  private watch(): void {
    this.loop.addHandler(this.handle, this.readiness, (this.isReading ? READ : 0) | (this.isWriting ? WRITE : 0));
    let due = this.isReading ? this.body.due : 0;
    const writeDue = this.writeDue;
    if (writeDue) due = due ? min(due, writeDue) : writeDue;
    if (due) this.loop.callAt(due, this.deadline);
    else this.loop.removeTimeout(this.deadline);
  }

  // --- the answer ---

  get socket(): Connection {
    return this.connection;
  }
  get inFlight(): bool {
    return this.progress < FLUSHING && !this.failure;
  }
  get unsent(): i32 {
    return this.queue.size;
  }
  get waiting(): i32 {
    return this.queue.size;
  }

  /** The runtime sends no reason phrase but its own. */
  startResponse(status: i32, reason: usize, reasonSize: i32, contentLength: i64): void {
    if (!this.inFlight) return;
    this.touch();
    if (this.progress != NOT_BEGUN) return this.abort(REASON_BAD_RESPONSE);
    this.status = status;
    this.left = contentLength;
    this.bodiless = this.request.method == Method.HEAD || status == 204 || status == 304;
    this.progress = FIELDS;
  }

  addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    if (this.progress != FIELDS || !isField(name, nameSize, value, valueSize)) return false;
    return exchange.addField(this.handle, name, nameSize, value, valueSize);
  }

  writeBody(source: usize, size: i32): bool {
    if (!this.inFlight || this.progress == NOT_BEGUN) return false;
    this.touch();
    if (this.progress == FIELDS) this.endHead();
    if (this.left >= 0) {
      if (size > this.left) {
        this.abort(REASON_BAD_RESPONSE);
        return false;
      }
      this.left -= size;
    }
    if (this.bodiless || !size) return true;
    const reason = this.send(source, size);
    if (reason) this.abort(reason);
    return !reason;
  }

  /** 0, or why the answer must end. */
  private send(source: usize, size: i32): i32 {
    const n = this.queue.sendAtOnce(this.handle, source, size);
    if (n < 0) return -n;
    return n == size ? 0 : this.queue.send(this.handle, source + usize(n), size - n, this.loop.time);
  }

  finishResponse(): void {
    if (!this.inFlight || this.progress == NOT_BEGUN) return;
    this.touch();
    if (this.progress == FIELDS) {
      if (this.left < 0 && !this.bodiless) this.left = 0;
      this.endHead();
    }
    if (this.left > 0 && !this.bodiless) return this.abort(REASON_BAD_RESPONSE);
    this.progress = FLUSHING;
    this.release();
  }

  private endHead(): void {
    this.progress = BODY;
    if (this.left >= 0 && this.status != 204) this.setLength(this.left);
    if (!exchange.answer(this.handle, this.status, !this.bodiless && this.left != 0)) this.abort(REASON_BAD_RESPONSE);
  }

  closeAfterAnswer(): void {}
  ignoreRest(): void {}

  /** What is left of it is done at the end of the turn: nothing is closed in a call of the handler's. */
  abort(reason: i32): void {
    if (this.progress == OVER || this.failure) return;
    this.failure = reason;
    this.touch();
  }

  shed(): void {
    if (this.progress != NOT_BEGUN) this.abort(REASON_BUFFER_FULL);
    else if (this.inFlight) this.refuse(Refusal.MEMORY_SHORT);
  }

  /** Answers with the refusal's status where an answer can still be given. */
  private refuse(code: i32): void {
    countRefusal(code);
    this.handler.requestRefused(this, code);
    const canAnswer = this.progress == NOT_BEGUN;
    if (canAnswer) this.answerPlainly(statusOf(code), textOf(code), textSizeOf(code));
    this.lose(reasonOf(code), canAnswer);
  }

  // --- the end ---

  /** The answer, or its rest, cannot be given. Its client sees that, or a 500 when nothing of it has left. */
  private fail(): void {
    const reason = this.failure;
    this.failure = 0;
    const canAnswer = this.progress < BODY;
    if (canAnswer) {
      exchange.clearFields(this.handle);
      const text = String.UTF8.encode("The application gave no answer");
      this.answerPlainly(500, changetype<usize>(text), text.byteLength);
    }
    this.lose(reason, canAnswer);
  }

  /** The handler is called: nothing it writes is sent any more. */
  private lose(reason: i32, isAnswered: bool): void {
    const isWaiting = this.isHandled && this.progress < FLUSHING;
    if (isAnswered) this.progress = FLUSHING;
    else this.end(false);
    if (isWaiting) this.handler.onConnectionClose(this.request, reason);
    this.release();
    this.touch();
  }

  private release(): void {
    this.request.clear();
    this.head.drop();
    this.request.head = 0;
  }

  private end(isWhole: bool): void {
    this.progress = OVER;
    this.failure = 0;
    this.queue.reset();
    this.loop.removeHandler(this.handle);
    this.loop.removeTimeout(this.deadline);
    exchange.end(this.handle, isWhole);
    count(REQUESTS_NOW, -1);
  }

  // --- our own answers and fields ---

  private setLength(bytes: i64): void {
    const end = writeDecimal(fieldValue, u64(bytes));
    this.addOwnField("content-length", i32(end - fieldValue));
  }

  private addText(name: string, value: string): void {
    String.UTF8.encodeUnsafe(changetype<usize>(value), value.length, fieldValue);
    this.addOwnField(name, value.length);
  }

  /** A field whose value stands at `fieldValue`. */
  private addOwnField(name: string, valueSize: i32): void {
    String.UTF8.encodeUnsafe(changetype<usize>(name), name.length, fieldName);
    exchange.addField(this.handle, fieldName, name.length, fieldValue, valueSize);
  }

  /** A whole answer of one sentence. */
  private answerPlainly(status: i32, text: usize, size: i32): void {
    const bodiless = this.request.method == Method.HEAD;
    memory.copy(chunk, text, usize(size));
    store<u8>(chunk + usize(size), 0x0a); // LF
    this.addText("content-type", "text/plain");
    if (status == 503) this.addText("retry-after", "1");
    this.setLength(size + 1);
    if (exchange.answer(this.handle, status, !bodiless) && !bodiless) this.send(chunk, size + 1);
  }
}
