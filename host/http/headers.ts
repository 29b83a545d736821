/**
 * Header fields: as they came with a request (HTTPHeaders), and checked and encoded for an answer (HeaderBlock).
 *
 * Invariant: what is in a HeaderBlock can be sent: names are tokens, values hold no CR, LF, NUL or other control
 * character (RFC 9110 5.1, 5.5), and nothing in it says how the message is framed: that is taken out into fields of its
 * own.
 */

import { put16 } from "../bridge/frames.js";
import { HeaderError, HTTPInputError } from "../core/errors.js";
import { isFieldText, isToken, withoutOuterSpace } from "../core/grammar.js";
import { LastObjects } from "../core/lastobjects.js";
import { REASON_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX } from "../core/limits.js";
import { headerPairs } from "./headerpairs.js";

/** Header fields in their order, with names in lower case; asking is case-insensitive. */
export class HTTPHeaders implements Iterable<[string, string]> {
  /** name, value, name, value, … */
  #fields: string[];

  /**
   * Takes pairs of names and values, or an object whose values may be lists. What is given is not checked; `add` does.
   * @internal `fields`: names in lower case and values, before them.
   */
  constructor(entries: HeadersInput = [], fields: string[] = []) {
    const pairs = Symbol.iterator in entries ? entries : headerPairs(entries);
    for (const [name, value] of pairs) fields.push(name.toLowerCase(), String(value));
    this.#fields = fields;
  }

  /**
   * The fields of a text such as `"Content-Type: text/html\r\nContent-Length: 42\r\n"`; lines end with CRLF or LF. A
   * line that begins with a space or tab continues the one before it (obsolete folding, RFC 9112 5.2), as answers of
   * others may still have it; the server takes none in a request. Throws HTTPInputError as `parseLine` does.
   */
  static parse(text: string): HTTPHeaders {
    const headers = new HTTPHeaders();
    for (const line of text.split("\n")) headers.parseLine(`${line}\n`);
    return headers;
  }

  /**
   * Adds the field of a line, with its end or without, or what a folded line adds to the last field; nothing for an
   * empty one. Throws HTTPInputError for one that is none of these.
   */
  parseLine(given: string): void {
    const line = given.endsWith("\n") ? given.slice(0, given.endsWith("\r\n") ? -2 : -1) : given;
    if (line === "") return;
    const isFolded = line.startsWith(" ") || line.startsWith("\t");
    const colon = line.indexOf(":");
    if (isFolded ? this.size === 0 : colon <= 0) throw new HTTPInputError("a header line has no name");
    try {
      if (isFolded) this.#continueLast(line);
      else this.add(line.slice(0, colon), line.slice(colon + 1));
    } catch (error) {
      throw new HTTPInputError((error as Error).message, 400, "HTTP_INPUT", { cause: error });
    }
  }

