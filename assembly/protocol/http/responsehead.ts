// The head of an HTTP/1.x response: its status line here, its fields by the parser of requests. Bytes in, offsets out.
//
//   parseResponseHead(head, source, size, rowsMax) → n ≥ 0    bytes of the head, through its empty line
//                                                    PARTIAL  call again with the same state and a longer size
//                                                    a Refusal (below PARTIAL): this response cannot be used
//   checkResponse(head, source, bodiless)          → 0, or the Refusal of one whose end two parsers might see elsewhere
//
// The state is that of parseHead, begun with headReset; the status stands where a request has its method's size.
// Strict as for requests: no Transfer-Encoding but `chunked`, alone and in HTTP/1.1; one Content-Length. Where a body's
// end is not given it is the connection's. Invariant: what is found does not depend on how the bytes were cut.
// Reference: RFC 9112 4 and 6.3.

import { CR, CRLF, SP, skipValue } from "../../bytes/scan";
import { checkCoding, checkConnection, checkLength } from "./framing";
import { parseHead } from "./head";
import {
  BODY,
  BODY_NONE,
  CONNECTION_FIELD,
  CONTENT_LENGTH_FIELD,
  IN_FIELDS,
  IN_VERSION,
  KEEP_ALIVE,
  LENGTH,
  LINE,
  LINE_COLON,
  METHOD,
  METHOD_SIZE,
  PARTIAL,
  PHASE,
  POSITION,
  ROWS,
  TARGET_OFFSET,
  TARGET_SIZE,
  TRANSFER_ENCODING_FIELD,
  beginFields,
  knownRow,
  minorVersion,
  pause,
} from "./headstate";
import { Refusal } from "./refusal";

/** bodyKind of a response, beside those of requests: the body ends with the connection. */
export const BODY_UNTIL_CLOSE: i32 = 3;

const STATUS: usize = METHOD_SIZE;

/** From 100 to 999. */
export function statusCode(head: usize): i32 {
  return load<i32>(head, STATUS);
}

export function reasonOffset(head: usize): i32 {
  return load<i32>(head, TARGET_OFFSET);
}

/** May be 0. */
export function reasonSize(head: usize): i32 {
  return load<i32>(head, TARGET_SIZE);
}

export function parseResponseHead(head: usize, source: usize, size: i32, rowsMax: i32): i32 {
  if (load<i32>(head, PHASE) != IN_FIELDS) {
    const n = statusLine(head, source, source + usize(size));
    if (n < 0) return n;
    store<i32>(head, IN_FIELDS, PHASE);
    store<u32>(head, u32(n), POSITION);
    store<u32>(head, u32(n), LINE);
    store<u32>(head, 0, LINE_COLON);
    store<u32>(head, 0, ROWS);
  }
  return parseHead(head, source, size, rowsMax);
}

const HTTP1: u64 = 0x2e312f50545448; // "HTTP/1."
const HTTP1_BYTES: i32 = 7;
/** "HTTP/1.1 200", which a space or the line's end follows. */
const FIXED_BYTES: usize = 12;

/** The bytes through its line end, PARTIAL, or a Refusal. What has been looked at is not looked at again. */
function statusLine(head: usize, source: usize, end: usize): i32 {
  const size = end - source;
  const position = usize(load<u32>(head, POSITION));
  if (position < FIXED_BYTES) {
    const refusal = checkFixed(source, i32(min(size, FIXED_BYTES)));
    if (refusal) return refusal;
    if (size <= FIXED_BYTES) return pause(head, IN_VERSION, min(size, FIXED_BYTES - 1));
    const next = load<u8>(source, FIXED_BYTES);
    if (next != SP && next != CR) return Refusal.BAD_VERSION;
  }
  const at = min(skipValue(source + max(position, FIXED_BYTES), end), end);
  if (at < end && load<u8>(at) != CR) return Refusal.BAD_LINE_END;
  if (at + 1 >= end) return pause(head, IN_VERSION, at - source);
  if (load<u16>(at) != CRLF) return Refusal.BAD_LINE_END;
  const reason = min(source + FIXED_BYTES + 1, at);
  const status = digit(source + 9) * 100 + digit(source + 10) * 10 + digit(source + 11);
  beginFields(head, load<u8>(source, HTTP1_BYTES) == 0x30 ? 0 : 1);
  store<i32>(head, status, STATUS);
  store<u32>(head, u32(reason - source), TARGET_OFFSET);
  store<u32>(head, u32(at - reason), TARGET_SIZE);
  return i32(at + 2 - source);
}

function digit(at: usize): i32 {
  return i32(load<u8>(at)) - 0x30;
}

/** The first `size` bytes of "HTTP/1.1 200": 0 or a Refusal. */
function checkFixed(source: usize, size: i32): i32 {
  for (let i = 0; i < size; i++) {
    const byte = load<u8>(source + usize(i));
    let isRight: bool;
    if (i < HTTP1_BYTES) isRight = byte == u8(HTTP1 >> (i << 3));
    else if (i == 8) isRight = byte == SP;
    else isRight = u8(byte - (i == 9 ? 0x31 : 0x30)) < (i == 9 ? 9 : 10);
    if (!isRight) return Refusal.BAD_VERSION;
  }
  return 0;
}

/** `bodiless`: it answers a HEAD. */
export function checkResponse(head: usize, source: usize, bodiless: bool): i32 {
  store<u64>(head, u64(minorVersion(head)) << ((KEEP_ALIVE - METHOD) << 3), METHOD);
  store<i64>(head, 0, LENGTH);
  const status = statusCode(head);
  const length = knownRow(head, CONTENT_LENGTH_FIELD);
  const coding = knownRow(head, TRANSFER_ENCODING_FIELD);
  let refusal = 0;
  if (coding >= 0) refusal = checkCoding(head, source, coding, length);
  else if (length >= 0) refusal = checkLength(head, source, length);
  const connection = knownRow(head, CONNECTION_FIELD);
  if (!refusal && connection >= 0) refusal = checkConnection(head, source, connection);
  if (refusal) return refusal;
  if (bodiless || status < 200 || status == 204 || status == 304) {
    // Its length is that of another answer.
    if (length < 0) store<i64>(head, -1, LENGTH);
    store<u8>(head, BODY_NONE, BODY);
  } else if (coding < 0 && length < 0) {
    store<i64>(head, -1, LENGTH);
    store<u8>(head, BODY_UNTIL_CLOSE, BODY);
    store<u8>(head, 0, KEEP_ALIVE);
  }
  return 0;
}
