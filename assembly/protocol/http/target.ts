// What a request is for: its method, the form of its target, and its host.
//
// Target: origin-form, absolute-form with http or https and an authority without userinfo, `*` with OPTIONS only.
// An authority-form target, host and port, is CONNECT's alone. A byte that RFC 3986 does not allow is refused unless
// browsers send it raw (PATH and QUERY in bytes/scan.ts): so `#`, `"`, `<`, `>` and bytes from 0x80 up never pass, nor
// a backslash in the path, which some would take for a slash. As Node's server (`asNode`) takes them, all that are
// visible and of ASCII pass. A `%` without two digits behind it passes, as browsers
// send it. Host: exactly one field in HTTP/1.1, at most one in HTTP/1.0; empty, or a name or address with an optional
// port up to 65535. No comma, no percent-encoding. The authority of an absolute-form target replaces it (RFC 9112
// 3.2.2).

import { ADDRESS, COLON, HOST, LOWER, PATH, QUERY, skipSurely } from "../../bytes/scan";
import {
  HOST_FIELD,
  HOST_OFFSET,
  HOST_SIZE,
  PATH_OFFSET,
  PATH_SIZE,
  isDuplicate,
  knownRow,
  minorVersion,
  targetOffset,
  targetSize,
  valueOffset,
  valueSize,
} from "./headstate";
import { Method } from "./method";
import { Refusal } from "./refusal";

/** Not one of the protocol's numbers: it is refused, or passed on as another method. */
export const METHOD_CONNECT: i32 = 8;
const GET: u32 = 0x544547;
const PUT: u32 = 0x545550;
const HEAD: u32 = 0x44414548;
const POST: u32 = 0x54534f50;
const PATCH: u64 = 0x4843544150;
const DELETE: u64 = 0x4554454c4544;
const OPTIONS: u64 = 0x534e4f4954504f;
const CONNECT: u64 = 0x5443454e4e4f43;

/** Methods are case-sensitive (RFC 9110 9.1). */
export function methodOf(at: usize, size: i32): i32 {
  if (size == 3) {
    const word = load<u32>(at) & 0xffffff;
    return word == GET ? Method.GET : word == PUT ? Method.PUT : Method.OTHER;
  }
  if (size == 4) {
    const word = load<u32>(at);
    return word == POST ? Method.POST : word == HEAD ? Method.HEAD : Method.OTHER;
  }
  if (size < 5 || size > 7) return Method.OTHER;
  const word = load<u64>(at) & (u64.MAX_VALUE >> (64 - (u64(size) << 3)));
  if (word == PATCH) return Method.PATCH;
  if (word == DELETE) return Method.DELETE;
  if (word == OPTIONS) return Method.OPTIONS;
  return word == CONNECT ? METHOD_CONNECT : Method.OTHER;
}

// Below, skipSurely ends at the end of a value or target at the latest: the white space or CR there is in no class.

/** 0 or a Refusal. */
export function checkHost(head: usize, source: usize): i32 {
  const row = knownRow(head, HOST_FIELD);
  if (row < 0) {
    store<i64>(head, 0, HOST_OFFSET); // and HOST_SIZE
    return minorVersion(head) == 0 ? 0 : Refusal.NO_HOST;
  }
  const at = source + valueOffset(head, row);
  const size = valueSize(head, row);
  const end = at + size;
  store<u32>(head, u32(at - source), HOST_OFFSET);
  store<i32>(head, size, HOST_SIZE);
  if (isDuplicate(head, HOST_FIELD)) return Refusal.SEVERAL_HOSTS;
  if (size > 0) {
    const nameEnd = skipSurely(at, HOST);
    if (nameEnd != end && authorityEnd(at, nameEnd, end) != end) return Refusal.BAD_HOST;
  }
  return 0;
}

const SLASH: u8 = 0x2f;
const ROOT: u16 = 0x202f; // the target that is most asked for, with the space behind it
const ASTERISK: u8 = 0x2a;
const QUESTION_MARK: u8 = 0x3f;

/** After checkHost, since an absolute-form target replaces the host. 0 or a Refusal. */
// @ts-ignore: decorator
@inline
export function checkTarget(head: usize, source: usize, method: i32, asNode: bool): i32 {
  const offset = targetOffset(head);
  if (load<u16>(source + offset) != ROOT) return checkOtherTarget(head, source, method, asNode);
  store<u32>(head, offset, PATH_OFFSET);
  store<u32>(head, 1, PATH_SIZE);
  return 0;
}

