// HTTP over the bridge: each request becomes REQUEST (and BODY frames), the host's RESPONSE frames become its answer.
// Invariant: of a body at most one window is sent ahead of the host's credit; no frame follows the ABORT of a request.
// Reference: docs/protocol.md.

import { LF, lower } from "../bytes/scan";
import { REASON_BAD_RESPONSE } from "../core/errors";
import { HTTP1Connection } from "../http/connection";
import { HTTPServer } from "../http/server";
import { Refusal, statusOf, textOf, textSizeOf } from "../protocol/http/refusal";
import { HTTPConnection, HTTPHandler, HTTPServerRequest, Method } from "../http/request";
import { IOLoop } from "../loop/ioloop";
import { FIELDS_MAX, HEAD_BYTES_MAX, INLINE_BODY_BYTES, PIPELINE_BYTES_MAX, READ_CHUNK_BYTES } from "../core/limits";
import { RefusalRate } from "../http/refusalrate";
import { Channel, fail } from "./channel";
import {
  ADDRESS_BYTES,
  REQUEST_ADDRESS,
  writeAddress,
  FRAME_ABORT,
  FRAME_BODY,
  FRAME_BODY_END,
  FRAME_BYTES_MAX,
  FRAME_END,
  FRAME_REFUSED,
  FRAME_REQUEST,
  FRAME_TRAILERS,
  REFUSED_BYTES,
  REQUEST_BYTES,
  REQUEST_END,
  REQUEST_EXCESS,
  REQUEST_EXPECT,
  REQUEST_KEEP_ALIVE,
  REQUEST_WEBSOCKET,
  RESPONSE_BYTES,
  RESPONSE_CLOSE,
  RESPONSE_KEPT,
  RESPONSE_LAST,
  TRAILERS_BYTES,
} from "./frames";
import { SLOT_MASK, idAfter } from "./ids";
import { Ledger, Reports } from "./ledger";
import { BridgeTCPServer } from "./streams";
import { BridgeWebSockets } from "./websockets";

// A head's texts have sizes of 16 bits; it travels in one frame, with the beginning of its body.
const HEAD_FRAME_BYTES_MAX: i32 = REQUEST_BYTES + FIELDS_MAX * 4 + HEAD_BYTES_MAX + ADDRESS_BYTES + INLINE_BODY_BYTES;
if (HEAD_BYTES_MAX > i32(u16.MAX_VALUE) + 1) ERROR("a field may be larger than its size can say");
if (HEAD_FRAME_BYTES_MAX > FRAME_BYTES_MAX) ERROR("a head may be larger than a frame");
// A body is handed on as it lies in its stream's buffer: what may wait there before a read, and one read.
if (max(HEAD_BYTES_MAX, PIPELINE_BYTES_MAX) + READ_CHUNK_BYTES > FRAME_BYTES_MAX)
  ERROR("BODY may be larger than a frame");
// wasmtime's stdout looks for a line end in what it writes, and finds one at once in the header of BODY.
if (FRAME_BODY != LF) ERROR("each BODY would be searched for a line end");

/** What the bridge keeps of the request of one slot. The answer's own framing counts as not yet sent. */
@final
class RequestRecord extends Ledger {
  lastId: u32 = 0; // of the last request that went to the host
  inlined: bool = false; // the body has gone with the head

  constructor(private request: HTTPServerRequest) {
    super();
  }
  protected get id(): u32 {
    return this.request.inFlight ? this.request.tag : 0;
  }
  protected get unsent(): i32 {
    return this.request.unsent;
  }
}


@final
export class BridgeHTTPHandler extends HTTPHandler {
  bodyWindow: i64 = 0;
  /** Names of a request's fields travel as they came; else in lower case. */
  keepsNames: bool = false;
  /** What becomes of requests that are answered with WS_ACCEPT. */
  sockets!: BridgeWebSockets;
  /** What becomes of connections whose request is refused, and of those that are answered with DETACH. */
  streams!: BridgeTCPServer;
  /** SENT of answers and of websockets. */
  readonly reports: Reports;
  private records: Array<RequestRecord | null> = []; // by slot
  private refusals: RefusalRate = new RefusalRate();

  constructor(private channel: Channel) {
    super();
    this.reports = new Reports(channel);
    this.sockets = new BridgeWebSockets(channel, this.reports);
  }

  private recordOf(request: HTTPServerRequest): RequestRecord {
    while (request.slot >= this.records.length) this.records.push(null);
    let record = unchecked(this.records[request.slot]);
    if (!record) record = unchecked((this.records[request.slot] = new RequestRecord(request)));
    return record!;
  }

  // --- requests ---

