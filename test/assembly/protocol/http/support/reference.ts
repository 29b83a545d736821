// The rules of head.ts and chunked.ts once more, byte by byte and without any cleverness, to compare the fast ones to.
import {
  CHUNK_EXCESS_BYTES_MAX,
  CHUNK_LINE_BYTES_MAX,
  FIELDS_MAX,
  TRAILER_BYTES_MAX,
} from "../../../../../assembly/core/limits";
import { PARTIAL } from "../../../../../assembly/protocol/http/head";
import { Refusal } from "../../../../../assembly/protocol/http/refusal";

const CR: i32 = 0x0d;
const LF: i32 = 0x0a;
const SP: i32 = 0x20;
const HTAB: i32 = 0x09;
const COLON: i32 = 0x3a;
const TOKENS: string = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const isTokenByte = new StaticArray<bool>(256);
for (let i = 0; i < TOKENS.length; i++) isTokenByte[TOKENS.charCodeAt(i)] = true;

function byteAt(source: usize, offset: i32): i32 {
  return load<u8>(source + offset);
}

/** Found by the last referenceHead: method size, target offset and size, minor version; then four numbers a row. */
export const found = new StaticArray<i32>(4 + 4 * 128);
export let foundRows: i32 = 0;

export function referenceHead(source: usize, size: i32, rowsMax: i32): i32 {
  foundRows = 0;
  let p = 0;
  while (p < size && isTokenByte[byteAt(source, p)]) p++;
  if (p == size) return PARTIAL;
  if (p == 0 || byteAt(source, p) != SP) return Refusal.BAD_METHOD;
  found[0] = p++;
  const target = p;
  while (p < size && byteAt(source, p) > SP && byteAt(source, p) != 0x7f) p++;
  if (p == size) return PARTIAL;
  const behind = byteAt(source, p);
  if (p > target && (behind == CR || behind == LF)) return Refusal.NO_VERSION;
  if (p == target || behind != SP) return Refusal.BAD_TARGET;
  found[1] = target;
  found[2] = p++ - target;
  const version = "HTTP/d.d\r\n";
  for (let i = 0; i < 10; i++, p++) {
    if (p == size) return PARTIAL;
    const byte = byteAt(source, p);
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (version.charAt(i) == "d" ? !isDigit : byte != version.charCodeAt(i)) return Refusal.BAD_VERSION;
  }
  const minor = byteAt(source, p - 3) - 0x30;
  if (byteAt(source, p - 5) != 0x31) return Refusal.UNSUPPORTED_VERSION;
  found[3] = min(minor, 1);
  while (true) {
    const end = referenceLine(source, p, size, rowsMax);
    if (end < 0) return end;
    if (end == p + 2) return end;
    p = end;
  }
}

/** One header line from `line` on: the offset behind it, 2 further on for the empty line. */
function referenceLine(source: usize, line: i32, size: i32, rowsMax: i32): i32 {
  if (line == size) return PARTIAL;
  const first = byteAt(source, line);
  if (first == SP || first == HTAB) return Refusal.FOLDED_FIELD;
  if (first == LF) return Refusal.BAD_LINE_END;
  if (first == CR) {
    if (line + 1 == size) return PARTIAL;
    return byteAt(source, line + 1) == LF ? line + 2 : Refusal.BAD_LINE_END;
  }
  let p = line;
  while (p < size && isTokenByte[byteAt(source, p)]) p++;
  if (p == size) return PARTIAL;
  const behind = byteAt(source, p);
  if (p == line) return Refusal.BAD_NAME;
  if (behind == SP || behind == HTAB) return Refusal.SPACE_BEFORE_COLON;
  if (behind == CR || behind == LF) return Refusal.NO_COLON;
  if (behind != COLON) return Refusal.BAD_NAME;
  const colon = p++;
  let byte = 0;
  for (; p < size; p++) {
    byte = byteAt(source, p);
    if (byte == CR) break;
    if (byte == LF) return Refusal.BAD_LINE_END;
    if ((byte < SP && byte != HTAB) || byte == 0x7f) return Refusal.BAD_VALUE;
  }
  if (p >= size - 1) return PARTIAL;
  if (byteAt(source, p + 1) != LF) return Refusal.BAD_LINE_END;
  if (foundRows == rowsMax) return Refusal.TOO_MANY_FIELDS;
  let from = colon + 1;
  let to = p;
  while (from < to && (byteAt(source, from) == SP || byteAt(source, from) == HTAB)) from++;
  while (to > from && (byteAt(source, to - 1) == SP || byteAt(source, to - 1) == HTAB)) to--;
  const row = 4 + foundRows++ * 4;
  found[row] = line;
  found[row + 1] = colon - line;
  found[row + 2] = from;
  found[row + 3] = to - from;
  return p + 2;
}

