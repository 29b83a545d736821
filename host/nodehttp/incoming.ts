/**
 * A request as Node's own `http.IncomingMessage`.
 *
 * Invariant: what this does differently are properties of the object itself, never of a class: frameworks give the object another
 * prototype (Express does), below which only Node's own methods are left.
 */
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HTTPServerRequest } from "../httprequest.js";
import type { RequestSocket } from "./socket.js";

/** Methods of Node's that its types leave out; frameworks and Node's own server call them. */
export interface Incoming extends IncomingMessage {
  /** Takes names and values; they are joined by Node's rules when asked for. Trailers once it is complete. */
  _addHeaderLines(fields: string[], count: number): void;
  /** Reads and drops what nobody has read. */
  _dump(): void;
  /** Somebody has begun to read. */
  _consumed: boolean;
  /** Node makes it true, so that nothing is read ahead before somebody has begun. */
  readonly _readableState: { readingMore: boolean };
}

/** The request for handlers of Node's kind. */
export function incomingMessage(request: HTTPServerRequest, socket: RequestSocket): Incoming {
  const message = new IncomingMessage(socket as unknown as Socket) as Incoming;
  const minor = request.version === "HTTP/1.0" ? 0 : 1;
  message.method = request.method;
  message.url = request.target;
  message.httpVersion = `1.${minor}`;
  message.httpVersionMajor = 1;
  message.httpVersionMinor = minor;
  const fields = request.rawFields;
  message._addHeaderLines(fields, fields.length);
  message._read = bodyReader(request, message);
  return message;
}

/** What Node gives as the reason when a client leaves. */
export function aborted(): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET" });
}

function bodyReader(request: HTTPServerRequest, message: Incoming): () => void {
  let blocks: AsyncIterator<Buffer> | null = null;
  const take = ({ value, done }: IteratorResult<Buffer>) => {
    if (message.destroyed) return;
    if (done === true) complete(request, message);
    else message.push(value);
  };
  const fail = (error: Error) => {
    if (request.finished)
      message.destroy(); // answered before all of it had come: the rest is nobody's
    else message.destroy(error === request.gone ? aborted() : error);
  };
  return () => {
    message._consumed = true;
    message._readableState.readingMore = false;
    if (request.contentLength === 0) return complete(request, message);
    blocks ??= request.body[Symbol.asyncIterator]();
    blocks.next().then(take, fail);
  };
}

function complete(request: HTTPServerRequest, message: Incoming): void {
  if (message.complete) return;
  message.complete = true;
  const trailers = [...request.trailers].flat();
  message._addHeaderLines(trailers, trailers.length);
  message.push(null);
}
