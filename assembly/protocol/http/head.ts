// The head of an HTTP/1.x request: request line and header fields. Bytes in, offsets out.
//
//   parseHead(head, source, size, rowsMax) → n ≥ 0    bytes of the head, through its empty line
//                                            PARTIAL  call again with the same state and a longer size
//                                            a Refusal (below PARTIAL), which does not depend on how the bytes were cut
//
// `head` is a state of headBytes(rowsMax) bytes, begun with headReset; it holds offsets only, so the bytes may move
// between two calls. This file finds lines, names and values; framing.ts decides what they mean. Nothing is allocated
// or copied, and what has been looked at in one call is not looked at again in the next.
//
// How it works. 64 bytes at a time become one u64 with a bit for every byte that is no visible ASCII and no space. In
// most heads these are the CR and LF of line ends, and `bits & ~(bits << 1)` leaves the CRs: walking over the bits that
// are left visits one position a line, and the next line's start waits for nothing else. A control character anywhere
// else leaves a bit too, and is found out because no CRLF stands there; only HTAB and bytes from 0x80 up, legal in
// values, go a slower way. A name is looked at from its line's start, where the first byte that is not a token must be
// the colon.
//
// Strict (RFC 9112 5): lines end with CR LF and nothing else, no white space before a colon or at a line's start (so no
// obs-fold), no control character but HTAB in a value, bytes from 0x80 up only in values.
// Invariant: source ≤ line ≤ end. Loads reach at most 64 bytes behind end, and what they find there never counts.

import {
  COLON,
  CR,
  CRLF,
  HTAB,
  LF,
  LOWER,
  SP,
  TOKEN,
  isOws,
  skip,
  skipSurely,
  unusual64,
  valueStops64,
} from "../../bytes/scan";
import {
  CONNECTION_FIELD,
  CONTENT_LENGTH_FIELD,
  DUPLICATES,
  EXPECT_FIELD,
  HOST_FIELD,
  IN_FIELDS,
  KNOWN,
  LINE,
  LINE_COLON,
  PARTIAL,
  PHASE,
  POSITION,
  ROWS,
  ROW_BYTES,
  TABLE,
  TRANSFER_ENCODING_FIELD,
  UPGRADE_FIELD,
  pause,
} from "./headstate";
import { Refusal } from "./refusal";
import { requestLine, wholeRequestLine } from "./requestline";

export * from "./headstate";

/** Bytes of empty lines to drop before a request (RFC 9112 2.2); PARTIAL: a CR is there whose LF is to come. */
export function skipEmptyLines(source: usize, size: i32): i32 {
  let dropped = 0;
  while (dropped + 2 <= size && load<u16>(source + dropped) == CRLF) dropped += 2;
  return dropped + 1 == size && load<u8>(source + dropped) == CR ? PARTIAL : dropped;
}

// --- the parser ---

export function parseHead(head: usize, source: usize, size: i32, rowsMax: i32): i32 {
  const end = source + usize(size);
  let line = source; // start of the current line
  let block = source; // start of the 64 bytes that are looked at
  let row = head + TABLE;
  if (load<u64>(head) != 0) {
    if (load<i32>(head, PHASE) < IN_FIELDS) {
      const n = requestLine(head, source, end);
      if (n < 0) return n;
      line = block = source + usize(n);
    } else {
      line = source + load<u32>(head, LINE);
      block = source + load<u32>(head, POSITION);
      row += usize(load<u32>(head, ROWS)) * ROW_BYTES;
    }
    if (line < end && load<u8>(line) <= SP) return emptyLine(head, source, line, block, end, row);
  }
  const from = block;
  const rowsEnd = head + TABLE + usize(rowsMax) * ROW_BYTES;
  for (; block < end; block += 64) {
    const unusual = unusual64(block);
    if (!unusual) continue;
    let found = within(unusual & ~(unusual << 1), block, end);
    while (found) {
      const at = block + usize(ctz(found));
      found &= found - 1;
      if (at < line) continue; // the LF of a CR that was the last byte of the block before
      let next = at + 2;
      if (line == source) {
        if (!wholeRequestLine(head, source, at)) {
          const n = requestLine(head, source, end);
          if (n < 0) return n;
          next = source + usize(n);
        }
      } else {
        if (load<u16>(at) != CRLF) {
          if (load<u8>(at) != HTAB && load<u8>(at) < 0x80) return lineRefusal(line, at);
          found = fromThere(block, at, end);
          continue;
        }
        const refusal = fieldLine(head, source, line, at, row, rowsEnd);
        if (refusal) return refusal;
        row += ROW_BYTES;
      }
      line = next;
      if (load<u8>(line) <= SP) return emptyLine(head, source, line, from, end, row);
    }
  }
  if (line == source) return requestLine(head, source, end);
  return partial(head, source, line, from, end, row);
}

