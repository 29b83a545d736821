// Texts of a head cross to the handler's component as UTF-8, and are latin-1 on the wire. ASCII, which is the same in
// both, stays where it is.
// Invariant: copies are of one head at a time, and all of its texts fit.

import { takeBlock } from "../bytes/buffer";
import { HEAD_BYTES_MAX } from "../core/limits";

const COPIES_BYTES: i32 = 2 * HEAD_BYTES_MAX;
let copies: usize = 0;
let copied: usize = 0;

/** The copies made so far are of no use any more. */
export function clearCopies(): void {
  copied = 0;
}

/**
 * Stores address and size of latin-1 text as UTF-8 at `out`: of the text itself, or of a copy. False: there is no
 * memory for it.
 */
export function lower(out: usize, source: usize, size: i32): bool {
  let high = 0;
  for (let i: usize = 0; i < usize(size); i++) high += load<u8>(source + i) >> 7;
  store<usize>(out, source);
  store<i32>(out, size + high, 4);
  if (!high) return true;
  if (!copies) copies = takeBlock(COPIES_BYTES);
  if (!copies || copied + usize(size + high) > usize(COPIES_BYTES)) return false;
  let at = copies + copied;
  store<usize>(out, at);
  for (let i: usize = 0; i < usize(size); i++) {
    const byte = load<u8>(source + i);
    if (byte < 0x80) store<u8>(at++, byte);
    else {
      store<u8>(at++, 0xc0 | (byte >> 6));
      store<u8>(at++, 0x80 | (byte & 0x3f));
    }
  }
  copied = at - copies;
  return true;
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
