// The parser as a module of its own, for the corpus and the differential fuzz: bytes in, a log of events out.
//
// It runs what HTTP1Connection runs, in its order, over http/ alone: empty lines, head, checkHead, body, trailers, next
// request. Where the connection decides by its parameters, the defaults of limits.ts decide here;
// test/e2e/corpus.test.ts holds that a real connection answers each case accordingly.
//
//   begin()             a new connection
//   give(source, size)  more bytes behind those that were left: how many are used; give the rest again with the next
//   finish()            what is still awaited goes to the log
//   log(), logSize()    lines of latin-1 text; test/corpus/README.md says what they mean
//
// Compiled by test/sandbox/parser.ts, with SIMD and without.

import { writeBytes, writeText } from "../../../../../assembly/bytes/scan";
import {
  CHUNKED_BYTES,
  CHUNK_DATA,
  CHUNK_END,
  CHUNK_TRAILERS,
  chunkedConsumed,
  chunkedNext,
  chunkedOffset,
  chunkedRemaining,
  chunkedReset,
  chunkedSize,
} from "../../../../../assembly/protocol/http/chunked";
import { checkHead } from "../../../../../assembly/protocol/http/framing";
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  PARTIAL,
  bodyKind,
  contentLength,
  expectContinue,
  headBytes,
  headReset,
  hostOffset,
  hostSize,
  keepAlive,
  methodSize,
  minorVersion,
  nameOffset,
  nameSize,
  parseHead,
  pathOffset,
  pathSize,
  rowCount,
  skipEmptyLines,
  targetOffset,
  targetSize,
  upgrade,
  valueOffset,
  valueSize,
} from "../../../../../assembly/protocol/http/head";
import { Refusal, statusOf } from "../../../../../assembly/protocol/http/refusal";
import {
  TRAILER_ROW_BYTES,
  isSafeTrailer,
  trailerField,
  trailerNameOffset,
  trailerNameSize,
  trailerValueOffset,
  trailerValueSize,
} from "../../../../../assembly/protocol/http/trailers";
import {
  BODY_BYTES_MAX,
  EMPTY_LINES_BYTES_MAX,
  FIELDS_MAX,
  HEAD_BYTES_MAX,
  TARGET_BYTES_MAX,
  TRAILER_BYTES_MAX,
} from "../../../../../assembly/core/limits";

const HEAD: i32 = 0;
const LENGTH: i32 = 1;
const CHUNKED: i32 = 2;
const OVER: i32 = 3;

const state: usize = memory.data(4096, 16);
const chunks: usize = memory.data(CHUNKED_BYTES, 16);
const row: usize = memory.data(TRAILER_ROW_BYTES, 8);
const trailers: usize = memory.data(8192 + 64, 16);
const PAGES: i32 = 16;
const text: usize = usize(memory.grow(PAGES * 2)) << 16;
const body: usize = text + (usize(PAGES) << 16);

let at: usize = text;
let phase: i32 = HEAD;
let started: bool = false; // part of a head has been seen
let emptyBytes: i32 = 0;
let remaining: i64 = 0;
let bodySize: i64 = 0;
let kept: i32 = 0; // of the body, for the log
let trailerBytes: i32 = 0;
let goesOn: bool = false;

export function log(): usize {
  return text;
}

export function logSize(): i32 {
  return i32(at - text);
}

export function begin(): void {
  assert(headBytes(FIELDS_MAX) <= 4096 && TRAILER_BYTES_MAX <= 8192);
  at = text;
  awaitHead();
}

function awaitHead(): void {
  phase = HEAD;
  started = false;
  emptyBytes = 0;
}

export function give(source: usize, size: i32): i32 {
  let used = 0;
  while (used < size) {
    const n = step(source + usize(used), size - used);
    if (n <= 0) break;
    used += n;
  }
  return used;
}

export function finish(unread: i32): void {
  if (phase == HEAD && unread) line("needs head");
  else if (phase == LENGTH || phase == CHUNKED) {
    writeBody();
    line("needs body");
  }
}

function step(source: usize, size: i32): i32 {
  if (phase == HEAD) return readHead(source, size);
  if (phase == LENGTH) return readBody(source, size);
  return phase == CHUNKED ? readChunks(source, size) : 0;
}

function refuse(code: i32): i32 {
  if (phase != HEAD) writeBody();
  begins("refused ");
  decimal(statusOf(code));
  begins(" ");
  decimal(code);
  ends();
  phase = OVER;
  return 0;
}

function readHead(source: usize, size: i32): i32 {
  if (!started) {
    const empty = skipEmptyLines(source, size);
    if (empty < 0) return 0;
    emptyBytes += empty;
    if (empty) return emptyBytes > EMPTY_LINES_BYTES_MAX ? refuse(Refusal.BAD_METHOD) : empty;
    headReset(state);
  }
  const n = parseHead(state, source, size, FIELDS_MAX);
  if (n < PARTIAL) return refuse(n);
  if (targetSize(state) > TARGET_BYTES_MAX) return refuse(Refusal.TARGET_TOO_LONG);
  if ((n == PARTIAL ? size : n) > HEAD_BYTES_MAX) return refuse(Refusal.HEAD_TOO_LARGE);
  started = true;
  if (n == PARTIAL) return 0;
  const refusal = checkHead(state, source);
  return refusal ? refuse(refusal) : readRequest(source, n);
}

