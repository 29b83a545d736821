import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { Address } from "../../../assembly/core/address";
import { PROXY_HEADER_BYTES_MAX } from "../../../assembly/core/limits";
import { PROXY_BAD, PROXY_PARTIAL, parseProxyHeader } from "../../../assembly/protocol/proxy";

const SIGNATURE: StaticArray<u8> = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const room: usize = memory.data(8192, 16);
const address: Address = new Address();

/** The text lies flush against the end of memory less the slack, which is filled with hostile bytes. */
function place(source: usize, size: i32): usize {
  const end = (usize(memory.size()) << 16) - 64;
  memory.fill(end, 0x20, 64);
  memory.copy(end - usize(size), source, usize(size));
  return end - usize(size);
}

function parse(source: usize, size: i32): i32 {
  for (let i = 0; i < size; i++) {
    const n = parseProxyHeader(place(source, i), i, address);
    if (n == PROXY_BAD) return PROXY_BAD; // a prefix that is refused stays refused
    if (n != PROXY_PARTIAL) return n;
  }
  return parseProxyHeader(place(source, size), size, address);
}

function text(line: string): i32 {
  const bytes = String.UTF8.encode(line);
  return parse(changetype<usize>(bytes), bytes.byteLength);
}

function accepts(line: string, host: string, port: i32): void {
  expect(text(line + "\r\n")).toBe(line.length + 2);
  expect(address.port).toBe(port);
  if (port >= 0) expect(address.host).toBe(host);
}

function refuses(line: string): void {
  expect(text(line)).toBe(PROXY_BAD);
}

/** A version 2 header with `length` zero bytes behind it. */
function binary(versionAndCommand: u8, family: u8, length: i32): i32 {
  for (let i = 0; i < 12; i++) store<u8>(room + usize(i), SIGNATURE[i]);
  store<u8>(room, versionAndCommand, 12);
  store<u8>(room, family, 13);
  store<u16>(room, bswap<u16>(u16(length)), 14);
  return 16 + length;
}

describe("version 1", () => {
  test("IPv4 and IPv6, and what has no address", () => {
    accepts("PROXY TCP4 192.0.2.1 198.51.100.2 4711 443", "192.0.2.1", 4711);
    accepts("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0", "255.255.255.255", 65535);
    accepts("PROXY TCP6 2001:db8::1 ::1 1 2", "2001:db8::1", 1);
    accepts("PROXY TCP6 :: :: 1 2", "::", 1);
    accepts("PROXY TCP6 1:2:3:4:5:6:7:8 1:: 1 2", "1:2:3:4:5:6:7:8", 1);
    accepts("PROXY TCP6 FFFF::A:0 ::2 1 2", "ffff::a:0", 1);
    accepts("PROXY UNKNOWN", "", -1);
    accepts("PROXY UNKNOWN ffff::1 ffff::2 1 2", "", -1);
  });
  test("anything else is refused", () => {
    refuses("GET / HTTP/1.1\r\n");
    refuses("PROXY TCP4\r\n");
    refuses("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n");
    refuses("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n");
    refuses("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n");
    refuses("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n");
    refuses("PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n");
    refuses("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n");
    refuses("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n");
    refuses("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n");
    refuses("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n");
    refuses("PROXY TCP4 ::1 1.2.3.4 1 2\r\n");
    refuses("PROXY TCP6 1.2.3.4 ::1 1 2\r\n");
    refuses("PROXY TCP6 1::2::3 ::1 1 2\r\n");
    refuses("PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n");
    refuses("PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n");
    refuses("PROXY TCP6 12345:: ::1 1 2\r\n");
    refuses("PROXY TCP6 1: ::1 1 2\r\n");
    refuses("PROXY TCP6 :1 ::1 1 2\r\n");
  });
  test("its line has a bound, on both sides", () => {
    const most = "PROXY UNKNOWN" + " ".repeat(107 - 13 - 2);
    accepts(most, "", -1);
    refuses(most + " \r\n");
  });
});

describe("version 2", () => {
  test("IPv4", () => {
    const size = binary(0x21, 0x11, 12);
    memory.fill(room + 16, 0, 12);
    store<u32>(room, 0x010200c0, 16); // 192.0.2.1
    store<u16>(room, bswap<u16>(4711), 24);
    expect(parse(room, size)).toBe(size);
    expect(address.toString()).toBe("192.0.2.1:4711");
  });
  test("IPv6, with an extension behind the addresses", () => {
    const size = binary(0x21, 0x21, 40);
    memory.fill(room + 16, 0, 40);
    store<u8>(room, 1, 31);
    store<u16>(room, bswap<u16>(80), 48);
    expect(parse(room, size)).toBe(size);
    expect(address.toString()).toBe("[::1]:80");
  });
  test("LOCAL and families without an IP address leave the address unknown", () => {
    expect(parse(room, binary(0x20, 0x00, 0))).toBe(16);
    expect(address.port).toBe(-1);
    expect(parse(room, binary(0x21, 0x00, 0))).toBe(16);
    expect(address.port).toBe(-1);
    expect(parse(room, binary(0x21, 0x31, 216))).toBe(232);
    expect(address.port).toBe(-1);
  });
  test("anything else is refused", () => {
    expect(parse(room, binary(0x11, 0x11, 12))).toBe(PROXY_BAD);
    expect(parse(room, binary(0x22, 0x11, 12))).toBe(PROXY_BAD);
    expect(parse(room, binary(0x21, 0x11, 11))).toBe(PROXY_BAD);
    expect(parse(room, binary(0x21, 0x21, 35))).toBe(PROXY_BAD);
    expect(parse(room, binary(0x21, 0x41, 36))).toBe(PROXY_BAD);
    binary(0x21, 0x11, 12);
    store<u8>(room, 0x0b, 11);
    expect(parse(room, 28)).toBe(PROXY_BAD);
  });
  test("its size has a bound, on both sides", () => {
    memory.fill(room, 0, 8192);
    const size = binary(0x21, 0x11, PROXY_HEADER_BYTES_MAX - 16);
    expect(parseProxyHeader(room, size, address)).toBe(PROXY_HEADER_BYTES_MAX);
    binary(0x21, 0x11, PROXY_HEADER_BYTES_MAX - 15);
    expect(parseProxyHeader(room, 16, address)).toBe(PROXY_BAD);
  });
});
