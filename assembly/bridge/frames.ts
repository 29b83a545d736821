// How a frame's header and an ADDRESS are laid out. The numbers are those of framenumbers.ts.
// Reference: docs/protocol.md.

import { Address } from "../core/address";
import { ADDRESS_BYTES } from "./framenumbers";

export * from "./framenumbers";

/** Writes a frame's header at `target`. */
// @ts-ignore: decorator
@inline export function frameHeader(target: usize, type: u32, size: i32, id: u32): void {
  store<u32>(target, (type << 24) | u32(size));
  store<u32>(target, id, 4);
}

/** Writes an ADDRESS and returns the position behind it. */
export function writeAddress(target: usize, address: Address): usize {
  store<u16>(target, u16(address.family));
  store<u16>(target, u16(address.port), 2);
  store<u64>(target, address.first, 4);
  store<u64>(target, address.last, 12);
  return target + usize(ADDRESS_BYTES);
}
