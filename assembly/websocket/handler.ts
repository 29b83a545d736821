// WebSocketHandler: what an AssemblyScript application subclasses to speak WebSocket. Whole messages, one at a time.
//
//   class Echo extends WebSocketHandler {
//     onMessage(socket: WebSocketConnection, source: usize, size: i32, isText: bool): void {
//       socket.sendBytes(source, size, isText);
//     }
//   }
//   // in an HTTPHandler's headersReceived:  if (request.pathIs("/ws")) echo.accept(request);
//
// Invariants: what is collected of a message stays below messageBytesMax; a peer that does not read what it is sent is
// not read. Reference: Tornado's websocket.py (WebSocketHandler); RFC 6455 4.2.2 and 10.2.

import { isText, lower, textBytes } from "../bytes/scan";
import { REASON_BUFFER_FULL } from "../core/errors";
import { hostOffset, hostSize, methodCode, upgrade } from "../protocol/http/headstate";
import { Method } from "../protocol/http/method";
import { HTTP1Connection } from "../http/connection";
import { HTTPServerRequest } from "../http/request";
import { READ_CHUNK_BYTES, WS_MESSAGE_BYTES_MAX } from "../core/limits";
import { WebSocketConnection, WebSocketDelegate } from "./connection";
import { handshakeKey, hasVersion, offersWebSocket, onlyRow } from "../protocol/websocket/handshake";

const ORIGIN_NAME: usize = changetype<usize>("origin");
const SITE_NAME: usize = changetype<usize>("sec-fetch-site");
const SAME_ORIGIN: usize = changetype<usize>("same-origin");
const NO_PAGE: usize = changetype<usize>("none");
const HTTP: usize = changetype<usize>("http://");
const HTTPS: usize = changetype<usize>("https://");
const HTTP_PORT: usize = changetype<usize>(":80");
const HTTPS_PORT: usize = changetype<usize>(":443");

/** Accepts websockets and gets their messages whole: Tornado's WebSocketHandler. */
export abstract class WebSocketHandler extends WebSocketDelegate {
  /** Of one message, all its fragments together; a larger one closes its websocket with 1009. */
  messageBytesMax: i64 = WS_MESSAGE_BYTES_MAX;

  /** A message; text is valid UTF-8. `source` is valid during the call. */
  abstract onMessage(socket: WebSocketConnection, source: usize, size: i32, isText: bool): void;

  /**
   * Whether a page of another origin may connect: by default only pages of the same host, and clients that are no
   * browsers.
   */
  checkOrigin(request: HTTPServerRequest): bool {
    return isSameOrigin(request);
  }

  /** The subprotocol to name in the answer, one of those that the client offers; "": none. */
  selectSubprotocol(request: HTTPServerRequest): string {
    return "";
  }

  /**
   * Answers an opening handshake: in headersReceived, or in finish. True: the websocket is open, and onOpen has been
   * called. Else the request has been answered with 400, 403 (see checkOrigin) or 426 (another version than 13).
   */
  accept(request: HTTPServerRequest): bool {
    const head = request.head;
    const source = request.source;
    if (methodCode(head) != Method.GET || !offersWebSocket(head, source)) {
      return refuse(request, 400, 'Can "Upgrade" only to "WebSocket".');
    }
    if (!upgrade(head)) return refuse(request, 400, '"Connection" must be "Upgrade".');
    if (!this.checkOrigin(request)) return refuse(request, 403, "Cross origin websockets not allowed");
    if (!hasVersion(head, source)) return refuse(request, 426, "The WebSocket version must be 13");
    const key = handshakeKey(head, source);
    if (!key) return refuse(request, 400, "Sec-WebSocket-Key is not 16 bytes in base64, or the request has a body");
    const connection = request.connection as HTTP1Connection;
    const socket = WebSocketConnection.begin(connection, key, this);
    if (!socket) return false;
    socket.messageBytesMax = this.messageBytesMax;
    const protocol = this.selectSubprotocol(request);
    if (protocol.length) addProtocol(socket, protocol);
    socket.open(connection.draining);
    return true;
  }

