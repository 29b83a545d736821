/**
 * Answers: a whole one in a single RESPONSE frame, or Tornado's HTTPConnection for one that is written bit by bit.
 *
 * Invariant: what goes out can be framed. A wrong status or header throws before anything is sent; a body that does not
 * match its Content-Length ends the connection (CANCEL) and throws, so a peer never takes one message for another.
 */

import type { Bridge } from "../bridge/bridge.js";
import {
  FRAME_CANCEL,
  FRAME_HEADER_BYTES,
  FRAME_RESPONSE,
  FRAME_RESPONSE_BODY,
  FRAME_RESPONSE_END,
  FRAME_RESPONSE_TRAILERS,
  put16,
  put32,
  put64,
  RESPONSE_BYTES,
  RESPONSE_CLOSE,
  RESPONSE_KEPT,
  RESPONSE_LAST,
  TRAILERS_BYTES,
} from "../bridge/frames.js";
import { WriteWindow } from "../bridge/writewindow.js";
import { UINT31_MAX } from "../core/check.js";
import { type Data, toBytes } from "../core/data.js";
import { HeaderError, HTTPOutputError, OptionError, type Reason, StreamClosedError } from "../core/errors.js";
import { isTooMuchToHold, tooMuchToHold } from "../core/heldwrites.js";
import { WINDOW_BYTES_MIN } from "../core/limits.js";
import { ignore } from "../core/promises.js";
import { withFields } from "./answerfields.js";
import type { ContentCoding } from "./compression/acceptencoding.js";
import { type CodedHead, type Compression, codeHead } from "./compression/options.js";
import { Compressor, hasFreeCompressor } from "./compression/stream.js";
import { type HeaderPairs, headerPairs } from "./headerpairs.js";
import { encodeHeaders, type HeaderBlock, type HeadersInput, type HTTPHeaders, withReason } from "./headers.js";
import type { RequestHead } from "./requesthead.js";

/** A body up to this size goes out with its head in one frame: it fits the smallest window. */
const WHOLE_BYTES_MAX = WINDOW_BYTES_MIN;
/** Text up to this length is encoded here; beyond it the call into the engine pays. */
const SHORT_TEXT = 40;

export const STATUS_SWITCHING_PROTOCOLS = 101;
const STATUS_NO_CONTENT = 204;
export const STATUS_NOT_MODIFIED = 304;

/** Throws HeaderError unless `status` is a final status, 200 to 999. */
export function checkStatus(status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new HeaderError(`a status is a whole number from 200 to 999, not ${String(status)}`);
  }
}

/** Whether an answer with `status` has no body whatever its handler gives. */
export function isBodyless(status: number): boolean {
  return status === STATUS_NO_CONTENT || status === STATUS_NOT_MODIFIED;
}

/**
 * Writes one RESPONSE frame with `body`, at most WHOLE_BYTES_MAX bytes of it when it is text.
 * Returns the body's bytes.
 */
export function writeResponse(
  bridge: Bridge,
  id: number,
  status: number,
  block: HeaderBlock,
  flags: number,
  contentLength: number,
  body: Data | null,
): number {
  const { writer } = bridge;
  const { bytes } = block;
  const bodyRoom = body === null ? 0 : typeof body === "string" ? body.length * 3 : body.length;
  const frame = writer.reserve(FRAME_HEADER_BYTES + RESPONSE_BYTES + bytes.length + bodyRoom);
  const { buffer } = writer;
  const at = frame + FRAME_HEADER_BYTES;
  put16(buffer, at, status);
  buffer[at + 2] = flags | (block.close ? RESPONSE_CLOSE : 0) | (block.kept ? RESPONSE_KEPT : 0);
  buffer[at + 3] = 0;
  put32(buffer, at + 4, block.rows | (block.reasonBytes << 16));
  put64(buffer, at + 8, contentLength);
  buffer.set(bytes, at + RESPONSE_BYTES);
  const bodyAt = at + RESPONSE_BYTES + bytes.length;
  let bodyBytes = 0;
  if (typeof body === "string") {
    bodyBytes = writeText(buffer, bodyAt, body);
  } else if (body !== null) {
    bodyBytes = body.length;
    buffer.set(body, bodyAt);
  }
  put32(buffer, frame, (FRAME_RESPONSE << 24) | (bodyAt + bodyBytes - at));
  put32(buffer, frame + 4, id);
  writer.length = bodyAt + bodyBytes;
  return bodyBytes;
}

