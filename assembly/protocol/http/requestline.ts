// The request line: method, target, version. Read backwards from its CR when it is all there and well-formed; else
// forwards, from where the last call ended, so that it may come in any pieces and its first error is the one reported.
//
// Strict (RFC 9112 3): one space on both sides of the target, nothing behind the version. HTTP/1.2 to 1.9 are taken for
// 1.1, which they may not change the meaning of (RFC 9110 2.5 and 6.2); any other major version gets 505.

import { CR, CRLF, LF, SP, TOKEN, skip, skipVisible, skipVisibleSurely } from "../../bytes/scan";
import {
  IN_METHOD,
  IN_TARGET,
  IN_VERSION,
  METHOD_SIZE,
  PHASE,
  POSITION,
  TARGET_OFFSET,
  TARGET_SIZE,
  beginFields,
  pause,
} from "./headstate";
import { Refusal } from "./refusal";

const GET_SP: u32 = 0x20544547;
const HTTP10: u64 = 0x302e312f50545448; // "HTTP/1.0"
const MINOR_BIT: u64 = 1 << 56; // '0' ^ '1' in its last byte

/** The request line in one go; `cr` is its first control character. False: it is not well-formed. */
// @ts-ignore: decorator
@inline
export function wholeRequestLine(head: usize, source: usize, cr: usize): bool {
  if (cr - source < 12 || load<u16>(cr) != CRLF) return false; // "X / HTTP/1.1" is the shortest
  const version = load<u64>(cr - 8);
  if ((version & ~MINOR_BIT) != HTTP10) return false;
  let methodEnd = source + 3;
  if (load<u32>(source) != GET_SP) {
    methodEnd = skip(source, cr, TOKEN);
    if (methodEnd == source || load<u8>(methodEnd) != SP) return false;
  }
  const target = methodEnd + 1;
  const targetEnd = skipVisibleSurely(target);
  if (targetEnd != cr - 9 || targetEnd == target) return false; // it is a space, as cr is the first control character
  store<u32>(head, u32(methodEnd - source), METHOD_SIZE);
  store<u32>(head, u32(target - source), TARGET_OFFSET);
  store<u32>(head, u32(targetEnd - target), TARGET_SIZE);
  beginFields(head, i32((version >> 56) & 1));
  return true;
}

/** The request line in parts, from where the last call ended: the bytes through its LF, PARTIAL, or its first error. */
export function requestLine(head: usize, source: usize, end: usize): i32 {
  let at = source + load<u32>(head, POSITION);
  let phase = load<i32>(head, PHASE);
  if (phase == IN_METHOD) {
    at = skip(at, end, TOKEN);
    if (at >= end) return pause(head, IN_METHOD, end - source);
    if (load<u8>(at) != SP || at == source) return Refusal.BAD_METHOD;
    store<u32>(head, u32(at - source), METHOD_SIZE);
    at++;
    store<u32>(head, u32(at - source), TARGET_OFFSET);
    phase = IN_TARGET;
  }
  if (phase == IN_TARGET) {
    const target = source + load<u32>(head, TARGET_OFFSET);
    at = skipVisible(at, end);
    store<u32>(head, u32(min(at, end) - target), TARGET_SIZE);
    if (at >= end) return pause(head, IN_TARGET, end - source);
    const byte = load<u8>(at);
    if (at > target && (byte == CR || byte == LF)) return Refusal.NO_VERSION;
    if (byte != SP || at == target) return Refusal.BAD_TARGET;
    at++;
  }
  return versionPart(head, source, at, end);
}

const VERSION_LINE: usize = changetype<usize>("HTTP/1.1\r\n");
const VERSION_LINE_BYTES: usize = 10;

/** "HTTP/1.1" and the line end, from its start each time. */
function versionPart(head: usize, source: usize, at: usize, end: usize): i32 {
  for (let i: usize = 0; i < VERSION_LINE_BYTES; i++) {
    if (at + i >= end) return pause(head, IN_VERSION, at - source);
    const byte = load<u8>(at + i);
    const isDigit = i == 5 || i == 7;
    if (isDigit ? u8(byte - 0x30) > 9 : byte != load<u8>(VERSION_LINE + (i << 1))) return Refusal.BAD_VERSION;
  }
  if (load<u8>(at, 5) != 0x31) return Refusal.UNSUPPORTED_VERSION;
  beginFields(head, load<u8>(at, 7) == 0x30 ? 0 : 1);
  return i32(at + VERSION_LINE_BYTES - source);
}