  /** Collects a message; one that comes in one piece is not copied. */
  onData(socket: WebSocketConnection, source: usize, size: i32, last: bool): void {
    const message = socket.message;
    if (!last || message.size) {
      if (!message.append(source, size)) return socket.abort(REASON_BUFFER_FULL);
      if (!last) return;
      this.onMessage(socket, message.source, message.size, socket.isText);
      message.clear();
    } else this.onMessage(socket, source, size, socket.isText);
    if (socket.isOpen && socket.unsent > READ_CHUNK_BYTES) socket.holdData();
  }

  /** An override calls super.onSent(socket), which goes on with a peer that has begun to read. */
  onSent(socket: WebSocketConnection): void {
    if (socket.credit || socket.unsent > READ_CHUNK_BYTES) return;
    socket.credit = i64.MAX_VALUE;
    socket.goOn();
  }
}

/**
 * Whether the request comes from a page of the host that it asks, or names no page at all. Browsers say so by
 * Sec-Fetch-Site; without it, the scheme of the page tells which port may be left out. `host/http/origins.ts` has the
 * same rule for that; test/corpus/origins.md holds both to it.
 */
export function isSameOrigin(request: HTTPServerRequest): bool {
  let row = -1;
  for (let i = 0; i < request.fieldCount; i++) {
    if (!isText(request.name(i), request.nameSize(i), ORIGIN_NAME)) continue;
    if (row >= 0) return false;
    row = i;
  }
  if (row < 0) return true;
  const site = onlyRow(request.head, request.source, SITE_NAME);
  if (site >= 0) return isOfSameSite(request.value(site), request.valueSize(site));
  const at = request.value(row);
  const size = request.valueSize(row);
  return isOfSite(request, at, size, HTTP, HTTP_PORT) || isOfSite(request, at, size, HTTPS, HTTPS_PORT);
}

function isOfSameSite(at: usize, size: i32): bool {
  return isText(at, size, SAME_ORIGIN) || isText(at, size, NO_PAGE);
}

/** Whether an origin has this scheme and the request's host, either of which may name the scheme's own port. */
function isOfSite(request: HTTPServerRequest, at: usize, size: i32, scheme: usize, port: usize): bool {
  const start = i32(textBytes(scheme));
  if (size < start || !isText(at, usize(start), scheme)) return false;
  const host = request.source + usize(hostOffset(request.head));
  const bytes = withoutPort(at + usize(start), size - start, port);
  return bytes == withoutPort(host, hostSize(request.head), port) && isSameText(at + usize(start), host, bytes);
}

function withoutPort(host: usize, size: i32, port: usize): i32 {
  const rest = size - i32(textBytes(port));
  return rest >= 0 && isText(host + usize(rest), textBytes(port), port) ? rest : size;
}

/** The same in any case of letters; hosts and ports have no others that differ in that bit alone. */
function isSameText(at: usize, other: usize, size: i32): bool {
  for (let i: usize = 0; i < usize(size); i++) {
    if (lower(load<u8>(at + i)) != lower(load<u8>(other + i))) return false;
  }
  return size > 0;
}

function addProtocol(socket: WebSocketConnection, protocol: string): void {
  const name = String.UTF8.encode("Sec-WebSocket-Protocol");
  const value = String.UTF8.encode(protocol);
  socket.addField(changetype<usize>(name), name.byteLength, changetype<usize>(value), value.byteLength);
}

/** False. */
function refuse(request: HTTPServerRequest, status: i32, text: string): bool {
  request.startResponse(status, text.length);
  if (status == 426) {
    request.setHeader("Upgrade", "websocket");
    request.setHeader("Sec-WebSocket-Version", "13");
  }
  request.setHeader("Content-Type", "text/plain");
  request.write(text);
  request.finish();
  return false;
}
