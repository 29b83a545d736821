// A chunked body, piece by piece: bytes in, positions of the data out. Data is never copied.
//
//   chunkedNext(state, source, size) → CHUNK_DATA       chunkedOffset and chunkedSize say where in source
//                                      CHUNK_TRAILERS   the same: the next bytes of the trailer lines, see trailers.ts
//                                      CHUNK_NEED_MORE  all of source is consumed
//                                      CHUNK_END        the body is complete, trailers included
//                                      a Refusal        the state is void
//
// Each call consumes chunkedConsumed bytes; go on with the rest. The state is CHUNKED_BYTES, begun with chunkedReset.
// The result does not depend on how the bytes were cut.
//
// Strict (RFC 9112 7.1): a size is 1 to 16 hexadecimal digits that fit an i64, each line and each chunk ends with CR
// LF, nothing but CR LF or an extension follows the size. Extensions are skipped: no control character may stand in
// one, so all parsers see the same end. Trailers must be well-formed field lines; trailers.ts reads them.
// Bounds: a line's length, the trailers' size and number, and what is not data in all: as in Go's net/http each chunk
// has 16 bytes free and 2 more for each byte of data; beyond that CHUNK_EXCESS_BYTES_MAX are allowed in a body.

import { COLON, CR, LF, TOKEN, isOws, skip, skipValue, zero16 } from "../../bytes/scan";
import { CHUNK_EXCESS_BYTES_MAX, CHUNK_LINE_BYTES_MAX, FIELDS_MAX, TRAILER_BYTES_MAX } from "../../core/limits";
import { Refusal } from "./refusal";

export const CHUNK_NEED_MORE: i32 = 0;
export const CHUNK_DATA: i32 = 1;
export const CHUNK_END: i32 = 2;
export const CHUNK_TRAILERS: i32 = 3;

// --- the state ---

export const CHUNKED_BYTES: usize = 32;
const PHASE: usize = 0; // u8
const DIGITS: usize = 1; // u8: digits of the size so far
const LINE_BYTES: usize = 2; // u16: of the chunk's line, or of the trailers, so far
const EXCESS: usize = 4; // u32
const REMAINING: usize = 8; // i64: the chunk's size, then what is left of it
const OFFSET: usize = 16; // u32 each: the last event
const SIZE: usize = 20;
const CONSUMED: usize = 24;
const FIELDS: usize = 28; // u8: trailer lines that have begun

if (FIELDS_MAX >= i32(u8.MAX_VALUE)) ERROR("FIELDS has no room for one more than FIELDS_MAX");
if (max(CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX) > usize(u16.MAX_VALUE)) ERROR("LINE_BYTES has no room for so many");

const IN_SIZE: i32 = 0;
const IN_SPACE: i32 = 1; // white space before an extension
const IN_EXTENSION: i32 = 2;
const SIZE_LF: i32 = 3;
const IN_DATA: i32 = 4;
const DATA_CR: i32 = 5;
const DATA_LF: i32 = 6;
const TRAILER_START: i32 = 7;
const IN_TRAILER_NAME: i32 = 8;
const IN_TRAILER_VALUE: i32 = 9;
const TRAILER_LF: i32 = 10;
const END_LF: i32 = 11;
const ENDED: i32 = 12;

export function chunkedReset(state: usize): void {
  zero16(state);
  zero16(state + 16);
}

/** Of the last CHUNK_DATA or CHUNK_TRAILERS: where its bytes begin in the source. */
export function chunkedOffset(state: usize): i32 {
  return load<i32>(state, OFFSET);
}

/** Of the last CHUNK_DATA or CHUNK_TRAILERS: how many bytes it is, more than 0. */
export function chunkedSize(state: usize): i32 {
  return load<i32>(state, SIZE);
}

/** Bytes of the source that the last call has used. */
export function chunkedConsumed(state: usize): i32 {
  return load<i32>(state, CONSUMED);
}

/** After CHUNK_DATA: what is still to come of this chunk, so that a body over the limit can be refused early. */
export function chunkedRemaining(state: usize): i64 {
  return load<i64>(state, REMAINING);
}

