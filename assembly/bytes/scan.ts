// Byte classes, scanners that look at 16 or 64 bytes at once, and short texts: what all protocol code shares.
//
// A byte class is a set of ASCII bytes in 16 table bytes: bit h - 2 of byte l is set when the byte h * 16 + l belongs
// to it (h from 2 to 7; control characters and bytes from 0x80 up are in no class). Two swizzles look up 16 bytes at a
// time.
//
// Without SIMD (an application built without `--enable simd`) bytes/swar.ts does the same; the compiler drops what is
// not used.
//
// Invariant: a scanner may load up to 64 bytes behind the end that it is given, whatever they hold, and never uses them
// for its answer. So whatever is scanned lies at least 64 bytes before the end of memory.
// Reference: RFC 9110 5.6 (token, field values), RFC 3986 (URI), the WHATWG URL Standard (what browsers leave raw).

import { swarBlanks, swarNarrow, swarStops, swarUnusual64, swarValueStops } from "./swar";

export const CRLF: u16 = 0x0a0d;
export const CR: u8 = 0x0d;
export const LF: u8 = 0x0a;
export const HTAB: u8 = 0x09;
export const SP: u8 = 0x20;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;
/** Or-ed to a word it makes letters lower case. It changes other bytes too: compare only with text without `@[\]^_`. */
export const LOWER: u64 = 0x2020202020202020;

// Vector constants lie in memory, as V8 rebuilds a v128.const (three instructions) at each use inside a loop.
// prettier-ignore
const TABLES: usize = memory.data<u8>([
  15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
  31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,
  32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
  127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127,
  9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
  0, 0, 1, 2, 4, 8, 16, 32, 0, 0, 0, 0, 0, 0, 0, 0, // HIGH: the bit of a class table that a high nibble means
  58, 63, 62, 63, 63, 63, 63, 63, 62, 62, 61, 21, 52, 21, 61, 28, // TOKEN
  46, 63, 62, 62, 63, 63, 63, 63, 63, 63, 63, 31, 53, 31, 61, 29, // PATH
  62, 63, 62, 62, 63, 63, 63, 63, 63, 63, 63, 63, 61, 63, 61, 31, // QUERY
  42, 63, 62, 62, 63, 62, 63, 63, 63, 63, 61, 23, 20, 23, 53, 28, // HOST
  2, 22, 22, 22, 22, 22, 22, 2, 2, 2, 2, 0, 0, 0, 1, 0, // ADDRESS
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33,
], 16);
const NIBBLE: usize = TABLES;
const LAST_CONTROL: usize = TABLES + 16;
const SPACE: usize = TABLES + 32;
const DEL: usize = TABLES + 48;
const TAB: usize = TABLES + 64;
const HIGH: usize = TABLES + 80;
const ONE: usize = TABLES + 176;
const BELOW: usize = TABLES + 192;

/** Methods and field names: RFC 9110 5.6.2. */
export const TOKEN: usize = TABLES + 96;
/** A path: RFC 3986, and the `|^[]` that browsers do not percent-encode there. */
export const PATH: usize = TABLES + 112;
/** A query: RFC 3986, and the ``|^[]{}\` `` that browsers do not percent-encode there. */
export const QUERY: usize = TABLES + 128;
/** A host name: RFC 3986 reg-name without commas and percent-encoding, which no two parsers treat alike. */
export const HOST: usize = TABLES + 144;
/** What stands between the brackets of an IPv6 address. */
export const ADDRESS: usize = TABLES + 160;

/** Bit i is set when the byte at `at + i` is not in the class. */
// @ts-ignore: decorator
@inline
export function stops(at: usize, table: usize): i32 {
  if (!ASC_FEATURE_SIMD) return swarStops(at, table, HIGH);
  const bytes = v128.load(at);
  const nibble = v128.load(NIBBLE);
  const low = i8x16.swizzle(v128.load(table), v128.and(bytes, nibble));
  const high = i8x16.swizzle(v128.load(HIGH), v128.and(i16x8.shr_u(bytes, 4), nibble));
  return i8x16.bitmask(i8x16.eq(v128.and(low, high), i8x16.splat(0)));
}

/** The first byte from `at` on that is not in the class; `end` or more when there is none before `end`. */
export function skip(at: usize, end: usize, table: usize): usize {
  for (; at < end; at += 16) {
    const found = stops(at, table);
    if (found) return at + ctz(found);
  }
  return at;
}

/** The first byte from `at` on that is not in the class. The caller knows that there is one. */
// @ts-ignore: decorator
@inline
export function skipSurely(at: usize, table: usize): usize {
  let found = stops(at, table);
  while (!found) {
    at += 16;
    found = stops(at, table);
  }
  return at + ctz(found);
}

/** Bit i is set when the byte at `at + i` is a control character (HTAB and DEL too) or a space. */
// @ts-ignore: decorator
@inline
export function blanks(at: usize): i32 {
  if (!ASC_FEATURE_SIMD) return swarBlanks(at);
  const bytes = v128.load(at);
  return i8x16.bitmask(v128.or(i8x16.le_u(bytes, v128.load(SPACE)), i8x16.eq(bytes, v128.load(DEL))));
}

/** The first control character or space from `at` on; `end` or more when there is none before `end`. */
export function skipVisible(at: usize, end: usize): usize {
  for (; at < end; at += 16) {
    const found = blanks(at);
    if (found) return at + ctz(found);
  }
  return at;
}

