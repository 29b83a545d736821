// A request, the handler that answers it, and the connection as both see it: independent of how HTTP is transported.
// Reference: Tornado's httputil.py (HTTPServerRequest, HTTPMessageDelegate, HTTPConnection).

import { Address } from "../core/address";
import { BODY, Buffer } from "../bytes/buffer";
import { isText } from "../bytes/scan";
import { Connection } from "../stream/connection";
import { Refusal } from "../protocol/http/refusal";
import { StreamHandler } from "../stream/iostream";
import {
  hostOffset,
  hostSize,
  methodCode,
  methodSize,
  nameOffset,
  nameSize,
  pathOffset,
  pathSize,
  rowCount,
  targetOffset,
  targetSize,
  valueOffset,
  valueSize,
} from "../protocol/http/headstate";
import { minorVersion } from "../protocol/http/head";
import { Method } from "../protocol/http/method";
import {
  isSafeTrailer,
  trailerField,
  trailerNameOffset,
  trailerNameSize,
  trailerValueOffset,
  trailerValueSize,
} from "../protocol/http/trailers";
import { OVER_HTTP } from "../wasi/build";

export { Method };

/**
 * What handles requests. For each one: headersReceived once, then dataReceived for a body that comes in pieces, then
 * either finish or onConnectionClose. The answer may be given at any time from headersReceived on, also turns later.
 */
export abstract class HTTPHandler {
  /** The head is complete. Target and fields of `request` can be read in this call and, without a body, in finish(). */
  abstract headersReceived(request: HTTPServerRequest): void;
  /** A piece of the body, unless the request collects it (collectBody). */
  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {}
  /** The request is complete. */
  finish(request: HTTPServerRequest): void {}
  /** Bytes of the answer that had to wait for a slow peer have left. */
  onSent(request: HTTPServerRequest): void {}
  /**
   * The client has ended its side while its request, which is complete, waits for its answer: most likely it has left.
   * Called once, at the earliest WATCH_AFTER_MS after the request came. The answer may still be given, for a client
   * that reads on.
   */
  onEnd(request: HTTPServerRequest): void {}
  /** The connection is gone before the answer was complete: nothing can be sent any more. */
  onConnectionClose(request: HTTPServerRequest, reason: i32): void {}
  /**
   * A request was refused, for the reason in protocol/http/refusal.ts: before it came to this handler, or in the middle
   * of its body (onConnectionClose is called, too). For a log.
   */
  requestRefused(connection: HTTPConnection, code: Refusal): void {}
}

/** Uses a connection's stream after an accepted upgrade. */
export abstract class Upgraded extends StreamHandler {
  /** The server stops: close in order, before the grace is over. */
  abstract drain(): void;
}

/** The way that answers go. HTTP1Connection is the one there is. */
export abstract class HTTPConnection extends StreamHandler {
  /**
   * Begins the answer. `reason` 0: the standard phrase; `contentLength` -1: not known. Begun twice, it cuts the
   * connection.
   */
  abstract startResponse(status: i32, reason: usize, reasonSize: i32, contentLength: i64): void;
  /** Adds a header field, after startResponse and before the body. False: it cannot be one, or the head is over. */
  abstract addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool;
  /** A piece of the body. False: the connection is gone, or more than the contentLength was given and it is cut. */
  abstract writeBody(source: usize, size: i32): bool;
  /** Ends the answer; one that is shorter than its contentLength cuts the connection. */
  abstract finishResponse(): void;
  /** Lets the client send `bytes` more of the body: adds them to the credit of the request. */
  abstract takeBody(bytes: i64): void;
  /** Closes the connection behind the answer in flight, or behind the next one. */
  abstract closeAfterAnswer(): void;
  /**
   * Before an answer that is given without more of the body: when the rest is too large to be read and dropped, the
   * answer says that the connection closes behind it.
   */
  abstract ignoreRest(): void;
  /** Cuts the connection, for a reason of core/errors.ts. Complete answers before this one still arrive. */
  abstract abort(reason: i32): void;
  /** There is no memory for the request in flight: 503 where an answer can still be given, and the connection ends. */
  abstract shed(): void;
  /** A request has come and its answer is not complete. */
  abstract get inFlight(): bool;
  /** Bytes of answers that have not left. */
  abstract get unsent(): i32;
  /** Of these, what the peer's socket has refused so far. */
  abstract get waiting(): i32;
  /** The connection below HTTP: its handle, and the peer's address. */
  abstract get socket(): Connection;
  /** Finds the length of a request's body that is LENGTH_UNASKED. */
  findLength(): void {}
}

