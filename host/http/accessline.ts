/**
 * The two forms of a line of the access log, written as bytes: a line costs no text and no garbage.
 *
 * Invariant: all of a line is visible ASCII, so a character is a byte. Reference: docs/logs.md.
 */
import { LOG_TARGET_CHARS_MAX } from "../core/limits.js";
import type { AccessEntry } from "./accesslog.js";

/** Writes the line of `entry` at the wall clock's time `now` into `block` from `at` on, and returns where it ends. */
export type LineForm = (entry: AccessEntry, now: number, block: Buffer, at: number) => number;

const SPACE = 0x20;
const LINE_END = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DASH = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** The bytes of what most lines have in common with the line before them, such as the millisecond. */
class Part<Value> {
  readonly #make: (value: Value) => string;
  #value: Value | undefined;
  #bytes = Buffer.alloc(0);

  constructor(make: (value: Value) => string) {
    this.#make = make;
  }

  of(value: Value): Buffer {
    if (value !== this.#value) {
      this.#value = value;
      this.#bytes = Buffer.from(this.#make(value), "latin1");
    }
    return this.#bytes;
  }
}

/** Of a line beside method, target and address: names, marks, and every number at its longest. */
const FIXED_BYTES_MAX = 256;

/** Bytes that a character of an address takes at most: that of a Unix-domain socket is a path of any characters. */
const ADDRESS_BYTES_MAX = 12;

/** Bytes that a line of `entry` takes at most, in either form: JSON writes a backslash twice. */
export function lineBytesMax({ method, target, address, requestId = "", traceId = "" }: AccessEntry): number {
  const addressBytes = address === null ? 0 : ADDRESS_BYTES_MAX * address.length;
  const escaped = method.length + target.length + requestId.length;
  return FIXED_BYTES_MAX + 2 * escaped + addressBytes + traceId.length;
}

/** `time address method target status bytes ms`, the reason of one that was cut off, and the ids that it has. */
export function textLine(entry: AccessEntry, now: number, block: Buffer, start: number): number {
  let at = copy(textStart.of(now), block, start);
  at = copy(textAddress.of(entry.address), block, at);
  at = put(entry.method, block, at);
  block[at++] = SPACE;
  at = put(entry.target, block, at);
  block[at++] = SPACE;
  if (entry.status === null) block[at++] = DASH;
  else at = putNumber(entry.status, block, at);
  block[at++] = SPACE;
  at = putNumber(entry.bytes, block, at);
  block[at++] = SPACE;
  at = put("ms", block, putDecimal(entry.ms, block, at));
  if (entry.aborted !== null) at = put(` ${entry.aborted}`, block, at);
  if (entry.requestId !== undefined) at = put(` id=${entry.requestId}`, block, at);
  if (entry.traceId !== undefined) at = put(` trace=${entry.traceId}`, block, at);
  block[at++] = LINE_END;
  return at;
}

const textStart = new Part((now: number) => `${new Date(now).toISOString()} `);
const textAddress = new Part((address: string | null) => `${address === null ? "-" : visible(address)} `);

/** One JSON object with the names of pino: `level` 30 is "info". */
export function jsonLine(entry: AccessEntry, now: number, block: Buffer, start: number): number {
  let at = copy(jsonStart.of(now), block, start);
  at = putEscaped(entry.method, block, at);
  at = copy(JSON_TARGET, block, at);
  at = putEscaped(entry.target, block, at);
  at = copy(JSON_STATUS, block, at);
  at = entry.status === null ? put("null", block, at) : putNumber(entry.status, block, at);
  at = copy(JSON_BYTES, block, at);
  at = putNumber(entry.bytes, block, at);
  at = copy(JSON_MS, block, at);
  at = putDecimal(entry.ms, block, at);
  at = copy(jsonAddress.of(entry.address), block, at);
  if (entry.aborted !== null) at = put(`,"aborted":"${entry.aborted}"`, block, at);
  if (entry.requestId !== undefined) {
    at = putEscaped(entry.requestId, block, copy(JSON_REQUEST_ID, block, at));
    block[at++] = QUOTE;
  }
  if (entry.traceId !== undefined) at = put(`,"traceId":"${entry.traceId}"`, block, at);
  return copy(JSON_END, block, at);
}

const jsonStart = new Part((now: number) => `{"level":30,"time":${now},"msg":"request","method":"`);
const JSON_TARGET = Buffer.from('","target":"');
const JSON_STATUS = Buffer.from('","status":');
const JSON_BYTES = Buffer.from(',"bytes":');
const JSON_MS = Buffer.from(',"ms":');
const jsonAddress = new Part((address: string | null) => `,"address":${JSON.stringify(address && visible(address))}`);
const JSON_REQUEST_ID = Buffer.from(',"requestId":"');
const JSON_END = Buffer.from("}\n");

function copy(part: Buffer, block: Buffer, at: number): number {
  block.set(part, at);
  return at + part.length;
}

function put(text: string, block: Buffer, at: number): number {
  for (let index = 0; index < text.length; index++) block[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** In a JSON string: of visible ASCII without quotes only the backslash means anything there. */
function putEscaped(text: string, block: Buffer, start: number): number {
  let at = start;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) block[at++] = BACKSLASH;
    block[at++] = code;
  }
  return at;
}

function putNumber(value: number, block: Buffer, at: number): number {
  if (value > 0x7fffffff) return put(String(value), block, at);
  let end = at + 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) end++;
  let rest = value;
  for (let place = end - 1; place >= at; place--) {
    const tens = (rest / 10) | 0;
    block[place] = ZERO + rest - tens * 10;
    rest = tens;
  }
  return end;
}

/** A number of at most three decimals, without zeros at its end. */
function putDecimal(value: number, block: Buffer, start: number): number {
  const thousandths = Math.round(value * 1000);
  const whole = Math.floor(thousandths / 1000);
  const rest = thousandths - whole * 1000;
  let at = putNumber(whole, block, start);
  if (rest === 0) return at;
  block[at++] = POINT;
  block[at++] = ZERO + Math.floor(rest / 100);
  block[at++] = ZERO + (Math.floor(rest / 10) % 10);
  block[at++] = ZERO + (rest % 10);
  while (block[at - 1] === ZERO) at--;
  return at;
}

const PLAIN = /^[!#-[\]-~]*$/;

/** `text` as visible ASCII without quotes and backslashes, at most LOG_TARGET_CHARS_MAX characters of it. */
export function visible(text: string): string {
  if (text.length <= LOG_TARGET_CHARS_MAX && PLAIN.test(text)) return text;
  const escaped = text.slice(0, LOG_TARGET_CHARS_MAX).replace(/[^!#-[\]-~]/gu, (character) => {
    const code = character.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
  const isCut = Math.max(escaped.length, text.length) > LOG_TARGET_CHARS_MAX;
  return isCut ? `${escaped.slice(0, LOG_TARGET_CHARS_MAX)}...` : escaped;
}
