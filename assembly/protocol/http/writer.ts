// Response heads and chunk framing, written straight into memory.
//
// Every function takes the position to write at and returns the next one. The caller guarantees the room that each
// names; it includes up to 16 bytes behind the result that get overwritten, so write front to back. Sources are read up
// to 16 bytes past their end.
// Invariant: whatever a handler gives as reason, name or value, no line ends but where a function here ends it, and the
// fields that frame the message come from here alone.
// Reference: RFC 9112 3 to 7.

import {
  CRLF,
  LF,
  LOWER,
  SP,
  TOKEN,
  isText,
  skip,
  skipValue,
  textBytes,
  writeBytes,
  writeText,
} from "../../bytes/scan";
import { REQUESTS_MAX } from "../../core/limits";
import { dateField } from "./date";
import { phraseOf } from "./phrases";
import { statusOf, textOf, textSizeOf } from "./refusal";
import { entrySize, entryText } from "./texttable";

export { dateField } from "./date";

const COLON_SP: u16 = 0x203a;

const STATUS_200: usize = changetype<usize>("HTTP/1.1 200 OK\r\n");
const HTTP11: usize = changetype<usize>("HTTP/1.1 ");
const UNKNOWN: usize = changetype<usize>("Unknown");

/**
 * Status from 100 to 999. Without a reason (size 0) the standard phrase; "Unknown" when there is none or the reason
 * holds a control character. Needs 80 bytes and the reason.
 */
export function statusLine(target: usize, status: i32, reason: usize, reasonSize: i32): usize {
  if (status == 200 && reasonSize == 0) return writeText(target, STATUS_200);
  let at = writeText(target, HTTP11);
  store<u8>(at, 0x30 + status / 100);
  store<u8>(at, 0x30 + ((status / 10) % 10), 1);
  store<u8>(at, 0x30 + (status % 10), 2);
  store<u8>(at, SP, 3);
  at += 4;
  const reasonEnd = reason + usize(reasonSize);
  if (reasonSize == 0) {
    const phrase = phraseOf(status);
    at = writeBytes(at, entryText(phrase), entrySize(phrase));
  } else if (skipValue(reason, reasonEnd) < reasonEnd) at = writeText(at, UNKNOWN);
  else at = writeBytes(at, reason, usize(reasonSize));
  store<u16>(at, CRLF);
  return at + 2;
}

/**
 * A handler's field. 0: refused, because the name is not a token, the value holds a control character other than HTAB,
 * or the field is one that frames the message. Needs the name, the value and 24 bytes.
 */
export function field(target: usize, name: usize, nameSize: i32, value: usize, valueSize: i32): usize {
  if (!isField(name, nameSize, value, valueSize)) return 0;
  let at = writeBytes(target, name, usize(nameSize));
  store<u16>(at, COLON_SP);
  at = writeBytes(at + 2, value, usize(valueSize));
  store<u16>(at, CRLF);
  return at + 2;
}

/** Whether a handler may set this field: see field(). */
export function isField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
  const nameEnd = name + usize(nameSize);
  const valueEnd = value + usize(valueSize);
  if (nameSize <= 0 || skip(name, nameEnd, TOKEN) < nameEnd || skipValue(value, valueEnd) < valueEnd) return false;
  return !isFraming(name, nameSize);
}

const CONNECTION: usize = changetype<usize>("connection");
const CONTENT_LENGTH: usize = changetype<usize>("content-length");
const TRANSFER_ENCODING: usize = changetype<usize>("transfer-encoding");

function isFraming(name: usize, size: i32): bool {
  if (size == 10) return isText(name, 10, CONNECTION);
  if (size == 14) return isText(name, 14, CONTENT_LENGTH);
  return size == 17 && isText(name, 17, TRANSFER_ENCODING);
}

const DATE: u32 = 0x65746164;

/** Whether a handler's field replaces dateField. */
export function isDate(name: usize, nameSize: i32): bool {
  return nameSize == 4 && (load<u32>(name) | u32(LOWER)) == DATE;
}

const UPGRADE: usize = changetype<usize>("upgrade");

/** Whether a handler's field asks for an upgrade, and so for upgradeOptionField. */
export function isUpgrade(name: usize, nameSize: i32): bool {
  return isText(name, usize(nameSize), UPGRADE);
}

const LENGTH_LINE: usize = changetype<usize>("Content-Length: ");
const CHUNKED_LINE: usize = changetype<usize>("Transfer-Encoding: chunked\r\n");
const CLOSE_LINE: usize = changetype<usize>("Connection: close\r\n");
const KEEP_ALIVE_LINE: usize = changetype<usize>("Connection: keep-alive\r\n");
const KEPT_FOR_LINE: usize = changetype<usize>("Keep-Alive: timeout=");
const MAX_PARAMETER: usize = changetype<usize>(", max=");
const UPGRADE_LINE: usize = changetype<usize>("Connection: Upgrade\r\n");
const AND_CLOSE: u64 = 0x0d65736f6c63202c; // ", close\r"
const CONTINUE_LINES: usize = changetype<usize>("HTTP/1.1 100 Continue\r\n\r\n");
const LAST_CHUNK: usize = changetype<usize>("0\r\n\r\n");

