// WebSocket frames without I/O: headers in and out, masks, the payload of a close frame.
//
// A frame that breaks RFC 6455 is refused as soon as the bytes that do so are there: by its close code, negative.
// Invariant: nothing behind source + size is read or written. Reference: RFC 6455 5 and 7.4.

import { WS_CONTROL_BYTES_MAX } from "../../core/limits";
import { UTF8_START, utf8Next } from "../../bytes/utf8";

// Opcodes.
export const CONTINUATION: i32 = 0;
export const TEXT: i32 = 1;
export const BINARY: i32 = 2;
export const CLOSE: i32 = 8;
export const PING: i32 = 9;
export const PONG: i32 = 10;

/** The first byte's other bits. */
export const FIN: i32 = 0x80;
export const RSV1: i32 = 0x40;

/** The longest header of a frame that is not masked. */
export const FRAME_HEAD_BYTES_MAX: i32 = 10;

// Close codes.
export const CODE_NORMAL: i32 = 1000;
export const CODE_GOING_AWAY: i32 = 1001;
export const CODE_PROTOCOL: i32 = 1002;
/** Never in a frame: the close frame had no code. */
export const CODE_NONE: i32 = 1005;
/** Never in a frame: there was no close frame. */
export const CODE_ABNORMAL: i32 = 1006;
export const CODE_BAD_DATA: i32 = 1007;
export const CODE_TOO_BIG: i32 = 1009;

/** Not all of a frame's header is there. */
export const FRAME_PARTIAL: i32 = 0;

// What frameHead found.
/** The opcode with FIN and RSV1. */
export let frameFirst: i32 = 0;
export let frameBytes: i64 = 0;
export let frameMask: u32 = 0;

/** The bytes of the header at `source`, FRAME_PARTIAL, or a close code, negative. `compressed`: RSV1 is allowed. */
export function frameHead(source: usize, size: i32, compressed: bool): i32 {
  if (!size) return FRAME_PARTIAL;
  const first = i32(load<u8>(source));
  if (!isFirst(first, compressed)) return -CODE_PROTOCOL;
  if (size < 2) return FRAME_PARTIAL;
  const second = i32(load<u8>(source, 1));
  let length = i64(second & 0x7f);
  if (!(second & 0x80) || (first & CLOSE && length > WS_CONTROL_BYTES_MAX)) return -CODE_PROTOCOL;
  let bytes = 2;
  if (length == 126) {
    if (size < 4) return FRAME_PARTIAL;
    length = bswap<u16>(load<u16>(source, 2));
    if (length < 126) return -CODE_PROTOCOL;
    bytes = 4;
  } else if (length == 127) {
    if (size < 10) return FRAME_PARTIAL;
    length = bswap<i64>(load<i64>(source, 2));
    if (length < 0x10000) return -CODE_PROTOCOL; // the top bit makes it less than 0
    bytes = 10;
  }
  if (size < bytes + 4) return FRAME_PARTIAL;
  frameFirst = first;
  frameBytes = length;
  frameMask = load<u32>(source + usize(bytes));
  return bytes + 4;
}

/**
 * Whether a frame may begin with this byte: a known opcode; RSV1 on the first frame of a message; control frames whole.
 */
function isFirst(first: i32, compressed: bool): bool {
  const opcode = first & 0x0f;
  if (opcode >= CLOSE) return opcode <= PONG && (first & 0xf0) == FIN;
  const reserved = first & 0x70;
  return opcode <= BINARY && (!reserved || (reserved == RSV1 && compressed && opcode != CONTINUATION));
}

/** Unmasks bytes in place; returns the mask for the bytes behind them. */
export function unmask(at: usize, size: i32, mask: u32): u32 {
  const end = at + usize(size);
  if (ASC_FEATURE_SIMD) {
    const wide = i32x4.splat(mask);
    for (; end - at >= 16; at += 16) v128.store(at, v128.xor(v128.load(at), wide));
  }
  const double = (u64(mask) << 32) | u64(mask);
  for (; end - at >= 8; at += 8) store<u64>(at, load<u64>(at) ^ double);
  for (; at < end; at++) {
    store<u8>(at, load<u8>(at) ^ u8(mask));
    mask = rotr<u32>(mask, 8);
  }
  return mask;
}

/** Writes the header of a frame that is not masked and returns the position behind it. Needs FRAME_HEAD_BYTES_MAX. */
export function writeFrameHead(target: usize, first: i32, size: i64): usize {
  store<u8>(target, first);
  if (size < 126) {
    store<u8>(target, size, 1);
    return target + 2;
  }
  if (size < 0x10000) {
    store<u8>(target, 126, 1);
    store<u16>(target, bswap<u16>(u16(size)), 2);
    return target + 4;
  }
  store<u8>(target, 127, 1);
  store<u64>(target, bswap<u64>(u64(size)), 2);
  return target + 10;
}

/** Whether a close frame may have this code: RFC 6455 7.4 and the IANA registry. */
export function isCloseCode(code: i32): bool {
  if (code >= 3000) return code <= 4999;
  return code >= CODE_NORMAL && code <= 1014 && code != 1004 && code != CODE_NONE && code != CODE_ABNORMAL;
}

/**
 * What a close frame's unmasked payload says: its code, CODE_NONE, or a close code, negative, for a payload that cannot
 * be.
 */
export function closeCode(source: usize, size: i32): i32 {
  if (!size) return CODE_NONE;
  if (size == 1) return -CODE_PROTOCOL;
  const code = i32(bswap<u16>(load<u16>(source)));
  if (!isCloseCode(code)) return -CODE_PROTOCOL;
  return utf8Next(UTF8_START, source + 2, size - 2) == UTF8_START ? code : -CODE_BAD_DATA;
}