function checkOtherTarget(head: usize, source: usize, method: i32, asNode: bool): i32 {
  const target = source + targetOffset(head);
  const end = target + targetSize(head);
  let path = target;
  if (load<u8>(target) != SLASH) {
    if (load<u8>(target) == ASTERISK && target + 1 == end) {
      setPath(head, source, target, end);
      return method == Method.OPTIONS || asNode ? 0 : Refusal.BAD_TARGET_FORM;
    }
    path = skipOrigin(head, source, target, end);
    if (!path) return Refusal.BAD_TARGET_FORM;
  }
  let at = skipSurely(path, PATH);
  setPath(head, source, path, at);
  if (at != end && load<u8>(at) == QUESTION_MARK) at = skipSurely(at + 1, QUERY);
  if (asNode) while (at < end && load<i8>(at) > 0) at++;
  return at < end ? Refusal.BAD_TARGET : 0;
}

/** The target of CONNECT: a host and a port, which must not be empty (RFC 9110 9.3.6). 0 or a Refusal. */
export function checkAuthority(head: usize, source: usize): i32 {
  const target = source + targetOffset(head);
  const end = target + targetSize(head);
  setPath(head, source, target, end);
  let port = end;
  while (u8(load<u8>(port - 1) - 0x30) < 10) port--; // ends in front of the target, at its space, at the latest
  const hasPort = port < end && load<u8>(port - 1) == COLON;
  return hasPort && authorityEnd(target, skipSurely(target, HOST), end) == end ? 0 : Refusal.BAD_TARGET_FORM;
}

function setPath(head: usize, source: usize, path: usize, end: usize): void {
  store<u32>(head, u32(path - source), PATH_OFFSET);
  store<u32>(head, u32(end - path), PATH_SIZE);
}

const HTTP_COLON: u64 = 0x3a70747468; // "http:"
const HTTPS_COLON: u64 = 0x3a7370747468;
const SLASHES: u16 = 0x2f2f;

/** The start of an absolute-form target: notes the authority as the host. The position behind it, 0: there is none. */
function skipOrigin(head: usize, source: usize, target: usize, end: usize): usize {
  const word = load<u64>(target) | LOWER;
  let host = target;
  if ((word & 0xffffffffff) == HTTP_COLON) host += 5;
  else if ((word & 0xffffffffffff) == HTTPS_COLON) host += 6;
  else return 0;
  if (host + 2 >= end || load<u16>(host) != SLASHES) return 0;
  host += 2;
  const hostEnd = authorityEnd(host, skipSurely(host, HOST), end);
  if (!hostEnd) return 0;
  if (hostEnd < end && load<u8>(hostEnd) != SLASH && load<u8>(hostEnd) != QUESTION_MARK) return 0;
  store<u32>(head, u32(host - source), HOST_OFFSET);
  store<u32>(head, u32(hostEnd - host), HOST_SIZE);
  return hostEnd;
}

const OPENING_BRACKET: u8 = 0x5b;
const CLOSING_BRACKET: u8 = 0x5d;
const PORT_DIGITS_MAX: i32 = 5;
const PORT_MAX: i32 = 65535;

/** The position behind a host and its optional port, 0: there is none. The name that may be there ends at `nameEnd`. */
function authorityEnd(at: usize, nameEnd: usize, end: usize): usize {
  let hostEnd = nameEnd;
  if (nameEnd == at) {
    if (load<u8>(at) != OPENING_BRACKET) return 0;
    hostEnd = skipSurely(at + 1, ADDRESS);
    if (load<u8>(hostEnd) != CLOSING_BRACKET || hostEnd == at + 1) return 0;
    hostEnd++;
  }
  return hostEnd == end || load<u8>(hostEnd) != COLON ? hostEnd : skipPort(hostEnd + 1, end);
}

/** The position behind a port, which may be empty (RFC 3986 3.2.3); 0: the number is no port. */
function skipPort(at: usize, end: usize): usize {
  let port = 0;
  let digits = 0;
  for (; at < end && u8(load<u8>(at) - 0x30) < 10; at++) {
    if (++digits > PORT_DIGITS_MAX) return 0;
    port = port * 10 + (load<u8>(at) - 0x30);
  }
  return port > PORT_MAX ? 0 : at;
}