/** A request's contentLength that only the runtime knows, and has not been asked for. */
export const LENGTH_UNASKED: i64 = i64.MIN_VALUE;

/**
 * A request and its answer: Tornado's HTTPServerRequest. An object serves one request after the other. Texts are
 * addresses and sizes in the module's memory.
 */
@final
export class HTTPServerRequest {
  /** The number of its connection in the server: with `serial` a key for a handler's tables. */
  slot: i32 = 0;
  /** Its own number in that connection. */
  serial: u32 = 0;
  /** For the handler's own use; 0 at first. */
  tag: u32 = 0;
  /** The method's number; methodText has the text. */
  method: i32 = Method.OTHER;
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  minor: i32 = 1;
  /** The connection may go on after this request. */
  keepAlive: bool = true;
  /** contentLength, or LENGTH_UNASKED. */
  private length: i64 = 0;
  /** How much more of the body is taken; takeBody() adds to it. Without limit unless the handler sets it. */
  credit: i64 = i64.MAX_VALUE;
  /**
   * With less credit a longer body is not read on: for a handler that gives more when it has taken what came, to whom a
   * small piece is not worth its cost.
   */
  creditMin: i64 = 0;
  /**
   * In headersReceived: the client waits for 100 Continue. It is sent when that call returns and the request has
   * credit, else when takeBody() gives some; never when the answer has begun before, which is then the connection's
   * last.
   */
  expectsContinue: bool = false;
  /** Where it stands among those of its connection: 0 is the last that requestsMax allows, 1 is one more. */
  excess: i32 = -1;
  /** The body, when the request collects it. */
  body: Buffer = new Buffer(BODY);
  /** Whether collectBody() was called. */
  collects: bool = false;
  /** The trailer lines of a chunked body as they came: complete in finish(), to be read with nextTrailer or trailer. */
  trailers: Buffer = new Buffer();
  /** The connection that it came on. */
  connection: HTTPConnection;

  /** Of the body; 0 without one, -1 for a chunked one. */
  // @ts-ignore: decorator
  @inline get contentLength(): i64 {
    if (OVER_HTTP && this.length == LENGTH_UNASKED) this.connection.findLength();
    return this.length;
  }
  // @ts-ignore: decorator
  @inline set contentLength(bytes: i64) {
    this.length = bytes;
  }

  // Views into the head: valid as long as headersReceived says.
  /** The parsed head: what the functions of protocol/http/headstate.ts read. */
  head: usize = 0;
  /** The head as it came, from the method on. */
  source: usize = 0;
  /** Body bytes that came with the head, behind it: for a handler that takes a small body at once. */
  ahead: usize = 0;
  /** How many bytes stand at `ahead`. */
  aheadSize: i32 = 0;

  constructor(connection: HTTPConnection) {
    this.connection = connection;
  }

  /** A head has come, with `ahead` bytes behind it, whose framing is known: nothing is left of the request before. */
  begin(head: usize, source: usize, size: i32, ahead: i32): void {
    this.method = methodCode(head);
    this.minor = minorVersion(head);
    this.credit = i64.MAX_VALUE;
    this.creditMin = 0;
    this.collects = false;
    this.tag = 0;
    this.head = head;
    this.source = source;
    this.ahead = source + usize(size);
    this.aheadSize = ahead;
    this.serial++;
  }

  /** Gives back the memory for body and trailers. */
  clear(): void {
    this.body.clear();
    this.trailers.clear();
  }

  // --- the request ---

