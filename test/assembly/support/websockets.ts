// A WebSocket server and its clients for tests over the scripted network.
//
// The server's delegate notes what it hears: `open text(abc) binary+(a piece) ping(x) close(1000,1,bye)`. A client
// speaks in frames: `masked(first byte, payload)`; what it has received reads `81(hello) 8a() 88(1000 bye)`.
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HTTP1Connection } from "../../../assembly/http/connection";
import { HTTPServer } from "../../../assembly/http/server";
import { HTTPHandler, HTTPServerRequest } from "../../../assembly/http/request";
import { WS_MESSAGE_BYTES_MAX } from "../../../assembly/core/limits";
import { Peer, connect } from "../../../assembly/wasi/sim/net";
import { WebSocketConnection, WebSocketDelegate } from "../../../assembly/websocket/connection";
import { handshakeKey } from "../../../assembly/protocol/websocket/handshake";
import { settle, text } from "./sim";

export const KEY: string = "dGhlIHNhbXBsZSBub25jZQ==";

export function handshake(target: string = "/", fields: string = ""): string {
  const offer = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + offer + "Sec-WebSocket-Key: " + KEY + "\r\n" + fields + "\r\n";
}

/** A 101, without its date. */
export const ACCEPTED: string =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

// --- frames of a client ---

const MASK: string = "\x12\xa4\x00\xff";

function u16be(value: i32): string {
  return String.fromCharCode((value >> 8) & 0xff) + String.fromCharCode(value & 0xff);
}

/** `size`: what the header says, when that is not the payload's. */
export function masked(first: i32, payload: string, size: i64 = -1): string {
  if (size < 0) size = payload.length;
  let data = String.fromCharCode(first);
  if (size < 126) data += String.fromCharCode(0x80 | i32(size));
  else if (size < 65536) data += "\xfe" + u16be(i32(size));
  else data += "\xff\0\0" + u16be(i32(size >> 32)) + u16be(i32(size >> 16)) + u16be(i32(size));
  const units: Array<string> = [];
  for (let i = 0; i < payload.length; i++) {
    units.push(String.fromCharCode(payload.charCodeAt(i) ^ MASK.charCodeAt(i & 3)));
  }
  return data + MASK + units.join("");
}

export function closing(code: i32, words: string = ""): string {
  return masked(0x88, u16be(code) + words);
}

// --- frames of the server ---

/** All whole frames that a client has received; takes them. Nothing else may have come. */
export function frames(peer: Peer): string {
  const all = peer.take();
  let said = "";
  let at = 0;
  while (at < all.length) {
    let size = all.charCodeAt(at + 1);
    let start = at + 2;
    assert(size < 128, "the server masks");
    if (size == 126) {
      size = (all.charCodeAt(at + 2) << 8) | all.charCodeAt(at + 3);
      start = at + 4;
    } else if (size == 127) {
      size = 0;
      for (let i = at + 2; i < at + 10; i++) size = (size << 8) | all.charCodeAt(i);
      start = at + 10;
    }
    assert(start + size <= all.length, "a frame that is not whole");
    const first = all.charCodeAt(at);
    const payload = all.substr(start, size);
    said += (at ? " " : "") + first.toString(16) + "(" + (first == 0x88 ? closeText(payload) : payload) + ")";
    at = start + size;
  }
  return said;
}

function closeText(payload: string): string {
  if (!payload.length) return "";
  const code = (payload.charCodeAt(0) << 8) | payload.charCodeAt(1);
  return code.toString() + (payload.length > 2 ? " " + payload.substring(2) : "");
}

// --- the server ---

export class Notes extends WebSocketDelegate {
  log: string = "";
  /** The newest. */
  socket: WebSocketConnection | null = null;
  /** Messages that are longer than this are noted by their length. */
  lengthsFrom: i32 = 1000;
  /** Called for each piece of a message, when set. */
  reaction: ((socket: WebSocketConnection) => void) | null = null;
  closes: i32 = 0;
  private inside: bool = false;

  private note(event: string): void {
    assert(!this.inside, event + " from inside another call");
    this.log += (this.log.length ? " " : "") + event;
  }

  take(): string {
    settle();
    const log = this.log;
    this.log = "";
    return log;
  }

  onOpen(socket: WebSocketConnection): void {
    this.socket = socket;
    this.note("open");
  }

  onData(socket: WebSocketConnection, source: usize, size: i32, last: bool): void {
    const shown = size > this.lengthsFrom ? size.toString() + " bytes" : text(source, size);
    this.note(
      (socket.isCompressed ? "deflated " : "") +
        (socket.isText ? "text" : "binary") +
        (last ? "" : "+") +
        "(" +
        shown +
        ")",
    );
    this.inside = true;
    const reaction = this.reaction;
    if (reaction) reaction(socket);
    this.inside = false;
  }

  onPing(socket: WebSocketConnection, source: usize, size: i32): void {
    this.note("ping(" + text(source, size) + ")");
  }

  onPong(socket: WebSocketConnection, source: usize, size: i32): void {
    this.note("pong(" + text(source, size) + ")");
  }

  onSent(socket: WebSocketConnection): void {
    this.note("sent");
  }

  onClose(socket: WebSocketConnection, code: i32, reason: i32, source: usize, size: i32): void {
    this.closes++;
    this.note("close(" + code.toString() + "," + reason.toString() + "," + text(source, size) + ")");
  }
}

export const notes: Notes = new Notes();

/** What the next websockets begin with. */
export class Terms {
  deflate: bool = false;
  credit: i64 = i64.MAX_VALUE;
  pieceCost: i32 = 0;
  messageBytesMax: i64 = WS_MESSAGE_BYTES_MAX;
}
export const terms: Terms = new Terms();

/** Accepts every handshake; `/` that is none is answered with `hello`. */
class Accepting extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    const key = handshakeKey(request.head, request.source);
    if (!key) return request.respond(200, "text/plain", "hello");
    const connection = request.connection as HTTP1Connection;
    const socket = WebSocketConnection.begin(connection, key, notes)!;
    socket.deflate = terms.deflate;
    socket.credit = terms.credit;
    socket.pieceCost = terms.pieceCost;
    socket.messageBytesMax = terms.messageBytesMax;
    socket.open(connection.draining);
  }
}

export const server: HTTPServer = new HTTPServer(new Accepting());
let listening: bool = false;

/** An accepted connection that has sent nothing. */
export function plainClient(): Peer {
  if (!listening) server.listen();
  listening = true;
  const peer = connect();
  settle();
  return peer;
}

/** A client whose websocket is open; it has taken its 101. */
export function client(): Peer {
  const peer = plainClient();
  peer.send(handshake());
  assert(notes.take().endsWith("open"), "not open");
  assert(peer.take().startsWith("HTTP/1.1 101 "), "not accepted");
  return peer;
}

/** Sends, settles, and tells what the delegate has heard. */
export function tell(peer: Peer, data: string): string {
  peer.send(data);
  return notes.take();
}

/**
 * The server's side is at its end; when the peer's is, too, the connection closes in order and nothing is left of it.
 */
export function isOver(peer: Peer): void {
  settle();
  assert(peer.ended, "not ended");
  assert(!peer.wasReset, "reset");
  peer.end();
  settle();
  assert(peer.closed && !peer.wasReset, "not closed in order");
}

export function isEmpty(): void {
  settle();
  assert(server.connections == 0, "connections");
  assert(bytesInUse() == 0, "memory: " + bytesInUse().toString());
}
