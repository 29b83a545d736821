// Websockets over the bridge: a request that is an opening handshake may be answered with WS_ACCEPT, and its id is the
// websocket's from then on.
//
// Invariants: of messages at most one window is sent ahead of the host's credit; no frame follows the WS_CLOSED of a
// websocket; a slot belongs to it until its connection has closed, so no other has its id.
// Reference: docs/protocol.md, WebSocket.

import { REASON_BAD_RESPONSE, REASON_BUFFER_FULL } from "../core/errors";
import { HTTP1Connection } from "../http/connection";
import { HTTPServerRequest } from "../http/request";
import { WS_CONTROL_BYTES_MAX, WS_DATA_COST, WS_MESSAGE_BYTES_MAX } from "../core/limits";
import { WebSocketConnection, WebSocketDelegate } from "../websocket/connection";
import { BINARY, RSV1, TEXT, isCloseCode } from "../protocol/websocket/frame";
import { KEY_BYTES, handshakeKey } from "../protocol/websocket/handshake";
import { Channel, fail } from "./channel";
import {
  FRAME_BODY_CREDIT,
  FRAME_CANCEL,
  FRAME_WS_CLOSE,
  FRAME_WS_CLOSED,
  FRAME_WS_DATA,
  FRAME_WS_ENDING,
  FRAME_WS_PING,
  FRAME_WS_PONG,
  FRAME_WS_SEND,
  FRAME_WS_SEND_PING,
  WS_ACCEPT_BYTES,
  WS_ACCEPT_DEFLATE,
  WS_CLOSED_BYTES,
  WS_COMPRESSED,
  WS_DATA_BYTES,
  WS_LAST,
  WS_SEND_BYTES,
} from "./frames";
import { SLOT_MASK } from "./ids";
import { Ledger, Reports } from "./ledger";

/**
 * What the bridge keeps of one slot's websocket, or of the request that may become one. Headers of frames and pongs
 * count as not yet sent.
 */
@final
class SocketRecord extends Ledger {
  socket: WebSocketConnection | null = null; // from WS_ACCEPT to WS_CLOSED
  offered: u32 = 0; // id of the last request that was an opening handshake
  private key0: u64 = 0; // its key
  private key1: u64 = 0;
  private key2: u64 = 0;

  protected get id(): u32 {
    return this.socket ? this.socket!.tag : 0;
  }
  protected get unsent(): i32 {
    return this.socket!.unsent;
  }

  setKey(key: usize): void {
    this.key0 = load<u64>(key);
    this.key1 = load<u64>(key, 8);
    this.key2 = load<u64>(key, 16);
  }

  writeKey(target: usize): void {
    store<u64>(target, this.key0);
    store<u64>(target, this.key1, 8);
    store<u64>(target, this.key2, 16);
  }
}

const key: usize = memory.data(KEY_BYTES, 16);


@final
export class BridgeWebSockets extends WebSocketDelegate {
  /** What a websocket sends without credit. */
  window: i64 = 0;
  private records: Array<SocketRecord | null> = []; // by slot

  constructor(
    private channel: Channel,
    private reports: Reports,
  ) {
    super();
  }

  /** Whether a request whose head is there is an opening handshake; then it may be accepted. */
  offer(request: HTTPServerRequest): bool {
    const at = handshakeKey(request.head, request.source);
    if (!at) return false;
    while (request.slot >= this.records.length) this.records.push(null);
    let record = unchecked(this.records[request.slot]);
    if (!record) record = unchecked((this.records[request.slot] = new SocketRecord()));
    record!.offered = request.tag;
    record!.setKey(at);
    return true;
  }

  private recordAt(id: u32): SocketRecord | null {
    const slot = i32(id & SLOT_MASK);
    return slot < this.records.length ? unchecked(this.records[slot]) : null;
  }

  // --- what the host says ---

  /** WS_ACCEPT of `connection`'s request in flight; null: that is over. */
  accept(connection: HTTP1Connection | null, id: u32, source: usize, size: i32): void {
    if (size < WS_ACCEPT_BYTES) fail("wrong size");
    const rows = i32(load<u16>(source, 6));
    const sizes = source + WS_ACCEPT_BYTES;
    let bytes = WS_ACCEPT_BYTES + rows * 4;
    if (size < bytes) fail("wrong size");
    for (let i = 0; i < rows * 2; i++) bytes += load<u16>(sizes + (usize(i) << 1));
    if (size != bytes || i32(load<u8>(source, 4)) > WS_ACCEPT_DEFLATE) fail("wrong size");
    if (!connection) return;
    const record = this.recordAt(id);
    if (!record || record.offered != id) return fail("not now");
    record.writeKey(key);
    const socket = WebSocketConnection.begin(connection, key, this);
    if (!socket) return fail("not now");
    record.socket = socket;
    record.reset();
    socket.credit = this.window;
    socket.pieceCost = WS_DATA_COST;
    socket.deflate = load<u8>(source, 4) == WS_ACCEPT_DEFLATE;
    const bytesMax = load<u32>(source);
    socket.messageBytesMax = bytesMax ? i64(bytesMax) : WS_MESSAGE_BYTES_MAX;
    if (addFields(socket, sizes, rows)) socket.open(connection.draining);
    else socket.abort(REASON_BAD_RESPONSE);
  }

