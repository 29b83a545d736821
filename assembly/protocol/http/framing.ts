// What a request's head means for the bytes behind it: where its body ends and what becomes of the connection.
//
//   checkHead(head, source, connects, asNode) → 0, or the Refusal of a head on which two parsers might disagree
//
// The choices, where RFC 9110 and 9112 leave some (target.ts has those for target and host):
// - Content-Length: one field; `5, 5` is 5 (RFC 9110 8.6), two fields are refused even when equal. Never with
//   Transfer-Encoding.
// - Transfer-Encoding: one field, exactly `chunked` in any case, not in HTTP/1.0. A list whose last coding is not
//   `chunked` leaves the body's end unknown (400, RFC 9112 6.3), and so does `chunked` twice; other codings before it
//   are not
//   implemented (501, RFC 9112 6.1). The connection ends either way.
// - Connection: a list of names over any number of fields; `close` wins over `keep-alive`.
// - Expect: `100-continue` in any case, once, which counts only with a body; others get 417. Not looked at in HTTP/1.0.
// - Upgrade counts in HTTP/1.1, when Connection names it.
// - CONNECT only where it is wanted (`connects`), and without a body: what comes behind it is the tunnel's. When it is
//   answered in another way its connection ends.

import { COMMA, LOWER, TOKEN, isOws, isText, skip, skipOws, skipSurely } from "../../bytes/scan";
import {
  BODY,
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  CONNECTION_FIELD,
  CONTENT_LENGTH_FIELD,
  EXPECT_CONTINUE,
  EXPECT_FIELD,
  KEEP_ALIVE,
  LENGTH,
  METHOD,
  TRANSFER_ENCODING_FIELD,
  UPGRADE,
  UPGRADE_FIELD,
  bodyKind,
  hostAlone,
  isDuplicate,
  knownRow,
  methodSize,
  minorVersion,
  nameOffset,
  nameSize,
  rowCount,
  valueOffset,
  valueSize,
} from "./headstate";
import { Refusal } from "./refusal";
import { Method } from "./method";
import { METHOD_CONNECT, checkAuthority, checkHost, checkTarget, methodOf } from "./target";

/**
 * The head is complete. 0, or a Refusal; CONNECT is one unless the handler `connects`, and nothing about Host or a byte
 * of the target where it takes them as Node's server does. EXPECTATION comes only when there is no other.
 */
export function checkHead(head: usize, source: usize, connects: bool = false, asNode: bool = false): i32 {
  const method = methodOf(source, methodSize(head));
  if (method == METHOD_CONNECT) return connects ? checkConnect(head, source, asNode) : Refusal.CONNECT;
  // As long as no field says otherwise: no body, and the connection goes on in HTTP/1.1. All of these lie side by side.
  store<u64>(head, u64(method) | (u64(minorVersion(head)) << ((KEEP_ALIVE - METHOD) << 3)), METHOD);
  store<i64>(head, 0, LENGTH);
  let refusal = checkHost(head, source);
  if (refusal && !(asNode && refusal != Refusal.SEVERAL_HOSTS)) return refusal;
  refusal = checkTarget(head, source, method, asNode);
  if (refusal) return refusal;
  if (hostAlone(head)) return 0;
  const length = knownRow(head, CONTENT_LENGTH_FIELD);
  const coding = knownRow(head, TRANSFER_ENCODING_FIELD);
  if (coding >= 0) refusal = checkCoding(head, source, coding, length);
  else if (length >= 0) refusal = checkLength(head, source, length);
  if (refusal) return refusal;
  const connection = knownRow(head, CONNECTION_FIELD);
  if (connection >= 0 && !keepsAlive(head, source, connection)) refusal = checkConnection(head, source, connection);
  if (refusal) return refusal;
  const expect = knownRow(head, EXPECT_FIELD);
  return expect >= 0 ? checkExpect(head, source, expect) : 0;
}

/** A CONNECT of HTTP/1.1: its target is the authority that it names, and nothing frames a body. */
function checkConnect(head: usize, source: usize, asNode: bool): i32 {
  store<u64>(head, u64(Method.OTHER) | (u64(minorVersion(head)) << ((KEEP_ALIVE - METHOD) << 3)), METHOD);
  store<i64>(head, 0, LENGTH);
  store<u8>(head, 0, KEEP_ALIVE);
  if (knownRow(head, CONTENT_LENGTH_FIELD) >= 0 || knownRow(head, TRANSFER_ENCODING_FIELD) >= 0) return Refusal.CONNECT;
  const refusal = checkHost(head, source);
  if (refusal && !(asNode && refusal != Refusal.SEVERAL_HOSTS)) return refusal;
  return checkAuthority(head, source);
}

// --- where the body ends ---

export function checkLength(head: usize, source: usize, row: i32): i32 {
  if (isDuplicate(head, CONTENT_LENGTH_FIELD)) return Refusal.SEVERAL_LENGTHS;
  const at = source + valueOffset(head, row);
  const length = lengthOf(at, at + valueSize(head, row));
  if (length < 0) return i32(length);
  if (length == i64.MAX_VALUE) return Refusal.BODY_TOO_LARGE;
  store<i64>(head, length, LENGTH);
  if (length) store<u8>(head, BODY_LENGTH, BODY);
  return 0;
}

