// Seeded chance for fuzz tests: the same seed gives the same inputs for ever.

let state: u64 = 1;

export function seed(value: u64): void {
  state = value * 0x9e3779b97f4a7c15 + 1;
}

/** From 0 to below `limit`: xorshift64*. */
export function below(limit: i32): i32 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return <i32>(((state * 0x2545f4914f6cdd1d) >> 33) % limit);
}

const BYTES: string = "\r\n\t :;,=\0\x01\x0b\x1f\x7f\x80\xff\"'()/?<>@[]{}aAzZ019fG*.-_";

/** Changes, drops, doubles or moves some of the bytes; returns the new size, at most `limit`. */
export function mutate(source: usize, size: i32, limit: i32): i32 {
  for (let i = below(4); i >= 0; i--) {
    if (size == 0) return 0;
    const at = below(size);
    const n = 1 + below(min(size - at, below(4) ? 3 : 90));
    switch (below(6)) {
      case 0:
      case 1:
        store<u8>(source + at, <u8>BYTES.charCodeAt(below(BYTES.length)));
        break;
      case 2:
        memory.copy(source + at, source + at + n, size - at - n);
        size -= n;
        break;
      case 3:
        if (size + n > limit) break;
        memory.copy(source + at + n, source + at, size - at);
        size += n;
        break;
      case 4:
        if (size + 1 > limit) break;
        memory.copy(source + at + 1, source + at, size - at);
        store<u8>(source + at, <u8>BYTES.charCodeAt(below(BYTES.length)));
        size++;
        break;
      default:
        memory.copy(source + at, source + below(size - n + 1), n);
    }
  }
  return size;
}
