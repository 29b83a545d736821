// Finding a delimiter in bytes. Invariant: reads at most 16 bytes past the end and never uses them (see buffer.ts,
// SLACK).

/** Offset of the first `needle` in `source`, -1: it is not there. `needleSize` is at least 1. */
export function find(source: usize, size: i32, needle: usize, needleSize: i32): i32 {
  const last = size - needleSize;
  if (!ASC_FEATURE_SIMD) return findSlowly(source, last, needle, needleSize);
  const first = i8x16.splat(load<i8>(needle));
  for (let at = 0; at <= last; at += 16) {
    let found = i8x16.bitmask(i8x16.eq(v128.load(source + usize(at)), first));
    while (found) {
      const candidate = at + ctz(found);
      if (candidate > last) return -1;
      if (needleSize == 1 || !memory.compare(source + usize(candidate), needle, usize(needleSize))) return candidate;
      found &= found - 1;
    }
  }
  return -1;
}

/** The same without vectors. */
function findSlowly(source: usize, last: i32, needle: usize, needleSize: i32): i32 {
  const first = load<u8>(needle);
  for (let at = 0; at <= last; at++) {
    if (load<u8>(source + usize(at)) != first) continue;
    if (!memory.compare(source + usize(at), needle, usize(needleSize))) return at;
  }
  return -1;
}
