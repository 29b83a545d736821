// HTTP1Writer: the writing half of an HTTP/1 connection. Chooses the framing of an answer and holds the handler to it.
//
// Invariant: what leaves is a sequence of whole messages, or the connection ends: a handler that writes more or less
// than
// it declared, or a field that cannot be, costs it the connection and never the client's trust in the next answer.
// Reference: RFC 9112 6 and 7, RFC 9110 6.4.1 and 15; the texts are written by http/writer.ts.

import { REASON_BAD_RESPONSE } from "../core/errors";
import * as writer from "../protocol/http/writer";
import { HTTPConnection, HTTPServerRequest, Method } from "./request";
import { IOLoop } from "../loop/ioloop";
import { IOStream } from "../stream/iostream";
import { REQUESTS_EVER, REQUESTS_NOW, count } from "../core/stats";

// How far the answer is.
const NOT_BEGUN: i32 = 0;
const FIELDS: i32 = 1;
const BODY: i32 = 2;
const FAILED: i32 = 3; // it cannot be given any more, which the handler has not been told yet
const DONE: i32 = 4;

/** Room for everything in a head that is not a handler's own field. */
const FRAMING_ROOM: i32 = 512;
/** What http/writer.ts asks for beside a field's name and value, and for a whole refusal. */
const FIELD_ROOM: i32 = 24;
const REFUSAL_ROOM: i32 = 1024;
/** A reason phrase is a few words. */
const REASON_BYTES_MAX: i32 = 512;
/** A chunk's size line and its end. */
const CHUNK_ROOM: i32 = 64;
/** Pieces up to this size are gathered with what is around them; larger ones are sent from where they are. */
const COPY_MAX: i32 = 32768;

export abstract class HTTP1Writer extends HTTPConnection {
  stream!: IOStream;
  request!: HTTPServerRequest;
  /** The connection goes on after this answer. */
  protected keepAlive: bool = true;
  /** Requests of this connection so far. */
  protected served: i32 = 0;
  /** From start() to onClose: `stream` is this connection's and nobody else's. */
  protected live: bool = false;
  private progress: i32 = DONE;
  private counted: bool = false; // among REQUESTS_NOW
  private dated: bool = false;
  private upgrades: bool = false; // the answer names a protocol to change to
  private bodiless: bool = false; // no body may follow the head: HEAD, 204, 304
  private chunked: bool = false;
  private left: i64 = 0; // of the declared length; -1: none was declared
  private status: i32 = 0;
  protected loop: IOLoop = IOLoop.current();

  /** The answer to the request in flight is complete. */
  protected abstract answered(): void;

  /** A request has come that will be answered. */
  protected expectAnswer(): void {
    this.progress = NOT_BEGUN;
    this.counted = true;
    count(REQUESTS_EVER);
    count(REQUESTS_NOW);
  }

  /** The answer has not begun, so an error can still be told. */
  protected get unanswered(): bool {
    return this.progress == NOT_BEGUN;
  }

  /** The answer has begun and is not complete. */
  get begun(): bool {
    return this.progress == FIELDS || this.progress == BODY;
  }

  /** A request has come and its answer is not complete. */
  get inFlight(): bool {
    return this.live && this.progress < FAILED;
  }

  protected get answerDone(): bool {
    return this.progress == DONE;
  }

  /** No answer will come (any more). */
  protected dropAnswer(): void {
    this.uncount();
    this.progress = DONE;
  }

  /** Nobody is known to wait for the answer any more. */
  protected uncount(): void {
    if (this.counted) count(REQUESTS_NOW, -1);
    this.counted = false;
  }

  get unsent(): i32 {
    return this.stream.unsent;
  }

  get waiting(): i32 {
    return this.stream.waiting;
  }

  startResponse(status: i32, reason: usize, reasonSize: i32, contentLength: i64): void {
    if (!this.inFlight) return;
    if (this.progress != NOT_BEGUN || reasonSize > REASON_BYTES_MAX) return this.abort(REASON_BAD_RESPONSE);
    const start = this.stream.reserve(FRAMING_ROOM + reasonSize);
    this.put(writer.statusLine(start, status, reason, reasonSize));
    this.status = status;
    this.left = contentLength;
    this.bodiless = this.request.method == Method.HEAD || status == 204 || status == 304;
    this.dated = this.upgrades = this.chunked = false;
    this.progress = FIELDS;
  }

  addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    const room = nameSize + valueSize + FIELD_ROOM;
    if (this.progress != FIELDS || room > COPY_MAX * 2) return false;
    const start = this.stream.reserve(room);
    const end = writer.field(start, name, nameSize, value, valueSize);
    if (!end) return false;
    if (writer.isDate(name, nameSize)) this.dated = true;
    if (writer.isUpgrade(name, nameSize)) this.upgrades = true;
    this.put(end);
    return true;
  }

  writeBody(source: usize, size: i32): bool {
    if (this.progress == FIELDS) this.endHead();
    if (this.progress != BODY || this.stream.closed) return false;
    if (this.left >= 0) {
      if (size > this.left) {
        this.abort(REASON_BAD_RESPONSE);
        return false;
      }
      this.left -= size;
    }
    if (this.bodiless || !size) return true;
    if (!this.chunked) return this.stream.write(source, size);
    this.put(writer.chunkHead(this.stream.reserve(CHUNK_ROOM), size));
    const taken = this.stream.write(source, size);
    this.put(writer.chunkTail(this.stream.reserve(CHUNK_ROOM)));
    return taken;
  }

  finishResponse(): void {
    if (this.progress == FIELDS) {
      if (this.left < 0 && !this.bodiless) this.left = 0;
      this.endHead();
    }
    if (this.progress != BODY) return;
    if (this.left > 0 && !this.bodiless) return this.abort(REASON_BAD_RESPONSE);
    if (this.chunked) this.put(writer.lastChunk(this.stream.reserve(CHUNK_ROOM)));
    this.dropAnswer();
    this.answered();
  }

  closeAfterAnswer(): void {
    this.keepAlive = false;
  }

  abort(reason: i32): void {
    if (!this.live) return;
    if (this.progress < FAILED) this.progress = FAILED;
    // Answers before this one are complete and arrive; this one is seen to be cut short.
    if (this.served > 1) this.stream.finish(true, reason);
    else this.stream.close(reason);
  }

  /** The client waits for `100 Continue` and has sent nothing of the body. */
  protected continueDue: bool = false;

  /** `100 Continue`, when it is due and the answer has not begun. */
  protected writeContinue(): void {
    if (!this.continueDue || !this.unanswered) return;
    this.continueDue = false;
    this.put(writer.continueResponse(this.stream.reserve(FRAMING_ROOM)));
  }

  /** A complete answer that refuses the request; one to HEAD is `bodiless`. */
  protected writeRefusal(code: i32, bodiless: bool): void {
    this.put(writer.refusalResponse(this.stream.reserve(REFUSAL_ROOM), code, this.loop.unixSeconds(), bodiless));
  }

  /** How the body's end is told is settled here, and with it whether the connection can go on. */
  private endHead(): void {
    const http11 = this.request.minor == 1;
    // A client that was not told to send its body may not do so, and nobody knows what it sends next (RFC 9110 10.1.1).
    if (this.continueDue) this.keepAlive = false;
    let at = this.stream.reserve(FRAMING_ROOM);
    if (!this.dated) at = writer.dateField(at, this.loop.unixSeconds());
    if (this.left >= 0) {
      if (this.status != 204) at = writer.contentLengthField(at, this.left);
    } else if (!this.bodiless) {
      this.chunked = http11;
      if (http11) at = writer.chunkedField(at);
      else this.keepAlive = false;
    }
    if (this.upgrades) {
      if (!http11) this.keepAlive = false;
      at = writer.upgradeOptionField(at, !this.keepAlive);
    } else if (!this.keepAlive) at = writer.closeField(at);
    else if (!http11) at = writer.keepAliveField(at);
    this.progress = BODY;
    this.put(writer.endOfHead(at));
  }

  /** What was written up to `end` since reserve() counts. */
  @inline private put(end: usize): void {
    this.stream.commitTo(end);
  }
}
