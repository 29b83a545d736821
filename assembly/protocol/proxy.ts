// The PROXY protocol, versions 1 and 2: what a proxy in front (HAProxy, hitch, a TLS terminator) sends ahead of a
// connection's bytes to say whose connection it is. No I/O: bytes in, the header's size and the address out.
//
// Strict: a connection that must begin with a header and does not is refused; so is a header over its bound, a text
// that is not exactly of the specification's form, a length that does not hold its family's addresses. LOCAL (a proxy's
// own health check) and families without an IP address are accepted and leave the address unknown.
// Reference: HAProxy's proxy-protocol.txt, sections 2.1 and 2.2.

import { Address } from "../core/address";
import { at, begin, readDecimal, readHost, skip } from "../core/addresstext";
import { PROXY_HEADER_BYTES_MAX } from "../core/limits";
import { find } from "../bytes/find";
import { SP } from "../bytes/scan";

/** parseProxyHeader: more bytes are needed, or this is no header. */
export const PROXY_PARTIAL: i32 = 0;
export const PROXY_BAD: i32 = -1;

const SIGNATURE_BYTES: i32 = 12;
const signature: usize = memory.data<u8>([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const words: usize = memory.data<u8>([0x50, 0x52, 0x4f, 0x58, 0x59, 0x20]); // "PROXY "
const WORD_BYTES: i32 = 6;
const lineEnd: usize = memory.data<u8>([0x0d, 0x0a]);
/** Longest line of version 1, its end included. */
const LINE_BYTES_MAX: i32 = 107;
const V2_HEAD_BYTES: i32 = 16;

/**
 * Bytes of the header at `source`, more than 0; PROXY_PARTIAL; or PROXY_BAD. Fills `address`; its port stays -1 when
 * the header names none.
 */
export function parseProxyHeader(source: usize, size: i32, address: Address): i32 {
  address.port = -1;
  if (!size) return PROXY_PARTIAL;
  if (load<u8>(source) == load<u8>(words)) return parseLine(source, size, address);
  const head = min(size, SIGNATURE_BYTES);
  if (memory.compare(source, signature, usize(head))) return PROXY_BAD;
  return size < V2_HEAD_BYTES ? PROXY_PARTIAL : parseBinary(source, size, address);
}

// --- version 2 ---

function parseBinary(source: usize, size: i32, address: Address): i32 {
  const version = load<u8>(source, 12) >> 4;
  const command = load<u8>(source, 12) & 15;
  const family = load<u8>(source, 13);
  const length = i32(bswap<u16>(load<u16>(source, 14)));
  if (version != 2 || command > 1) return PROXY_BAD;
  if (V2_HEAD_BYTES + length > PROXY_HEADER_BYTES_MAX) return PROXY_BAD;
  if (size < V2_HEAD_BYTES + length) return PROXY_PARTIAL;
  const body = source + usize(V2_HEAD_BYTES);
  if (command == 1) {
    // 0x11: TCP over IPv4, 0x21: TCP over IPv6; source address, destination address, source port, destination port
    if (family == 0x11) {
      if (length < 12) return PROXY_BAD;
      address.family = 4;
      address.first = load<u32>(body);
      address.last = 0;
      address.port = i32(bswap<u16>(load<u16>(body, 8)));
    } else if (family == 0x21) {
      if (length < 36) return PROXY_BAD;
      address.family = 6;
      address.first = load<u64>(body);
      address.last = load<u64>(body, 8);
      address.port = i32(bswap<u16>(load<u16>(body, 32)));
    } else if (family >> 4 > 3 || (family & 15) > 2) return PROXY_BAD;
  }
  return V2_HEAD_BYTES + length;
}

// --- version 1 ---
// A line like "PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n". It is read with a cursor over the bytes: nothing is
// allocated, as the core never collects.

const other = new Address(); // the destination, which is checked and not kept

function parseLine(source: usize, size: i32, address: Address): i32 {
  if (memory.compare(source, words, usize(min(size, WORD_BYTES)))) return PROXY_BAD;
  const end = find(source, min(size, LINE_BYTES_MAX), lineEnd, 2);
  if (end < 0) return size >= LINE_BYTES_MAX ? PROXY_BAD : PROXY_PARTIAL;
  const stop = source + usize(end);
  begin(source + usize(WORD_BYTES), stop);
  if (end >= WORD_BYTES + 7 && !memory.compare(at, unknown, 7)) return end + 2;
  if (end < WORD_BYTES + 5 || memory.compare(at, tcp, 3)) return PROXY_BAD;
  const family = i32(load<u8>(at, 3)) - 0x30;
  if ((family != 4 && family != 6) || load<u8>(at, 4) != SP) return PROXY_BAD;
  begin(at + 5, stop);
  address.family = other.family = family;
  if (!readHost(address) || !skip(SP) || !readHost(other) || !skip(SP)) return PROXY_BAD;
  const port = readDecimal(65535);
  if (port < 0 || !skip(SP) || readDecimal(65535) < 0 || at != stop) return PROXY_BAD;
  address.port = port;
  return end + 2;
}

const tcp: usize = memory.data<u8>([0x54, 0x43, 0x50]);
const unknown: usize = memory.data<u8>([0x55, 0x4e, 0x4b, 0x4e, 0x4f, 0x57, 0x4e]);
