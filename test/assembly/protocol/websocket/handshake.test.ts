// SHA-1, base64 and what counts as an opening handshake: the RFCs' own examples, every size, flush against the end of
// memory.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { checkHead } from "../../../../assembly/protocol/http/framing";
import { headBytes, headReset, parseHead } from "../../../../assembly/protocol/http/head";
import { FIELDS_MAX } from "../../../../assembly/core/limits";
import { handshakeKey, writeAccept, writeBase64 } from "../../../../assembly/protocol/websocket/handshake";
import { SHA1_BYTES, sha1 } from "../../../../assembly/bytes/sha1";
import { bytes, text } from "../../support/sim";

const PAGE: usize = 65536;
const end: usize = usize(memory.grow(1)) * PAGE + PAGE;
const target: usize = memory.data(1024);

function digest(data: string): string {
  const source = bytes(data);
  const at = end - data.length; // one byte more would trap
  memory.copy(at, changetype<usize>(source), data.length);
  sha1(target, at, data.length);
  let hex = "";
  for (let i = 0; i < SHA1_BYTES; i++)
    hex += load<u8>(target + i)
      .toString(16)
      .padStart(2, "0");
  return hex;
}

describe("sha1", () => {
  test("of RFC 3174 and FIPS 180", () => {
    expect(digest("")).toBe("da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect(digest("abc")).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    );
    expect(digest("0123456701234567012345670123456701234567012345670123456701234567".repeat(10))).toBe(
      "dea356a2cddd90c7a7ecedc5ebb563934f460452",
    );
  });

  test("of every size around a block, as node:crypto has them", () => {
    // The digest of the digests of "a" × n for n from 0 to 129.
    let all = "";
    for (let n = 0; n < 130; n++) all += digest("a".repeat(n));
    expect(digest(all)).toBe("020e571fd23e2a086018fa9bfa2fb3269f35017a");
  });
});

function base64(data: string): string {
  const source = bytes(data);
  const at = end - data.length;
  memory.copy(at, changetype<usize>(source), data.length);
  writeBase64(target, at, data.length);
  return text(target, ((data.length + 2) / 3) * 4);
}

test("base64, with padding", () => {
  expect(base64("")).toBe("");
  expect(base64("f")).toBe("Zg==");
  expect(base64("fo")).toBe("Zm8=");
  expect(base64("foo")).toBe("Zm9v");
  expect(base64("foobar")).toBe("Zm9vYmFy");
  expect(base64("\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97")).toBe(
    "ABCDEFGHIJKLMNOPQRSTUVWX",
  );
  expect(base64("\x61\x96\x9b\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf")).toBe(
    "YZabcdefghijklmnopqrstuv",
  );
  expect(base64("\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf")).toBe("wxyz0123456789+/");
});

test("Sec-WebSocket-Accept of RFC 6455 1.3", () => {
  const key = bytes("dGhlIHNhbXBsZSBub25jZQ==");
  writeAccept(target, changetype<usize>(key));
  expect(text(target, 28)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

const KEY: string = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: string = "Sec-WebSocket-Version: 13\r\n";
const UPGRADE: string = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

/** The key that is found in such a request, "": none. */
function keyOf(line: string, fields: string): string {
  const request = line + "\r\nHost: x\r\n" + fields + "\r\n";
  const block = heap.alloc(request.length + 64);
  const source = bytes(request);
  memory.copy(block, changetype<usize>(source), request.length);
  const state = heap.alloc(headBytes(FIELDS_MAX));
  headReset(state);
  assert(parseHead(state, block, request.length, FIELDS_MAX) == request.length, "not a head");
  assert(checkHead(state, block) == 0, "refused");
  const key = handshakeKey(state, block);
  return key ? text(key, 24) : "";
}

describe("an opening handshake", () => {
  test("as browsers and the RFC write it", () => {
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    expect(keyOf("GET /chat HTTP/1.1", UPGRADE + KEY + VERSION)).toBe(key);
    const odd = "UPGRADE: h2c , WebSocket\r\nConnection: keep-alive, Upgrade\r\n";
    expect(keyOf("GET /?q HTTP/1.1", odd + VERSION + KEY + "Origin: null\r\n")).toBe(key);
    expect(
      keyOf("GET / HTTP/1.1", "Connection: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" + KEY + VERSION),
    ).toBe(key);
    expect(keyOf("GET / HTTP/1.1", UPGRADE + VERSION + "sec-websocket-key: AZaz09+/AAAAAAAAAAAAAA==\r\n")).toBe(
      "AZaz09+/AAAAAAAAAAAAAA==",
    );
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + VERSION + "Content-Length: 0\r\n")).toBe(key);
  });

  test("and what is none", () => {
    expect(keyOf("POST / HTTP/1.1", UPGRADE + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.0", UPGRADE + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + VERSION + "Content-Length: 1\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + VERSION + "Transfer-Encoding: chunked\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", "Upgrade: websocket\r\n" + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", "Connection: Upgrade\r\n" + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websockets\r\n" + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n" + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: ,\r\n" + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY)).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + KEY + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + VERSION + VERSION)).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + "Sec-WebSocket-Version: 8\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + "Sec-WebSocket-Version: 1\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + KEY + "Sec-WebSocket-Version: 13, 8\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + VERSION + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + VERSION + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + VERSION + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-Q==\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + VERSION + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==AA\r\n")).toBe("");
    expect(keyOf("GET / HTTP/1.1", UPGRADE + VERSION + "Sec-WebSocket-Key:\r\n")).toBe("");
  });
});
