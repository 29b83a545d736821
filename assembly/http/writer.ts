// HTTP1Writer: writes the answers of an HTTP/1 connection. Chooses the framing of each and holds the handler to it.
//
// Invariant: what leaves is a sequence of whole messages, or the connection ends: when a handler writes more or less
// than it declared, the connection is closed, so its client never takes the rest of one answer for the next.
// Reference: RFC 9112 6 and 7, RFC 9110 6.4.1 and 15; the texts are written by protocol/http/writer.ts.

import * as writer from "../protocol/http/writer";
import { REASON_BYTES_MAX } from "../core/limits";
import { HTTP1ConnectionParameters } from "./parameters";
import { HTTPServerRequest, Method } from "./request";
import { IOLoop } from "../loop/ioloop";
import { IOStream } from "../stream/iostream";
import { REQUESTS_EVER, REQUESTS_NOW, count } from "../core/stats";

// How far the answer is.
const NOT_BEGUN: i32 = 0;
const FIELDS: i32 = 1;
const BODY: i32 = 2;
const TRAILERS: i32 = 3; // the last chunk is open
const FAILED: i32 = 4; // it cannot be given any more, and its handler has not been called about that yet
const DONE: i32 = 5;

// What comes of a piece, or of the end, of an answer.
/** The handler breaks the framing that it has declared: the connection must end. */
export const BROKEN: i32 = -1;
/** Nothing is sent: the answer is over, or its stream has ended. */
export const DROPPED: i32 = 0;
export const SENT: i32 = 1;

/** Room for everything in a head that is not a handler's own field. */
const FRAMING_ROOM: i32 = 512;
/** What http/writer.ts asks for beside a field's name and value, and for a whole refusal. */
const FIELD_ROOM: i32 = 24;
const REFUSAL_ROOM: i32 = 1024;
/** A chunk's size line and its end. */
const CHUNK_ROOM: i32 = 64;
/** Pieces up to this size are gathered with what is around them; larger ones are sent from where they are. */
const COPY_MAX: i32 = 32768;


@final
export class HTTP1Writer {
  /** The connection goes on after this answer. */
  keepAlive: bool = true;
  /** The handler says itself for how long the connection is kept, in the head that was begun. */
  keptByHandler: bool = false;
  /** The client waits for `100 Continue` and has sent nothing of the body. */
  continueDue: bool = false;
  private stream!: IOStream;
  private progress: i32 = DONE;
  private counted: bool = false; // among REQUESTS_NOW
  private dated: bool = false;
  private upgrades: bool = false; // the answer names a protocol to change to
  private bodiless: bool = false; // no body may follow the head: HEAD, 204, 304
  private chunked: bool = false;
  private left: i64 = 0; // of the declared length; -1: none was declared
  private status: i32 = 0;
  private loop: IOLoop = IOLoop.current();

  constructor(
    private request: HTTPServerRequest,
    private parameters: HTTP1ConnectionParameters,
  ) {}

  /** Begins with a new connection. */
  start(stream: IOStream): void {
    this.stream = stream;
    this.keepAlive = true;
  }

  /** A request has come that will be answered. */
  expectAnswer(): void {
    this.progress = NOT_BEGUN;
    this.counted = true;
    count(REQUESTS_EVER);
    count(REQUESTS_NOW);
  }

  /** What was dropped can still be answered. */
  reopen(): void {
    this.progress = NOT_BEGUN;
  }

  /** The answer has not begun, so an error can still be sent. */
  get unanswered(): bool {
    return this.progress == NOT_BEGUN;
  }

  /** The answer has begun and is not complete. */
  get begun(): bool {
    return this.progress > NOT_BEGUN && this.progress < FAILED;
  }

  /** A request has come and its answer is not complete. */
  get inFlight(): bool {
    return this.progress < FAILED;
  }

  get isDone(): bool {
    return this.progress == DONE;
  }

  /** Nothing more of the answer can be sent. */
  fail(): void {
    if (this.progress < FAILED) this.progress = FAILED;
  }

  /** The answer is complete, or none will come. */
  drop(): void {
    this.uncount();
    this.progress = DONE;
  }

  /** The request no longer counts as one that a client waits for. */
  uncount(): void {
    if (this.counted) count(REQUESTS_NOW, -1);
    this.counted = false;
  }

  /** Begins the answer: SENT, DROPPED or BROKEN. */
  begin(status: i32, reason: usize, reasonSize: i32, contentLength: i64): i32 {
    if (!this.inFlight) return DROPPED;
    if (this.progress != NOT_BEGUN || reasonSize > REASON_BYTES_MAX) return BROKEN;
    const start = this.stream.reserve(FRAMING_ROOM + reasonSize);
    this.put(writer.statusLine(start, status, reason, reasonSize));
    this.status = status;
    this.left = contentLength;
    this.bodiless = this.request.method == Method.HEAD || status == 204 || status == 304;
    this.dated = this.upgrades = this.chunked = this.keptByHandler = false;
    this.progress = FIELDS;
    return SENT;
  }

