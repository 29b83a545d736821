/**
 * What a REQUEST frame says: method, target, header fields, and where the body begins. HTTPServerRequest shows it to
 * handlers.
 *
 * Invariants: the frame is checked when it comes and read when the handler asks; what was read once is kept. What is
 * held after `detach` is the request's own bytes, not the chunk of the channel that they came in.
 *
 * Reference: docs/protocol.md, REQUEST.
 */

import {
  ADDRESS_BYTES,
  REQUEST_BYTES,
  REQUEST_END,
  REQUEST_EXCESS,
  REQUEST_EXPECT,
  REQUEST_KEEP_ALIVE,
  REQUEST_WEBSOCKET,
} from "../bridge/frames.js";
import { METHOD_HEAD, METHOD_OTHER, METHODS } from "../bridge/methods.js";
import { checkFlags, hasAddress, textEnd } from "../bridge/requestframe.js";
import { LOOPBACK } from "../core/address.js";
import { ProtocolError } from "../core/errors.js";
import { CONSUMED, consumedFields } from "./compression/gunzip.js";
import { parseCookies } from "./cookies.js";
import { HTTPHeaders } from "./headers.js";
import type { RequestBody } from "./requestbody.js";
import { authorityOf, pathOf } from "./target.js";

/** The head of one request, read from its REQUEST frame when code asks. */
export class RequestHead {
  /** A body that comes as gzip is inflated, and the header fields say so. */
  readonly #inflates: boolean;
  /** Names of fields are as they came; else in lower case. */
  readonly #keepsNames: boolean;
  // The REQUEST payload, and where its parts begin.
  #chunk: Buffer;
  #start: number;
  #end: number;
  #textAt: number;
  #bodyAt: number;
  #target: string | null = null;
  #headers: HTTPHeaders | null = null;
  #query: URLSearchParams | null = null;
  #cookies: ReadonlyMap<string, string> | null = null;