/** The first control character or space from `at` on. The caller knows that there is one. */
// @ts-ignore: decorator
@inline
export function skipVisibleSurely(at: usize): usize {
  let found = blanks(at);
  while (!found) {
    at += 16;
    found = blanks(at);
  }
  return at + ctz(found);
}

// @ts-ignore: decorator
@inline
function isControl(bytes: v128): v128 {
  return v128.or(i8x16.le_u(bytes, v128.load(LAST_CONTROL)), i8x16.eq(bytes, v128.load(DEL)));
}

// @ts-ignore: decorator
@inline
function isControlNotTab(bytes: v128): v128 {
  return v128.andnot(isControl(bytes), i8x16.eq(bytes, v128.load(TAB)));
}

// @ts-ignore: decorator
@inline
function join(a: i32, b: i32, c: i32, d: i32): u64 {
  return u64(u32(a | (b << 16))) | (u64(u32(c | (d << 16))) << 32);
}

/** Whether bytes are controls, DEL or from 0x80 up: then, and only then, one more is below 0x21 as a signed number. */
// @ts-ignore: decorator
@inline
function isUnusual(bytes: v128): v128 {
  return i8x16.lt_s(i8x16.add(bytes, v128.load(ONE)), v128.load(BELOW));
}

/** Bit i is set when the byte at `at + i` is a control character (HTAB and DEL too) or from 0x80 up. */
// @ts-ignore: decorator
@inline
export function unusual64(at: usize): u64 {
  if (!ASC_FEATURE_SIMD) return swarUnusual64(at);
  const a = isUnusual(v128.load(at));
  const b = isUnusual(v128.load(at, 16));
  const c = isUnusual(v128.load(at, 32));
  const d = isUnusual(v128.load(at, 48));
  return join(i8x16.bitmask(a), i8x16.bitmask(b), i8x16.bitmask(c), i8x16.bitmask(d));
}

/** Bit i is set when the byte at `at + i` may not stand in a field's value: a control character other than HTAB. */
// @ts-ignore: decorator
@inline
export function valueStops(at: usize): i32 {
  if (!ASC_FEATURE_SIMD) return swarValueStops(at);
  return i8x16.bitmask(isControlNotTab(v128.load(at)));
}

/** As valueStops, 64 bytes at once. */
export function valueStops64(at: usize): u64 {
  return join(valueStops(at), valueStops(at + 16), valueStops(at + 32), valueStops(at + 48));
}

/** The first byte from `at` on that may not stand in a field's value; `end` or more when there is none before `end`. */
export function skipValue(at: usize, end: usize): usize {
  for (; at < end; at += 16) {
    const found = valueStops(at);
    if (found) return at + ctz(found);
  }
  return at;
}

/** Whether a space or HTAB is there. */
// @ts-ignore: decorator
@inline
export function isOws(at: usize): bool {
  const byte = load<u8>(at);
  return byte == SP || byte == HTAB;
}

/** The first byte from `at` on that is neither space nor HTAB, at most `end`. */
export function skipOws(at: usize, end: usize): usize {
  while (at < end && isOws(at)) at++;
  return at;
}

/** An ASCII letter in lower case; other bytes stay as they are. */
// @ts-ignore: decorator
@inline
export function lower(byte: u8): u8 {
  return u8(byte - 0x41) < 26 ? byte | 0x20 : byte;
}

/** Whether the bytes are that text, in any case of letters; the text is a literal in lower case, see `textBytes`. */
export function isText(at: usize, size: usize, text: usize): bool {
  if (size != textBytes(text)) return false;
  for (let i: usize = 0; i < size; i++) {
    if (lower(load<u8>(at + i)) != load<u8>(text + (i << 1))) return false;
  }
  return true;
}

// --- texts ---
// A string literal lies in static memory, two bytes a character, its size in front: changetype<usize>("…") is a
// constant that points to it. Protocol texts are ASCII, so writing one drops every other byte.

/** Bytes that a literal becomes. */
// @ts-ignore: decorator
@inline
export function textBytes(text: usize): usize {
  return load<u32>(text - 4) >> 1;
}

/** Writes a literal as ASCII and returns the position behind it. Up to 15 bytes behind that are overwritten. */
// @ts-ignore: decorator
@inline
export function writeText(target: usize, text: usize): usize {
  const end = target + textBytes(text);
  for (let at = target; at < end; at += 16, text += 32) {
    if (ASC_FEATURE_SIMD) v128.store(at, i8x16.narrow_i16x8_u(v128.load(text), v128.load(text, 16)));
    else swarNarrow(at, text);
  }
  return end;
}

/** Copies bytes and returns the position behind them. Up to 15 bytes behind that are overwritten. */
// @ts-ignore: decorator
@inline
export function writeBytes(target: usize, source: usize, size: usize): usize {
  const end = target + size;
  for (let at = target; at < end; at += 16, source += 16) copy16(at, source);
  return end;
}

// @ts-ignore: decorator
@inline
function copy16(target: usize, source: usize): void {
  if (ASC_FEATURE_SIMD) v128.store(target, v128.load(source));
  else {
    const first = load<u64>(source);
    store<u64>(target, load<u64>(source, 8), 8);
    store<u64>(target, first);
  }
}

/** Sets 16 bytes to 0. */
// @ts-ignore: decorator
@inline
export function zero16(target: usize): void {
  if (ASC_FEATURE_SIMD) v128.store(target, i64x2.splat(0));
  else {
    store<u64>(target, 0);
    store<u64>(target, 0, 8);
  }
}