function writeText(buffer: Buffer, at: number, text: string): number {
  if (text.length <= SHORT_TEXT) {
    let index = 0;
    while (index < text.length) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) break;
      buffer[at + index] = code;
      index++;
    }
    if (index === text.length) return index;
  }
  return buffer.write(text, at, "utf8");
}

const STATUS_UNAVAILABLE = 503;
const BUSY_HEADERS = { "Content-Type": "text/plain", "Retry-After": "1", Connection: "close" };
const BUSY_TEXT = "The server is busy";

/** The answer to a request for which there is no memory. */
export function respondBusy(bridge: Bridge, id: number): void {
  respondWhole(bridge, id, STATUS_UNAVAILABLE, encodeHeaders(BUSY_HEADERS), BUSY_TEXT);
}

/** Sends `body` in one frame if it is small enough for that; returns its bytes, -1: it is not. */
export function respondWhole(
  bridge: Bridge,
  id: number,
  status: number,
  block: HeaderBlock,
  body: Data | null,
): number {
  if (body !== null && body.length > WHOLE_BYTES_MAX) return -1;
  let data = body;
  if (typeof data === "string" && data.length * 3 > WHOLE_BYTES_MAX) {
    data = toBytes(data);
    if (data.length > WHOLE_BYTES_MAX) return -1;
  }
  const declared = block.contentLength;
  if (declared >= 0 && declared !== lengthOf(data)) throw mismatch(declared, lengthOf(data));
  return writeResponse(bridge, id, status, block, RESPONSE_LAST, -1, data);
}

function lengthOf(data: Data | null): number {
  if (data === null) return 0;
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}

/** The error of a body that is not of its Content-Length. */
export function mismatch(declared: number, given: number): HTTPOutputError {
  return new HTTPOutputError(`Content-Length says ${declared} bytes, the body has ${given}`);
}

/** Hears when an answer is complete. */
export interface ResponseOwner {
  /** @internal END or CANCEL has been written: the host is done with the id. `aborted`: why the answer is cut. */
  answered(aborted: Reason | null): void;
  /** @internal Fields of the answer beside those that it is given; null: none. */
  readonly answerFields: HTTPHeaders | null;
  /** @internal Sets bounds for the rest of the request's body. */
  limitBody(bounds: { maxBytes?: number; timeoutMs?: number }): void;
}

/**
 * An answer bit by bit: `writeHeaders`, any number of `write`, `finish`. Without a Content-Length the body is chunked
 * (or ends with the connection for HTTP/1.0).
 */
export class HTTPConnection {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #owner: ResponseOwner;
  readonly #head: RequestHead;
  /** How answers are compressed; null: they are not. */
  readonly #compression: Compression | null;
  readonly #writeWindow: WriteWindow;
  /** Stands before the write window when the answer is compressed. */
  #compressor: Compressor | null = null;
  /** The answer to HEAD, or one whose status has no body: what is written is dropped. */
  #bodyless: boolean;
  #started: boolean;
  #finished: boolean;
  #gone: StreamClosedError | null = null;
  #status: number | null = null;
  #declared = -1;
  #written = 0;
  #trailers: HeaderBlock | null = null;

