// Finding a delimiter: against a plain search, at every alignment, and flush against the end of memory.
import { TestOptions, expect, test } from "vitest-pool-assemblyscript/assembly";
import { find } from "../../../assembly/bytes/find";
import { below, seed } from "../protocol/http/support/random";
import { bytes } from "../support/sim";

/** What may be loaded behind the end. */
const SLACK: usize = 16;
const PAGE: usize = 65536;
// Pages that the memory manager does not know; the last byte of the second is the last of memory.
const page: usize = usize(memory.grow(2)) * PAGE;
const end: usize = page + 2 * PAGE;

function found(data: string, needle: string): i32 {
  const source = bytes(data);
  const wanted = bytes(needle);
  return find(changetype<usize>(source), data.length, changetype<usize>(wanted), needle.length);
}

function plain(source: usize, size: i32, needle: usize, needleSize: i32): i32 {
  for (let at = 0; at <= size - needleSize; at++) {
    let same = 0;
    while (same < needleSize && load<u8>(source + at + same) == load<u8>(needle + same)) same++;
    if (same == needleSize) return at;
  }
  return -1;
}

test("by hand", () => {
  expect(found("hello\n", "\n")).toBe(5);
  expect(found("hello", "\n")).toBe(-1);
  expect(found("", "\n")).toBe(-1);
  expect(found("a\r\n\r\nb", "\r\n\r\n")).toBe(1);
  expect(found("\r\r\r\n", "\r\n")).toBe(2);
  expect(found("aaaaab", "aab")).toBe(3);
  expect(found("abc", "abcd")).toBe(-1);
  expect(found("abcd", "abcd")).toBe(0);
  expect(found("\0\xff\0\xff", "\xff\0")).toBe(1);
});

test("what lies behind the end is not found", () => {
  memory.fill(page, 0x61, 64);
  store<u8>(page, 0x0a, 20);
  const needle = bytes("\n");
  for (let size = 0; size <= 20; size++) {
    expect(find(page, size, changetype<usize>(needle), 1)).toBe(-1);
  }
  expect(find(page, 21, changetype<usize>(needle), 1)).toBe(20);
  const two = bytes("a\n");
  expect(find(page, 20, changetype<usize>(two), 2)).toBe(-1);
  expect(find(page, 21, changetype<usize>(two), 2)).toBe(19);
});

test("every place, every alignment, every size of needle", () => {
  const needle = page + PAGE;
  for (let i = 0; i < 40; i++) store<u8>(needle + i, u8(0x80 + i));
  for (let alignment = 0; alignment < 16; alignment++) {
    const source = page + 1024 + alignment;
    for (let needleSize = 1; needleSize <= 40; needleSize += 3) {
      for (let at = 0; at <= 70 - needleSize; at++) {
        memory.fill(source, 0x80, 70); // the needle's first byte everywhere
        memory.copy(source + at, needle, needleSize);
        const expected = needleSize == 1 ? 0 : at;
        assert(find(source, 70, needle, needleSize) == expected, "at " + at.toString());
        if (needleSize > 1) assert(find(source, at + needleSize - 1, needle, needleSize) == -1, "cut short");
      }
    }
  }
});

test("random text, against a plain search, flush against the end of memory", TestOptions.timeout(20000), () => {
  seed(1);
  const needle = page;
  for (let i = 0; i < 50000; i++) {
    const letters = 1 + below(4);
    const size = below(100);
    const needleSize = 1 + below(below(3) ? 4 : 40);
    const source = end - SLACK - size;
    for (let j: usize = 0; j < usize(size); j++) store<u8>(source + j, u8(below(letters)));
    for (let j: usize = 0; j < usize(needleSize); j++) store<u8>(needle + j, u8(below(letters)));
    memory.copy(source + size, needle, min(SLACK, usize(needleSize))); // must not be seen
    const expected = plain(source, size, needle, needleSize);
    const result = find(source, size, needle, needleSize);
    assert(result == expected, "text " + i.toString() + ": " + result.toString() + ", plain: " + expected.toString());
  }
});