  /** A fold stands for one space. */
  #continueLast(line: string): void {
    const at = this.#fields.length - 2;
    const [name, value] = this.#fields.slice(at) as [string, string];
    this.#fields[at + 1] = checkField(name, `${value} ${withoutOuterSpace(line)}`);
  }

  /** Adds a field behind those that are there. Throws HeaderError for a name or a value that must not be sent. */
  add(name: string, value: string): void {
    const text = checkField(name, value);
    this.#fields.push(name.toLowerCase(), text);
  }

  /** Adds a field in place of all of its name. Throws as `add` does. */
  set(name: string, value: string): void {
    const text = checkField(name, value);
    this.delete(name);
    this.#fields.push(name.toLowerCase(), text);
  }

  /** The field's value, as `get` gives it; adds a field with `value` where there is none. Throws as `add` does. */
  setDefault(name: string, value: string): string {
    if (!this.has(name)) this.add(name, value);
    return this.get(name) as string;
  }

  /** Removes all fields of this name; says whether there were any. */
  delete(name: string): boolean {
    const key = name.toLowerCase();
    const before = this.#fields.length;
    const isKept = (_: string, at: number, fields: string[]) => fields[at & ~1] !== key;
    this.#fields = this.#fields.filter(isKept);
    return this.#fields.length < before;
  }

  /** The same fields again, to be changed without changing these. */
  copy(): HTTPHeaders {
    return new HTTPHeaders([], [...this.#fields]);
  }

  /** The field's value; several are joined by `, ` (cookies by `; `). Without it: `preset`, or null. */
  get(name: string): string | null;
  get<Preset>(name: string, preset: Preset): string | Preset;
  get(name: string, preset: unknown = null): unknown {
    const key = name.toLowerCase();
    let joined: string | null = null;
    for (let at = 0; at < this.#fields.length; at += 2) {
      if (this.#fields[at] !== key) continue;
      const value = this.#fields[at + 1] as string;
      joined = joined === null ? value : joined + (key === "cookie" ? "; " : ", ") + value;
    }
    return joined ?? preset;
  }

  /** Whether there is such a field. */
  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** All values of a field, in their order. */
  getList(name: string): string[] {
    const key = name.toLowerCase();
    const values: string[] = [];
    for (const [field, value] of this) if (field === key) values.push(value);
    return values;
  }

  /** Every field as a pair of name and value: `entries` by Tornado's name. */
  getAll(): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** Number of fields. */
  get size(): number {
    return this.#fields.length / 2;
  }

  /** Every field as a pair of name and value. */
  *entries(): IterableIterator<[string, string]> {
    for (let at = 0; at < this.#fields.length; at += 2) {
      yield [this.#fields[at] as string, this.#fields[at + 1] as string];
    }
  }

  /** The name of every field; one that is there several times comes as often. */
  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }

  /** The value of every field. */
  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }

  /** The same as `entries`. */
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** A line for each field, as `parse` reads them. */
  toString(): string {
    return this.#fields.map((text, at) => text + (at % 2 === 0 ? ": " : "\n")).join("");
  }
}

/**
 * Header fields of an answer: an object whose values may be lists (one field each), or pairs. Values are latin-1 text.
 */
export type HeadersInput =
  | Readonly<Record<string, string | number | readonly string[]>>
  | Iterable<readonly [string, string | number]>;

/** Header fields, ready to be copied into a RESPONSE. */
export interface HeaderBlock {
  readonly rows: number;
  /** Size of the reason phrase, 0: the standard one. */
  readonly reasonBytes: number;
  /** The table of sizes, then the texts: the reason phrase, names and values. */
  readonly bytes: Uint8Array;
  /** The declared Content-Length, -1 without one. */
  readonly contentLength: number;
  /** Whether `Connection: close` was asked for. */
  readonly close: boolean;
  /** Whether the handler says for how long the connection is kept. */
  readonly kept: boolean;
}

/** Header fields that keep their encoded form with them. */
export abstract class EncodedHeaders implements Iterable<[string, string]> {
  abstract get block(): HeaderBlock;
  abstract [Symbol.iterator](): Iterator<[string, string]>;
}

const EMPTY: HeaderBlock = {
  rows: 0,
  reasonBytes: 0,
  bytes: new Uint8Array(0),
  contentLength: -1,
  close: false,
  kept: false,
};

/** The last blocks that were encoded from objects. */
const blocks = new LastObjects<HeaderBlock>();

/** Checks and encodes header fields. Throws HeaderError for one that must not be sent. */
export function encodeHeaders(headers: HeadersInput | undefined): HeaderBlock {
  if (headers === undefined) return EMPTY;
  if (headers instanceof EncodedHeaders) return headers.block;
  if (Symbol.iterator in headers) return encodeFields([...headers]);
  return blocks.find(headers) ?? encodeObject(headers);
}

function encodeObject(headers: Readonly<Record<string, string | number | readonly string[]>>): HeaderBlock {
  const fields: [string, string | number][] = [];
  let plain = true;
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) {
      plain = false;
      for (const single of value) fields.push([name, single]);
    } else {
      fields.push([name, value as string | number]);
    }
  }
  const block = encodeFields(fields);
  if (plain) {
    const names = fields.map((field) => field[0]);
    blocks.keep(
      names,
      fields.map((field) => field[1]),
      block,
    );
  }
  return block;
}

