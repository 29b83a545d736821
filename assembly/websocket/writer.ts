// WebSocketWriter: the writing half of a websocket: the fields of its 101, frames, close frames, and pongs.
//
// Invariants: after a close frame only control frames leave, and no second close frame; at most one pong waits in front
// of a slow peer, and of the pings that come meanwhile only the newest is answered.
// Reference: RFC 6455 5.5; the headers are written by protocol/websocket/frame.ts.

import { Buffer } from "../bytes/buffer";
import { CRLF, isText, writeText } from "../bytes/scan";
import * as writer from "../protocol/http/writer";
import { Upgraded } from "../http/request";
import { IOLoop } from "../loop/ioloop";
import { IOStream } from "../stream/iostream";
import * as frame from "../protocol/websocket/frame";
import { ACCEPT_BYTES, writeAccept } from "../protocol/websocket/handshake";

// How far a websocket is.
export const OPENING: i32 = 0; // its 101 is being written
export const OPEN: i32 = 1;
export const CLOSING: i32 = 2; // our close frame went first: the peer's is awaited, messages are dropped
export const ENDING: i32 = 3; // the peer has sent its last: the delegate still answers what came before
export const ANSWERED: i32 = 4; // that is done, and our close frame has been written
export const OVER: i32 = 5; // the delegate's onClose has been called

const HEAD_FIXED: usize = changetype<usize>("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
/** All of a 101 that is not a field of the application's, and what http/writer.ts wants beside a field. */
const HEAD_ROOM: i32 = 256;
const FIELD_ROOM: i32 = 24;
const FIELD_BYTES_MAX: i32 = 32768;

export abstract class WebSocketWriter extends Upgraded {
  protected stream!: IOStream;
  protected loop: IOLoop = IOLoop.current();
  protected state: i32 = OVER;
  private pong: Buffer = new Buffer(); // the newest that could not be answered yet
  private pongWaits: bool = false;
  private pongEnd: u64 = 0; // the last pong has left when the stream has sent so much

  // --- the 101 ---

  /** Its beginning; `key` is the client's. */
  protected writeHead(key: usize): void {
    const stream = this.stream;
    let at = writer.statusLine(stream.reserve(HEAD_ROOM), 101, 0, 0);
    at = writeText(at, HEAD_FIXED);
    writeAccept(at, key);
    store<u16>(at, CRLF, ACCEPT_BYTES);
    stream.commitTo(writer.dateField(at + ACCEPT_BYTES + 2, this.loop.unixSeconds()));
    this.state = OPENING;
    this.pongEnd = 0;
  }

  /** A further field of the 101. False: it cannot be one, or is one that is written here. */
  addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    if (this.state != OPENING || nameSize + valueSize > FIELD_BYTES_MAX || isOurs(name, nameSize)) return false;
    const end = writer.field(this.stream.reserve(nameSize + valueSize + FIELD_ROOM), name, nameSize, value, valueSize);
    if (end) this.stream.commitTo(end);
    return end != 0;
  }

  /** Its end. */
  protected endHead(): void {
    this.stream.commitTo(writer.endOfHead(this.stream.reserve(2)));
    this.state = OPEN;
  }

  // --- frames ---

  /** Nothing stands in the way of sending. */
  get isOpen(): bool {
    return this.state == OPEN || this.state == ENDING;
  }

  /** Bytes that wait for the peer: a delegate with much to send goes on in onSent while this is small. */
  get unsent(): i32 {
    return this.stream.unsent;
  }

  /**
   * One frame: an opcode of protocol/websocket/frame.ts with FIN and RSV1. False: the websocket is closed, or too much
   * waits already.
   */
  send(first: i32, source: usize, size: i32): bool {
    if (!this.isOpen) return false;
    const head = this.stream.reserve(frame.FRAME_HEAD_BYTES_MAX);
    this.stream.commitTo(frame.writeFrameHead(head, first, size));
    return this.stream.write(source, size);
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

  /** A ping of at most CONTROL_BYTES_MAX bytes. */
  ping(source: usize = 0, size: i32 = 0): bool {
    return size <= frame.CONTROL_BYTES_MAX && this.send(frame.PING | frame.FIN, source, size);
  }

  protected writeClose(code: i32, source: usize, size: i32): void {
    const head = this.stream.reserve(frame.CONTROL_BYTES_MAX + 2);
    let at = frame.writeFrameHead(head, frame.CLOSE | frame.FIN, code ? size + 2 : 0);
    if (code) {
      store<u16>(at, bswap<u16>(u16(code)));
      memory.copy(at + 2, source, usize(size));
      at += usize(size) + 2;
    }
    this.stream.commitTo(at);
  }

  // --- pings ---

  /** At most one pong waits among what a slow peer has not taken; then the newest ping alone will be answered. */
  protected answerPing(source: usize, size: i32): void {
    if (!this.stream.waiting || this.stream.sent >= this.pongEnd) return this.sendPong(source, size);
    this.pong.clear();
    this.pongWaits = this.pong.append(source, size);
  }

  /** Bytes have left. */
  protected answerWaitingPing(): void {
    if (!this.pongWaits || this.stream.sent < this.pongEnd) return;
    this.sendPong(this.pong.source, this.pong.size);
    this.forgetPong();
  }

  private sendPong(source: usize, size: i32): void {
    this.send(frame.PONG | frame.FIN, source, size);
    this.pongEnd = this.stream.sent + this.stream.unsent;
  }

  protected forgetPong(): void {
    this.pongWaits = false;
    this.pong.clear();
  }
}

const UPGRADE: usize = changetype<usize>("upgrade");
const ACCEPT: usize = changetype<usize>("sec-websocket-accept");

/** Whether a field of the 101 is written here; those that frame messages are refused by http/writer.ts. */
function isOurs(name: usize, size: i32): bool {
  return isText(name, size, UPGRADE) || isText(name, size, ACCEPT) || writer.isDate(name, size);
}
