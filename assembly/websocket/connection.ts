// WebSocketConnection: one websocket on a stream that was HTTP until its 101. It reads frames, hands on the pieces of
// messages as they come, and closes as RFC 6455 wants it. Its WebSocketWriter writes; protocol/websocket/ has the parts
// without I/O.
//
// Invariants: no message is kept here; a piece is handed on only within the delegate's credit; frames are read only
// within the turn's budget. onClose is called once, and no other call follows it. A peer that breaks the protocol gets
// a close frame that says so, and the connection then ends in order; behind our close frame nothing is sent. After the
// peer's last frame nothing is read; when the delegate asks for the time (onEnding), messages that came before are
// answered first. Nothing gets into the middle of a frame that is sent in pieces.
// Reference: RFC 6455; Tornado's websocket.py, which is laxer (masks, close codes).

import { BODY, Buffer } from "../bytes/buffer";
import { writeText } from "../bytes/scan";
import { REASON_BAD_REQUEST, REASON_CLOSED, REASON_END, REASON_TIMEOUT, REASON_TOO_LARGE } from "../core/errors";
import { HTTP1Connection } from "../http/connection";
import { Upgraded } from "../http/request";
import { Callback, IOLoop } from "../loop/ioloop";
import { IOStream } from "../stream/iostream";
import {
  READ_CHUNK_BYTES,
  WS_ANSWER_TIMEOUT_MS,
  WS_CLOSE_TIMEOUT_MS,
  WS_FRAMES_PER_TURN,
  WS_MESSAGE_BYTES_MAX,
  WS_CONTROL_BYTES_MAX,
} from "../core/limits";
import { TURNS, stat } from "../core/stats";
import { NS_PER_MS } from "../core/units";
import * as frame from "../protocol/websocket/frame";
import { UTF8_BAD, UTF8_START, utf8Next } from "../bytes/utf8";
import { WebSocketWriter } from "./writer";

// How far a websocket is.
const OPENING: i32 = 0; // its 101 is being written
const OPEN: i32 = 1;
const CLOSING: i32 = 2; // our close frame went first: the peer's is awaited, messages are dropped
const ENDING: i32 = 3; // the peer has sent its last: the delegate still answers what came before
const ANSWERED: i32 = 4; // that is done, and our close frame has been written
const OVER: i32 = 5; // the delegate's onClose has been called

/** Uses a websocket. What it is given to read is valid during the call only. */
export abstract class WebSocketDelegate {
  /** The websocket is open. */
  onOpen(socket: WebSocketConnection): void {}
  /** A piece of a message, see `socket.isText`; `last`: the message ends with it. Only the last one may be empty. */
  abstract onData(socket: WebSocketConnection, source: usize, size: i32, last: bool): void;
  /** A ping has come and is being answered. */
  onPing(socket: WebSocketConnection, source: usize, size: i32): void {}
  /** A pong has come. */
  onPong(socket: WebSocketConnection, source: usize, size: i32): void {}
  /** Bytes that had to wait for a slow peer have left; `socket.unsent` says how many have not. */
  onSent(socket: WebSocketConnection): void {}
  /**
   * The peer has closed, has broken the protocol or has ended its side: no more messages come. True: messages that came
   * before are still to be answered. Then closeWith() ends the websocket, or WS_ANSWER_TIMEOUT_MS does.
   */
  onEnding(socket: WebSocketConnection): bool {
    return false;
  }
  /**
   * The end: nothing is received or sent any more. `code`: the peer's, CODE_NONE when it gave none, CODE_ABNORMAL when
   * it sent no (proper) close frame; `reason`: one of core/errors.ts, REASON_CLOSED after a closing handshake; then the
   * peer's words in UTF-8.
   */
  onClose(socket: WebSocketConnection, code: i32, reason: i32, source: usize, size: i32): void {}
}

const TOO_BIG: usize = changetype<usize>("message too big");
const words: usize = memory.data(WS_CONTROL_BYTES_MAX + 19, 16);
/** In place of a close code: no close frame is sent. */
const NO_FRAME: i32 = -1;

const pool: Array<WebSocketConnection> = [];

