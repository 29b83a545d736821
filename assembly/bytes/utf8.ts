// UTF-8 that comes in pieces: is what has come so far the beginning of valid UTF-8?
//
//   state = utf8Next(state, source, size)    from UTF8_START; UTF8_BAD, or a state for the next piece
//
// A state is four bytes: how many continuation bytes are awaited, and the range of the next one. Between characters it
// is UTF8_START, so a text is valid when its last state is that. A bad byte is found when it comes, not at the end.
// Invariant: nothing outside source and size is read. Reference: RFC 3629 4 (no overlong forms, no surrogates, at most
// U+10FFFF).

export const UTF8_START: i32 = 0;
export const UTF8_BAD: i32 = -1;

// A state: awaited << 16 | lowest << 8 | highest.
const TAIL: i32 = 0x80bf;

/** The state behind these bytes. */
export function utf8Next(state: i32, source: usize, size: i32): i32 {
  const end = source + usize(size);
  let at = source;
  while (at < end) {
    if (!state) {
      at = skipASCII(at, end);
      if (at == end) return UTF8_START;
      state = begin(load<u8>(at++));
      if (state < 0) return UTF8_BAD;
      continue;
    }
    const byte = i32(load<u8>(at++));
    if (byte < ((state >> 8) & 0xff) || byte > (state & 0xff)) return UTF8_BAD;
    const awaited = (state >> 16) - 1;
    state = awaited ? (awaited << 16) | TAIL : UTF8_START;
  }
  return state;
}

/** The first byte from `at` on that is not ASCII, at most `end`. */
function skipASCII(at: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    for (; end - at >= 16; at += 16) {
      const found = i8x16.bitmask(v128.load(at));
      if (found) return at + ctz(found);
    }
  }
  while (end - at >= 8 && !(load<u64>(at) & 0x8080808080808080)) at += 8;
  while (at < end && load<u8>(at) < 0x80) at++;
  return at;
}

/** The state behind a first byte from 0x80 up: RFC 3629's table. */
function begin(byte: u8): i32 {
  if (byte < 0xc2 || byte > 0xf4) return UTF8_BAD;
  if (byte < 0xe0) return 0x10000 | TAIL;
  if (byte < 0xf0) return byte == 0xe0 ? 0x2a0bf : byte == 0xed ? 0x2809f : 0x20000 | TAIL;
  return byte == 0xf0 ? 0x390bf : byte == 0xf4 ? 0x3808f : 0x30000 | TAIL;
}
