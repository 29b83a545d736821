// What bytes/scan.ts does with vectors, for builds without SIMD: 8 bytes in a u64, or one after the other.
//
// Invariant: the same answers for the same bytes, at every length (test/sandbox/corpus.test.ts runs the corpus on both
// builds). The sums below never carry from one byte into the next, so that each bit is exact.
// Reference: Warren, Hacker's Delight, 6-1 (zero bytes).

const LOW_BITS: u64 = 0x7f7f7f7f7f7f7f7f;
const HIGH_BITS: u64 = 0x8080808080808080;

/** The high bit of each byte that is below 0x20. */
// @ts-ignore: decorator
@inline
function belowSpace(word: u64): u64 {
  return ~(((word & LOW_BITS) + 0x6060606060606060) | word) & HIGH_BITS;
}

/** The high bit of each byte that equals the one that `all` repeats. */
// @ts-ignore: decorator
@inline
function equal(word: u64, all: u64): u64 {
  const rest = word ^ all;
  return ~(((rest & LOW_BITS) + LOW_BITS) | rest) & HIGH_BITS;
}

/** The high bits of 8 bytes as the low 8 bits. */
// @ts-ignore: decorator
@inline
function gather(high: u64): u64 {
  return ((high >> 7) * 0x0102040810204080) >> 56;
}

const DELS: u64 = 0x7f7f7f7f7f7f7f7f;
const SPACES: u64 = 0x2020202020202020;
const TABS: u64 = 0x0909090909090909;

// @ts-ignore: decorator
@inline
function controls(word: u64): u64 {
  return belowSpace(word) | equal(word, DELS);
}

/** As unusual64 of bytes/scan.ts. */
export function swarUnusual64(at: usize): u64 {
  let bits: u64 = 0;
  for (let i: usize = 0; i < 64; i += 8) {
    const word = load<u64>(at + i);
    bits |= gather(controls(word) | (word & HIGH_BITS)) << i;
  }
  return bits;
}

/** As valueStops. */
export function swarValueStops(at: usize): i32 {
  return i32(valueStops8(load<u64>(at)) | (valueStops8(load<u64>(at, 8)) << 8));
}

function valueStops8(word: u64): u64 {
  return gather(controls(word) & ~equal(word, TABS));
}

/** As blanks. */
export function swarBlanks(at: usize): i32 {
  return i32(blanks8(load<u64>(at)) | (blanks8(load<u64>(at, 8)) << 8));
}

function blanks8(word: u64): u64 {
  return gather(controls(word) | equal(word, SPACES));
}

/** As stops: up to the first byte that is not in the class, which is all that a caller looks for. */
export function swarStops(at: usize, table: usize, high: usize): i32 {
  for (let i: usize = 0; i < 16; i++) {
    const byte = usize(load<u8>(at + i));
    if (!(load<u8>(table + (byte & 15)) & load<u8>(high + (byte >> 4)))) return 1 << i32(i);
  }
  return 0;
}

/** Writes 16 characters of a literal as 16 bytes. */
export function swarNarrow(target: usize, text: usize): void {
  for (let i: usize = 0; i < 16; i++) store<u8>(target + i, load<u8>(text + (i << 1)));
}