  headersReceived(request: HTTPServerRequest): void {
    const record = this.recordOf(request);
    const length = request.contentLength;
    record.inlined = length >= 0 && length <= INLINE_BODY_BYTES && length <= request.aheadSize;
    record.reset();
    request.credit = request.expectsContinue ? 0 : this.bodyWindow; // the host gives the window when the handler reads
    request.creditMin = this.bodyWindow >> 6; // the host gives credit back in parts of the window that are larger
    this.sendRequest(request, record, record.inlined ? i32(length) : 0);
  }

  private sendRequest(request: HTTPServerRequest, record: RequestRecord, bodySize: i32): void {
    const rows = request.fieldCount;
    const methodSize = request.method == Method.OTHER ? request.methodSize : 0;
    let text = methodSize + request.targetSize;
    for (let i = 0; i < rows; i++) text += request.nameSize(i) + request.valueSize(i);
    const address = request.address;
    const size = REQUEST_BYTES + rows * 4 + text + (address ? ADDRESS_BYTES : 0) + bodySize;
    if (!this.channel.hasRoom(size)) return request.connection.shed();
    const payload = this.channel.send(FRAME_REQUEST, this.nextId(request), size);
    let flags = request.keepAlive ? REQUEST_KEEP_ALIVE : 0;
    if (record.inlined) flags |= REQUEST_END;
    if (address) flags |= REQUEST_ADDRESS;
    if (request.expectsContinue) flags |= REQUEST_EXPECT;
    if (request.excess > 0) flags |= REQUEST_EXCESS;
    if (this.sockets.offer(request)) flags |= REQUEST_WEBSOCKET;
    store<u8>(payload, u8(request.method));
    store<u8>(payload, u8(request.minor), 1);
    store<u16>(payload, u16(flags), 2);
    store<u16>(payload, u16(rows), 4);
    store<u16>(payload, u16(methodSize), 6);
    store<u16>(payload, u16(request.targetSize), 8);
    store<u16>(payload, u16(request.connection.socket.listener), 10);
    store<u32>(payload, request.connection.socket.descriptor, 12);
    store<i64>(payload, request.contentLength, 16);
    let sizes = payload + REQUEST_BYTES;
    let at = sizes + (usize(rows) << 2);
    at = copy(at, request.methodText, methodSize);
    at = copy(at, request.target, request.targetSize);
    for (let i = 0; i < rows; i++, sizes += 4) {
      store<u16>(sizes, u16(request.nameSize(i)));
      store<u16>(sizes, u16(request.valueSize(i)), 2);
      if (this.keepsNames) at = copy(at, request.name(i), request.nameSize(i));
      else at = copyLower(at, request.name(i), request.nameSize(i));
      at = copy(at, request.value(i), request.valueSize(i));
    }
    if (address) at = writeAddress(at, address);
    copy(at, request.ahead, bodySize);
  }