/** The bits of a block that may be visited: the last byte before the end may be a CR whose LF is to come. */
// @ts-ignore: decorator
@inline
function within(bits: u64, block: usize, end: usize): u64 {
  return block + 64 >= end ? bits & ((u64(1) << u64(end - 1 - block)) - 1) : bits;
}

/** The bits of a block from `at` on of what may not stand in a value; needed at most once a block. */
function fromThere(block: usize, at: usize, end: usize): u64 {
  const bits = valueStops64(block);
  return within(bits & ~(bits << 1) & ~((u64(1) << u64(at - block)) - 1), block, end);
}

// --- header fields ---

/** A whole header line, its line end at `cr`: fills the row. 0 or a Refusal. */
// @ts-ignore: decorator
@inline
function fieldLine(head: usize, source: usize, line: usize, cr: usize, row: usize, rowsEnd: usize): i32 {
  const colon = skipSurely(line, TOKEN);
  if (load<u8>(colon) != COLON || colon == line) return nameRefusal(line, colon);
  if (row == rowsEnd) return Refusal.TOO_MANY_FIELDS;
  const size = colon - line;
  let value = colon + 1;
  let valueEnd = cr;
  if (load<u8>(value) == SP) value++;
  if (load<u8>(value) <= SP || load<u8>(valueEnd - 1) <= SP) {
    // more white space than the usual one space, or an empty value
    while (value < valueEnd && isOws(value)) value++;
    while (valueEnd > value && isOws(valueEnd - 1)) valueEnd--;
  }
  store<u32>(row, u32(line - source));
  store<u32>(row, u32(size), 4);
  store<u32>(row, u32(value - source), 8);
  store<u32>(row, u32(valueEnd - value), 12);
  const word = FIRST_WORDS + ((size & 31) << 4);
  if (((load<u64>(line) | LOWER) & load<u64>(word)) == load<u64>(word, 8)) noteKnown(head, line, size, row);
  return 0;
}

// By size of a name mod 32: a mask, and the first 8 bytes in lower case of the one known name of that size.
// A mask of 0 with a 1 never matches.
// prettier-ignore
const FIRST_WORDS: usize = memory.data<u64>([
  0, 1, 0, 1, 0, 1, 0, 1,
  0xffffffff, 0x74736f68, // 4: host
  0, 1,
  0xffffffffffff, 0x746365707865, // 6: expect
  0xffffffffffffff, 0x65646172677075, // 7: upgrade
  0, 1, 0, 1,
  0xffffffffffffffff, 0x697463656e6e6f63, // 10: connecti-on
  0, 1, 0, 1, 0, 1,
  0xffffffffffffffff, 0x2d746e65746e6f63, // 14: content--length
  0, 1, 0, 1,
  0xffffffffffffffff, 0x726566736e617274, // 17: transfer--encoding
  0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
], 16);
const ON: u16 = 0x6e6f;
const T_LENGTH: u64 = 0x6874676e656c2d74; // "t-length"
const ENCODING: u64 = 0x676e69646f636e65;
const DASH: u8 = 0x2d;

