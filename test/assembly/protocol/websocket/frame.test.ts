// Frames: headers in and out, masks and close frames, against a plain reference, at every split, flush against the end
// of memory.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frame from "../../../../assembly/protocol/websocket/frame";
import { below, seed } from "../http/support/random";
import { bytes, text } from "../../support/sim";

const PAGE: usize = 65536;
const end: usize = usize(memory.grow(2)) * PAGE + 2 * PAGE;

/** Puts bytes flush against the end of memory. */
function atEnd(data: string): usize {
  const source = bytes(data);
  const at = end - data.length;
  memory.copy(at, changetype<usize>(source), data.length);
  return at;
}

function u64be(value: i64): string {
  let said = "";
  for (let shift = 56; shift >= 0; shift -= 8) said += String.fromCharCode(i32((value >> shift) & 0xff));
  return said;
}

/** A client's header. */
function head(first: i32, size: i64, mask: string = "abcd"): string {
  const start = String.fromCharCode(first);
  if (size < 126) return start + String.fromCharCode(0x80 | i32(size)) + mask;
  if (size < 65536) return start + "\xfe" + u64be(size).substring(6) + mask;
  return start + "\xff" + u64be(size) + mask;
}

function read(data: string, compressed: bool = false): i32 {
  return frame.frameHead(atEnd(data), data.length, compressed);
}

/** A header is taken whole, refused at no split before, and says this. */
function accepted(first: i32, size: i64, compressed: bool = false): void {
  const data = head(first, size);
  for (let cut = 0; cut < data.length; cut++) {
    assert(read(data.substring(0, cut), compressed) == frame.FRAME_PARTIAL, "partial at " + cut.toString());
  }
  assert(read(data, compressed) == data.length, "whole: " + first.toString() + " " + size.toString());
  assert(frame.frameFirst == first && frame.frameBytes == size && frame.frameMask == 0x64636261, "results");
}

/** A header is refused when its byte number `at` has come, not before, and whatever follows. */
function refused(data: string, at: i32, compressed: bool = false): void {
  for (let cut = 0; cut <= data.length; cut++) {
    const expected = cut >= at ? -frame.CODE_PROTOCOL : frame.FRAME_PARTIAL;
    assert(read(data.substring(0, cut), compressed) == expected, "cut at " + cut.toString());
  }
}

describe("a header", () => {
  test("of every size, at every split", () => {
    const sizes: StaticArray<i64> = [0, 1, 124, 125, 126, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 20];
    for (let i = 0; i < sizes.length; i++) accepted(0x82, sizes[i]);
    accepted(0x01, 0x7fffffff);
    accepted(0x00, 0x80000000);
    accepted(0x80, i64.MAX_VALUE);
  });

  test("of every first byte", () => {
    for (let first = 0; first < 256; first++) {
      for (let compressed = 0; compressed < 2; compressed++) {
        const opcode = first & 15;
        const control = opcode >= 8 && opcode <= 10;
        const allowed = control ? (first & 0xf0) == 0x80 : opcode <= 2 && !(first & 0x30);
        const reserved = (first & 0x40) != 0 && (!compressed || opcode == 0 || control);
        if (allowed && !reserved) accepted(first, 5, compressed != 0);
        else refused(head(first, 5), 1, compressed != 0);
      }
    }
  });

  test("that is not masked", () => {
    refused("\x81\x05hello", 2);
    refused("\x82\x7e\x01\x00....", 2);
    refused("\x89\x00", 2);
  });

  test("of a control frame that is too long", () => {
    for (let first = 0x88; first <= 0x8a; first++) {
      accepted(first, 125);
      refused(head(first, 126), 2);
      refused(head(first, 70000), 2);
    }
  });

  test("with a length that is not the shortest, or has its top bit", () => {
    refused("\x82\xfe\x00\x7dabcd", 4);
    refused("\x82\xfe\x00\x00abcd", 4);
    refused("\x82\xff" + u64be(0) + "abcd", 10);
    refused("\x82\xff" + u64be(65535) + "abcd", 10);
    refused("\x82\xff\x80\0\0\0\0\0\0\0abcd", 10);
    refused("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffabcd", 10);
  });
});

test("unmasking: every size, every alignment, at every split", () => {
  seed(7);
  const plain = end - 300;
  for (let size = 0; size <= 70; size++) {
    for (let alignment = 0; alignment < 16; alignment++) {
      const mask = u32(below(0x7fffffff)) * 3 + 1;
      const at = alignment ? end - 150 + alignment : end - size;
      for (let i = 0; i < size; i++) {
        const byte = u8(below(256));
        store<u8>(plain + i, byte);
        store<u8>(at + i, byte ^ u8(mask >> ((i & 3) << 3)));
      }
      const before = load<u8>(at - 1);
      const cut = below(size + 1);
      const next = frame.unmask(at, cut, mask);
      frame.unmask(at + cut, size - cut, next);
      assert(memory.compare(at, plain, size) == 0, "size " + size.toString() + " cut at " + cut.toString());
      assert(load<u8>(at - 1) == before, "in front");
    }
  }
});

test("unmasking changes nothing behind the end", () => {
  for (let size = 0; size < 40; size++) {
    memory.fill(end - 64, 0x55, 64);
    frame.unmask(end - 64, size, 0x01020304);
    for (let i = size; i < 64; i++) assert(load<u8>(end - 64 + i) == 0x55, "behind");
  }
});

function written(first: i32, size: i32): string {
  const target = end - frame.FRAME_HEAD_BYTES_MAX;
  return text(target, i32(frame.writeFrameHead(target, first, size) - target));
}

test("a header of ours has the shortest length and no mask", () => {
  expect(written(0x81, 0)).toBe("\x81\x00");
  expect(written(0x82, 125)).toBe("\x82\x7d");
  expect(written(0x82, 126)).toBe("\x82\x7e\x00\x7e");
  expect(written(0x02, 65535)).toBe("\x02\x7e\xff\xff");
  expect(written(0xc1, 65536)).toBe("\xc1\x7f\0\0\0\0\0\x01\0\0");
  expect(written(0x80, i32.MAX_VALUE)).toBe("\x80\x7f\0\0\0\0\x7f\xff\xff\xff");
});

function closeCodeOf(payload: string): i32 {
  return frame.closeCode(atEnd(payload), payload.length);
}

function code(value: i32): string {
  return String.fromCharCode(value >> 8) + String.fromCharCode(value & 0xff);
}

describe("a close frame", () => {
  test("says a code that may stand there, or none", () => {
    expect(closeCodeOf("")).toBe(frame.CODE_NONE);
    for (let value = 0; value < 6000; value++) {
      const registered = value >= 1000 && value <= 1014 && value != 1004 && value != 1005 && value != 1006;
      const allowed = registered || (value >= 3000 && value <= 4999);
      assert(closeCodeOf(code(value)) == (allowed ? value : -frame.CODE_PROTOCOL), value.toString());
    }
    expect(closeCodeOf("\xff\xff")).toBe(-frame.CODE_PROTOCOL);
  });

  test("of one byte is refused, and so are words that are not UTF-8", () => {
    expect(closeCodeOf("\x03")).toBe(-frame.CODE_PROTOCOL);
    expect(closeCodeOf(code(1000) + "Good bye \xe2\x82\xac")).toBe(1000);
    expect(closeCodeOf(code(1000) + "cut \xe2\x82")).toBe(-frame.CODE_BAD_DATA);
    expect(closeCodeOf(code(1000) + "\xff")).toBe(-frame.CODE_BAD_DATA);
    expect(closeCodeOf(code(4999) + "a".repeat(123))).toBe(4999);
  });
});