  /** A header field, or behind beginTrailers() a trailer field. False: it cannot be one, or the head is over. */
  addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    const room = nameSize + valueSize + FIELD_ROOM;
    if ((this.progress != FIELDS && this.progress != TRAILERS) || room > COPY_MAX * 2) return false;
    const isDate = writer.isDate(name, nameSize);
    if (isDate) this.dated = true;
    if (isDate && !valueSize) return true; // no Date is wanted
    const start = this.stream.reserve(room);
    const end = writer.field(start, name, nameSize, value, valueSize);
    if (!end) return false;
    if (writer.isUpgrade(name, nameSize)) this.upgrades = true;
    this.put(end);
    return true;
  }

  /** Ends the head of a 1xx. */
  endInformation(): void {
    if (this.progress != FIELDS) return;
    if (this.status == 100) this.continueDue = false;
    let at = this.stream.reserve(FRAMING_ROOM);
    if (this.upgrades) at = writer.upgradeOptionField(at, false);
    this.put(writer.endOfHead(at));
    this.progress = NOT_BEGUN;
  }

  /** A piece of the body: SENT, DROPPED or BROKEN. */
  write(source: usize, size: i32): i32 {
    if (this.progress == FIELDS) this.endHead();
    if (this.progress != BODY || this.stream.closed) return DROPPED;
    if (this.left >= 0) {
      if (size > this.left) return BROKEN;
      this.left -= size;
    }
    if (this.bodiless || !size) return SENT;
    if (!this.chunked) return i32(this.stream.write(source, size));
    this.put(writer.chunkHead(this.stream.reserve(CHUNK_ROOM), size));
    const taken = this.stream.write(source, size);
    this.put(writer.chunkTail(this.stream.reserve(CHUNK_ROOM)));
    return i32(taken);
  }

  /** Ends a chunked body: fields may follow, as its trailers. False: the answer has none. */
  beginTrailers(): bool {
    if (this.progress == FIELDS) this.endHead();
    if (this.progress != BODY || !this.chunked) return false;
    this.put(writer.lastChunk(this.stream.reserve(CHUNK_ROOM)) - 2); // without its empty line
    this.progress = TRAILERS;
    return true;
  }

  /** The end of the answer. SENT: it is complete; DROPPED or BROKEN. */
  finish(): i32 {
    if (this.progress == FIELDS) {
      if (this.left < 0 && !this.bodiless) this.left = 0;
      this.endHead();
    }
    if (this.progress == TRAILERS) this.put(writer.endOfHead(this.stream.reserve(CHUNK_ROOM)));
    else {
      if (this.progress != BODY) return DROPPED;
      if (this.left > 0 && !this.bodiless) return BROKEN;
      if (this.chunked) this.put(writer.lastChunk(this.stream.reserve(CHUNK_ROOM)));
    }
    this.drop();
    return SENT;
  }

  /** `100 Continue`, when it is due and the answer has not begun. */
  writeContinue(): void {
    if (!this.continueDue || !this.unanswered) return;
    this.continueDue = false;
    this.put(writer.continueResponse(this.stream.reserve(FRAMING_ROOM)));
  }

  /** A complete answer that refuses the request; one to HEAD is `bodiless`. */
  writeRefusal(code: i32, bodiless: bool): void {
    const start = this.stream.reserve(REFUSAL_ROOM);
    if (this.parameters.asNode) this.put(writer.bareRefusal(start, code));
    else this.put(writer.refusalResponse(start, code, this.loop.unixSeconds(), bodiless));
  }

  /** Decides how the client finds the end of the body, and with it whether the connection can go on. */
  private endHead(): void {
    const http11 = this.request.minor == 1;
    // A client that got no 100 Continue may send its body all the same, or not (RFC 9110 10.1.1): what comes next is
    // unknown.
    if (this.continueDue) this.keepAlive = false;
    const unsized = this.left < 0 && !this.bodiless;
    this.chunked = unsized && http11;
    if (unsized && !http11) this.keepAlive = false;
    let at = this.stream.reserve(FRAMING_ROOM);
    if (!this.dated) at = writer.dateField(at, this.loop.unixSeconds());
    if (this.upgrades) {
      if (!http11) this.keepAlive = false;
      at = writer.upgradeOptionField(at, !this.keepAlive);
    } else if (!this.keepAlive || this.request.excess >= 0) at = writer.closeField(at);
    else if (this.parameters.asNode) at = this.keepAliveFields(at);
    else if (!http11) at = writer.keepAliveField(at);
    if (this.chunked) at = writer.chunkedField(at);
    else if (this.left >= 0 && this.status != 204) at = writer.contentLengthField(at, this.left);
    this.progress = BODY;
    this.put(writer.endOfHead(at));
  }

  private keepAliveFields(target: usize): usize {
    const parameters = this.parameters;
    const at = writer.keepAliveField(target);
    if (this.keptByHandler || parameters.idleTimeoutMs == i32.MAX_VALUE) return at;
    return writer.keptForField(at, parameters.idleTimeoutMs / 1000, parameters.requestsMax);
  }

  /** What was written up to `end` since reserve() counts. */
  @inline private put(end: usize): void {
    this.stream.commitTo(end);
  }
}
