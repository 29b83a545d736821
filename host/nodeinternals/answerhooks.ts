/**
 * The answer of a `ServerResponse` before it is the text of HTTP/1: Node's `writeHead` ends in `_storeHeader`, its
 * `write` and `end` in `_send`, 1xx answers in `_writeRaw`. The fallback lets Node write the text: the head is taken
 * from the arguments of `writeHead` and cut off what Node writes to the socket.
 *
 * Invariant: what is changed are properties of the object itself: frameworks give it another prototype (Express does).
 */

import type { Duplex } from "node:stream";
import { ServerResponse } from "./httpclasses.js";
import { nodeInternal } from "./internal.js";
import { sampleResponse } from "./samples.js";

export type Callback = (error?: Error | null) => void;
export type Data = string | Uint8Array;

/** What does an answer's work in place of Node. */
export interface AnswerTaker {
  /** The status is set; `fields` are the header fields given to `writeHead`, in any of its forms. */
  head(fields: unknown): void;
  /** The Content-Length that was given; null: none. */
  readonly declaredBytes: number | null;
  /** Sends a piece of the body. Returns whether more is welcome. */
  send(data: Data, encoding?: BufferEncoding | null, callback?: Callback | null): boolean;
  /** Sends a 1xx answer, which is given as Node would write it. */
  inform(text: string): void;
}

/** Members of Node's that its types leave out. */
interface Hooked extends ServerResponse {
  _header: string | null;
  _headerSent: boolean;
  _contentLength: number | null;
  _storeHeader(line: string, fields: unknown): void;
  _send(data: Data, encoding?: BufferEncoding | null, callback?: Callback | null): boolean;
  _writeRaw(data: Data, encoding?: unknown, callback?: unknown): boolean;
  [TAKER]: AnswerTaker;
}

const TAKER = Symbol("taker");

export const answerHooks = nodeInternal(
  "_storeHeader",
  "time for each answer of a Node handler: Node writes its head as text, which is thrown away",
  () => {
    const response = sampleResponse() as Hooked;
    const seen: string[] = [];
    response._storeHeader = (line) => {
      seen.push("head");
      response._header = line;
    };
    response._send = () => seen.push("send") > 0;
    response.write("text");
    return seen.join() === "head,send" && response.headersSent;
  },
);

const isThere = answerHooks.isThere();

/** Has `taker` do the work of `response`, whose socket is `socket`. */
export function hookAnswer(response: ServerResponse, socket: Duplex, taker: AnswerTaker): void {
  if (!isThere) return cutText(response, socket, taker);
  const hooked = response as Hooked;
  hooked[TAKER] = taker;
  hooked._storeHeader = storeHeader;
  hooked._send = send;
  hooked._writeRaw = writeRaw;
}

function storeHeader(this: Hooked, line: string, fields: unknown): void {
  const taker = this[TAKER];
  taker.head(fields);
  this._header = line;
  if (this.strictContentLength) this._contentLength = taker.declaredBytes; // what Node compares with
}

function send(this: Hooked, data: Data, encoding?: BufferEncoding | null, callback?: Callback | null): boolean {
  this._headerSent = true;
  return this[TAKER].send(data, encoding, callback);
}

/** 1xx answers are all that Node writes so. */
function writeRaw(this: Hooked, data: Data, encoding?: unknown, callback?: unknown): boolean {
  if (this.socket?.destroyed === true) return false;
  this[TAKER].inform(String(data));
  const then = typeof encoding === "function" ? encoding : callback;
  if (typeof then === "function") process.nextTick(then as () => void);
  return true;
}

// --- the fallback ---

const HEAD_END = "\r\n\r\n";
const INFORMATION = /^HTTP\/1\.1 1/;

function cutText(response: ServerResponse, socket: Duplex, taker: AnswerTaker): void {
  let isHeadWritten = false;
  let isHeadCut = false;
  const handlersOwn = socket.write.bind(socket) as (...given: unknown[]) => boolean;
  const writeHead = (...given: unknown[]): ServerResponse => {
    Reflect.apply(ServerResponse.prototype.writeHead, response, given);
    response.chunkedEncoding = false; // what Node writes after the head is then the body as it is
    isHeadWritten = true;
    taker.head(typeof given[1] === "string" ? given[2] : (given[1] ?? given[2]));
    return response;
  };
  const write = (data: Data, encoding?: BufferEncoding | null, callback?: Callback | null): boolean => {
    if (!isHeadWritten && !INFORMATION.test(String(data).slice(0, 10))) return handlersOwn(data, encoding, callback);
    if (!isHeadWritten) {
      taker.inform(String(data));
      if (callback != null) process.nextTick(callback);
      return true;
    }
    const body = isHeadCut ? data : afterHead(data);
    isHeadCut = true;
    return taker.send(body, encoding, callback);
  };
  Object.assign(response, { writeHead });
  Object.assign(socket, { write });
}

/** Node writes the whole head at once, as a string, and perhaps the first piece of the body behind it. */
function afterHead(data: Data): Data {
  const text = typeof data === "string" ? data : Buffer.from(data).toString("latin1");
  return data.slice(text.indexOf(HEAD_END) + HEAD_END.length);
}