  /** The target's text as it came: path and query. */
  get target(): usize {
    return this.source + usize(targetOffset(this.head));
  }
  /** Bytes of the target. */
  get targetSize(): i32 {
    return targetSize(this.head);
  }
  /** The method's text. */
  get methodText(): usize {
    return this.source;
  }
  /** Bytes of the method. */
  get methodSize(): i32 {
    return methodSize(this.head);
  }
  /** The target's path as it came; of an absolute-form target the part behind the authority, which may be empty. */
  get path(): usize {
    return this.source + usize(pathOffset(this.head));
  }
  /** The authority that is asked for: the target's, else that of the Host field. */
  get host(): usize {
    return this.source + usize(hostOffset(this.head));
  }
  /** Bytes of it, 0: there is none. */
  get hostSize(): i32 {
    return hostSize(this.head);
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
  /** Whether that name is this one, a literal in lower case, in any case of letters. */
  nameIs(index: i32, name: string): bool {
    return isText(this.name(index), usize(this.nameSize(index)), changetype<usize>(name));
  }
  /** The value of a field, without blanks around it. */
  value(index: i32): usize {
    return this.source + usize(valueOffset(this.head, index));
  }
  /** Bytes of that value. */
  valueSize(index: i32): i32 {
    return valueSize(this.head, index);
  }

  /**
   * In finish(): goes to the next trailer field that is safe to use (protocol/http/trailers.ts), from `at` 0 on.
   * Returns the `at` for the next call, -1: there are no more. trailerName and the others are of the field that was
   * found.
   */
  nextTrailer(at: i32): i32 {
    const source = this.trailers.source;
    while (at < this.trailers.size) {
      at = trailerField(trailerRow, source, this.trailers.size, at);
      if (isSafeTrailer(this.trailerName, this.trailerNameSize)) return at;
    }
    return -1;
  }
  /** The name of the trailer field that nextTrailer has found. */
  get trailerName(): usize {
    return this.trailers.source + usize(trailerNameOffset(trailerRow));
  }
  /** Bytes of that name. */
  get trailerNameSize(): i32 {
    return trailerNameSize(trailerRow);
  }
  /** Its value. */
  get trailerValue(): usize {
    return this.trailers.source + usize(trailerValueOffset(trailerRow));
  }
  /** Bytes of that value. */
  get trailerValueSize(): i32 {
    return trailerValueSize(trailerRow);
  }

  /** In finish(): the first value of a trailer field that is safe to use, as latin-1; null: there is none. */
  trailer(name: string): string | null {
    for (let at = this.nextTrailer(0); at >= 0; at = this.nextTrailer(at)) {
      if (textOf(this.trailerName, this.trailerNameSize).toLowerCase() == name.toLowerCase()) {
        return textOf(this.trailerValue, this.trailerValueSize);
      }
    }
    return null;
  }

  /** `OPTIONS *`: it is not about any resource. The connection answers it. */
  get isServerWide(): bool {
    return this.method == Method.OPTIONS && this.targetSize == 1 && load<u8>(this.target) == 0x2a;
  }

  /** @internal `OPTIONS *` is a question to the server as such, which is there (RFC 9110 9.3.7). */
  answerOptions(): void {
    this.startResponse(204);
    this.finish();
  }

  /** Where the peer is, null: unknown. */
  get address(): Address | null {
    return this.connection.socket.address;
  }

  /** The answer is not complete and can still be given. */
  get inFlight(): bool {
    return this.connection.inFlight;
  }

  /** Whether the target's path, without its query, is this latin-1 text; an empty one is `/` (RFC 9110 4.2.3). */
  pathIs(path: string): bool {
    const size = pathSize(this.head);
    if (!size) return path == "/";
    if (size != path.length) return false;
    const source = this.source + usize(pathOffset(this.head));
    for (let i = 0; i < size; i++) {
      if (load<u8>(source + usize(i)) != load<u16>(changetype<usize>(path) + (usize(i) << 1))) return false;
    }
    return true;
  }

  /** The first value of a query argument as it stands in the target, not decoded; null: there is none. */
  queryArgument(name: string): string | null {
    const end = this.target + usize(this.targetSize);
    let at = this.source + usize(pathOffset(this.head) + pathSize(this.head)) + 1;
    while (at < end) {
      let stop = at;
      while (stop < end && load<u8>(stop) != 0x26) stop++; // "&"
      const pair = String.UTF8.decodeUnsafe(at, stop - at);
      if (pair.startsWith(name) && pair.charCodeAt(name.length) == 0x3d) return pair.substring(name.length + 1);
      at = stop + 1;
    }
    return null;
  }

  /**
   * Keeps the body in `body` instead of giving it to dataReceived; bounded by the server's bodyBytesMax. When all
   * bodies that are kept so would take more than three quarters of the module's MEMORY_BYTES_MAX, the request is
   * answered with 503.
   */
  collectBody(): void {
    this.collects = true;
  }

  // --- the answer ---

  /** A whole answer. For text that stays the same this allocates nothing. */
  respond(status: i32, contentType: string, body: string): void {
    this.connection.ignoreRest();
    this.startResponse(status, String.UTF8.byteLength(body));
    this.setHeader("Content-Type", contentType);
    this.write(body);
    this.finish();
  }

  /** A whole answer of bytes. */
  respondBytes(status: i32, contentType: string, source: usize, size: i32): void {
    this.connection.ignoreRest();
    this.startResponse(status, size);
    this.setHeader("Content-Type", contentType);
    this.writeBytes(source, size);
    this.finish();
  }

  /**
   * Begins an answer. `contentLength` -1: not known, so the body is chunked (or ends with the connection for HTTP/1.0).
   */
  startResponse(status: i32, contentLength: i64 = -1): void {
    this.connection.startResponse(status, 0, 0, contentLength);
  }

  /** A header field: latin-1 text, after startResponse and before the body. An impossible one is refused: false. */
  setHeader(name: string, value: string): bool {
    const text = latin1(name, 0);
    const valueText = latin1(value, name.length);
    if (!text || !valueText) return false;
    return this.connection.addField(text, name.length, valueText, value.length);
  }

  /** A piece of the body as UTF-8. False: the connection is gone, or its framing would break. */
  write(text: string): bool {
    const size = String.UTF8.byteLength(text);
    const target = size <= TEXT_BYTES ? texts : 0;
    if (!target) {
      const bytes = String.UTF8.encode(text);
      return this.writeBytes(changetype<usize>(bytes), size);
    }
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, target);
    return this.writeBytes(target, size);
  }

