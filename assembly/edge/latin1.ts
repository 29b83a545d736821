// Texts of a head cross to the handler's component as UTF-8, and are latin-1 on the wire. Fields cross as one text
// (wit/waterspout.wit, `fields`).
//
// Invariant: as UTF-8 a head takes at most twice the room that it took when it came, with the marks between its fields,
// which are fewer than on the wire.

import { lower } from "../bytes/scan";

export const LINE_FEED: u8 = 0x0a;
export const COLON: u8 = 0x3a;

/** Writes latin-1 text as UTF-8 at `to`. Returns the end. */
export function utf8Of(to: usize, source: usize, size: i32): usize {
  const end = source + usize(size);
  for (let at = source; at < end; at++) {
    const byte = load<u8>(at);
    if (byte < 0x80) store<u8>(to++, byte);
    else {
      store<u8>(to, 0xc0 | (byte >> 6));
      store<u8>(to, 0x80 | (byte & 0x3f), 1);
      to += 2;
    }
  }
  return to;
}

/** The name of a field, which is ASCII, in lower case, with the marks around it. Returns the end. */
export function nameOf(to: usize, source: usize, size: i32): usize {
  store<u8>(to++, LINE_FEED);
  for (let i: usize = 0; i < usize(size); i++) store<u8>(to + i, lower(load<u8>(source + i)));
  store<u8>(to + usize(size), COLON);
  return to + usize(size) + 1;
}

/** UTF-8 text becomes latin-1 where it stands. Returns its new size, -1: it is not latin-1. */
export function lift(source: usize, size: i32): i32 {
  const end = source + usize(size);
  let to = source;
  for (let at = source; at < end;) {
    const byte = load<u8>(at++);
    if (byte < 0x80) store<u8>(to++, byte);
    else if (byte > 0xc3) return -1;
    else store<u8>(to++, (byte << 6) | (load<u8>(at++) & 0x3f));
  }
  return i32(to - source);
}
