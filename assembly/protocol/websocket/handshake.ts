// The opening handshake without I/O: whether a head is one, and the answer to its key.
//
// Strict (RFC 6455 4.2.1): anything but an exact handshake is an ordinary request. The key is 16 bytes in base64: 22
// characters and `==`. Reference: RFC 6455 1.3 and 4.2, RFC 4648 4.

import { COMMA, isOws, isText, skipOws } from "../../bytes/scan";
import {
  BODY_NONE,
  bodyKind,
  isDuplicate,
  knownRow,
  UPGRADE_FIELD,
  methodCode,
  minorVersion,
  nameOffset,
  nameSize,
  rowCount,
  upgrade,
  valueOffset,
  valueSize,
} from "../http/headstate";
import { Method } from "../http/method";
import { SHA1_BYTES, sha1 } from "../../bytes/sha1";

export const KEY_BYTES: i32 = 24;
/** Sec-WebSocket-Accept: 20 bytes in base64. */
export const ACCEPT_BYTES: i32 = 28;

const WEBSOCKET: usize = changetype<usize>("websocket");
const KEY_NAME: usize = changetype<usize>("sec-websocket-key");
const VERSION_NAME: usize = changetype<usize>("sec-websocket-version");
const VERSION: u16 = 0x3331; // "13"

/** Whether the head asks for version 13, the only one. */
export function hasVersion(head: usize, source: usize): bool {
  const row = onlyRow(head, source, VERSION_NAME);
  return row >= 0 && valueSize(head, row) == 2 && load<u16>(source + usize(valueOffset(head, row))) == VERSION;
}

/** Where the key of a well-formed opening handshake stands, KEY_BYTES of it; 0: the head is not one. */
export function handshakeKey(head: usize, source: usize): usize {
  if (methodCode(head) != Method.GET || !upgrade(head) || bodyKind(head) != BODY_NONE) return 0;
  if (minorVersion(head) != 1 || !offersWebSocket(head, source)) return 0;
  if (!hasVersion(head, source)) return 0;
  const key = onlyRow(head, source, KEY_NAME);
  if (key < 0 || valueSize(head, key) != KEY_BYTES) return 0;
  const at = source + usize(valueOffset(head, key));
  return isKey(at) ? at : 0;
}

/** A list of protocols, one of which is `websocket`. Several fields are one list, and no client needs them. */
export function offersWebSocket(head: usize, source: usize): bool {
  const row = knownRow(head, UPGRADE_FIELD);
  if (row < 0 || isDuplicate(head, UPGRADE_FIELD)) return false;
  let at = source + usize(valueOffset(head, row));
  const end = at + usize(valueSize(head, row));
  while (at < end) {
    at = skipOws(at, end);
    let stop = at;
    while (stop < end && load<u8>(stop) != COMMA) stop++;
    let last = stop;
    while (last > at && isOws(last - 1)) last--;
    if (isText(at, i32(last - at), WEBSOCKET)) return true;
    at = stop + 1;
  }
  return false;
}

/** The row of a name (a literal in lower case) that stands once; -1: it stands more often, or not at all. */
export function onlyRow(head: usize, source: usize, name: usize): i32 {
  let found = -1;
  for (let row = 0; row < rowCount(head); row++) {
    if (!isText(source + usize(nameOffset(head, row)), nameSize(head, row), name)) continue;
    if (found >= 0) return -1;
    found = row;
  }
  return found;
}

function isKey(at: usize): bool {
  for (let i: usize = 0; i < 22; i++) if (!isBase64(load<u8>(at + i))) return false;
  return load<u16>(at, 22) == 0x3d3d;
}

function isBase64(byte: u8): bool {
  return u8((byte | 0x20) - 0x61) < 26 || u8(byte - 0x30) < 10 || byte == 0x2b || byte == 0x2f;
}

// --- the answer to a key ---

const GUID: usize = memory.data<u8>([
  // 258EAFA5-E914-47DA-95CA-C5AB0DC85B11
  0x32, 0x35, 0x38, 0x45, 0x41, 0x46, 0x41, 0x35, 0x2d, 0x45, 0x39, 0x31, 0x34, 0x2d, 0x34, 0x37, 0x44, 0x41, 0x2d,
  0x39, 0x35, 0x43, 0x41, 0x2d, 0x43, 0x35, 0x41, 0x42, 0x30, 0x44, 0x43, 0x38, 0x35, 0x42, 0x31, 0x31,
]);
const GUID_BYTES: usize = 36;
const proof: usize = memory.data(KEY_BYTES + 36, 16);
const digest: usize = memory.data(24, 16);

/** Writes Sec-WebSocket-Accept for the key at `key` to `target`, ACCEPT_BYTES. */
export function writeAccept(target: usize, key: usize): void {
  memory.copy(proof, key, KEY_BYTES);
  memory.copy(proof + KEY_BYTES, GUID, GUID_BYTES);
  sha1(digest, proof, KEY_BYTES + i32(GUID_BYTES));
  writeBase64(target, digest, SHA1_BYTES);
}

/** Base64 with padding: 4 characters for each 3 bytes begun. */
export function writeBase64(target: usize, source: usize, size: i32): void {
  for (let i = 0; i < size; i += 3, target += 4) {
    const left = size - i;
    const at = source + usize(i);
    let bits = u32(load<u8>(at)) << 16;
    if (left > 1) bits |= u32(load<u8>(at, 1)) << 8;
    if (left > 2) bits |= u32(load<u8>(at, 2));
    store<u8>(target, digit(bits >> 18));
    store<u8>(target, digit(bits >> 12), 1);
    store<u8>(target, left > 1 ? digit(bits >> 6) : 0x3d, 2);
    store<u8>(target, left > 2 ? digit(bits) : 0x3d, 3);
  }
}

function digit(bits: u32): u8 {
  const value = u8(bits & 63);
  if (value < 26) return value + 0x41;
  if (value < 52) return value + 0x47;
  if (value < 62) return value - 4;
  return value == 62 ? 0x2b : 0x2f;
}
