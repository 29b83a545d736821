// Tables of short texts with a number each, one byte a character. (A string literal takes two, and 20 for its header.)
//
// An entry is u16 number, u8 size and that many bytes of ASCII. A number 0 follows the last entry. Invariant: what is
// not in a table is its last entry, so that each call has a result.

const HEADER_BYTES: usize = 3;

/** The entry behind `entry`; 0: that is the last one. */
function next(entry: usize): usize {
  const behind = entryText(entry) + usize(entrySize(entry));
  return load<u16>(behind) ? behind : 0;
}

/** The entry with this index, from 0. */
export function entryAt(table: usize, index: i32): usize {
  let entry = table;
  for (let at = table; at && index >= 0; index--, at = next(at)) entry = at;
  return entry;
}

/** The entry with this number. */
export function entryOf(table: usize, number: i32): usize {
  let entry = table;
  for (let at = table; at; at = next(at)) {
    entry = at;
    if (entryNumber(at) == number) break;
  }
  return entry;
}

export function entryNumber(entry: usize): i32 {
  return load<u16>(entry);
}

export function entrySize(entry: usize): i32 {
  return load<u8>(entry, 2);
}

/** Where its `entrySize` bytes of ASCII begin. */
export function entryText(entry: usize): usize {
  return entry + HEADER_BYTES;
}
