// HTTP1ClientConnection: requests to another server over one stream, strictly one after the other, and their answers.
//
// Invariants: an answer is read only while its request is in flight, and bytes that belong to none end the connection;
// so does an answer that two parsers might read in two ways. Its handler gets either finish or onConnectionClose, once.
// What the handler does not take waits in the stream, and beyond that in the other server. A 101 that the request did
// not ask for, or whose stream the handler does not detach, ends the connection too.
// Reference: RFC 9110 15.2 and 7.8, RFC 9112 6.3, 9.2 and 9.3; Tornado's http1connection.py with is_client.

import { REASON_BAD_RESPONSE, REASON_BUFFER_FULL, REASON_CLOSED, REASON_END, REASON_TIMEOUT } from "../core/errors";
import {
  CLIENT_IDLE_TIMEOUT_MS,
  CLIENT_INFORMATION_MAX,
  FIELDS_MAX,
  HEAD_BYTES_MAX,
  READ_CHUNK_BYTES,
  RESPONSE_TIMEOUT_MS,
} from "../core/limits";
import { NS_PER_MS } from "../core/units";
import { IOLoop } from "../loop/ioloop";
import { CHUNK_DATA, CHUNK_END } from "../protocol/http/chunked";
import {
  BODY_CHUNKED,
  BODY_NONE,
  PARTIAL,
  bodyKind,
  contentLength,
  headBytes,
  headReset,
  keepAlive,
  nameOffset,
  nameSize,
  rowCount,
  valueOffset,
  valueSize,
} from "../protocol/http/headstate";
import {
  BODY_UNTIL_CLOSE,
  checkResponse,
  parseResponseHead,
  reasonOffset,
  reasonSize,
  statusCode,
} from "../protocol/http/responsehead";
import * as writer from "../protocol/http/writer";
import { IOStream, StreamHandler } from "../stream/iostream";
import { HTTP1Body } from "./body";
import { OutgoingHead } from "./outgoinghead";
import { HTTP1ConnectionParameters } from "./parameters";

// What is awaited.
const IDLE: i32 = 0;
const HEAD: i32 = 1;
const BODY: i32 = 2;
const OVER: i32 = 3;

const CHUNK_ROOM: i32 = 64;
const parameters: HTTP1ConnectionParameters = new HTTP1ConnectionParameters();

/** Gets the answer to a request. */
export interface ResponseHandler {
  /**
   * An informational answer (1xx) has come, as complete as in headersReceived; the final one is still to come. A 101
   * comes only when the request asked for an upgrade, and is refused unless detach() is called meanwhile.
   */
  informationReceived(connection: HTTP1ClientConnection): void;
  /** The head is complete: status and fields can be read in this call. */
  headersReceived(connection: HTTP1ClientConnection): void;
  /** A piece of the body; returns how much was taken. The rest is shown again when there is more, or by resume(). */
  dataReceived(connection: HTTP1ClientConnection, source: usize, size: i32): i32;
  /** The answer is complete; the connection may serve another request by now. */
  responseComplete(connection: HTTP1ClientConnection): void;
  /** Bytes of the request that had to wait have left. */
  requestSent(connection: HTTP1ClientConnection): void;
  /** The connection is gone before the answer was complete, for a reason of core/errors.ts. */
  connectionLost(connection: HTTP1ClientConnection, reason: i32): void;
}

/** Keeps connections. */
export interface ClientConnectionOwner {
  /** The last answer is complete: it can take another request. */
  connectionIdle(connection: HTTP1ClientConnection): void;
  /** It is over: the object may be started with another stream. */
  connectionClosed(connection: HTTP1ClientConnection): void;
}

/** One HTTP/1 connection to another server: sends a request at a time and reads its answer. */
@final
export class HTTP1ClientConnection extends StreamHandler {
  /** The connection's bytes. */
  stream!: IOStream;
  /** Answers that were complete on this connection. */
  answers: i32 = 0;
  /** Bytes of the answer in flight have come. */
  answered: bool = false;
  /** In headersReceived and informationReceived: the parsed head, for isHopByHop. */
  readonly head: usize = heap.alloc(headBytes(FIELDS_MAX));
  /** In these two: the head's bytes. */
  source: usize = 0;
  /** How long the other server may be silent while an answer is awaited. Default: RESPONSE_TIMEOUT_MS. */
  responseTimeoutMs: i32 = RESPONSE_TIMEOUT_MS;

  private state: i32 = OVER;
  private handler: ResponseHandler | null = null;
  private body: HTTP1Body = new HTTP1Body(parameters);
  private kind: i32 = BODY_NONE;
  private isHead: bool = false;
  private isKept: bool = false;
  private upgrades: bool = false; // the request asks for another protocol
  private left: i64 = 0; // of the request's body, -1: it is chunked
  private informations: i32 = 0; // answers before the final one that have come
  private isSent: bool = true; // the request is complete
  private isDone: bool = false; // an answer is complete, and its connection goes on
  private loop: IOLoop = IOLoop.current();

