// Reads addresses and numbers from text with a cursor over its bytes: nothing is allocated, as the core never collects.
// Strict: no leading zeros, no zone, no port. Reference: RFC 1123 2.1 (IPv4), RFC 4291 2.2 (IPv6).

import { Address } from "./address";

const SPACE: u8 = 0x20;
const DOT: u8 = 0x2e;
const COLON: u8 = 0x3a;

/** The cursor. */
export let at: usize = 0;
let lineStop: usize = 0;

/** Reads from `from`, up to `to`. */
export function begin(from: usize, to: usize): void {
  at = from;
  lineStop = to;
}

/** The whole text as an IPv4 or IPv6 address; false: it is neither. The port stays. */
export function parseHost(text: usize, size: i32, address: Address): bool {
  begin(text, text + usize(size));
  address.family = 4;
  for (let byte = text; byte < lineStop; byte++) if (load<u8>(byte) == COLON) address.family = 6;
  return readHost(address) && at == lineStop;
}

/** Passes over `byte`; false: another one is there. */
export function skip(byte: u8): bool {
  if (at == lineStop || load<u8>(at) != byte) return false;
  at++;
  return true;
}

/** A decimal number without leading zeros, -1: none from 0 to `most` stands there. */
export function readDecimal(most: i32): i32 {
  const start = at;
  let value = 0;
  for (; at < lineStop && value <= most; at++) {
    const digit = u32(load<u8>(at)) - 0x30;
    if (digit > 9) break;
    value = value * 10 + i32(digit);
  }
  const size = at - start;
  return !size || value > most || (size > 1 && load<u8>(start) == 0x30) ? -1 : value;
}

/** An address of `address.family`, up to where it ends. */
export function readHost(address: Address): bool {
  address.first = address.last = 0;
  return address.family == 4 ? readDotted(address) : readColons(address);
}

function readDotted(address: Address): bool {
  for (let i: usize = 0; i < 4; i++) {
    if (i && !skip(DOT)) return false;
    const value = readDecimal(255);
    if (value < 0) return false;
    store<u8>(address.bytes + i, u8(value));
  }
  return true;
}

/** Eight groups of hexadecimal digits, or fewer and one "::" for the missing ones. */
function readColons(address: Address): bool {
  let groups = 0;
  let gap = -1;
  if (at + 1 < lineStop && load<u8>(at) == COLON) {
    if (load<u8>(at, 1) != COLON) return false;
    at += 2;
    gap = 0;
  }
  while (groups < 8) {
    const value = readGroup();
    if (value < 0) break;
    store<u16>(address.bytes + (usize(groups++) << 1), bswap<u16>(u16(value)));
    if (groups == 8 || !skip(COLON)) break;
    if (at < lineStop && load<u8>(at) == COLON) {
      if (gap >= 0) return false;
      at++;
      gap = groups;
    } else if (at == lineStop || load<u8>(at) == SPACE) return false;
  }
  if (gap < 0) return groups == 8;
  if (groups == 8) return false;
  const from = address.bytes + (usize(gap) << 1);
  const moved = usize(groups - gap) << 1;
  memory.copy(address.bytes + 16 - moved, from, moved);
  memory.fill(from, 0, usize(8 - groups) << 1);
  return true;
}

/** Up to four hexadecimal digits, -1: there is none. */
function readGroup(): i32 {
  let value = 0;
  let digits = 0;
  for (; at < lineStop && digits < 4; at++, digits++) {
    const byte = load<u8>(at);
    const letter = u32(byte | 0x20) - 0x61;
    if (u32(byte) - 0x30 <= 9) value = (value << 4) | (i32(byte) - 0x30);
    else if (letter < 6) value = (value << 4) | i32(letter + 10);
    else break;
  }
  return digits ? value : -1;
}