/** The first 8 bytes fit a known name: compares the rest and notes the row. */
function noteKnown(head: usize, name: usize, size: usize, row: usize): void {
  let field: i32;
  if (size == 4) field = HOST_FIELD;
  else if (size == 14 && (load<u64>(name, 6) | LOWER) == T_LENGTH) field = CONTENT_LENGTH_FIELD;
  else if (size == 17 && (load<u64>(name, 9) | LOWER) == ENCODING && load<u8>(name, 8) == DASH)
    field = TRANSFER_ENCODING_FIELD;
  else if (size == 10 && (load<u16>(name, 8) | u16(LOWER)) == ON) field = CONNECTION_FIELD;
  else if (size == 6) field = EXPECT_FIELD;
  else if (size == 7) field = UPGRADE_FIELD;
  else return;
  const place = head + KNOWN + (usize(field) << 2);
  if (load<u32>(place)) store<u32>(head, load<u32>(head, DUPLICATES) | (1 << field), DUPLICATES);
  else store<u32>(place, 1 + u32((row - head - TABLE) / ROW_BYTES));
}

/** A line begins with a control character or a space, or with the end of the bytes: is it the empty line? */
// @ts-ignore: decorator
@inline
function emptyLine(head: usize, source: usize, line: usize, from: usize, end: usize, row: usize): i32 {
  if (line + 1 >= end) return partialLineStart(head, source, line, from, end, row);
  if (load<u16>(line) != CRLF) return nameRefusal(line, line);
  store<u32>(head, u32((row - head - TABLE) / ROW_BYTES), ROWS);
  return i32(line + 2 - source);
}

function partialLineStart(head: usize, source: usize, line: usize, from: usize, end: usize, row: usize): i32 {
  if (line < end && load<u8>(line) != CR) return nameRefusal(line, line);
  return partial(head, source, line, from, end, row);
}

/** No whole line is left: checks what there is of it, from `from` on when it is not new, and notes where to go on. */
function partial(head: usize, source: usize, line: usize, from: usize, end: usize, row: usize): i32 {
  const lineOffset = u32(line - source);
  let colon = load<u32>(head, LINE_COLON);
  if (load<u32>(head, LINE) != lineOffset) {
    colon = 0;
    from = line;
  }
  let position = end;
  if (!colon) {
    const nameEnd = skip(from, end, TOKEN);
    if (nameEnd < end) {
      const byte = load<u8>(nameEnd);
      if (byte == COLON && nameEnd > line) colon = u32(nameEnd - source);
      else if (byte == CR && nameEnd == line && nameEnd + 1 == end) position = line;
      else return nameRefusal(line, nameEnd);
    }
  }
  if (colon) {
    // all but the last byte has been visited
    const last = load<u8>(end - 1);
    if (last == CR) position = end - 1;
    else if ((last < SP && last != HTAB) || last == 0x7f) return valueRefusal(last);
  }
  store<u32>(head, lineOffset, LINE);
  store<u32>(head, colon, LINE_COLON);
  store<u32>(head, u32((row - head - TABLE) / ROW_BYTES), ROWS);
  return pause(head, IN_FIELDS, position - source);
}

// --- which refusal it is ---

/** A control character at `at` that is no line end: is it in the name or in the value? */
function lineRefusal(line: usize, at: usize): i32 {
  const nameEnd = skipSurely(line, TOKEN);
  if (load<u8>(nameEnd) != COLON || nameEnd == line) return nameRefusal(line, nameEnd);
  return valueRefusal(load<u8>(at));
}

/** The byte at `at` ends the name that began at `line`, and is not its colon. */
function nameRefusal(line: usize, at: usize): i32 {
  const byte = load<u8>(at);
  const isLineEnd = byte == CR || byte == LF;
  if (at == line) return isOws(at) ? Refusal.FOLDED_FIELD : isLineEnd ? Refusal.BAD_LINE_END : Refusal.BAD_NAME;
  return isOws(at) ? Refusal.SPACE_BEFORE_COLON : isLineEnd ? Refusal.NO_COLON : Refusal.BAD_NAME;
}

function valueRefusal(byte: u8): i32 {
  return byte == CR || byte == LF ? Refusal.BAD_LINE_END : Refusal.BAD_VALUE;
}
