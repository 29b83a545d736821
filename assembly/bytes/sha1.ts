// SHA-1, for Sec-WebSocket-Accept (RFC 6455) and for entity tags. Neither needs a secure hash.
// Invariant: nothing behind source + size is read. Reference: RFC 3174.

export const SHA1_BYTES: i32 = 20;

const BLOCK_BYTES: usize = 64;
const ROUNDS: usize = 80;
/**
 * The words of a block, the 80 that are made of them; in front the end of the message with its padding is put together.
 */
const words: usize = memory.data(80 * 4, 16);
const tail: usize = memory.data(128, 16);
const state: usize = memory.data(20, 4);

/** Writes the digest of `size` bytes, SHA1_BYTES, to `target`. */
export function sha1(target: usize, source: usize, size: i32): void {
  store<u32>(state, 0x67452301);
  store<u32>(state, 0xefcdab89, 4);
  store<u32>(state, 0x98badcfe, 8);
  store<u32>(state, 0x10325476, 12);
  store<u32>(state, 0xc3d2e1f0, 16);
  const end = source + usize(size);
  for (; end - source >= BLOCK_BYTES; source += BLOCK_BYTES) digestBlock(source);
  const rest = end - source;
  const tailBytes: usize = rest < 56 ? 64 : 128;
  memory.fill(tail, 0, tailBytes);
  memory.copy(tail, source, rest);
  store<u8>(tail + rest, 0x80);
  store<u64>(tail + tailBytes - 8, bswap<u64>(u64(size) << 3));
  digestBlock(tail);
  if (tailBytes > 64) digestBlock(tail + 64);
  for (let i: usize = 0; i < 20; i += 4) store<u32>(target + i, bswap<u32>(load<u32>(state + i)));
}

function digestBlock(source: usize): void {
  for (let i: usize = 0; i < 16; i++) store<u32>(words + (i << 2), bswap<u32>(load<u32>(source + (i << 2))));
  for (let at = words + 64; at < words + (ROUNDS << 2); at += 4) {
    store<u32>(at, rotl<u32>(load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64), 1));
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  for (let i: usize = 0; i < ROUNDS; i++) {
    const next = rotl<u32>(a, 5) + e + load<u32>(words + (i << 2)) + mixed(i, b, c, d);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
}

/** The function and the constant of a round: RFC 3174 5. */
function mixed(round: usize, b: u32, c: u32, d: u32): u32 {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}
