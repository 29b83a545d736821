// An ip-socket-address of WASI 0.2 and 0.3, which lay it out alike, as an Address; and an Address as the numbers that
// bind() takes.
// Reference: wasi:sockets, ip-socket-address; CanonicalABI.md. In memory: the case u8 @0 (1: IPv6), port u16 @4, then
// the four bytes of IPv4 @6, or flow-info u32 @8, eight groups u16 @12 and scope-id u32 @28 of IPv6.

import { Address } from "../../core/address";

/** Bytes of one in memory. */
export const SOCKET_ADDRESS_BYTES: usize = 32;

export function readSocketAddress(at: usize, address: Address): void {
  address.port = load<u16>(at, 4);
  address.first = address.last = 0;
  if (load<u8>(at)) {
    address.family = 6;
    for (let i: usize = 0; i < 16; i += 2) store<u16>(address.bytes + i, bswap<u16>(load<u16>(at + i, 12)));
  } else {
    address.family = 4;
    store<u32>(address.bytes, load<u32>(at, 6));
  }
}

/** 0: IPv4, 1: IPv6. */
export function familyOf(address: Address): i32 {
  return address.family == 6 ? 1 : 0;
}

/**
 * The number at `index` of the eleven that follow the family: port and bytes, or port, flow-info, groups and scope-id.
 */
export function numberAt(address: Address, index: i32): i32 {
  if (index == 0) return address.port;
  if (address.family == 4) return index <= 4 ? load<u8>(address.bytes + usize(index - 1)) : 0;
  if (index == 1 || index == 10) return 0;
  return bswap<u16>(load<u16>(address.bytes + (usize(index - 2) << 1)));
}
