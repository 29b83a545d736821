// Runs one request head through the parser in every way that must not make a difference: whole, a byte at a time, cut
// in two at every place with the bytes moved in between, and flush against the end of memory with a hostile slack
// behind it.
import {
  PARTIAL,
  ROWS,
  ROW_BYTES,
  TABLE,
  headBytes,
  headReset,
  methodSize,
  minorVersion,
  nameOffset,
  nameSize,
  parseHead,
  rowCount,
  targetOffset,
  targetSize,
  valueOffset,
  valueSize,
} from "../../../../../assembly/protocol/http/head";
import { checkHead } from "../../../../../assembly/protocol/http/framing";

/** What lies behind the last byte that a parser is given, and may be loaded but not used. */
export const SLACK: i32 = 64;
export const ROWS_MAX: i32 = 16;
const PAGE: usize = 65536;

// The memory manager does not know these pages. Sources are at a, or at b when the bytes have moved.
const pages: usize = usize(memory.grow(4)) * PAGE;
const a: usize = pages;
const b: usize = pages + 2 * PAGE + 21;
/** The state and the source of the last run, for the accessors. */
export const HEAD: usize = pages + PAGE;
export const SOURCE: usize = a;
const other: usize = HEAD + headBytes(ROWS_MAX);

/** Lays a string down, a character a byte. */
export function put(target: usize, text: string): void {
  for (let i = 0; i < text.length; i++) store<u8>(target + i, u8(text.charCodeAt(i)));
}

/** Bytes as a string, a character a byte. */
export function take(source: usize, size: i32): string {
  let text = "";
  for (let i = 0; i < size; i++) text += String.fromCharCode(load<u8>(source + i));
  return text;
}

/** A place of that many bytes which ends `SLACK` bytes before the end of memory; the slack repeats a pattern. */
export function flush(size: i32, pattern: string): usize {
  let end = usize(memory.size()) * PAGE;
  if (end != flushEnd) {
    memory.grow(2); // pages of ours, whatever the memory manager did
    flushEnd = end = usize(memory.size()) * PAGE;
  }
  for (let i = 0; i < SLACK; i++) store<u8>(end - SLACK + i, u8(pattern.charCodeAt(i % pattern.length)));
  return end - SLACK - size;
}
let flushEnd: usize = 0;

/** Longer heads are not cut everywhere: that takes time in proportion to the square. */
const SHORT: i32 = 1500;
const SLACKS: StaticArray<string> = ["\r\n", "a", "\0", ": ", "\n", "HTTP/1.1\r\n", "\xff"];

/** The result of parseHead, and of checkHead when the head is complete. Fails when any way differs from the first. */
export function outcome(text: string): i32 {
  put(a, text);
  return outcomeOf(text.length);
}

/** The same for bytes that lie at SOURCE. */
export function outcomeOf(size: i32): i32 {
  headReset(HEAD);
  const expected = parse(HEAD, a, size);
  byteByByte(size, expected);
  if (size <= SHORT) everySplit(size, expected);
  for (let i = 0; i < SLACKS.length; i++) {
    const source = flush(size, SLACKS[i]);
    memory.copy(source, a, size);
    headReset(other);
    same(parse(other, source, size), expected, "flush, slack " + SLACKS[i]);
    if (size <= SHORT) flushByteByByte(size, expected, SLACKS[i]);
  }
  return expected;
}

function parse(head: usize, source: usize, size: i32): i32 {
  const n = parseHead(head, source, size, ROWS_MAX);
  if (n < 0) return n;
  const refusal = checkHead(head, source);
  return refusal < 0 ? refusal : n;
}

function byteByByte(size: i32, expected: i32): void {
  headReset(other);
  let result = PARTIAL;
  for (let n = 0; n <= size && result == PARTIAL; n++) result = parse(other, a, n);
  same(result, expected, "byte by byte");
}

function flushByteByByte(size: i32, expected: i32, pattern: string): void {
  headReset(other);
  let result = PARTIAL;
  for (let n = 0; n <= size && result == PARTIAL; n++) {
    const source = flush(n, pattern);
    memory.copy(source, a, n);
    result = parse(other, source, n);
  }
  same(result, expected, "flush, byte by byte, slack " + pattern);
}

function everySplit(size: i32, expected: i32): void {
  memory.fill(b, 0x0a, size + SLACK);
  for (let cut = 0; cut < size; cut++) {
    headReset(other);
    let result = parse(other, a, cut);
    if (result == PARTIAL) {
      memory.copy(b, a, size);
      result = parse(other, b, size);
    }
    same(result, expected, "cut at " + cut.toString());
  }
}

/** The other state holds the same result, field by field. */
function same(result: i32, expected: i32, way: string): void {
  let fine = result == expected;
  if (fine && result >= 0) {
    const rows = usize(rowCount(HEAD)) * ROW_BYTES;
    fine = memory.compare(HEAD + ROWS, other + ROWS, TABLE - ROWS + rows) == 0;
  }
  assert(fine, way + ": " + result.toString() + ", whole: " + expected.toString());
}

/** What the last outcome found, as text. */
export function rendered(): string {
  let text = take(SOURCE, methodSize(HEAD)) + " " + take(SOURCE + targetOffset(HEAD), targetSize(HEAD));
  text += " 1." + minorVersion(HEAD).toString();
  for (let row = 0; row < rowCount(HEAD); row++) {
    text += "|" + take(SOURCE + nameOffset(HEAD, row), nameSize(HEAD, row));
    text += "=" + take(SOURCE + valueOffset(HEAD, row), valueSize(HEAD, row));
  }
  return text;
}