  /** Everything but WS_ACCEPT. False: no such type. */
  onFrame(type: u32, id: u32, source: usize, size: i32): void {
    const record = this.recordAt(id);
    const found = record ? record.socket : null;
    const socket = found && found.tag == id ? found : null;
    if (type > FRAME_WS_SEND && socket && socket.rest) fail("not now");
    switch (type) {
      case FRAME_BODY_CREDIT:
        if (socket) socket.takeData(load<u32>(source));
        break;
      case FRAME_CANCEL:
        if (socket) socket.abort();
        break;
      case FRAME_WS_SEND:
        if (size < WS_SEND_BYTES || (i32(load<u16>(source)) & ~(WS_COMPRESSED << 8)) > BINARY) fail("wrong head");
        if (socket && (socket.rest || socket.isOpen)) this.send(socket, record!, source, size - WS_SEND_BYTES);
        break;
      case FRAME_WS_SEND_PING:
        if (size > WS_CONTROL_BYTES_MAX) fail("wrong size");
        if (socket) socket.ping(source, size);
        break;
      case FRAME_WS_CLOSE:
        this.close(socket, source, size);
        break;
      default:
        fail("unknown type");
    }
  }

  private send(socket: WebSocketConnection, record: SocketRecord, source: usize, size: i32): void {
    const head = i32(load<u16>(source));
    const first = (head & 0xff) | (head >> 8 ? RSV1 : 0);
    const rest = i64(load<u64>(source) >> 16);
    if (!socket.takesPiece(first, size, rest)) fail("not now");
    if (!socket.sendPiece(first, source + usize(WS_SEND_BYTES), size, rest)) return;
    record.add(size);
    this.reports.add(record);
  }

  private close(socket: WebSocketConnection | null, source: usize, size: i32): void {
    if (size < 2 || size > WS_CONTROL_BYTES_MAX) fail("wrong size");
    const code = i32(load<u16>(source));
    if (code ? !isCloseCode(code) : size > 2) fail("wrong head");
    if (socket) socket.closeWith(code, source + 2, size - 2);
  }

  // --- what websockets say ---

  onData(socket: WebSocketConnection, source: usize, size: i32, last: bool): void {
    if (!this.channel.hasRoom(WS_DATA_BYTES + size)) return socket.abort(REASON_BUFFER_FULL);
    const payload = this.channel.send(FRAME_WS_DATA, socket.tag, WS_DATA_BYTES + size);
    const flags = (last ? WS_LAST : 0) | (socket.isCompressed ? WS_COMPRESSED : 0);
    store<u32>(payload, u32((socket.isText ? TEXT : BINARY) | (flags << 8)));
    memory.copy(payload + usize(WS_DATA_BYTES), source, usize(size));
  }

  onPing(socket: WebSocketConnection, source: usize, size: i32): void {
    memory.copy(this.channel.send(FRAME_WS_PING, socket.tag, size), source, usize(size));
  }

  onPong(socket: WebSocketConnection, source: usize, size: i32): void {
    memory.copy(this.channel.send(FRAME_WS_PONG, socket.tag, size), source, usize(size));
  }

  onSent(socket: WebSocketConnection): void {
    const record = this.recordAt(socket.tag);
    if (record) this.reports.add(record);
  }

  /** The host may have messages that it has not answered yet; it says WS_CLOSE when it has. */
  onEnding(socket: WebSocketConnection): bool {
    this.channel.send(FRAME_WS_ENDING, socket.tag, 0);
    return true;
  }

  onClose(socket: WebSocketConnection, code: i32, reason: i32, source: usize, size: i32): void {
    const payload = this.channel.send(FRAME_WS_CLOSED, socket.tag, WS_CLOSED_BYTES + size);
    store<u16>(payload, u16(code));
    store<u16>(payload, u16(reason), 2);
    memory.copy(payload + usize(WS_CLOSED_BYTES), source, usize(size));
    this.recordAt(socket.tag)!.socket = null;
  }
}

/** The host's fields of a 101. False: one of them cannot be. */
function addFields(socket: WebSocketConnection, sizes: usize, rows: i32): bool {
  let at = sizes + (usize(rows) << 2);
  for (let i = 0; i < rows; i++, sizes += 4) {
    const nameSize = i32(load<u16>(sizes));
    const valueSize = i32(load<u16>(sizes, 2));
    const value = at + usize(nameSize);
    if (!socket.addField(at, nameSize, value, valueSize)) return false;
    at = value + usize(valueSize);
  }
  return true;
}