  /** A piece of the body. False: the connection is gone, or its framing would break. */
  writeBytes(source: usize, size: i32): bool {
    return this.connection.writeBody(source, size);
  }

  /** The answer is complete. */
  finish(): void {
    this.connection.finishResponse();
  }

  /** Bytes of the answer that have not left. */
  get unsent(): i32 {
    return this.connection.unsent;
  }

  /**
   * Of these, what the peer's socket has refused so far. A handler with much to send writes piece by piece while this
   * is 0, and goes on in onSent: so a peer that does not read costs no more than one piece.
   */
  get waiting(): i32 {
    return this.connection.waiting;
  }
}

/** The trailer field that was looked at last. */
const trailerRow: usize = memory.data(16, 4);

/** Bytes as latin-1 text. */
function textOf(source: usize, size: i32): string {
  const units = new StaticArray<u16>(size);
  for (let i = 0; i < size; i++) unchecked((units[i] = load<u8>(source + usize(i))));
  return String.UTF16.decodeUnsafe(changetype<usize>(units), usize(size) << 1);
}

/** Room for a header field, such as a Location that is as long as a target may be. */
export const TEXT_BYTES: i32 = 17408;
const texts: usize = memory.data(TEXT_BYTES + 64, 16);

/** `text` as latin-1 in a shared block from `at` on; 0: it does not fit, or is not latin-1. */
function latin1(text: string, at: i32): usize {
  const size = text.length;
  if (at + size > TEXT_BYTES) return 0;
  const source = changetype<usize>(text);
  const target = texts + usize(at);
  for (let i = 0; i < size; i++) {
    const unit = load<u16>(source + (usize(i) << 1));
    if (unit > 0xff) return 0;
    store<u8>(target + usize(i), u8(unit));
  }
  return target;
}