/** The size from 0 up. Needs 40 bytes. */
export function contentLengthField(target: usize, size: i64): usize {
  const at = writeDecimal(writeText(target, LENGTH_LINE), u64(size));
  store<u16>(at, CRLF);
  return at + 2;
}

/** Needs 20 bytes. */
export function writeDecimal(target: usize, number: u64): usize {
  let end = target + 1;
  for (let limit: u64 = 10; number >= limit && end < target + 20; limit *= 10) end++;
  for (let at = end - 1; at > target; at--) {
    const rest = number / 10;
    store<u8>(at, 0x30 + u8(number - rest * 10));
    number = rest;
  }
  store<u8>(target, 0x30 + u8(number));
  return end;
}

/** Needs 32 bytes. */
export function chunkedField(target: usize): usize {
  return writeText(target, CHUNKED_LINE);
}

/** Needs 32 bytes. */
export function closeField(target: usize): usize {
  return writeText(target, CLOSE_LINE);
}

/** For HTTP/1.0 clients that asked for it. Needs 32 bytes. */
export function keepAliveField(target: usize): usize {
  return writeText(target, KEEP_ALIVE_LINE);
}

/** Beside keepAliveField: for how many seconds and requests, as Node's server says it. Needs 64 bytes. */
export function keptForField(target: usize, seconds: i32, requestsMax: i32): usize {
  let at = writeDecimal(writeText(target, KEPT_FOR_LINE), seconds);
  if (requestsMax < REQUESTS_MAX) at = writeDecimal(writeText(at, MAX_PARAMETER), requestsMax);
  store<u16>(at, CRLF);
  return at + 2;
}

/** Beside a field named Upgrade (RFC 9110 7.8), in the place of closeField. Needs 32 bytes. */
export function upgradeOptionField(target: usize, close: bool): usize {
  const at = writeText(target, UPGRADE_LINE);
  if (!close) return at;
  store<u64>(at - 2, AND_CLOSE);
  store<u8>(at, LF, 6);
  return at + 7;
}

/** The empty line. Needs 2 bytes. */
export function endOfHead(target: usize): usize {
  store<u16>(target, CRLF);
  return target + 2;
}

/** Before a chunk's data, of more than 0 bytes. Needs 10 bytes. */
export function chunkHead(target: usize, size: i32): usize {
  const digits = (35 - clz(size)) >> 2;
  const end = target + usize(digits);
  for (let at = end - 1; at >= target; at--) {
    const digit = u8(size & 15);
    store<u8>(at, digit + (digit < 10 ? 0x30 : 0x57));
    size >>>= 4;
  }
  store<u16>(end, CRLF);
  return end + 2;
}

/** Behind a chunk's data. Needs 2 bytes. */
export function chunkTail(target: usize): usize {
  store<u16>(target, CRLF);
  return target + 2;
}

/** The end of a chunked body. Needs 16 bytes. */
export function lastChunk(target: usize): usize {
  return writeText(target, LAST_CHUNK);
}

/** Needs 32 bytes. */
export function continueResponse(target: usize): usize {
  return writeText(target, CONTINUE_LINES);
}

const RETRY_LINE: usize = changetype<usize>("Retry-After: 1\r\n");
const PLAIN_TEXT_LINE: usize = changetype<usize>("Content-Type: text/plain\r\n");

/** The whole answer to a refused request as Node's server gives it. Needs 128 bytes. */
export function bareRefusal(target: usize, code: i32): usize {
  let at = statusLine(target, statusOf(code), 0, 0);
  if (statusOf(code) == 503) at = writeText(at, RETRY_LINE);
  return endOfHead(closeField(at));
}

/**
 * The whole answer to a refused request; `bodiless`, for HEAD, without the body, whose length it names. Needs 384
 * bytes.
 */
export function refusalResponse(target: usize, code: i32, unixSeconds: i64, bodiless: bool = false): usize {
  const size = textSizeOf(code);
  let at = statusLine(target, statusOf(code), 0, 0);
  at = dateField(at, unixSeconds);
  at = writeText(at, PLAIN_TEXT_LINE);
  if (statusOf(code) == 503) at = writeText(at, RETRY_LINE);
  at = contentLengthField(at, size + 1);
  at = closeField(at);
  at = endOfHead(at);
  if (bodiless) return at;
  at = writeBytes(at, textOf(code), size);
  store<u8>(at, LF);
  return at + 1;
}
