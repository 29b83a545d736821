// An ip-socket-address and an ip-address of WASI 0.2 and 0.3, which lay them out alike, as an Address; and an Address
// as one, in memory or as the numbers that bind() takes.
// Reference: wasi:sockets, ip-socket-address; CanonicalABI.md. In memory: the case u8 @0 (1: IPv6), port u16 @4, then
// the four bytes of IPv4 @6, or flow-info u32 @8, eight groups u16 @12 and scope-id u32 @28 of IPv6. An ip-address: the
// case u8 @0, then four bytes or eight groups u16 @2.

import { Address } from "../../core/address";

/** Bytes of one in memory. */
export const SOCKET_ADDRESS_BYTES: usize = 32;

export function readSocketAddress(at: usize, address: Address): void {
  address.port = load<u16>(at, 4);
  const isIPv6 = load<u8>(at) != 0;
  readBytes(isIPv6, at + (isIPv6 ? 12 : 6), address);
}

/** Bytes of an ip-address in memory. */
export const IP_ADDRESS_BYTES: usize = 18;

/** The port stays. */
export function readIPAddress(at: usize, address: Address): void {
  readBytes(load<u8>(at) != 0, at + 2, address);
}

function readBytes(isIPv6: bool, at: usize, address: Address): void {
  address.family = isIPv6 ? 6 : 4;
  address.first = address.last = 0;
  if (isIPv6) copyGroups(address.bytes, at);
  else store<u32>(address.bytes, load<u32>(at));
}

/** Eight groups, from network order to the host's or the other way. */
function copyGroups(target: usize, source: usize): void {
  for (let i: usize = 0; i < 16; i += 2) store<u16>(target + i, bswap<u16>(load<u16>(source + i)));
}

export function writeSocketAddress(at: usize, address: Address): void {
  memory.fill(at, 0, SOCKET_ADDRESS_BYTES);
  store<u8>(at, familyOf(address));
  store<u16>(at, u16(address.port), 4);
  if (address.family == 6) copyGroups(at + 12, address.bytes);
  else store<u32>(at, load<u32>(address.bytes), 6);
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
