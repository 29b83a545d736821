/**
 * A request as Node's own `http.IncomingMessage`.
 *
 * Invariant: what this does differently are properties of the object itself, never of a class: frameworks give the
 * object another prototype (Express does), below which only Node's own methods are left.
 */
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HTTPServerRequest } from "../http/request.js";
import { aborted, type RequestSocket } from "./socket.js";

/** Methods of Node's that its types leave out; frameworks and Node's own server call them. */
export interface Incoming extends IncomingMessage {
  /** Takes names and values; they are joined by Node's rules when asked for. Trailers once it is complete. */
  _addHeaderLines(fields: string[], count: number): void;
  /** Reads and drops what nobody has read. */
  _dump(): void;
  /** Somebody has begun to read. */
  _consumed: boolean;
  /** Node makes `readingMore` true, so that nothing is read ahead before somebody has begun. */
  readonly _readableState: Record<ReadableFlag, boolean>;
  /** Kinds of events that somebody listens to. */
  readonly _eventsCount: number;
}

type ReadableFlag = "readingMore" | "ended" | "endEmitted" | "closed" | "emitClose" | "closeEmitted";

/** What Node's `_read` finds on it. */
const REQUEST = Symbol("request");
const BLOCKS = Symbol("blocks");

interface Reading extends Incoming {
  [REQUEST]: HTTPServerRequest;
  [BLOCKS]: AsyncIterator<Buffer> | null;
}

/** The request for handlers of Node's kind. */
export function incomingMessage(request: HTTPServerRequest, socket: RequestSocket): Incoming {
  const message = new IncomingMessage(socket as unknown as Socket) as Reading;
  message[REQUEST] = request;
  message[BLOCKS] = null;
  message._read = read;
  socket.incoming = message;
  message.method = request.method;
  message.url = request.target;
  const isOld = request.version === "HTTP/1.0";
  message.httpVersion = isOld ? "1.0" : "1.1";
  message.httpVersionMajor = 1;
  message.httpVersionMinor = isOld ? 0 : 1;
  const fields = request.rawFields;
  message._addHeaderLines(fields, fields.length);
  return message;
}

function read(this: Reading): void {
  const request = this[REQUEST];
  this._consumed = true;
  this._readableState.readingMore = false;
  if (request.contentLength === 0) return complete(request, this);
  this[BLOCKS] ??= request.body[Symbol.asyncIterator]();
  this[BLOCKS].next().then(
    ({ value, done }) => {
      if (this.destroyed) return;
      (this.socket as unknown as RequestSocket).active();
      if (done === true) complete(request, this);
      else this.push(value);
    },
    (error) => {
      if (this.socket.destroyed) return; // which ends this, too
      if (request.finished)
        this.destroy(); // answered before all of it had come: the rest is nobody's
      else this.destroy(error === request.gone ? aborted() : error);
    },
  );
}

/**
 * `close`, once, while the message can still be read: the client has ended its side, which may be all that it has done.
 */
export function tellClose(message: Incoming): void {
  const state = message._readableState;
  const isBeingRead = message._consumed && !message.complete; // its end, or error, is to come
  if (isBeingRead || state.closeEmitted) return;
  state.emitClose = false;
  state.closeEmitted = true;
  process.nextTick(() => message.emit("close"));
}

/** What Node does with the rest of a body behind its answer: it is read and dropped, and then the request has ended. */
export function endUnread(request: HTTPServerRequest, message: Incoming): void {
  const isQuiet = request.contentLength === 0 && message._eventsCount === 0 && !message._consumed;
  if (!isQuiet) return message._dump();
  // Nobody listens, and nothing is there: the state that it would be in, without the events.
  const state = message._readableState;
  message.complete = true;
  state.ended = true;
  state.endEmitted = true;
  state.closed = true;
  message.destroyed = true;
}

function complete({ trailers }: HTTPServerRequest, message: Incoming): void {
  if (message._readableState.ended) return;
  message.complete = true;
  if (trailers.size > 0) {
    const fields = [...trailers].flat();
    message._addHeaderLines(fields, fields.length);
  }
  message.push(null);
}