/** After CHUNK_DATA: the last `bytes` of the data were not taken and come again with the next call. */
export function chunkedGiveBack(state: usize, bytes: i32): void {
  store<i64>(state, load<i64>(state, REMAINING) + i64(bytes), REMAINING);
  store<u8>(state, IN_DATA, PHASE);
}

// --- the decoder ---

export function chunkedNext(state: usize, source: usize, size: i32): i32 {
  const end = source + usize(size);
  let at = source;
  let event = load<u8>(state, PHASE) == ENDED ? CHUNK_END : CHUNK_NEED_MORE;
  while (at < end && event == CHUNK_NEED_MORE) {
    const phase = i32(load<u8>(state, PHASE));
    let used: i32;
    if (phase < IN_DATA) used = lineStep(state, phase, at, end);
    else if (phase == IN_DATA) {
      used = dataStep(state, source, at, end);
      event = CHUNK_DATA;
    } else if (phase < TRAILER_START) used = dataEndStep(state, phase, load<u8>(at));
    else {
      used = trailerStep(state, phase, at, end);
      event = trailerEvent(state, u32(at - source), used);
    }
    if (used < 0) return used;
    at += used;
  }
  store<u32>(state, u32(at - source), CONSUMED);
  return event;
}

// @ts-ignore: decorator
@inline
function enter(state: usize, phase: i32): void {
  store<u8>(state, phase, PHASE);
}

/** Each step looks at one or more bytes and returns how many, or a Refusal. */
function lineStep(state: usize, phase: i32, at: usize, end: usize): i32 {
  if (phase == IN_SIZE) return sizeStep(state, at, end);
  if (phase == SIZE_LF) return lineEndStep(state, load<u8>(at));
  const byte = load<u8>(at);
  if (phase == IN_SPACE) {
    if (byte == SEMICOLON) enter(state, IN_EXTENSION);
    else if (!isOws(at)) return Refusal.BAD_CHUNK_SIZE;
    return countLine(state, 1) ? 1 : Refusal.CHUNK_LINE_TOO_LONG;
  }
  const valueEnd = min(skipValue(at, end), end);
  if (!countLine(state, valueEnd - at)) return Refusal.CHUNK_LINE_TOO_LONG;
  if (valueEnd == end) return i32(end - at);
  if (load<u8>(valueEnd) != CR) return Refusal.BAD_CHUNK_EXTENSION;
  enter(state, SIZE_LF);
  return i32(valueEnd + 1 - at);
}

const SEMICOLON: u8 = 0x3b;
const DIGITS_MAX: i32 = 16;

function sizeStep(state: usize, at: usize, end: usize): i32 {
  const start = at;
  let digits = i32(load<u8>(state, DIGITS));
  let size = load<i64>(state, REMAINING);
  for (; at < end; at++) {
    const byte = load<u8>(at);
    let digit = u8(byte - 0x30);
    if (digit > 9) {
      digit = u8((byte | 0x20) - 0x61);
      if (digit > 5) break;
      digit += 10;
    }
    if (++digits > DIGITS_MAX || size >>> 59 != 0) return Refusal.BAD_CHUNK_SIZE;
    size = (size << 4) | i64(digit);
  }
  store<u8>(state, digits, DIGITS);
  store<i64>(state, size, REMAINING);
  if (at == end) return i32(at - start);
  if (digits == 0) return Refusal.BAD_CHUNK_SIZE;
  const byte = load<u8>(at);
  store<u16>(state, byte == CR ? digits : digits + 1, LINE_BYTES);
  if (byte == CR) enter(state, SIZE_LF);
  else if (byte == SEMICOLON) enter(state, IN_EXTENSION);
  else if (isOws(at)) enter(state, IN_SPACE);
  else return Refusal.BAD_CHUNK_SIZE;
  return i32(at + 1 - start);
}

/** Counts bytes of a chunk's line. False: it is too long. */
function countLine(state: usize, bytes: usize): bool {
  const all = load<u16>(state, LINE_BYTES) + bytes;
  store<u16>(state, u16(all), LINE_BYTES);
  return all <= CHUNK_LINE_BYTES_MAX;
}

const FREE_BYTES: i64 = 16;