  private nextId(request: HTTPServerRequest): u32 {
    const record = this.recordOf(request);
    return (request.tag = record.lastId = idAfter(record.lastId, request.slot));
  }

  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    if (this.recordOf(request).inlined) return;
    if (!this.channel.hasRoom(size)) return request.connection.shed();
    copy(this.channel.send(FRAME_BODY, request.tag, size), source, size);
  }

  finish(request: HTTPServerRequest): void {
    if (this.recordOf(request).inlined) return;
    if (request.trailers.size) this.sendTrailers(request);
    if (request.inFlight) this.channel.send(FRAME_BODY_END, request.tag, 0);
  }

  /** TRAILERS, when there are some that are safe. */
  private sendTrailers(request: HTTPServerRequest): void {
    let rows = 0;
    let text = 0;
    for (let at = request.nextTrailer(0); at >= 0; at = request.nextTrailer(at)) {
      rows++;
      text += request.trailerNameSize + request.trailerValueSize;
    }
    if (!rows) return;
    const size = TRAILERS_BYTES + rows * 4 + text;
    if (!this.channel.hasRoom(size)) return request.connection.shed();
    let sizes = this.channel.send(FRAME_TRAILERS, request.tag, size);
    store<u32>(sizes, rows);
    sizes += usize(TRAILERS_BYTES);
    let target = sizes + (usize(rows) << 2);
    for (let at = request.nextTrailer(0); at >= 0; at = request.nextTrailer(at), sizes += 4) {
      store<u16>(sizes, u16(request.trailerNameSize));
      store<u16>(sizes, u16(request.trailerValueSize), 2);
      const name = request.trailerName;
      const nameSize = request.trailerNameSize;
      target = this.keepsNames ? copy(target, name, nameSize) : copyLower(target, name, nameSize);
      target = copy(target, request.trailerValue, request.trailerValueSize);
    }
  }

  onSent(request: HTTPServerRequest): void {
    this.reports.add(this.recordOf(request));
  }

  onEnd(request: HTTPServerRequest): void {
    this.channel.send(FRAME_END, request.tag, 0);
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    if (!request.tag) return; // it never went to the host
    store<u16>(this.channel.send(FRAME_ABORT, request.tag, 2), u16(reason));
  }

  requestRefused(connection: HTTPConnection, code: Refusal): void {
    const before = this.refusals.next(IOLoop.current().time);
    if (before < 0) return;
    const size = textSizeOf(code);
    const id = connection.inFlight ? this.nextId(changetype<HTTP1Connection>(connection).request) : 0;
    const payload = this.channel.send(FRAME_REFUSED, id, REFUSED_BYTES + size);
    store<u16>(payload, u16(statusOf(code)));
    store<u16>(payload, u16(before), 2);
    store<u32>(payload, connection.socket.descriptor, 4);
    const address = connection.socket.address;
    if (address) writeAddress(payload + 8, address);
    else memory.fill(payload + 8, 0, usize(ADDRESS_BYTES));
    copy(payload + usize(REFUSED_BYTES), textOf(code), size);
    if (id) this.streams.detach(changetype<HTTP1Connection>(connection));
  }

  // --- answers ---

  /** RESPONSE. */
  respond(connection: HTTP1Connection, source: usize, size: i32): void {
    const status = i32(load<u16>(source));
    const flags = i32(load<u8>(source, 2));
    const rows = i32(load<u16>(source, 4));
    const reasonSize = i32(load<u16>(source, 6));
    const sizes = source + RESPONSE_BYTES;
    if (status < 100 || status > 999) fail("wrong head");
    const bodySize = restOf(size - RESPONSE_BYTES - reasonSize, sizes, rows);
    let length = load<i64>(source, 8);
    const informs = status < 200;
    if (informs && (status == 101 || flags || bodySize || length >= 0)) fail("wrong head");
    if (informs && !connection.request.minor) return; // RFC 9110 15.2
    // A 304 speaks of the length that a 200 would have had, or says nothing (RFC 9110 8.6).
    if (length < 0 && flags & RESPONSE_LAST && status != 304) length = bodySize;
    if (flags & RESPONSE_CLOSE) connection.closeAfterAnswer();
    if (flags & RESPONSE_LAST) connection.ignoreRest();
    let at = sizes + (usize(rows) << 2);
    connection.startResponse(status, at, reasonSize, length);
    if (flags & RESPONSE_KEPT) connection.keepByHandler();
    at += usize(reasonSize);
    at = addFields(connection, sizes, rows, at);
    if (!at) return;
    if (informs) connection.endInformation();
    else if (flags & RESPONSE_LAST) {
      if (bodySize) connection.writeBody(at, bodySize);
      connection.finishResponse();
    } else this.body(connection, at, bodySize);
  }

  /** RESPONSE_TRAILERS. */
  trailers(connection: HTTP1Connection, source: usize, size: i32): void {
    const rows = i32(load<u16>(source));
    const sizes = source + usize(TRAILERS_BYTES);
    if (restOf(size - TRAILERS_BYTES, sizes, rows)) fail("wrong size");
    if (connection.beginTrailers()) addFields(connection, sizes, rows, sizes + (usize(rows) << 2));
  }

  /** RESPONSE_BODY, and what comes with the others. */
  body(connection: HTTP1Connection, source: usize, size: i32): void {
    const record = this.recordOf(connection.request);
    record.add(size);
    connection.writeBody(source, size);
    this.reports.add(record);
  }
}

/** The bytes behind a table of sizes and its texts, of `size` bytes from the table on. */
function restOf(size: i32, sizes: usize, rows: i32): i32 {
  size -= rows << 2;
  for (const end = sizes + (usize(rows) << 2); size >= 0 && sizes < end; sizes += 2) size -= load<u16>(sizes);
  if (size < 0) fail("wrong size");
  return size;
}

/** Fields of an answer. Returns the end of their texts; 0: one cannot be sent, and the connection is cut. */
function addFields(connection: HTTP1Connection, sizes: usize, rows: i32, at: usize): usize {
  for (const end = sizes + (usize(rows) << 2); sizes < end; sizes += 4) {
    const nameSize = i32(load<u16>(sizes));
    const valueSize = i32(load<u16>(sizes, 2));
    const value = at + usize(nameSize);
    if (!connection.addField(at, nameSize, value, valueSize)) {
      connection.abort(REASON_BAD_RESPONSE);
      return 0;
    }
    at = value + usize(valueSize);
  }
  return at;
}

/** The connection whose request in flight has this id, null: it is over. */
export function findRequest(server: HTTPServer, id: u32): HTTP1Connection | null {
  const connection = server.connectionAt(i32(id & SLOT_MASK));
  return connection && connection.inFlight && connection.request.tag == id ? connection : null;
}

// @ts-ignore: decorator
@inline function copy(target: usize, source: usize, size: i32): usize {
  memory.copy(target, source, usize(size));
  return target + usize(size);
}

function copyLower(target: usize, source: usize, size: i32): usize {
  for (let i: usize = 0; i < usize(size); i++) store<u8>(target + i, lower(load<u8>(source + i)));
  return target + usize(size);
}