/** One open websocket (RFC 6455): sends messages, and calls its delegate with what comes. */
@final
export class WebSocketConnection extends Upgraded {
  /** Which connection of the server it was. */
  slot: i32 = 0;
  /** For the delegate's own use: at first the tag of the request. */
  tag: u32 = 0;
  /** Of one message, its fragments together; of a compressed one as it travels. */
  messageBytesMax: i64 = WS_MESSAGE_BYTES_MAX;
  /** Compressed messages are welcome; they are handed on as they are. */
  deflate: bool = false;
  /**
   * How many more bytes of messages are taken; takeData() adds to it. Without limit unless the delegate sets it.
   */
  credit: i64 = i64.MAX_VALUE;
  /** What each piece takes of the credit beside its bytes. */
  pieceCost: i32 = 0;
  /** Of the message that is being received. */
  isText: bool = false;
  /** Of that message: it is compressed (RFC 7692). */
  isCompressed: bool = false;
  /** Room for a delegate that collects messages; emptied at the end. */
  message: Buffer = new Buffer(BODY);

  private stream!: IOStream;
  private delegate!: WebSocketDelegate;
  private loop: IOLoop = IOLoop.current();
  private writer: WebSocketWriter = new WebSocketWriter();
  private state: i32 = OVER;
  private waits: bool = false; // input waits for credit, or for the next turn
  private yielded: bool = false; // until the next turn
  private leaves: bool = false; // the server stops, so that the websocket closes when no frame is on its way
  private turn: i64 = 0;
  private frames: i32 = 0; // of this turn
  // The message and the frame that are being received.
  private inMessage: bool = false;
  private messageBytes: i64 = 0;
  private utf8: i32 = UTF8_START;
  private inFrame: bool = false;
  private remaining: i64 = 0;
  private final: bool = false;
  private mask: u32 = 0;
  // While the delegate answers what came before the end: the arguments of onClose then, and the code of our close
  // frame.
  private endCode: i32 = 0;
  private endReason: i32 = 0;
  private reply: i32 = 0;

  // --- opening ---

  /**
   * Takes over the connection of a request in flight and begins its 101; `key` as handshakeKey found it. addField() and
   * open() follow at once. null: the request cannot be answered any more.
   */
  static begin(connection: HTTP1Connection, key: usize, delegate: WebSocketDelegate): WebSocketConnection | null {
    const socket = pool.length ? pool.pop() : new WebSocketConnection();
    const stream = connection.detach(socket);
    if (!stream) {
      pool.push(socket);
      return null;
    }
    socket.slot = connection.request.slot;
    socket.tag = connection.request.tag;
    socket.delegate = delegate;
    socket.stream = stream;
    socket.reset();
    socket.writer.begin(stream, key, socket.loop.unixSeconds());
    return socket;
  }

  private reset(): void {
    this.state = OPENING;
    this.messageBytesMax = WS_MESSAGE_BYTES_MAX;
    this.deflate = false;
    this.credit = i64.MAX_VALUE;
    this.pieceCost = 0;
    this.waits = this.yielded = this.leaves = this.inMessage = this.inFrame = false;
  }