function lineEndStep(state: usize, byte: u8): i32 {
  const line = i64(load<u16>(state, LINE_BYTES));
  if (byte != LF) return line > i64(load<u8>(state, DIGITS)) ? Refusal.BAD_CHUNK_EXTENSION : Refusal.BAD_CHUNK_SIZE;
  const size = load<i64>(state, REMAINING);
  const spare = FREE_BYTES + 2 * min<i64>(size, CHUNK_EXCESS_BYTES_MAX);
  const excess = max<i64>(0, i64(load<u32>(state, EXCESS)) + line + 2 - spare);
  if (excess > CHUNK_EXCESS_BYTES_MAX) return Refusal.TOO_MUCH_CHUNKING;
  store<u32>(state, u32(excess), EXCESS);
  store<u8>(state, 0, DIGITS);
  store<u16>(state, 0, LINE_BYTES);
  enter(state, size == 0 ? TRAILER_START : IN_DATA);
  return 1;
}

function dataStep(state: usize, source: usize, at: usize, end: usize): i32 {
  const remaining = load<i64>(state, REMAINING);
  const size = i32(min<i64>(remaining, i64(end - at)));
  store<u32>(state, u32(at - source), OFFSET);
  store<i32>(state, size, SIZE);
  store<i64>(state, remaining - i64(size), REMAINING);
  if (i64(size) == remaining) enter(state, DATA_CR);
  return size;
}

function dataEndStep(state: usize, phase: i32, byte: u8): i32 {
  if (byte != (phase == DATA_CR ? CR : LF)) return Refusal.BAD_CHUNK_END;
  enter(state, phase == DATA_CR ? DATA_LF : IN_SIZE);
  return 1;
}

/** What a step in the trailers, or in the empty line behind them, has come to. */
function trailerEvent(state: usize, offset: u32, used: i32): i32 {
  const phase = i32(load<u8>(state, PHASE));
  if (phase >= END_LF) return phase == ENDED ? CHUNK_END : CHUNK_NEED_MORE;
  store<u32>(state, offset, OFFSET);
  store<i32>(state, used, SIZE);
  return CHUNK_TRAILERS;
}

/** Reads on in a trailer line: some bytes of its name or value, and the byte behind them. */
function trailerStep(state: usize, phase: i32, at: usize, end: usize): i32 {
  let stop = at;
  if (phase <= IN_TRAILER_NAME) stop = min(skip(at, end, TOKEN), end);
  else if (phase == IN_TRAILER_VALUE) stop = min(skipValue(at, end), end);
  const used = min(stop + 1, end) - at;
  const all = load<u16>(state, LINE_BYTES) + used;
  if (all > TRAILER_BYTES_MAX) return Refusal.TRAILERS_TOO_LARGE;
  store<u16>(state, u16(all), LINE_BYTES);
  if (phase == TRAILER_START && stop > at) {
    const fields = i32(load<u8>(state, FIELDS)) + 1;
    if (fields > FIELDS_MAX) return Refusal.TRAILERS_TOO_LARGE;
    store<u8>(state, u8(fields), FIELDS);
  }
  if (stop == end) enter(state, phase == TRAILER_START ? IN_TRAILER_NAME : phase);
  else {
    const next = behindTrailer(phase, load<u8>(stop), stop > at);
    if (next < 0) return next;
    enter(state, next);
  }
  return i32(used);
}

/** The phase that a byte leads to which is no part of a trailer's name or value. */
function behindTrailer(phase: i32, byte: u8, named: bool): i32 {
  switch (phase) {
    case TRAILER_START:
      if (byte == CR && !named) return END_LF;
      return byte == COLON && named ? IN_TRAILER_VALUE : Refusal.BAD_TRAILER;
    case IN_TRAILER_NAME:
      return byte == COLON ? IN_TRAILER_VALUE : Refusal.BAD_TRAILER;
    case IN_TRAILER_VALUE:
      return byte == CR ? TRAILER_LF : Refusal.BAD_TRAILER;
    case TRAILER_LF:
      return byte == LF ? TRAILER_START : Refusal.BAD_TRAILER;
    default:
      return byte == LF ? ENDED : Refusal.BAD_TRAILER;
  }
}