  constructor(private owner: ClientConnectionOwner) {
    super();
  }

  /** Begins with a new connection. */
  start(stream: IOStream): void {
    this.stream = stream;
    this.state = IDLE;
    this.answers = 0;
    stream.readAhead = HEAD_BYTES_MAX + 1;
    stream.setHandler(this);
    stream.consume();
    this.awaitRequest();
  }

  /** It can take a request. */
  get isIdle(): bool {
    return this.state == IDLE && !this.stream.closed && !this.stream.ended;
  }

  /** Nothing that comes is an answer any more. */
  private get isOver(): bool {
    return this.state == OVER || this.stream.closed;
  }

  /** Bytes of the request that the other server's socket has refused so far. */
  get waiting(): i32 {
    return this.stream.waiting;
  }

  // --- the answer, in headersReceived and informationReceived ---

  /** From 100 to 999. */
  get status(): i32 {
    return statusCode(this.head);
  }
  /** -1: it is not known. */
  get contentLength(): i64 {
    return contentLength(this.head);
  }
  /** The reason phrase. */
  get reason(): usize {
    return this.source + usize(reasonOffset(this.head));
  }
  /** Bytes of it, may be 0. */
  get reasonSize(): i32 {
    return reasonSize(this.head);
  }
  /** How many header fields there are. */
  get fieldCount(): i32 {
    return rowCount(this.head);
  }
  /** The name of a field, with `index` from 0 to below fieldCount. */
  name(index: i32): usize {
    return this.source + usize(nameOffset(this.head, index));
  }
  /** Bytes of that name. */
  nameSize(index: i32): i32 {
    return nameSize(this.head, index);
  }
  /** The value of a field, without blanks around it. */
  value(index: i32): usize {
    return this.source + usize(valueOffset(this.head, index));
  }
  /** Bytes of that value. */
  valueSize(index: i32): i32 {
    return valueSize(this.head, index);
  }

  private awaitRequest(): void {
    this.stream.setDeadline(this.loop.time + i64(CLIENT_IDLE_TIMEOUT_MS) * NS_PER_MS);
  }

  // --- the request ---

  /** Sends a head that is ended, when the connection is idle; the body and finishRequest() follow. */
  startRequest(head: OutgoingHead, handler: ResponseHandler): void {
    this.handler = handler;
    this.state = HEAD;
    this.answered = this.isSent = false;
    this.isHead = head.isHead;
    this.upgrades = head.upgrades;
    this.left = head.contentLength;
    this.informations = 0;
    headReset(this.head);
    this.stream.setDeadline(0);
    this.stream.cork();
    this.stream.write(head.source, head.size);
  }

  /** A piece of the body. False: it is gone, or more than the head says was given and it is closed. */
  writeBody(source: usize, size: i32): bool {
    if (this.isSent || this.stream.closed) return false;
    const stream = this.stream;
    stream.cork();
    if (this.left >= 0) {
      if (size > this.left) return this.cut(REASON_BAD_RESPONSE);
      this.left -= size;
      return stream.write(source, size);
    }
    if (!size) return true;
    stream.commitTo(writer.chunkHead(stream.reserve(CHUNK_ROOM), size));
    const taken = stream.write(source, size);
    stream.commitTo(writer.chunkTail(stream.reserve(CHUNK_ROOM)));
    return taken;
  }

  /** The request is complete; one that is shorter than its head says closes the connection. */
  finishRequest(): void {
    if (this.isSent || this.stream.closed) return;
    if (this.left > 0) {
      this.cut(REASON_BAD_RESPONSE);
      return;
    }
    if (this.left < 0) this.stream.commitTo(writer.lastChunk(this.stream.reserve(CHUNK_ROOM)));
    this.isSent = true;
    this.awaitMore();
  }

  /** The handler can take more of the body. */
  resume(): void {
    this.stream.resume();
  }

  /** Gives up the request in flight: its handler is not called any more, and the connection is closed. */
  abort(): void {
    this.handler = null;
    this.cut(REASON_CLOSED);
  }

  /**
   * In informationReceived of a 101: ends HTTP on this connection. Its stream goes on with `successor`, which begins to
   * read; what came behind the 101 is unread. The owner is called as if it had closed. null: it is no such moment.
   */
  detach(successor: StreamHandler): IOStream | null {
    if (this.state != HEAD || !this.source || this.status != 101) return null;
    const stream = this.stream;
    this.state = OVER;
    this.handler = null;
    stream.setDeadline(0);
    stream.readAhead = READ_CHUNK_BYTES;
    stream.pause();
    stream.setHandler(successor);
    this.owner.connectionClosed(this);
    return stream;
  }

