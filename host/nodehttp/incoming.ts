/**
 * A request as Node's own `http.IncomingMessage`.
 *
 * Invariant: what this does differently are properties of the object itself, never of a class: frameworks give the
 * object another prototype (Express does), below which only Node's own methods are left.
 */

import type { Socket } from "node:net";
import type { BodyReader } from "../http/bodyreader.js";
import type { HTTPServerRequest } from "../http/request.js";
import { addFields } from "../nodeinternals/headerlines.js";
import { IncomingMessage } from "../nodeinternals/httpclasses.js";
import { emitCloseEarly, endQuietly, pushBlock, readAhead } from "../nodeinternals/readablestate.js";
import { aborted, type RequestSocket } from "./socket.js";

const REQUEST = Symbol("request");
const BLOCKS = Symbol("blocks");
const READ_BEGUN = Symbol("reading has begun");
const WHEN_READ = Symbol("called when all has been read");
const ENDED = Symbol("its end has been given to the stream");

export interface Incoming extends IncomingMessage {
  [REQUEST]: HTTPServerRequest;
  [BLOCKS]: AsyncIterator<Buffer> | null;
  [READ_BEGUN]: boolean;
  [WHEN_READ]: (() => void) | null;
  [ENDED]: boolean;
}

/** The request for handlers of Node's kind. */
export function incomingMessage(request: HTTPServerRequest, socket: RequestSocket): Incoming {
  const { server } = socket;
  const Message = server === null ? IncomingMessage : server.classes.IncomingMessage;
  const message = new Message(socket as unknown as Socket) as Incoming;
  message[REQUEST] = request;
  message[BLOCKS] = null;
  message[READ_BEGUN] = false;
  message[WHEN_READ] = null;
  message[ENDED] = false;
  message._read = read;
  socket.incoming = message;
  message.method = request.method;
  message.url = request.target;
  const isOld = request.version === "HTTP/1.0";
  message.httpVersion = isOld ? "1.0" : "1.1";
  message.httpVersionMajor = 1;
  message.httpVersionMinor = isOld ? 0 : 1;
  if (server?.messageOptions.joinDuplicateHeaders) Object.assign(message, { joinDuplicateHeaders: true });
  const fields = request.rawFields;
  const pairs = server === null || server.maxHeadersCount === null ? 0 : server.maxHeadersCount;
  addFields(message, pairs > 0 ? fields.slice(0, 2 * pairs) : fields);
  if (server?.messageOptions.optimizeEmptyRequests && saysNothingOfBody(request)) {
    message[ENDED] = endQuietly(message);
    Object.assign(message, { _dumped: true }); // Node's name for a message without a body to read
  }
  return message;
}

function saysNothingOfBody(request: HTTPServerRequest): boolean {
  return request.method === "HEAD" || !(request.hasField("content-length") || request.hasField("transfer-encoding"));
}

function read(this: Incoming): void {
  const request = this[REQUEST];
  this[READ_BEGUN] = true;
  readAhead(this);
  if (request.contentLength === 0) return complete(request, this);
  const block = (request.body as BodyReader).takeNow();
  if (block !== null) {
    (this.socket as unknown as RequestSocket).active();
    return pushBlock(this, block);
  }
  this[BLOCKS] ??= request.body[Symbol.asyncIterator]();
  this[BLOCKS].next().then(
    ({ value, done }) => {
      if (this.destroyed) return;
      (this.socket as unknown as RequestSocket).active();
      if (done !== true) return pushBlock(this, value);
      complete(request, this);
    },
    (error) => {
      if (this.socket.destroyed) return; // which ends this, too
      this[WHEN_READ]?.();
      if (request.finished)
        (this.socket as unknown as RequestSocket).spareIn(() => this.destroy()); // answered: the rest is dropped
      else this.destroy(error === request.gone ? aborted() : error);
    },
  );
}

/** All of the message has come: as with Node, it waits in the stream, as far as that reads ahead. */
export function tellArrived(request: HTTPServerRequest, message: Incoming): void {
  message.complete = true;
  if (request.contentLength !== 0) message.read(0);
}

/**
 * What Node's server makes of a client that has ended its side, once: `close`, and unless all of the message has been
 * read `aborted` and `error` before it. What has come by then can still be had by `read()`.
 */
export function tellClose(message: Incoming): void {
  const isAhead = message.readableLength < message.readableHighWaterMark;
  const isBeingRead = message.readableFlowing !== null && !message[ENDED] && isAhead; // its end, or error, is to come
  if (isBeingRead || message.closed) return;
  if (message.readableEnded) return emitCloseEarly(message);
  message.aborted = true;
  message.emit("aborted");
  message._destroy = destroyAlone;
  message.destroy(aborted());
}

/** The connection goes on: what is written all the same is sent. */
function destroyAlone(this: Incoming, error: Error | null, callback: (error?: Error | null) => void): void {
  callback(this.listenerCount("error") > 0 ? error : null);
}

/**
 * Calls `then` when all of the body has been read: at once unless the handler reads it; then it gets all of it,
 * also behind an early answer.
 */
export function whenRead(request: HTTPServerRequest, message: Incoming, then: () => void): void {
  if (isBeingRead(request, message)) message[WHEN_READ] = then;
  else then();
}

/** Whether some of the body is to come, and the handler has begun to read it. */
export function isBeingRead(request: HTTPServerRequest, message: Incoming): boolean {
  if (request.contentLength === 0 || request.hasArrived || message[ENDED] || message.destroyed) return false;
  return message.listenerCount("data") > 0 || message.listenerCount("readable") > 0;
}

/** What Node does with the rest of a body behind its answer: it is read and dropped, and then the request has ended. */
export function endUnread(request: HTTPServerRequest, message: Incoming): void {
  if (isBeingRead(request, message)) return;
  const isQuiet = request.contentLength === 0 && message.eventNames().length === 0 && !message[READ_BEGUN];
  if (isQuiet && endQuietly(message)) {
    message[ENDED] = true;
    return;
  }
  message.removeAllListeners("data");
  message.resume();
}

function complete({ rawTrailers }: HTTPServerRequest, message: Incoming): void {
  if (message[ENDED]) return;
  message[ENDED] = true;
  message.complete = true;
  if (rawTrailers.length > 0) addFields(message, rawTrailers.slice());
  message.push(null);
  message[WHEN_READ]?.();
}