  /** A further field of the 101. False: it cannot be one, is written anyway, or the 101 has ended. */
  addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    return this.state == OPENING && this.writer.field(name, nameSize, value, valueSize);
  }

  /** Ends the 101 and begins to read. `leaving`: the server stops, so the websocket is closed at once. */
  open(leaving: bool): void {
    this.writer.endOfHead();
    this.state = OPEN;
    this.delegate.onOpen(this);
    if (leaving) this.drain();
    this.stream.consume();
  }

  // --- sending ---

  /** Nothing stands in the way of sending; in the middle of a frame in pieces sendPiece() alone may send. */
  get isOpen(): bool {
    return !this.writer.rest && (this.state == OPEN || this.state == ENDING);
  }

  /** Bytes that wait for the peer: a delegate with much to send goes on in onSent while this is small. */
  get unsent(): i32 {
    return this.stream.unsent;
  }

  /**
   * One frame: an opcode of protocol/websocket/frame.ts with FIN and RSV1. False: the websocket is not open, or too
   * much waits already.
   */
  send(first: i32, source: usize, size: i32): bool {
    return this.isOpen && this.writer.frame(first, source, size);
  }

  /** Bytes of the frame in pieces that sendPiece() has begun: until they have come, nothing else is sent. */
  get rest(): i64 {
    return this.writer.rest;
  }

  /** Whether sendPiece() may have such a piece: its frame has as many bytes as the first piece said. */
  takesPiece(first: i32, size: i32, rest: i64): bool {
    const due = this.writer.rest;
    if (due) return first == frame.CONTINUATION && size + rest == due;
    return (first & 0x0f) != frame.CONTINUATION && (this.deflate || first < frame.RSV1);
  }

  /**
   * A piece of a message in one frame, of which `rest` bytes follow; `first`: TEXT or BINARY with RSV1, CONTINUATION
   * for all but the first. It has been asked for with takesPiece(), while isOpen or within a frame. False: too much
   * waits already.
   */
  sendPiece(first: i32, source: usize, size: i32, rest: i64): bool {
    const writer = this.writer;
    if (first) writer.frameHead(first | frame.FIN, size + rest);
    const sent = writer.piece(source, size, rest);
    if (!rest) {
      writer.answerWaitingPing();
      if (this.leaves) this.drain();
    }
    return sent;
  }

  /** A whole message of text. Unpaired surrogates become U+FFFD. */
  sendText(text: string): bool {
    const bytes = String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE);
    return this.send(frame.TEXT | frame.FIN, changetype<usize>(bytes), bytes.byteLength);
  }

  /** A whole message of bytes; `isText`: they are UTF-8 and travel as text. */
  sendBytes(source: usize, size: i32, isText: bool = false): bool {
    return this.send((isText ? frame.TEXT : frame.BINARY) | frame.FIN, source, size);
  }

  /** A ping of at most WS_CONTROL_BYTES_MAX bytes. */
  ping(source: usize = 0, size: i32 = 0): bool {
    return size <= WS_CONTROL_BYTES_MAX && this.send(frame.PING | frame.FIN, source, size);
  }

  // --- closing ---

  /**
   * Begins the closing handshake; nothing is sent behind it. `code` 0: a close frame without one. Words are UTF-8, at
   * most WS_CONTROL_BYTES_MAX - 2 bytes. onClose follows when the peer has answered, or WS_CLOSE_TIMEOUT_MS later.
   * After onEnding it follows in the next turn, and `code` 0 answers the peer as it would have been without that call.
   */
  closeWith(code: i32, source: usize, size: i32): void {
    if (!this.isOpen) return;
    const answered = this.state == ENDING;
    if (answered && !code) this.writeReply(this.reply, this.endReason);
    else this.writer.close(code, source, size);
    this.state = answered ? ANSWERED : CLOSING;
    this.writer.forgetPong();
    if (!answered) this.startCloseClock();
    nextTurn.add(this); // so that the delegate is not called from inside a call of its own
  }

  /** The same with words as a string, of which as much is sent as fits. */
  close(code: i32 = frame.CODE_NORMAL, reason: string = ""): void {
    const bytes = String.UTF8.encode(reason, false, String.UTF8.ErrorMode.REPLACE);
    const source = changetype<usize>(bytes);
    let size = min(bytes.byteLength, WS_CONTROL_BYTES_MAX - 2);
    while (size < bytes.byteLength && size && (load<u8>(source + usize(size)) & 0xc0) == 0x80) size--;
    this.closeWith(code, source, size);
  }

  /** Closes the connection without a close frame. */
  abort(reason: i32 = REASON_CLOSED): void {
    if (this.state != OVER) this.stream.close(reason);
  }

  drain(): void {
    this.leaves = true;
    if (this.state == OPEN) this.closeWith(frame.CODE_GOING_AWAY, 0, 0);
  }

  private startCloseClock(): void {
    this.stream.setDeadline(this.loop.time + i64(WS_CLOSE_TIMEOUT_MS) * NS_PER_MS);
  }

  /**
   * The peer broke the protocol: it gets a close frame with `code`, and what it still sends is dropped. Returns 0:
   * nothing more is taken.
   */
  private fail(code: i32): i32 {
    this.lastCame(frame.CODE_ABNORMAL, code == frame.CODE_TOO_BIG ? REASON_TOO_LARGE : REASON_BAD_REQUEST, code, 0, 0);
    return 0;
  }

  /** The peer's close frame: it is answered, and ends the websocket. */
  private closeCame(source: usize, size: i32): void {
    const code = frame.closeCode(source, size);
    if (code < 0) {
      this.fail(-code);
      return;
    }
    this.lastCame(code, REASON_CLOSED, size ? code : 0, source + 2, max(size - 2, 0));
  }

  /**
   * Nothing that the peer still sends is looked at. `reply`: the code of our close frame; the other arguments are
   * onClose's.
   */
  private lastCame(code: i32, reason: i32, reply: i32, source: usize, size: i32): void {
    if (this.state == OPEN && this.delegate.onEnding(this) && this.state == OPEN) {
      return this.awaitAnswers(code, reason, reply, source, size);
    }
    if (this.state == OPEN) this.writeReply(reply, reason);
    this.end(code, reason, source, size);
  }

  private awaitAnswers(code: i32, reason: i32, reply: i32, source: usize, size: i32): void {
    this.state = ENDING;
    this.endCode = code;
    this.endReason = reason;
    this.reply = reply;
    this.message.clear();
    this.message.append(source, size);
    this.stream.readAhead = 0;
    this.stream.pause();
    this.stream.setDeadline(this.loop.time + i64(WS_ANSWER_TIMEOUT_MS) * NS_PER_MS);
  }

  /** Our close frame after the peer's last; none in the middle of a frame. */
  private writeReply(code: i32, reason: i32): void {
    if (code == NO_FRAME || this.writer.rest) return;
    this.writer.close(code, words, reason == REASON_TOO_LARGE ? i32(writeText(words, TOO_BIG) - words) : 0);
  }

  private end(code: i32, reason: i32, source: usize, size: i32): void {
    this.reportClose(code, reason, source, size);
    this.stream.finish(reason != REASON_END, reason);
  }

  /** What came before the end has been answered, or its time is up. */
  private endAnswered(): void {
    this.end(this.endCode, this.endReason, this.message.source, this.message.size);
  }

  private reportClose(code: i32, reason: i32, source: usize, size: i32): void {
    if (this.state == OVER) return;
    this.state = OVER;
    this.writer.forgetPong();
    this.delegate.onClose(this, code, reason, source, size);
    this.message.clear();
  }

  // --- the stream's calls ---

  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    this.waits = false;
    let used = 0;
    while (used < size && this.state < ENDING) {
      const at = source + usize(used);
      const n = this.inFrame ? this.readPayload(at, size - used) : this.readFrame(at, size - used);
      if (!n) break;
      used += n;
    }
    if (stream.ended) this.endOfInput(size - used);
    return used;
  }

  onEnd(stream: IOStream): void {
    this.endOfInput(stream.unread);
  }

  /** The peer's end without a close frame. What came before it is still handed on. */
  private endOfInput(unread: i32): void {
    if (this.state >= ENDING || (unread && this.waits)) return;
    this.lastCame(frame.CODE_ABNORMAL, REASON_END, NO_FRAME, 0, 0);
  }

  onSent(stream: IOStream): void {
    if (this.state == CLOSING && !stream.waiting) this.startCloseClock();
    this.writer.answerWaitingPing();
    if (this.state != OVER) this.delegate.onSent(this);
  }

  /**
   * The peer has not answered our close frame; while that waits to leave, the stream's own time limit holds. Or the
   * delegate has not answered what came before the peer's.
   */
  onTimeout(stream: IOStream): void {
    if (this.state == ENDING) {
      this.writeReply(this.reply, this.endReason);
      return this.endAnswered();
    }
    if (this.state != CLOSING || stream.waiting) return;
    this.reportClose(frame.CODE_ABNORMAL, REASON_TIMEOUT, 0, 0);
    stream.finish(false, REASON_TIMEOUT);
  }

  get held(): i32 {
    return this.message.owned;
  }

  onClose(stream: IOStream, reason: i32): void {
    this.reportClose(frame.CODE_ABNORMAL, reason, 0, 0);
    pool.push(this);
  }

  // --- receiving ---

  /** The delegate takes so many bytes more; what waits is handed on at once. */
  takeData(bytes: i64): void {
    if (this.credit != i64.MAX_VALUE) this.credit += bytes;
    this.goOn();
  }

  /** Messages wait until takeData(). */
  holdData(): void {
    this.credit = 0;
  }

  /** Looks at the input again, after a pause of whatever cause. */
  goOn(): void {
    this.yielded = false;
    if (this.state == ANSWERED) return this.endAnswered();
    if (this.state >= ENDING) return;
    this.stream.readAhead = READ_CHUNK_BYTES;
    this.stream.resume();
  }

  private pause(): i32 {
    this.waits = true;
    this.stream.readAhead = 0;
    return 0;
  }

  /** Whether this turn's budget is spent. */
  private get isSpent(): bool {
    const turn = stat(TURNS);
    if (turn != this.turn) this.frames = 0;
    this.turn = turn;
    return ++this.frames > WS_FRAMES_PER_TURN;
  }

  private readFrame(source: usize, size: i32): i32 {
    if (this.yielded) return this.pause();
    const head = frame.frameHead(source, size, this.deflate);
    if (head == frame.FRAME_PARTIAL) return 0;
    if (head < 0) return this.fail(-head);
    if (this.isSpent) {
      this.yielded = true;
      nextTurn.add(this);
      return this.pause();
    }
    if (!(frame.frameFirst & frame.CLOSE)) return this.beginData(head);
    const bytes = i32(frame.frameBytes);
    if (size < head + bytes) return 0;
    this.readControl(frame.frameFirst & 0x0f, source + usize(head), bytes);
    return head + bytes;
  }

  private readControl(opcode: i32, payload: usize, size: i32): void {
    frame.unmask(payload, size, frame.frameMask);
    if (opcode == frame.CLOSE) return this.closeCame(payload, size);
    if (this.state != OPEN) return;
    if (opcode == frame.PONG) return this.delegate.onPong(this, payload, size);
    this.writer.answerPing(payload, size);
    this.delegate.onPing(this, payload, size);
  }

  /** The header of a data frame, `head` bytes, is there. */
  private beginData(head: i32): i32 {
    const opcode = frame.frameFirst & 0x0f;
    const bytes = frame.frameBytes;
    if ((opcode == frame.CONTINUATION) != this.inMessage) return this.fail(frame.CODE_PROTOCOL);
    const before = this.inMessage ? this.messageBytes : 0;
    if (this.state == OPEN) {
      if (bytes > this.messageBytesMax - before) return this.fail(frame.CODE_TOO_BIG);
      if (!this.room) return this.pause();
    }
    if (!this.inMessage) {
      this.isText = opcode == frame.TEXT;
      this.isCompressed = (frame.frameFirst & frame.RSV1) != 0;
      this.utf8 = UTF8_START;
    }
    this.final = (frame.frameFirst & frame.FIN) != 0;
    this.inMessage = true;
    this.messageBytes = before + bytes;
    this.mask = frame.frameMask;
    this.remaining = bytes;
    this.inFrame = bytes > 0;
    if (!bytes && this.final) this.handOn(0, 0);
    return head;
  }

  /** How much the delegate has credit for. */
  private get room(): i64 {
    return max<i64>(this.credit - this.pieceCost, 0);
  }

  private readPayload(source: usize, size: i32): i32 {
    let n = i32(min<i64>(size, this.remaining));
    if (this.state == OPEN) {
      n = i32(min<i64>(min(n, READ_CHUNK_BYTES), this.room));
      if (!n) return this.pause();
      this.mask = frame.unmask(source, n, this.mask);
    }
    this.remaining -= n;
    this.inFrame = this.remaining > 0;
    return this.handOn(source, n) ? n : 0;
  }

  /** Unmasked bytes of the message, which ends with them when its last frame does. False: they cannot be. */
  private handOn(source: usize, size: i32): bool {
    const last = this.final && !this.inFrame;
    if (last) this.inMessage = false;
    if (this.state != OPEN) return true;
    if (this.isText && !this.isCompressed) {
      this.utf8 = utf8Next(this.utf8, source, size);
      if (this.utf8 == UTF8_BAD || (last && this.utf8 != UTF8_START)) {
        this.fail(frame.CODE_BAD_DATA);
        return false;
      }
    }
    if (!size && !last) return true;
    if (this.credit != i64.MAX_VALUE) this.credit -= size + this.pieceCost;
    this.delegate.onData(this, source, size, last);
    return true;
  }
}

/** Websockets that have spent their budget of a turn go on in the next. */
@final
class NextTurn extends Callback {
  private waiting: Array<WebSocketConnection> = [];
  private running: Array<WebSocketConnection> = [];

  add(socket: WebSocketConnection): void {
    if (this.waiting.push(socket) == 1) IOLoop.current().addCallback(this);
  }

  run(): void {
    const sockets = this.waiting;
    this.waiting = this.running;
    this.running = sockets;
    for (let i = 0; i < sockets.length; i++) unchecked(sockets[i]).goOn();
    sockets.length = 0;
  }
}

const nextTurn: NextTurn = new NextTurn();