  /** Closes it. */
  close(): void {
    this.cut(REASON_CLOSED);
  }

  private cut(reason: i32): bool {
    this.state = OVER;
    this.stream.close(reason);
    return false;
  }

  // --- the answer ---

  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    let used = 0;
    while (used < size && !this.isOver) {
      const n = this.step(source + usize(used), size - used);
      if (n <= 0) break;
      used += n;
    }
    if (stream.ended && !this.isOver) this.endOfInput(size - used);
    // Only now: bytes behind an answer would be taken for the next one.
    if (this.isDone && this.isIdle) this.owner.connectionIdle(this);
    this.isDone = false;
    return used;
  }

  private step(source: usize, size: i32): i32 {
    if (this.state == HEAD) return this.readHead(source, size);
    if (this.state == BODY) return this.readBody(source, size);
    this.cut(REASON_BAD_RESPONSE); // bytes that answer nothing
    return 0;
  }

  /** The other server has so long from now on, once it has the whole request. */
  private awaitMore(): void {
    if (this.isSent) this.stream.setDeadline(this.loop.time + i64(this.responseTimeoutMs) * NS_PER_MS);
  }

  private readHead(source: usize, size: i32): i32 {
    this.answered = true;
    const n = parseResponseHead(this.head, source, size, FIELDS_MAX);
    if (n > HEAD_BYTES_MAX || (n == PARTIAL && size > HEAD_BYTES_MAX)) return this.refuse();
    if (n == PARTIAL) return 0;
    if (n < 0 || checkResponse(this.head, source, this.isHead)) return this.refuse();
    if (statusCode(this.head) < 200) return this.inform(source, n);
    this.begin(source);
    return n;
  }

  /** A 1xx of `size` bytes: the time for the final answer goes on. */
  private inform(source: usize, size: i32): i32 {
    const isSwitch = statusCode(this.head) == 101;
    if (++this.informations > CLIENT_INFORMATION_MAX) return this.refuse();
    if (isSwitch && !this.upgrades) return this.refuse();
    this.source = source;
    this.handler!.informationReceived(this);
    this.source = 0;
    if (this.state != HEAD) return size;
    if (isSwitch) return this.refuse();
    headReset(this.head);
    return size;
  }

  private begin(source: usize): void {
    this.state = BODY;
    this.kind = bodyKind(this.head);
    this.isKept = keepAlive(this.head);
    const length = this.kind == BODY_UNTIL_CLOSE ? i64.MAX_VALUE : this.kind == BODY_NONE ? 0 : this.contentLength;
    this.body.begin(this.kind == BODY_CHUNKED, length);
    this.source = source;
    this.handler!.headersReceived(this);
    this.source = 0;
    if (this.state != BODY) return;
    this.awaitMore();
    if (this.body.isComplete) this.complete();
  }

  private readBody(source: usize, size: i32): i32 {
    const body = this.body;
    const event = body.next(source, size);
    if (event == CHUNK_DATA) {
      const found = body.size;
      const taken = this.handler!.dataReceived(this, source + usize(body.offset), found);
      if (this.state != BODY) return 0;
      body.take(taken);
      if (taken < found)
        this.stream.setDeadline(0); // the time is its client's
      else this.awaitMore();
    } else if (event < 0) return this.refuse();
    const used = body.used;
    if (event == CHUNK_END || body.isComplete) this.complete();
    return used;
  }

  private refuse(): i32 {
    this.cut(REASON_BAD_RESPONSE);
    return 0;
  }

  /** The answer is complete; a request that is not, as when it was refused early, ends the connection. */
  private complete(): void {
    const handler = this.handler!;
    this.handler = null;
    this.answers++;
    const goesOn = this.isKept && this.isSent && !this.stream.ended;
    if (goesOn) {
      this.state = IDLE;
      this.awaitRequest();
    } else this.cut(REASON_CLOSED);
    this.isDone = goesOn;
    handler.responseComplete(this);
  }

  onSent(stream: IOStream): void {
    if (this.handler) this.handler!.requestSent(this);
  }

  onEnd(stream: IOStream): void {
    this.endOfInput(stream.unread);
  }

  /** The other server sends no more, and the handler has not taken `unread` bytes before that. */
  private endOfInput(unread: i32): void {
    if (this.state == BODY && unread) return;
    if (this.state == BODY && this.kind == BODY_UNTIL_CLOSE) this.complete();
    else this.cut(REASON_END);
  }

  onTimeout(stream: IOStream): void {
    this.cut(REASON_TIMEOUT);
  }

  onMemoryShort(stream: IOStream): void {
    this.cut(REASON_BUFFER_FULL);
  }

  onClose(stream: IOStream, reason: i32): void {
    this.state = OVER;
    const handler = this.handler;
    this.handler = null;
    if (handler) handler.connectionLost(this, reason);
    this.owner.connectionClosed(this);
  }
}