  /** @internal */
  constructor(
    bridge: Bridge,
    id: number,
    owner: ResponseOwner,
    head: RequestHead,
    compression: Compression | null,
    answered: boolean,
  ) {
    this.#bridge = bridge;
    this.#id = id;
    this.#owner = owner;
    this.#head = head;
    this.#compression = compression;
    this.#bodyless = head.isHead;
    this.#started = answered;
    this.#finished = answered;
    this.#writeWindow = new WriteWindow(bridge.settings.writeWindow, (source, start, end, last) => {
      const isEnd = last && this.#trailers === null;
      bridge.writer.bytes(isEnd ? FRAME_RESPONSE_END : FRAME_RESPONSE_BODY, id, source, start, end);
      if (last && !isEnd) this.#writeTrailers();
      bridge.written();
      if (last) this.#complete();
    });
  }

  /** Whether the head has been sent. */
  get started(): boolean {
    return this.#started;
  }

  /** Whether the answer is complete, as far as its handler is concerned. */
  get finished(): boolean {
    return this.#finished;
  }

  /**
   * Bounds the body of this request alone, before it is read: a RequestHandler does it in `initialize`, or in `prepare`
   * with `streamRequestBody`. Reading a larger one rejects with BodyTooLargeError, whose answer is 413. Throws
   * OptionError unless `bytes` is from 0 to the server's `bodyBytesMax`, which is held to before a handler hears of the
   * request.
   */
  setMaxBodySize(bytes: number): void {
    const { bodyBytesMax } = this.#bridge.settings;
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > bodyBytesMax) {
      throw new OptionError(
        `a body's size is bounded by 0 to ${bodyBytesMax} bytes, the server's bodyBytesMax, not ${bytes}`,
      );
    }
    this.#owner.limitBody({ maxBytes: bytes });
  }

  /**
   * Bounds the time for the body of this request alone, from now on, in milliseconds. Reading one that is not complete
   * by then rejects with HTTPInputError, whose answer is 408. The server's `bodyTimeoutMs` and `bodyRateBytesMin` hold
   * beside it. Throws OptionError unless `ms` is from 1 to 2,147,483,647.
   */
  setBodyTimeout(ms: number): void {
    if (!Number.isInteger(ms) || ms < 1 || ms > UINT31_MAX) {
      throw new OptionError(`a body's time is bounded by 1 to ${UINT31_MAX} ms, not ${ms}`);
    }
    this.#owner.limitBody({ timeoutMs: ms });
  }

  /** @internal The request was answered in one piece, without this object. */
  answered(): void {
    this.#started = true;
    this.#finished = true;
  }

  /** @internal Resolves when the peer's connection has taken what was given so far; rejects when the peer is gone. */
  get taken(): Promise<void> {
    if (this.#gone !== null) return this.#refuse();
    return this.#compressor === null ? this.#writeWindow.done() : this.#compressor.done();
  }

  /** @internal Bytes that `write` would copy at once; 0 or less: it would keep them. */
  get room(): number {
    return this.#compressor === null ? this.#writeWindow.room : 0;
  }

  /** @internal The status that has been sent; null before. */
  get status(): number | null {
    return this.#status;
  }

  /** @internal Bytes of the body that have left; all of it once the answer is complete. */
  get bodyBytes(): number {
    return this.#writeWindow.reported;
  }

  /**
   * Sends the head, and `chunk` as the beginning of the body. Resolves when `chunk` has been given to the peer's
   * connection. `reason` takes the place of the status's standard phrase. Throws HTTPOutputError when the head has been
   * sent already, HeaderError for a status, a field or a reason that must not be sent.
   */
  writeHeaders(status: number, own?: HeadersInput, chunk?: Data, reason?: string): Promise<void> {
    if (this.#started) throw new HTTPOutputError("the head has been sent already");
    checkStatus(status);
    const headers = withFields(own, this.#owner.answerFields);
    const fields = this.#compression === null ? null : headerPairs(headers);
    const plain = encodeHeaders(fields ?? headers);
    if (this.#gone !== null) return this.#refuse();
    const head = fields === null ? null : this.#codeHead(status, fields, plain);
    const block = withReason(head === null ? plain : encodeHeaders(head.headers), reason);
    this.#start(status, block, block.contentLength);
    this.#declared = plain.contentLength;
    if (head?.coding != null && !this.#bodyless) this.#compress(head.coding, -1);
    return chunk === undefined ? Promise.resolve() : this.write(chunk);
  }

  /**
   * Sends an informational answer, 1xx, before the head: 103 with `Link` fields, or 100, which also leaves by itself
   * when the body is read. Not sent in HTTP/1.0. Throws HTTPOutputError once the head has been sent, HeaderError for a
   * status that is no 1xx or is 101, and for a field that must not be sent.
   */
  writeInformation(status: number, headers?: HeadersInput): void {
    if (this.#started) throw new HTTPOutputError("the head has been sent already");
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === STATUS_SWITCHING_PROTOCOLS) {
      throw new HeaderError(`an informational status is a whole number from 100 to 199 but for 101, not ${status}`);
    }
    const block = { ...encodeHeaders(headers), kept: false }; // of the final answer
    if (block.close || block.contentLength >= 0) throw new HeaderError("it has no Content-Length and closes nothing");
    if (this.#gone !== null) return;
    writeResponse(this.#bridge, this.#id, status, block, 0, -1, null);
    this.#bridge.written();
  }

  /**
   * Sends `chunk` as the next part of the body. Resolves when it has been given to the peer's connection, and the
   * chunk's memory may be used again; for a peer that has taken more than 8 MiB of this answer already a little before.
   * Rejects with StreamClosedError when the peer is gone, which may be ignored.
   * Throws HTTPOutputError before the head, after `finish`, and for more bytes than Content-Length says;
   * StreamBufferFullError when more than `writeBufferBytesMax` would wait with it for a slow peer, unless nothing waits
   * before it. The answer is cut then.
   */
  write(chunk: Data): Promise<void> {
    if (!this.#started) throw new HTTPOutputError("the head has not been sent yet");
    if (this.#finished) throw new HTTPOutputError("the answer is finished");
    const bytes = toBytes(chunk);
    if (this.#gone !== null) return this.#refuse();
    if (this.#bodyless) return Promise.resolve();
    this.#written += bytes.length;
    if (this.#declared >= 0 && this.#written > this.#declared) {
      this.cancel();
      throw mismatch(this.#declared, this.#written);
    }
    this.#checkWaiting(bytes.length);
    if (this.#compressor !== null) return this.#compressor.write(bytes);
    this.#writeWindow.push(bytes);
    return this.#writeWindow.ready();
  }

  #checkWaiting(bytes: number): void {
    const { writeBufferBytesMax } = this.#bridge.settings;
    const waiting = this.#compressor?.waiting ?? 0;
    const isFull =
      waiting > 0
        ? isTooMuchToHold(writeBufferBytesMax, waiting, bytes)
        : this.#writeWindow.isFull(writeBufferBytesMax, bytes);
    if (!isFull) return;
    this.cancel();
    throw tooMuchToHold(writeBufferBytesMax);
  }

  /**
   * @internal Fields behind the body, sent by `finish`; they are dropped where the answer is not chunked. Throws
   *   HeaderError for one that must not be sent.
   */
  setTrailers(fields: HeaderPairs): void {
    this.#trailers = encodeHeaders(fields);
  }

  /** And the end of the answer. */
  #writeTrailers(): void {
    const { rows, bytes } = this.#trailers as HeaderBlock;
    const { writer } = this.#bridge;
    const at = writer.open(FRAME_RESPONSE_TRAILERS, this.#id, TRAILERS_BYTES + bytes.length);
    put32(writer.buffer, at, rows);
    writer.buffer.set(bytes, at + TRAILERS_BYTES);
    writer.empty(FRAME_RESPONSE_END, this.#id);
  }

  /** Completes the answer. Throws HTTPOutputError when fewer bytes were written than Content-Length says. */
  finish(): void {
    if (!this.#started) throw new HTTPOutputError("the head has not been sent yet");
    if (this.#finished) throw new HTTPOutputError("the answer is finished");
    if (this.#gone === null && !this.#bodyless && this.#declared >= 0 && this.#written < this.#declared) {
      this.cancel();
      throw mismatch(this.#declared, this.#written);
    }
    this.#finished = true;
    if (this.#gone !== null) return;
    if (this.#compressor !== null) this.#compressor.end();
    else this.#writeWindow.end();
  }

  /** @internal A whole answer that does not fit one frame, or one without a body. */
  respond(status: number, block: HeaderBlock, body: Data | null): void {
    const bytes = body === null ? null : toBytes(body);
    const given = bytes?.length ?? 0;
    const bodyless = this.#bodyless || isBodyless(status);
    if (!bodyless && block.contentLength >= 0 && block.contentLength !== given)
      throw mismatch(block.contentLength, given);
    if (bodyless) {
      const declared = block.contentLength >= 0 || isBodyless(status) ? block.contentLength : given;
      writeResponse(this.#bridge, this.#id, status, block, RESPONSE_LAST, declared, null);
      this.#bridge.written();
      this.#status = status;
      this.#started = true;
      this.#finished = true;
      this.#complete();
      return;
    }
    this.#start(status, block, given);
    if (bytes !== null) this.#writeWindow.push(bytes);
    this.#finished = true;
    this.#writeWindow.end();
  }

  /** @internal A whole answer that is compressed as it goes; `block` is the head of the compressed one. */
  respondCompressed(status: number, block: HeaderBlock, body: Uint8Array, coding: ContentCoding): void {
    this.#start(status, block, -1);
    this.#finished = true;
    if (this.#bodyless) return this.#writeWindow.end();
    const compressor = this.#compress(coding, body.length);
    compressor.write(body);
    compressor.end();
  }

  /** @internal Ends the connection at once: the answer cannot be completed. */
  cancel(): void {
    if (this.#gone !== null) return;
    this.#bridge.writer.empty(FRAME_CANCEL, this.#id);
    this.#bridge.written();
    this.#started = true;
    this.#finished = true;
    this.gone(new StreamClosedError("CLOSED"));
    this.#owner.answered("CLOSED");
  }

  /** @internal SENT has come. */
  sent(bytes: number): void {
    this.#writeWindow.sent(bytes);
  }

  /** @internal The peer or the worker is gone. */
  gone(error: StreamClosedError): void {
    this.#gone ??= error;
    this.#writeWindow.fail(() => error);
    this.#compressor?.destroy(error);
  }

  #start(status: number, block: HeaderBlock, contentLength: number): void {
    this.#status = status;
    this.#started = true;
    this.#declared = contentLength;
    if (isBodyless(status)) this.#bodyless = true;
    writeResponse(this.#bridge, this.#id, status, block, 0, contentLength, null);
    this.#bridge.written();
  }

  /** The head as compression makes it. */
  #codeHead(status: number, fields: HeaderPairs, { contentLength }: HeaderBlock): CodedHead {
    const free = hasFreeCompressor();
    const { acceptEncoding } = this.#head;
    return codeHead(this.#compression as Compression, acceptEncoding, status, fields, contentLength, free);
  }

  #compress(coding: ContentCoding, bytes: number): Compressor {
    this.#compressor = new Compressor(
      this.#compression as Compression,
      coding,
      bytes,
      this.#writeWindow,
      this.#bridge.settings.writeWindow,
      (error) => {
        this.#bridge.settings.logger.error({ err: error }, "an answer could not be compressed");
        this.cancel();
      },
    );
    return this.#compressor;
  }

  #complete(): void {
    this.#writeWindow.settle();
    this.#owner.answered(null);
  }

  #refuse(): Promise<void> {
    return ignore(Promise.reject(this.#gone));
  }
}