function readRequest(source: usize, size: i32): i32 {
  const kind = bodyKind(state);
  if (kind == BODY_LENGTH && contentLength(state) > BODY_BYTES_MAX) return refuse(Refusal.BODY_TOO_LARGE);
  writeRequest(source);
  remaining = contentLength(state);
  bodySize = 0;
  kept = trailerBytes = 0;
  goesOn = keepAlive(state);
  if (kind == BODY_CHUNKED) chunkedReset(chunks);
  phase = kind == BODY_CHUNKED ? CHUNKED : LENGTH;
  if (!remaining) end();
  return size;
}

function readBody(source: usize, size: i32): i32 {
  const n = i32(min<i64>(remaining, size));
  keep(source, n);
  remaining -= n;
  if (!remaining) end();
  return n;
}

function readChunks(source: usize, size: i32): i32 {
  const event = chunkedNext(chunks, source, size);
  if (event < 0) return refuse(event);
  const used = chunkedConsumed(chunks);
  const from = source + usize(chunkedOffset(chunks));
  if (event == CHUNK_TRAILERS) {
    memory.copy(trailers + usize(trailerBytes), from, usize(chunkedSize(chunks)));
    trailerBytes += chunkedSize(chunks);
  } else if (event == CHUNK_DATA) {
    bodySize += chunkedSize(chunks);
    if (bodySize + chunkedRemaining(chunks) > BODY_BYTES_MAX) return refuse(Refusal.BODY_TOO_LARGE);
    keep(from, chunkedSize(chunks));
  } else if (event == CHUNK_END) end();
  return used;
}

function keep(source: usize, size: i32): void {
  memory.copy(body + usize(kept), source, usize(size));
  kept += size;
}

function end(): void {
  writeBody();
  let offset = 0;
  while (offset < trailerBytes) {
    offset = trailerField(row, trailers, trailerBytes, offset);
    const name = trailers + usize(trailerNameOffset(row));
    begins(isSafeTrailer(name, trailerNameSize(row)) ? "trailer " : "unsafe trailer ");
    pair(name, trailerNameSize(row), trailers + usize(trailerValueOffset(row)), trailerValueSize(row));
  }
  line(goesOn ? "end keep-alive" : "end close");
  if (goesOn) awaitHead();
  else phase = OVER;
}

// --- the log ---

function writeRequest(source: usize): void {
  begins("request ");
  piece(source, methodSize(state));
  begins(" ");
  piece(source + usize(targetOffset(state)), targetSize(state));
  line(minorVersion(state) ? " HTTP/1.1" : " HTTP/1.0");
  if (pathOffset(state) != targetOffset(state)) named("path ", source + usize(pathOffset(state)), pathSize(state));
  if (hostSize(state)) named("host ", source + usize(hostOffset(state)), hostSize(state));
  for (let i = 0; i < rowCount(state); i++) {
    begins("field ");
    const value = source + usize(valueOffset(state, i));
    pair(source + usize(nameOffset(state, i)), nameSize(state, i), value, valueSize(state, i));
  }
  if (bodyKind(state) == BODY_CHUNKED) line("chunked");
  else if (bodyKind(state) == BODY_LENGTH) {
    begins("length ");
    decimal(i32(contentLength(state)));
    ends();
  }
  if (expectContinue(state)) line("expect 100-continue");
  if (upgrade(state)) line("upgrade");
}

function writeBody(): void {
  if (kept) named("body ", body, kept);
  kept = 0;
}

function begins(word: string): void {
  at = writeText(at, changetype<usize>(word));
}

function piece(source: usize, size: i32): void {
  at = writeBytes(at, source, usize(size));
}

function ends(): void {
  begins("\n");
}

function line(words: string): void {
  begins(words);
  ends();
}

function named(word: string, source: usize, size: i32): void {
  begins(word);
  bytes(source, size);
  ends();
}

function pair(name: usize, size: i32, value: usize, bytesOfValue: i32): void {
  piece(name, size);
  begins(": ");
  bytes(value, bytesOfValue);
  ends();
}

const BACKSLASH: u8 = 0x5c;

/** Bytes with CR, LF and backslash escaped, so that a line of the log stays one. */
function bytes(source: usize, size: i32): void {
  for (let i = 0; i < size; i++) {
    const byte = load<u8>(source + usize(i));
    if (byte == 0x0d) begins("\\r");
    else if (byte == 0x0a) begins("\\n");
    else if (byte == BACKSLASH) begins("\\\\");
    else store<u8>(at++, byte);
  }
}

function decimal(number: i32): void {
  if (number < 0) begins("-");
  number = abs(number);
  if (number > 9) decimal(number / 10);
  store<u8>(at++, u8(0x30 + (number % 10)));
}