/** A number, or a list of equal numbers; i64.MAX_VALUE stands for all that do not fit below; else a Refusal. */
function lengthOf(at: usize, end: usize): i64 {
  let length: i64 = -1;
  while (true) {
    let number: i64 = 0;
    const start = at;
    for (; at < end && u8(load<u8>(at) - 0x30) < 10; at++) {
      if (number > (i64.MAX_VALUE - 9) / 10) number = i64.MAX_VALUE;
      else number = number * 10 + (load<u8>(at) - 0x30);
    }
    if (at == start) return Refusal.BAD_LENGTH;
    if (length >= 0 && number != length) return Refusal.SEVERAL_LENGTHS;
    length = number;
    at = skipOws(at, end);
    if (at == end) return length;
    if (load<u8>(at) != COMMA) return Refusal.BAD_LENGTH;
    at = skipOws(at + 1, end);
  }
}

const CHUNKED: usize = changetype<usize>("chunked");

export function checkCoding(head: usize, source: usize, row: i32, lengthRow: i32): i32 {
  if (minorVersion(head) == 0) return Refusal.CODING_IN_HTTP10;
  if (lengthRow >= 0) return Refusal.LENGTH_AND_CODING;
  if (isDuplicate(head, TRANSFER_ENCODING_FIELD)) return Refusal.BAD_CODING;
  const at = source + valueOffset(head, row);
  const size = valueSize(head, row);
  if (!isText(at, size, CHUNKED)) return codingRefusal(at, at + size);
  store<i64>(head, -1, LENGTH);
  store<u8>(head, BODY_CHUNKED, BODY);
  return 0;
}

/** A list of codings that is not just `chunked`: malformed, or well-formed and not implemented? */
function codingRefusal(at: usize, end: usize): i32 {
  let chunked: bool = false;
  while (true) {
    const start = skipOws(at, end);
    at = min(skip(start, end, TOKEN), end);
    if (at == start || chunked) return Refusal.BAD_CODING;
    chunked = isText(start, at - start, CHUNKED);
    at = skipOws(at, end);
    if (at == end) return chunked ? Refusal.UNSUPPORTED_CODING : Refusal.BAD_CODING;
    if (load<u8>(at) != COMMA) return Refusal.BAD_CODING;
    at++;
  }
}

// --- what becomes of the connection ---

const OPTION_CLOSE: i32 = 1;
const OPTION_KEEP_ALIVE: i32 = 2;
const OPTION_UPGRADE: i32 = 4;
const CONNECTION: usize = changetype<usize>("connection");

/** Notes what nearly every browser sends, one `keep-alive`; false: it is something else. */
// @ts-ignore: decorator
@inline
function keepsAlive(head: usize, source: usize, row: i32): bool {
  const at = source + valueOffset(head, row);
  if (valueSize(head, row) != 10 || isDuplicate(head, CONNECTION_FIELD)) return false;
  if ((load<u64>(at) | LOWER) != KEEP_ALI || (load<u16>(at, 8) | u16(LOWER)) != VE) return false;
  store<u8>(head, 1, KEEP_ALIVE);
  return true;
}

export function checkConnection(head: usize, source: usize, first: i32): i32 {
  let options = 0;
  const last = isDuplicate(head, CONNECTION_FIELD) ? rowCount(head) - 1 : first;
  for (let row = first; row <= last; row++) {
    if (row > first && !isText(source + nameOffset(head, row), nameSize(head, row), CONNECTION)) continue;
    const at = source + valueOffset(head, row);
    const more = optionsOf(at, at + valueSize(head, row));
    if (more < 0) return Refusal.BAD_CONNECTION;
    options |= more;
  }
  if (options & OPTION_CLOSE) store<u8>(head, 0, KEEP_ALIVE);
  else if (options & OPTION_KEEP_ALIVE) store<u8>(head, 1, KEEP_ALIVE);
  const offered = (options & OPTION_UPGRADE) != 0 && knownRow(head, UPGRADE_FIELD) >= 0;
  if (offered && minorVersion(head) == 1) store<u8>(head, 1, UPGRADE);
  return 0;
}

/** The options that a list of names holds; empty members are skipped (RFC 9110 5.6.1). -1: it is no such list. */
function optionsOf(at: usize, end: usize): i32 {
  let options = optionOf(at, end - at);
  if (options) return options; // the whole value is one that is known
  while (true) {
    while (at < end && (isOws(at) || load<u8>(at) == COMMA)) at++;
    if (at == end) return options;
    const nameEnd = skipSurely(at, TOKEN); // at most end, where white space or CR stands
    if (nameEnd == at) return -1;
    options |= optionOf(at, nameEnd - at);
    at = skipOws(nameEnd, end);
    if (at < end && load<u8>(at) != COMMA) return -1;
  }
}

const CLOSE: u64 = 0x65736f6c63;
const KEEP_ALI: u64 = 0x696c612d7065656b;
const VE: u16 = 0x6576;
const UPGRADE_NAME: u64 = 0x65646172677075;

function optionOf(name: usize, size: usize): i32 {
  const word = load<u64>(name) | LOWER;
  if (size == 10 && word == KEEP_ALI && (load<u16>(name, 8) | u16(LOWER)) == VE) return OPTION_KEEP_ALIVE;
  if (size == 5 && (word & 0xffffffffff) == CLOSE) return OPTION_CLOSE;
  return size == 7 && (word & 0xffffffffffffff) == UPGRADE_NAME ? OPTION_UPGRADE : 0;
}

const CONTINUE: usize = changetype<usize>("100-continue");

function checkExpect(head: usize, source: usize, row: i32): i32 {
  if (minorVersion(head) == 0) return 0;
  const isContinue = isText(source + valueOffset(head, row), valueSize(head, row), CONTINUE);
  if (!isContinue || isDuplicate(head, EXPECT_FIELD)) return Refusal.EXPECTATION;
  if (bodyKind(head) != BODY_NONE) store<u8>(head, 1, EXPECT_CONTINUE);
  return 0;
}