  /** Throws ProtocolError when the payload does not add up. */
  constructor(chunk: Buffer, start: number, end: number, inflates: boolean, keepsNames: boolean) {
    this.#inflates = inflates;
    this.#keepsNames = keepsNames;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
    if (end - start < REQUEST_BYTES) throw new ProtocolError("REQUEST is cut short");
    this.#textAt = start + REQUEST_BYTES + chunk.readUInt16LE(start + 4) * 4;
    this.#bodyAt = textEnd(chunk, start, end, this.#textAt);
    if (hasAddress(chunk, start)) this.#bodyAt += ADDRESS_BYTES;
    checkFlags(chunk, start, end - this.#bodyAt);
  }

  /** The method, in upper case as it came. */
  get method(): string {
    const code = this.#chunk[this.#start] as number;
    if (code !== METHOD_OTHER) return METHODS[code] as string;
    return this.#chunk.toString("latin1", this.#textAt, this.#textAt + this.#methodBytes());
  }

  /** The method's number in the protocol; 0 is one that has none. */
  get methodNumber(): number {
    return this.#chunk[this.#start] as number;
  }

  /** The request-target as it came. */
  get target(): string {
    if (this.#target === null) {
      const at = this.#textAt + this.#methodBytes();
      this.#target = lastTarget.read(this.#chunk, at, at + this.#chunk.readUInt16LE(this.#start + 8));
    }
    return this.#target;
  }

  /** The target's path, not decoded; `/` when it is empty. */
  get path(): string {
    return pathOf(this.target);
  }

  /** The target's query, decoded. */
  get query(): URLSearchParams {
    if (this.#query === null) {
      const mark = this.target.indexOf("?");
      this.#query = new URLSearchParams(mark < 0 ? "" : this.target.slice(mark + 1));
    }
    return this.#query;
  }

  /** `HTTP/1.1` or `HTTP/1.0`. */
  get version(): string {
    return this.#chunk[this.#start + 1] === 1 ? "HTTP/1.1" : "HTTP/1.0";
  }

  /** Whether the connection may have another request after this one. */
  get keepAlive(): boolean {
    return ((this.#chunk[this.#start + 2] as number) & REQUEST_KEEP_ALIVE) !== 0;
  }

  /** Whether it is a well-formed opening handshake of a websocket. */
  get isWebSocket(): boolean {
    return ((this.#chunk[this.#start + 2] as number) & REQUEST_WEBSOCKET) !== 0;
  }

  /** Whether its connection has had as many requests as it may have. */
  get isExcess(): boolean {
    return ((this.#chunk[this.#start + 2] as number) & REQUEST_EXCESS) !== 0;
  }

  /** All header fields. */
  get headers(): HTTPHeaders {
    if (this.#headers === null) {
      const fields = this.rawFields();
      if (this.#keepsNames) for (let at = 0; at < fields.length; at += 2) fields[at] = fields[at]!.toLowerCase();
      this.#headers = new HTTPHeaders([], fields);
    }
    return this.#headers;
  }

  /** Whether there is a header field of this name, in lower case. */
  hasField(name: string): boolean {
    return this.#headers === null ? this.#find(name) !== null : this.#headers.has(name);
  }

  /** Whether there may be a condition (RFC 9110 13.1): a field that begins with `If-`. */
  get isConditional(): boolean {
    const chunk = this.#chunk;
    let at = this.#textAt + this.#methodBytes() + chunk.readUInt16LE(this.#start + 8);
    for (let row = this.#start + REQUEST_BYTES; row < this.#textAt; row += 4) {
      if (chunk[at + 2] === DASH && lower(chunk[at]) === LETTER_I && lower(chunk[at + 1]) === LETTER_F) return true;
      at += chunk.readUInt16LE(row) + chunk.readUInt16LE(row + 2);
    }
    return false;
  }

  /** The value of the first field of this name; null without one. */
  #find(name: string): string | null {
    const chunk = this.#chunk;
    let at = this.#textAt + this.#methodBytes() + chunk.readUInt16LE(this.#start + 8);
    for (let row = this.#start + REQUEST_BYTES; row < this.#textAt; row += 4) {
      const middle = at + chunk.readUInt16LE(row);
      const end = middle + chunk.readUInt16LE(row + 2);
      if (middle - at === name.length && isName(chunk, at, name)) return lastValue.read(chunk, middle, end);
      at = end;
    }
    return null;
  }

  /** The cookies that the client sent, by name. */
  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= parseCookies(this.headers.get("cookie") ?? "");
    return this.#cookies;
  }

  /** The host that the request is for, with its port if it has one. */
  get host(): string {
    const field = this.#headers === null ? this.#find("host") : this.#headers.get("host");
    const isOrigin = this.#chunk[this.#textAt + this.#methodBytes()] === SLASH; // the form that nearly all targets have
    return (isOrigin ? "" : authorityOf(this.target)) || field || LOOPBACK;
  }

  /** What codings of an answer the client accepts (RFC 9110 12.5.3). */
  get acceptEncoding(): string | null {
    return this.headers.get("accept-encoding");
  }

  /** Bytes of the body, by Content-Length; null for a chunked one. */
  get contentLength(): number | null {
    const at = this.#start + 16;
    const high = this.#chunk.readInt32LE(at + 4);
    return high < 0 ? null : this.#chunk.readUInt32LE(at) + high * 2 ** 32;
  }

  /** Whether there is a body that came compressed and is inflated. One of no bytes is none of gzip, but is one here. */
  get isInflated(): boolean {
    if (!this.#inflates || !this.headers.has(CONSUMED)) return false;
    return this.contentLength !== 0 || this.headers.has("content-length");
  }

  // --- of the frame ---

  /** The connection's number in the sandbox. */
  get descriptor(): number {
    return this.#chunk.readUInt32LE(this.#start + 12);
  }

  /** Where the peer's ADDRESS begins in the chunk, before `detach`; -1 without one. */
  get addressAt(): number {
    return hasAddress(this.#chunk, this.#start) ? this.#bodyAt - ADDRESS_BYTES : -1;
  }

  /** Whether the method is HEAD. */
  get isHead(): boolean {
    return this.#chunk[this.#start] === METHOD_HEAD;
  }

  /** All of the request is in the frame. */
  get isComplete(): boolean {
    return ((this.#chunk[this.#start + 2] as number) & REQUEST_END) !== 0;
  }

  /** The client waits for `100 Continue` before it sends the body. */
  get isAsking(): boolean {
    return ((this.#chunk[this.#start + 2] as number) & REQUEST_EXPECT) !== 0;
  }

  /** Gives `body` what came of it in the frame. */
  fill(body: RequestBody): void {
    if (this.isComplete || this.#end > this.#bodyAt) body.push(this.#chunk, this.#bodyAt, this.#end, this.isComplete);
  }

  /** Copies what it needs of the chunk, so that this can be freed: the handler may take long to answer. */
  detach(): void {
    const bytes = this.#end - this.#start;
    if (bytes * 2 >= this.#chunk.length) return;
    const own = Buffer.from(this.#chunk.subarray(this.#start, this.#end));
    this.#textAt -= this.#start;
    this.#bodyAt -= this.#start;
    this.#start = 0;
    this.#end = bytes;
    this.#chunk = own;
  }

  /** Gives the frame's own place to `make`, for another request of the same frame. */
  copy<Made>(make: (chunk: Buffer, start: number, end: number) => Made): Made {
    return make(this.#chunk, this.#start, this.#end);
  }

  // --- reading the frame ---

  #methodBytes(): number {
    return this.#chunk.readUInt16LE(this.#start + 6);
  }

  /** Names and values of the header fields, one after the other. */
  rawFields(): string[] {
    const table = this.#start + REQUEST_BYTES;
    const first = this.#textAt + this.#methodBytes() + this.#chunk.readUInt16LE(this.#start + 8);
    const text = this.#chunk.toString("latin1", first, this.#bodyAt);
    const fields: string[] = [];
    let at = 0;
    for (let row = table; row < this.#textAt; row += 4) {
      const middle = at + this.#chunk.readUInt16LE(row);
      const end = middle + this.#chunk.readUInt16LE(row + 2);
      fields.push(text.slice(at, middle), text.slice(middle, end));
      at = end;
    }
    return this.#inflates ? consumedFields(fields) : fields;
  }
}

/** Whether the bytes from `at` on are `name`, letters and dashes, in whatever case. */
function isName(chunk: Buffer, at: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    if (lower(chunk[at + index]) !== lower(name.charCodeAt(index))) return false;
  }
  return true;
}

/** The text of some bytes. Where most requests have what the one before had, that text is not made again. */
class LastText {
  #text = "";

  read(chunk: Buffer, start: number, end: number): string {
    const text = this.#text;
    let same = end - start === text.length;
    for (let at = start; same && at < end; at++) same = chunk[at] === text.charCodeAt(at - start);
    if (!same) this.#text = chunk.toString("latin1", start, end);
    return this.#text;
  }
}

const lastTarget = new LastText();
const lastValue = new LastText();

const SLASH = 0x2f;
const DASH = 0x2d;
const LETTER_F = 0x66;
const LETTER_I = 0x69;

function lower(letter: number | undefined): number {
  return (letter ?? 0) | 0x20;
}