function encodeFields(fields: readonly (readonly [string, string | number])[]): HeaderBlock {
  const rows: [string, string][] = [];
  let contentLength = -1;
  let close = false;
  let kept = false;
  let bytes = 0;
  for (const [name, given] of fields) {
    const value = checkField(name, given);
    const key = name.toLowerCase();
    if (key === "content-length") {
      contentLength = takeContentLength(value, contentLength);
    } else if (key === "connection") {
      close = takeConnection(value) || close;
    } else if (key === "transfer-encoding") {
      throw new HeaderError("Transfer-Encoding is the server's own; leave it out");
    } else {
      if (key === "keep-alive") kept = true;
      rows.push([name, value]);
      bytes += 4 + name.length + value.length;
    }
  }
  if (bytes > RESPONSE_HEAD_BYTES_MAX) {
    throw tooLong(bytes);
  }
  return { rows: rows.length, reasonBytes: 0, bytes: layOut(rows, bytes), contentLength, close, kept };
}

function tooLong(bytes: number): HeaderError {
  return new HeaderError(`the header fields have ${bytes} bytes; ${RESPONSE_HEAD_BYTES_MAX} are allowed`);
}

/** The block with a reason phrase. Throws HeaderError for one that must not be sent. */
export function withReason(block: HeaderBlock, reason: string | undefined): HeaderBlock {
  if (reason === undefined) return block;
  if (!isFieldText(reason) || reason.length > REASON_BYTES_MAX) {
    throw new HeaderError(`${JSON.stringify(reason)} cannot be a reason phrase`);
  }
  const table = block.rows * 4;
  const parts = [block.bytes.subarray(0, table), Buffer.from(reason, "latin1"), block.bytes.subarray(table)];
  return { ...block, reasonBytes: reason.length, bytes: Buffer.concat(parts) };
}

/** The block with one field more, which `checkField` has checked and which says nothing of the message's framing. */
export function appendField(block: HeaderBlock, name: string, value: string): HeaderBlock {
  const before = block.bytes;
  const size = before.length + 4 + name.length + value.length;
  if (size > RESPONSE_HEAD_BYTES_MAX) throw tooLong(size);
  const table = block.rows * 4;
  const bytes = Buffer.allocUnsafe(size);
  bytes.set(table === before.length ? before : before.subarray(0, table), 0);
  put16(bytes, table, name.length);
  put16(bytes, table + 2, value.length);
  bytes.set(before.subarray(table), table + 4);
  const text = before.length + 4;
  bytes.write(name, text, "latin1");
  bytes.write(value, text + name.length, "latin1");
  return { ...block, rows: block.rows + 1, bytes };
}

function layOut(fields: readonly (readonly [string, string])[], bytes: number): Uint8Array {
  const block = Buffer.allocUnsafeSlow(bytes);
  let table = 0;
  let text = fields.length * 4;
  for (const [name, value] of fields) {
    put16(block, table, name.length);
    put16(block, table + 2, value.length);
    table += 4;
    text += block.write(name, text, "latin1");
    text += block.write(value, text, "latin1");
  }
  return block;
}

/** The text of a field as it is sent. Throws HeaderError for a name or a value that must not be sent. */
export function checkField(name: string, value: string | number): string {
  if (!isToken(name)) {
    throw new HeaderError(`${JSON.stringify(String(name))} is not a header field's name`);
  }
  if (typeof value !== "string" && typeof value !== "number") throw new HeaderError(`${name} has no text as its value`);
  const text = String(value);
  if (!isFieldText(text)) throw new HeaderError(`the value of ${name} holds a character that must not be in it`);
  return withoutOuterSpace(text);
}

function takeContentLength(value: string, before: number): number {
  const length = /^[0-9]{1,15}$/.test(value) ? Number(value) : -1;
  if (length < 0 || (before >= 0 && before !== length))
    throw new HeaderError(`Content-Length cannot be ${JSON.stringify(value)}`);
  return length;
}

function takeConnection(value: string): boolean {
  const option = value.toLowerCase();
  if (option === "close") return true;
  if (option === "keep-alive") return false;
  throw new HeaderError(`Connection can be "close" or "keep-alive" here, not ${JSON.stringify(value)}`);
}