/** The data of the last referenceChunked: its size and a checksum in which places count. */
export let dataBytes: i32 = 0;
export let dataSum: u32 = 0;

/** A checksum of bytes in their order. */
export function checksum(sum: u32, source: usize, size: i32): u32 {
  for (let i = 0; i < size; i++) sum = (sum ^ (<u32>byteAt(source, i))) * 16777619;
  return sum;
}

/** The bytes of a whole chunked body, PARTIAL, or a Refusal. */
export function referenceChunked(source: usize, size: i32): i32 {
  dataBytes = 0;
  dataSum = 0;
  let excess: i64 = 0;
  let p = 0;
  while (true) {
    const line = p;
    const chunk = referenceSize(source, p, size);
    if (chunk < 0) return <i32>chunk;
    p = behindSize;
    excess = max<i64>(0, excess + (p - line) - 16 - 2 * min<i64>(chunk, 1 << 32));
    if (excess > CHUNK_EXCESS_BYTES_MAX) return Refusal.TOO_MUCH_CHUNKING;
    if (chunk == 0) return referenceTrailers(source, p, size);
    const data = <i32>min<i64>(chunk, size - p);
    dataSum = checksum(dataSum, source + p, data);
    dataBytes += data;
    p += data;
    for (let i = 0; i < 2; i++, p++) {
      if (p == size) return PARTIAL;
      if (byteAt(source, p) != (i == 0 ? CR : LF)) return Refusal.BAD_CHUNK_END;
    }
  }
}

let behindSize: i32 = 0;

function referenceSize(source: usize, p: i32, size: i32): i64 {
  const line = p;
  let chunk: u64 = 0;
  for (; p < size; p++) {
    const digit = "0123456789abcdef".indexOf(String.fromCharCode(byteAt(source, p)).toLowerCase());
    if (digit < 0) break;
    if (p - line == 16 || chunk >= 1 << 59) return Refusal.BAD_CHUNK_SIZE;
    chunk = chunk * 16 + digit;
  }
  if (p == size) return PARTIAL;
  if (p == line) return Refusal.BAD_CHUNK_SIZE;
  let refusal = Refusal.BAD_CHUNK_SIZE;
  if (byteAt(source, p) != CR) {
    while (p < size && (byteAt(source, p) == SP || byteAt(source, p) == HTAB)) {
      p++;
      if (<usize>(p - line) > CHUNK_LINE_BYTES_MAX) return Refusal.CHUNK_LINE_TOO_LONG;
    }
    if (p == size) return PARTIAL;
    if (byteAt(source, p) != 0x3b) return Refusal.BAD_CHUNK_SIZE;
    refusal = Refusal.BAD_CHUNK_EXTENSION;
    for (; p < size; p++) {
      const byte = byteAt(source, p);
      if (byte == 0x7f || (byte < SP && byte != HTAB)) break;
      if (<usize>(p + 1 - line) > CHUNK_LINE_BYTES_MAX) return Refusal.CHUNK_LINE_TOO_LONG;
    }
  }
  for (let i = 0; i < 2; i++, p++) {
    if (p == size) return PARTIAL;
    if (byteAt(source, p) != (i == 0 ? CR : LF)) return refusal;
  }
  behindSize = p;
  return chunk;
}

function referenceTrailers(source: usize, p: i32, size: i32): i32 {
  const start = p;
  let fields = 0;
  while (true) {
    const all = min(size, start + <i32>TRAILER_BYTES_MAX);
    if (fields++ == FIELDS_MAX && p < all && isTokenByte[byteAt(source, p)]) return Refusal.TRAILERS_TOO_LARGE;
    const end = referenceLine(source, p, all, 1 << 30);
    if (end == PARTIAL) return all < size ? Refusal.TRAILERS_TOO_LARGE : PARTIAL;
    if (end < 0) return Refusal.BAD_TRAILER;
    foundRows = 0;
    if (end == p + 2) return end;
    p = end;
  }
}
