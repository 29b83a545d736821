// UTF-8 in pieces: against a plain reading of RFC 3629's table, at every split, flush against the end of memory.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { UTF8_BAD, UTF8_START, utf8Next } from "../../../assembly/bytes/utf8";
import { below, seed } from "../protocol/http/support/random";
import { bytes } from "../support/sim";

const PAGE: usize = 65536;
const end: usize = usize(memory.grow(1)) * PAGE + PAGE;

/**
 * Bytes of the character at `at`, 0: none is whole there, -1: none can be. The reference: decodes and looks at the
 * result.
 */
function character(at: usize, size: i32): i32 {
  const first = i32(load<u8>(at));
  if (first < 0x80) return 1;
  const n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc0 || first > 0xf7) return -1;
  let low = first & (0x7f >> n);
  let high = low;
  for (let i = 1; i < n; i++) {
    const byte = i < size ? i32(load<u8>(at + i)) : -1;
    if (byte >= 0 && (byte & 0xc0) != 0x80) return -1;
    low = (low << 6) | (byte < 0 ? 0 : byte & 0x3f);
    high = (high << 6) | (byte < 0 ? 0x3f : byte & 0x3f);
  }
  // Whether anything between the two can be what such a character stands for.
  const least = n == 2 ? 0x80 : n == 3 ? 0x800 : 0x10000;
  const possible = max(low, least) <= min(high, 0x10ffff) && !(low >= 0xd800 && high <= 0xdfff);
  if (!possible) return -1;
  return n <= size ? n : 0;
}

/** 1: valid, 0: the beginning of something valid, -1: neither. */
function plain(source: usize, size: i32): i32 {
  let at = 0;
  while (at < size) {
    const n = character(source + at, size - at);
    if (n <= 0) return n;
    at += n;
  }
  return 1;
}

function verdict(state: i32): i32 {
  return state == UTF8_START ? 1 : state == UTF8_BAD ? -1 : 0;
}

/** The verdict of the whole and of every way to cut it in two is the plain one. */
function check(source: usize, size: i32): void {
  const expected = plain(source, size);
  assert(verdict(utf8Next(UTF8_START, source, size)) == expected, "whole, " + expected.toString());
  for (let cut = 0; cut <= size; cut++) {
    const state = utf8Next(UTF8_START, source, cut);
    assert(verdict(state) == plain(source, cut), "the first " + cut.toString());
    if (state == UTF8_BAD) return;
    assert(verdict(utf8Next(state, source + cut, size - cut)) == expected, "cut at " + cut.toString());
  }
}

function verdictOf(data: string): i32 {
  const source = bytes(data);
  const at = end - data.length;
  memory.copy(at, changetype<usize>(source), data.length);
  check(at, data.length);
  return verdict(utf8Next(UTF8_START, at, data.length));
}

describe("by hand", () => {
  test("valid", () => {
    expect(verdictOf("")).toBe(1);
    expect(verdictOf("Hello, world: longer than one vector of sixteen bytes, and than two")).toBe(1);
    expect(verdictOf("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5")).toBe(1); // Autobahn's
    expect(verdictOf("\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")).toBe(1);
    expect(verdictOf("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd")).toBe(1); // around the surrogates
  });

  test("not yet", () => {
    expect(verdictOf("abc\xce")).toBe(0);
    expect(verdictOf("\xe1\xbd")).toBe(0);
    expect(verdictOf("\xf4\x8f\xbf")).toBe(0);
  });

  test("never, as soon as it is certain", () => {
    expect(verdictOf("\x80")).toBe(-1);
    expect(verdictOf("\xc0")).toBe(-1);
    expect(verdictOf("\xc1\x81")).toBe(-1);
    expect(verdictOf("\xe0\x9f")).toBe(-1); // overlong
    expect(verdictOf("\xf0\x8f")).toBe(-1);
    expect(verdictOf("\xed\xa0")).toBe(-1); // a surrogate
    expect(verdictOf("\xf4\x90")).toBe(-1); // above U+10FFFF
    expect(verdictOf("\xf5")).toBe(-1);
    expect(verdictOf("\xff")).toBe(-1);
    expect(verdictOf("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited")).toBe(-1); // Autobahn's
    expect(verdictOf("0123456789abcdef\xe1\xbd0123456789abcdef")).toBe(-1);
  });
});

test("every sequence of two and of three bytes", () => {
  const at = end - 3;
  for (let first = 0x78; first < 0x100; first++) {
    for (let second = 0; second < 0x100; second++) {
      store<u8>(at, first);
      store<u8>(at, second, 1);
      assert(verdict(utf8Next(UTF8_START, at, 2)) == plain(at, 2), first.toString() + " " + second.toString());
      if (second < 0x78) continue;
      for (let third = 0x70; third < 0x100; third += 5) {
        store<u8>(at, third, 2);
        assert(verdict(utf8Next(UTF8_START, at, 3)) == plain(at, 3), "three bytes");
      }
    }
  }
});

test("random text with faults, at every split", () => {
  seed(5);
  for (let round = 0; round < 3000; round++) {
    const size = below(50);
    const at = end - size;
    for (let i = 0; i < size; i++) {
      const kind = below(8);
      const byte =
        kind < 3 ? below(0x80) : kind < 6 ? 0x80 + below(0x40) : kind < 7 ? 0xc0 + below(0x40) : below(0x100);
      store<u8>(at + i, byte);
    }
    // Half of them are made to begin with valid characters.
    for (let i = 0; i + 4 <= size && round & 1; i += 4) store<u32>(at + i, round & 2 ? 0xbfbf8ff4 : 0x61a984e2);
    check(at, size);
  }
});
