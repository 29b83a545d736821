/**
 * An answer as Node's own `http.ServerResponse`: Node keeps the header fields, checks calls and counts; this sends.
 *
 * Invariants: what this does differently are properties of the object itself (see incoming.ts). Node makes no text of
 * HTTP/1 (nodeinternals/answerhooks.ts): status, fields and bytes go to the request's own answer, and an answer that
 * `end` gives at once leaves in one piece.
 */

import { toBytes } from "../core/data.js";
import { HeaderError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { NameTable } from "../core/nametable.js";
import { nodeFinished } from "../http/observing.js";
import type { HTTPServerRequest } from "../http/request.js";
import { isBodyless } from "../http/response.js";
import { type AnswerTaker, type Callback, type Data, hookAnswer } from "../nodeinternals/answerhooks.js";
import { emitCloseOnce } from "../nodeinternals/closedflag.js";
import { ServerResponse, validateHeaderName, validateHeaderValue } from "../nodeinternals/httpclasses.js";
import { clearNeedDrain, noteNeedDrain } from "../nodeinternals/needdrain.js";
import { eachOutHeader } from "../nodeinternals/outheaders.js";
import { keepTrailers, trailersOf } from "../nodeinternals/trailertext.js";
import { endUnread, type Incoming, isBeingRead, whenRead } from "./incoming.js";
import type { MessageOptions } from "./options.js";
import type { RawConnection } from "./rawconnection.js";
import type { RequestSocket } from "./socket.js";

type Fields = Record<string, string | number | string[]>;

interface Outgoing extends ServerResponse {
  [ANSWER]: Answer;
}

const ANSWER = Symbol("answer");

/** Its types leave the options out. */
type ResponseClass = new (message: Incoming, options?: MessageOptions) => ServerResponse;

/** Those about one connection (RFC 9110 7.6.1), which the sandbox writes itself. */
const OF_A_CONNECTION = new Set(["proxy-connection", "transfer-encoding"]);
const FINAL_STATUS_MIN = 200;
const NOTHING = Buffer.alloc(0);

/** The answer for handlers of Node's kind. */
export function serverResponse(
  request: HTTPServerRequest,
  message: Incoming,
  socket: RequestSocket,
  logger: Logger,
): ServerResponse {
  const { server } = socket;
  const Response = (server === null ? ServerResponse : server.classes.ServerResponse) as ResponseClass;
  const response = new Response(message, server?.messageOptions) as unknown as Outgoing;
  response[ANSWER] = new Answer(request, response, message, socket, logger);
  hookAnswer(response, socket, response[ANSWER]);
  keepTrailers(response);
  response.end = end as typeof response.end;
  socket._httpMessage = response;
  (response as { socket: unknown }).socket = socket; // assignSocket would have it listen, at a price
  return response;
}

function end(this: Outgoing, ...given: unknown[]): ServerResponse {
  return this[ANSWER].end(given);
}

function hasField(fields: Fields, key: string): boolean {
  return Object.keys(fields).some((name) => name.toLowerCase() === key);
}

/** Node's error, in front of an answer whose end needs no chunks. */
function noTrailers(): Error {
  return Object.assign(new Error("Trailers are invalid with this transfer encoding"), {
    code: "ERR_HTTP_TRAILER_INVALID",
  });
}

class Answer implements AnswerTaker {
  readonly #request: HTTPServerRequest;
  readonly #response: Outgoing;
  readonly #socket: RequestSocket;
  readonly #logger: Logger;
  readonly #message: Incoming;
  #fields: Fields = new NameTable();
  /** As it was when the head was made: later assignments are too late. */
  #status = 200;
  #reason: string | undefined;
  /** `end` is at work: what is sent waits for its last line. */
  #ending = false;
  #complete = false;
  /** The handler wants chunks, and gives no length. */
  #chunked = false;
  /** The handler frames it: by a Transfer-Encoding without chunks, or a Content-Length that is no plain number. */
  #unframed = false;
  /** What this answer goes to in place of the request's, and its head. */
  #raw: RawConnection | null = null;
  #rawHead: Buffer = NOTHING;
  #hasTrailer = false;
  #last: Data | null = null;
  #finish: Callback | null = null;

  constructor(
    request: HTTPServerRequest,
    response: Outgoing,
    message: Incoming,
    socket: RequestSocket,
    logger: Logger,
  ) {
    this.#request = request;
    this.#response = response;
    this.#message = message;
    this.#socket = socket;
    this.#logger = logger;
  }

  // --- the head ---

  head(given: unknown): void {
    const response = this.#response;
    const { statusCode, statusMessage } = response;
    this.#status = statusCode;
    this.#reason = statusCode === 200 && statusMessage === "OK" ? undefined : statusMessage; // the sandbox's own one
    this.#fields = new NameTable();
    this.#chunked = this.#unframed = false;
    this.#hasTrailer = false;
    const hasFields = eachOutHeader(response, (key, name, value) => this.#put(key, name, value));
    if (!hasFields) for (const [name, value] of pairsOf(given)) this.#putChecked(name, value);
    const isRaw = statusCode < FINAL_STATUS_MIN || (this.#unframed && !this.#chunked) || this.#socket.isRaw;
    if (isRaw && this.#beginRaw(hasFields ? null : given)) return;
    if (this.#hasTrailer && !this.#chunked && hasField(this.#fields, "content-length")) throw noTrailers();
    if (!response.sendDate && !hasField(this.#fields, "date")) this.#fields.Date = ""; // which leaves the sandbox's out
    const isContradiction = this.#chunked && isBodyless(statusCode); // for Node the connection's last answer
    if ((isContradiction || !response.shouldKeepAlive) && this.#request.version === "HTTP/1.1")
      this.#fields.Connection = "close";
  }

  /** Makes the head as text, of what the sandbox cannot frame. False: the request has not come whole. */
  #beginRaw(given: unknown): boolean {
    const response = this.#response;
    this.#raw = this.#socket.takeRaw(this.#status);
    if (this.#raw === null && this.#status >= FINAL_STATUS_MIN) return false; // framed in place of its own coding
    if (this.#raw === null) throw new HeaderError(`${this.#status} is no final status of a request with more to come`);
    const lines = [`HTTP/1.1 ${this.#status} ${response.statusMessage}`];
    const names = new Set<string>();
    const put = (name: string, value: unknown): void => {
      names.add(name.toLowerCase());
      for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${each}`);
    };
    if (given === null) eachOutHeader(response, (_key, name, value) => put(name, value));
    else for (const [name, value] of pairsOf(given)) put(name, value);
    if (response.sendDate && !names.has("date")) put("Date", new Date().toUTCString());
    if (!names.has("connection")) put("Connection", "close");
    this.#rawHead = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
    return true;
  }

  get declaredBytes(): number | null {
    const name = Object.keys(this.#fields).find((each) => each.toLowerCase() === "content-length");
    return name === undefined ? null : Number(this.#fields[name]);
  }

  inform(text: string): void {
    const [line = "", ...fields] = text.trimEnd().split("\r\n");
    const pairs = fields.map((field) => [
      field.slice(0, field.indexOf(":")),
      field.slice(field.indexOf(":") + 1).trim(),
    ]);
    this.#request.connection.writeInformation(Number(line.split(" ")[1]), pairs as [string, string][]);
  }

  #putChecked(name: string, value: unknown): void {
    validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each);
    this.#put(name.toLowerCase(), name, value);
  }

  #put(key: string, name: string, value: unknown): void {
    if (OF_A_CONNECTION.has(key)) {
      if (key !== "transfer-encoding") return;
      if (/\bchunked\b/i.test(String(value))) this.#chunked = true;
      else this.#unframed = true;
      return;
    }
    this.#hasTrailer ||= key === "trailer";
    if (key === "content-length" && isOddLength(value)) this.#unframed = true;
    if (key === "connection") {
      if (/\bclose\b/i.test(String(value))) this.#fields.Connection = "close";
      return;
    }
    const text =
      typeof value === "number" ? value : Array.isArray(value) ? this.#listed(key, value.map(String)) : String(value);
    const before = this.#fields[name];
    if (before === undefined) this.#fields[name] = text;
    else this.#fields[name] = [before, text].flat().map(String); // given as pairs, twice
  }

  /** A field for each value, unless the server wants one of this name. */
  #listed(key: string, values: string[]): string | string[] {
    return this.#socket.server?.uniqueHeaders?.has(key) ? values.join("; ") : values;
  }

  // --- the body ---

  send(data: Data, encoding?: BufferEncoding | null, callback?: Callback | null): boolean {
    const bytes = typeof data === "string" && !isUtf8(encoding) ? Buffer.from(data, encoding as BufferEncoding) : data;
    if (!this.#ending) return this.#stream(toBytes(bytes), callback ?? null);
    if (bytes.length > 0) this.#last = bytes;
    this.#finish = callback ?? null;
    return true;
  }

  /** Sends a piece, and the head before the first one. Returns whether more is welcome. */
  #stream(bytes: Uint8Array, callback: Callback | null): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return false;
    try {
      const done = this.#write(bytes);
      const size = bytes.length; // what waits for the client keeps a number, not the bytes
      socket.pending += size;
      socket.active();
      done.then(
        () => this.#taken(size, callback),
        (error) => callback?.(error),
      );
    } catch (error) {
      this.#fail(error as Error);
    }
    const isWelcome = socket.pending < socket.writableHighWaterMark;
    if (!isWelcome) noteNeedDrain(this.#response);
    return isWelcome;
  }

  #write(bytes: Uint8Array): Promise<void> {
    const { connection } = this.#request;
    if (this.#raw !== null) {
      const head = this.#rawHead;
      this.#rawHead = NOTHING;
      return this.#raw.write(Buffer.concat([head, bytes]));
    }
    if (connection.started) return connection.write(bytes);
    return connection.writeHeaders(this.#status, this.#fields, bytes, this.#reason);
  }

  #taken(bytes: number, callback: Callback | null): void {
    const response = this.#response;
    this.#socket.active();
    this.#socket.pending -= bytes;
    callback?.();
    if (this.#socket.pending > 0 || !response.writableNeedDrain) return;
    clearNeedDrain(response);
    response.emit("drain");
  }

  // --- the end ---

  end(given: unknown[]): ServerResponse {
    const response = this.#response;
    const before = response.writableEnded;
    this.#ending = true;
    try {
      Reflect.apply(ServerResponse.prototype.end, response, given);
    } finally {
      this.#ending = false;
    }
    if (!before && response.writableEnded && !this.#complete) this.#close();
    return response;
  }

  #close(): void {
    this.#complete = true;
    if (this.#socket.destroyed) return;
    try {
      if (this.#raw !== null) return this.#endStream();
      const trailers = trailersOf(this.#response);
      if (trailers.length > 0) this.#request.connection.setTrailers(trailers);
      const isChunked = this.#chunked || this.#hasTrailer || trailers.length > 0;
      const isWhole = !this.#request.started && this.#request.method !== "HEAD" && !isChunked;
      if (!isWhole) this.#endStream();
      else if (isBeingRead(this.#request, this.#message)) this.#endEarly();
      else this.#respond();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #respond(): void {
    this.#request.respond(this.#status, this.#fields, isBodyless(this.#status) ? null : this.#last, this.#reason);
    process.nextTick(() => this.#sent());
  }

  /** The whole answer, in front of the rest of a body that is read on: only behind that is the request over. */
  #endEarly(): void {
    if (!hasField(this.#fields, "content-length") && !isBodyless(this.#status))
      this.#fields["Content-Length"] = toBytes(this.#last ?? "").length;
    this.#endStream();
  }

  #endStream(): void {
    const bytes = toBytes(this.#last ?? "");
    this.#last = null;
    const done = this.#write(bytes);
    const size = bytes.length;
    this.#socket.pending += size;
    if (this.#raw !== null) this.#raw.end();
    else whenRead(this.#request, this.#message, () => this.#finishRead());
    done.then(
      () => {
        this.#socket.pending -= size;
        this.#sent();
      },
      () => {}, // the client is gone: `close` comes without `finish`
    );
  }

  /** All of the body has been read that was read on behind the answer. */
  #finishRead(): void {
    this.#request.connection.finish();
    if (this.#response.destroyed) this.#socket.settle(this.#request); // which has been sent before
  }

  /** Node's `finish`, and what its server does behind it. */
  #sent(): void {
    const response = this.#response;
    this.#socket.settle(this.#request);
    if (response.destroyed) return;
    endUnread(this.#request, this.#message);
    if (this.#socket._httpMessage === response) this.#socket._httpMessage = null;
    (response as { socket: unknown }).socket = null;
    if (nodeFinished.hasSubscribers) {
      const [request, socket] = [this.#message, this.#socket];
      nodeFinished.publish({ request, response, socket, server: socket.server });
    }
    this.#finish?.();
    process.nextTick(close, response);
  }

  /** Logged and not thrown: pieces come from events, too. */
  #fail(error: Error): void {
    const { method, target } = this.#request;
    this.#logger.error({ err: error }, `the answer to ${method} ${target} cannot be sent`);
    this.#socket.destroy();
  }
}

function close(response: Outgoing): void {
  response.destroyed = true;
  emitCloseOnce(response);
}

/** A length that the sandbox would write in another way, or not at all. */
function isOddLength(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 1 || isOddLength(value[0]) : /^0\d/.test(String(value));
}

function isUtf8(encoding: string | null | undefined): boolean {
  return encoding == null || encoding === "utf8" || encoding === "utf-8";
}

/** The forms that Node's `writeHead` takes: an object, pairs, or names and values one after the other. */
function pairsOf(fields: unknown): [string, unknown][] {
  if (fields == null) return [];
  if (!Array.isArray(fields)) return Object.entries(fields);
  if (Array.isArray(fields[0])) return fields as [string, unknown][];
  const pairs: [string, unknown][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at], fields[at + 1]]);
  return pairs;
}
