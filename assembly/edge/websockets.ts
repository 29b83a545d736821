// Websockets for the handler's component: a request that is an opening handshake is offered to it, and accepted or
// answered like any other. Its number is the websocket's from then on.
//
// Invariants: of messages at most one window is sent ahead of the handler's credit; what a handler may not send closes
// its websocket. Reference: wit/waterspout.wit, `websockets`; assembly/bridge/websockets.ts does the same over frames.

import { REASON_BAD_RESPONSE } from "../core/errors";
import { BODY_WINDOW_BYTES, WS_CONTROL_BYTES_MAX, WS_DATA_COST, WS_MESSAGE_BYTES_MAX } from "../core/limits";
import { HTTP1Connection } from "../http/connection";
import { HTTPServerRequest } from "../http/request";
import { Callback, IOLoop } from "../loop/ioloop";
import { BINARY, RSV1, isCloseCode } from "../protocol/websocket/frame";
import { KEY_BYTES, handshakeKey } from "../protocol/websocket/handshake";
import { release } from "../wasi/component/memory";
import { WebSocketConnection, WebSocketDelegate } from "../websocket/connection";
import * as fields from "./fields";
import { markCalled } from "./handler";
import { slotOf } from "./ids";
import { lift } from "./latin1";
import * as calls from "./websocketcalls";

/** What is kept of one slot's websocket, or of the request that may become one. */
@final
class SocketRecord {
  socket: WebSocketConnection | null = null; // from `accept` to `closed`
  offered: u32 = 0; // number of the last request that was an opening handshake
  given: u32 = 0; // bytes that the handler gave to be sent, and has not heard of
  listed: bool = false; // among those that are to be reported
  private key0: u64 = 0; // the handshake's key
  private key1: u64 = 0;
  private key2: u64 = 0;

  setKey(source: usize): void {
    this.key0 = load<u64>(source);
    this.key1 = load<u64>(source, 8);
    this.key2 = load<u64>(source, 16);
  }

  writeKey(target: usize): void {
    store<u64>(target, this.key0);
    store<u64>(target, this.key1, 8);
    store<u64>(target, this.key2, 16);
  }
}

const key: usize = memory.data(KEY_BYTES, 16);
const records: Array<SocketRecord | null> = []; // by slot
let written: Array<SocketRecord> = [];
/** The handler takes websockets. */
let offers: bool = false;

/** Tells the handler, before a request comes to it, that this is an opening handshake, if it is one. */
export function offer(request: HTTPServerRequest): void {
  if (!offers) return;
  const at = handshakeKey(request.head, request.source);
  if (!at) return;
  while (request.slot >= records.length) records.push(null);
  let record = unchecked(records[request.slot]);
  if (!record) record = unchecked((records[request.slot] = new SocketRecord()));
  record!.offered = request.tag;
  record!.setKey(at);
  calls.offered(request.tag);
}

function recordAt(id: u32): SocketRecord | null {
  const slot = slotOf(id);
  return slot < records.length ? unchecked(records[slot]) : null;
}

function find(id: u32): SocketRecord | null {
  const record = recordAt(id);
  const socket = record ? record.socket : null;
  return socket && socket.tag == id ? record : null;
}

// --- what the handler wants done ---

/** Opens a websocket for the request in flight on `connection`; null: that is over. Gives the action's memory back. */
export function accept(connection: HTTP1Connection | null, value: usize): void {
  const source = load<usize>(value, calls.FIELDS);
  const size = load<i32>(value, calls.FIELDS_SIZE);
  if (connection) {
    const record = recordAt(connection.request.tag);
    if (!record || record.offered != connection.request.tag) connection.abort(REASON_BAD_RESPONSE);
    else open(connection, record, value, source, size);
  }
  release(source, size);
}

function open(connection: HTTP1Connection, record: SocketRecord, value: usize, source: usize, size: i32): void {
  record.writeKey(key);
  const socket = WebSocketConnection.begin(connection, key, delegate);
  if (!socket) return connection.abort(REASON_BAD_RESPONSE);
  record.socket = socket;
  record.given = 0;
  socket.credit = BODY_WINDOW_BYTES;
  socket.pieceCost = WS_DATA_COST;
  socket.deflate = load<u8>(value, calls.DEFLATE) != 0;
  const bytesMax = load<u32>(value, calls.MESSAGE_BYTES);
  socket.messageBytesMax = bytesMax ? i64(bytesMax) : WS_MESSAGE_BYTES_MAX;
  if (addFields(socket, source, size)) socket.open(connection.draining);
  else socket.abort(REASON_BAD_RESPONSE);
}

