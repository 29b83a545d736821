// WebSocketWriter: what a WebSocketConnection writes on its stream: the head of its 101, frames, close frames, pongs.
// Whether something may be sent is the connection's to decide.
//
// Invariants: at most one pong waits in front of a slow peer, and of the pings that come meanwhile only the newest is
// answered; nothing is written into the middle of a frame that comes in pieces.
// Reference: RFC 6455 5.5; the headers are written by protocol/websocket/frame.ts.

import { WS_CONTROL_BYTES_MAX } from "../core/limits";
import { Buffer } from "../bytes/buffer";
import { CRLF, isText, writeText } from "../bytes/scan";
import * as writer from "../protocol/http/writer";
import { IOStream } from "../stream/iostream";
import * as frame from "../protocol/websocket/frame";
import { ACCEPT_BYTES, writeAccept } from "../protocol/websocket/handshake";

const HEAD_FIXED: usize = changetype<usize>("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
/** All of a 101 that is not a field of the application's, and what http/writer.ts wants beside a field. */
const HEAD_ROOM: i32 = 256;
const FIELD_ROOM: i32 = 24;
const FIELD_BYTES_MAX: i32 = 32768;


@final
export class WebSocketWriter {
  /** Bytes of the frame that is being written in pieces which are still to come. */
  rest: i64 = 0;
  private stream!: IOStream;
  private pong: Buffer = new Buffer(); // the newest that could not be answered yet
  private pongWaits: bool = false;
  private pongEnd: u64 = 0; // the last pong has left when the stream has sent so much

  // --- the 101 ---

  /** Writes its beginning on `stream`, for which this writer is from now on; `key` is the client's. */
  begin(stream: IOStream, key: usize, unixSeconds: i64): void {
    this.stream = stream;
    this.rest = this.pongEnd = 0;
    let at = writer.statusLine(stream.reserve(HEAD_ROOM), 101, 0, 0);
    at = writeText(at, HEAD_FIXED);
    writeAccept(at, key);
    store<u16>(at, CRLF, ACCEPT_BYTES);
    stream.commitTo(writer.dateField(at + ACCEPT_BYTES + 2, unixSeconds));
  }

  /** Writes a further field. False: it must not be sent, is too long, or is one that is written here. */
  field(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    if (nameSize + valueSize > FIELD_BYTES_MAX || isOurs(name, nameSize)) return false;
    const end = writer.field(this.stream.reserve(nameSize + valueSize + FIELD_ROOM), name, nameSize, value, valueSize);
    if (end) this.stream.commitTo(end);
    return end != 0;
  }

  endOfHead(): void {
    this.stream.commitTo(writer.endOfHead(this.stream.reserve(2)));
  }

  // --- frames ---

  /** A frame: an opcode of protocol/websocket/frame.ts with FIN and RSV1. False: too much waits already. */
  frame(first: i32, source: usize, size: i32): bool {
    this.frameHead(first, size);
    return this.stream.write(source, size);
  }

  /** The header of a frame, whose `size` bytes follow at once. */
  frameHead(first: i32, size: i64): void {
    const head = this.stream.reserve(frame.FRAME_HEAD_BYTES_MAX);
    this.stream.commitTo(frame.writeFrameHead(head, first, size));
  }

  /** A piece of a frame, of which `rest` bytes are yet to come. False: too much waits already. */
  piece(source: usize, size: i32, rest: i64): bool {
    this.rest = rest;
    return this.stream.write(source, size);
  }

  /** A close frame with a code and at most WS_CONTROL_BYTES_MAX - 2 bytes of text; `code` 0: an empty one. */
  close(code: i32, source: usize, size: i32): void {
    const head = this.stream.reserve(WS_CONTROL_BYTES_MAX + 2);
    let at = frame.writeFrameHead(head, frame.CLOSE | frame.FIN, code ? size + 2 : 0);
    if (code) {
      store<u16>(at, bswap<u16>(u16(code)));
      memory.copy(at + 2, source, usize(size));
      at += usize(size) + 2;
    }
    this.stream.commitTo(at);
  }

  // --- pongs ---

  /** The frame on its way is complete, and the pong before has left or need not wait. */
  private get mayPong(): bool {
    return !this.rest && (!this.stream.waiting || this.stream.sent >= this.pongEnd);
  }

  /** Answers a ping: now, or when the frame on its way is complete and the pong before has left. */
  answerPing(source: usize, size: i32): void {
    if (this.mayPong) return this.sendPong(source, size);
    this.pong.clear();
    this.pongWaits = this.pong.append(source, size);
  }

  /** Bytes have left, or a frame is complete: answers the ping that waits, if its turn has come. */
  answerWaitingPing(): void {
    if (!this.pongWaits || !this.mayPong) return;
    this.sendPong(this.pong.source, this.pong.size);
    this.forgetPong();
  }

  private sendPong(source: usize, size: i32): void {
    this.frame(frame.PONG | frame.FIN, source, size);
    this.pongEnd = this.stream.sent + this.stream.unsent;
  }

  /** No ping is answered any more. */
  forgetPong(): void {
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