/** False: one of them cannot be. */
function addFields(socket: WebSocketConnection, source: usize, size: i32): bool {
  const lifted = lift(source, size);
  if (lifted < 0) return false;
  const end = source + usize(lifted);
  for (let at = source; at < end;) {
    at = fields.readField(at, end);
    if (!at || !socket.addField(fields.name, fields.nameSize, fields.value, fields.valueSize)) return false;
  }
  return true;
}

/** Carries out an action that is about websockets alone, but `accept`, and gives its memory back. */
export function act(kind: u8, value: usize): void {
  if (kind == calls.OFFER_WEBSOCKETS) {
    offers = true;
    return;
  }
  const record = find(load<u32>(value));
  if (kind == calls.MESSAGE) {
    const source = load<usize>(value, calls.MESSAGE_SOURCE);
    const size = load<i32>(value, calls.MESSAGE_SIZE);
    if (record) send(record, value, source, size);
    release(source, size);
  } else if (kind == calls.PING) {
    const source = load<usize>(value, calls.PING_SOURCE);
    const size = load<i32>(value, calls.PING_SIZE);
    if (record) ping(record.socket!, source, size);
    release(source, size);
  } else {
    const source = load<usize>(value, calls.WORDS);
    const size = load<i32>(value, calls.WORDS_SIZE);
    if (record) close(record.socket!, i32(load<u16>(value, calls.CODE)), source, size);
    release(source, size);
  }
}

function send(record: SocketRecord, value: usize, source: usize, size: i32): void {
  const socket = record.socket!;
  if (!socket.rest && !socket.isOpen) return;
  const opcode = i32(load<u8>(value, calls.KIND));
  const first = opcode | (load<u8>(value, calls.COMPRESSED) ? RSV1 : 0);
  const rest = i64(load<u32>(value, calls.REST));
  if (opcode > BINARY || !socket.takesPiece(first, size, rest)) return socket.abort(REASON_BAD_RESPONSE);
  if (!socket.sendPiece(first, source, size, rest)) return;
  record.given += size;
  list(record);
}

function ping(socket: WebSocketConnection, source: usize, size: i32): void {
  if (socket.rest || size > WS_CONTROL_BYTES_MAX) socket.abort(REASON_BAD_RESPONSE);
  else socket.ping(source, size);
}

function close(socket: WebSocketConnection, code: i32, words: usize, size: i32): void {
  const fits = !socket.rest && size <= WS_CONTROL_BYTES_MAX - 2 && (code ? isCloseCode(code) : !size);
  if (fits) socket.closeWith(code, words, size);
  else socket.abort(REASON_BAD_RESPONSE);
}

/** So many more bytes of messages may come. */
export function credit(id: u32, bytes: u32): void {
  const record = find(id);
  if (record) record.socket!.takeData(bytes);
}

export function abort(id: u32): void {
  const record = find(id);
  if (record) record.socket!.abort();
}

// --- what websockets say ---

function list(record: SocketRecord): void {
  if (record.listed) return;
  record.listed = true;
  written.push(record);
  IOLoop.current().addCallback(nextTurn);
}

/** In the turn behind one in which something was sent: says what has left, unless some of it has not. */
@final
class NextTurn extends Callback {
  private reported: Array<SocketRecord> = [];

  run(): void {
    const all = written;
    written = this.reported;
    this.reported = all;
    for (let i = 0; i < all.length; i++) {
      const record = unchecked(all[i]);
      const socket = record.socket;
      record.listed = false;
      if (!socket || !record.given || socket.unsent) continue;
      calls.sent(socket.tag, record.given);
      record.given = 0;
      markCalled();
    }
    all.length = 0;
  }
}


@final
class Delegate extends WebSocketDelegate {
  onData(socket: WebSocketConnection, source: usize, size: i32, last: bool): void {
    calls.data(socket.tag, source, size, socket.isText, socket.isCompressed, last);
    markCalled();
  }

  onPing(socket: WebSocketConnection, source: usize, size: i32): void {
    calls.ping(socket.tag, source, size);
    markCalled();
  }

  onPong(socket: WebSocketConnection, source: usize, size: i32): void {
    calls.pong(socket.tag, source, size);
    markCalled();
  }

  onSent(socket: WebSocketConnection): void {
    const record = find(socket.tag);
    if (record) list(record);
  }

  /** The handler may have messages that it has not answered yet; it closes the websocket when it has. */
  onEnding(socket: WebSocketConnection): bool {
    calls.ending(socket.tag);
    markCalled();
    return true;
  }

  onClose(socket: WebSocketConnection, code: i32, reason: i32, source: usize, size: i32): void {
    calls.closed(socket.tag, code, reason - calls.REASON_FIRST, source, size);
    markCalled();
    IOLoop.current().addCallback(nextTurn); // the turn's actions may have been collected
    const record = find(socket.tag);
    if (record) record.socket = null;
  }
}

const nextTurn = new NextTurn();
const delegate = new Delegate();
