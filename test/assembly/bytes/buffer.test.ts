// The one buffer type: the bytes that it holds, the memory that it owns, and what both cost.
import { TestOptions, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  BODY,
  Buffer,
  FRAMES,
  SLACK,
  STREAM,
  bytesInUse,
  hasMemory,
  releaseBlock,
  setMemoryBytesMax,
  takeBlock,
  wasShort,
} from "../../../assembly/bytes/buffer";
import { growHeap, heapHas } from "../../../assembly/core/heap";
import { MEMORY_BYTES_MAX } from "../../../assembly/core/limits";
import { below, seed } from "../protocol/http/support/random";
import { bytes, pattern, text } from "../support/sim";

const buffer: Buffer = new Buffer();

/** An address of 0 would look like null to a matcher. */
function owned(): i32 {
  return i32(bytesInUse());
}

function append(data: string): bool {
  const source = bytes(data);
  return buffer.append(changetype<usize>(source), data.length);
}

function contents(): string {
  return text(buffer.source, buffer.size);
}

test("bytes come out as they went in", () => {
  expect(append("hello ")).toBe(true);
  expect(append("world")).toBe(true);
  expect(contents()).toBe("hello world");
  buffer.consume(6);
  expect(contents()).toBe("world");
  append("!");
  expect(contents()).toBe("world!");
});

test("an empty buffer owns no memory", () => {
  expect(owned()).toBe(0);
  append("x");
  expect(owned()).toBeGreaterThan(0);
  buffer.consume(1);
  expect(owned()).toBe(0);
  append(pattern(5000));
  buffer.clear();
  expect(buffer.size).toBe(0);
  expect(owned()).toBe(0);
  buffer.clear();
  expect(append("again")).toBe(true);
  expect(contents()).toBe("again");
});

test("it grows by doubling, and keeps what it holds", () => {
  const data = pattern(100000);
  let grown = 0;
  let before = 0;
  for (let at = 0; at < data.length; at += 100) {
    append(data.substr(at, 100));
    if (owned() != before) grown++;
    before = owned();
  }
  expect(contents()).toBe(data);
  expect(grown).toBe(8); // 1 KiB to 128 KiB
  expect(owned()).toBe(128 << 10);
});

test("reserve and commit: what was not committed does not count", () => {
  append("ab");
  let target = buffer.reserve(100);
  store<u8>(target, 0x63);
  store<u8>(target, 0x64, 1);
  buffer.commit(1);
  expect(contents()).toBe("abc");
  target = buffer.reserve(5000);
  expect(target).toBe(buffer.source + 3);
  memory.fill(target, 0x7a, 5000);
  buffer.commit(5000);
  expect(contents()).toBe("abc" + "z".repeat(5000));
});

test("all of the slack is readable", () => {
  append(pattern(1024));
  expect(buffer.source + buffer.size + SLACK).toBeLessThanOrEqual(usize(memory.size()) << 16);
});

/** How often the bytes were moved while `piece` bytes at a time went through a buffer that holds `level`. */
function moves(level: i32, piece: i32, times: i32): i32 {
  const data = "x".repeat(piece);
  append("x".repeat(level));
  let moved = 0;
  for (let i = 0; i < times; i++) {
    const expected = buffer.source + usize(piece);
    buffer.consume(piece);
    append(data);
    if (buffer.source != expected) moved++;
  }
  buffer.clear();
  return moved;
}

test("a slow consumer does not make bytes move again and again", () => {
  const pieces = 2000;
  const piece = 100;
  // A move must pay for about as many bytes as it moves.
  for (let level = 1000; level <= 65436; level += 1000) {
    assert(moves(level, piece, pieces) <= (2 * pieces * piece) / level + 2, "too many moves at " + level.toString());
  }
});

test("memory has an end for each class of blocks, and it does not trap", () => {
  setMemoryBytesMax(8 << 20);
  expect(takeBlock((6 << 20) + 1, BODY) == 0).toBe(true);
  const body = takeBlock(6 << 20, BODY);
  expect(body == 0).toBe(false);
  expect(wasShort()).toBe(false);
  expect(takeBlock((1 << 20) + 1) == 0).toBe(true);
  expect(wasShort()).toBe(true);
  expect(wasShort()).toBe(false);
  const stream = takeBlock(1 << 20);
  expect(hasMemory(STREAM)).toBe(true);
  expect(hasMemory(STREAM, 1)).toBe(false);
  expect(takeBlock((1 << 20) + 1, FRAMES) == 0).toBe(true);
  const frames = takeBlock(1 << 20, FRAMES);
  expect(frames == 0).toBe(false);
  releaseBlock(body, 6 << 20);
  releaseBlock(stream, 1 << 20);
  releaseBlock(frames, 1 << 20);
  expect(owned()).toBe(0);
});

test("what the allocator is asked for, it has", () => {
  seed(5);
  const blocks: Array<usize> = [];
  const sizes: Array<i32> = [];
  for (let i = 0; i < 3000; i++) {
    if (blocks.length && below(5) < 2) {
      const at = below(blocks.length);
      heap.free(blocks[at]);
      blocks[at] = blocks[blocks.length - 1];
      sizes[at] = sizes[sizes.length - 1];
      blocks.pop();
      sizes.pop();
      continue;
    }
    const size = 256 + below(1 << (8 + below(13)));
    if (!heapHas(size)) assert(growHeap(size) && heapHas(size), "no room for " + size.toString());
    const pages = memory.size();
    const block = heap.alloc(size);
    assert(memory.size() == pages, "the allocator has grown the memory for " + size.toString());
    memory.fill(block, 0xff, size);
    for (let j = 0; j < blocks.length; j++)
      assert(block + usize(size) <= blocks[j] || block >= blocks[j] + usize(sizes[j]), "blocks overlap");
    blocks.push(block);
    sizes.push(size);
  }
});

test("a block that is too large for any memory", () => {
  expect(takeBlock(MEMORY_BYTES_MAX + 1) == 0).toBe(true);
  const one = takeBlock(1024);
  expect(takeBlock(MEMORY_BYTES_MAX - 1023) == 0).toBe(true);
  expect(owned()).toBe(1024);
  expect(buffer.reserve(MEMORY_BYTES_MAX) == 0).toBe(true);
  expect(buffer.reserve(i32.MAX_VALUE) == 0).toBe(true);
  releaseBlock(one, 1024);
  expect(owned()).toBe(0);
});

test("a buffer that cannot grow keeps what it holds", () => {
  append("kept");
  const source = bytes("x");
  expect(buffer.append(changetype<usize>(source), MEMORY_BYTES_MAX)).toBe(false);
  expect(contents()).toBe("kept");
  expect(append(", and more")).toBe(true);
  expect(contents()).toBe("kept, and more");
});

test("random operations, against a string", TestOptions.timeout(20000), () => {
  seed(3);
  const data = pattern(4000);
  let expected = "";
  for (let i = 0; i < 20000; i++) {
    switch (below(3)) {
      case 0: {
        const piece = data.substr(below(1000), below(below(4) ? 60 : 3000));
        append(piece);
        expected += piece;
        break;
      }
      case 1: {
        const size = below(300);
        const target = buffer.reserve(size);
        const committed = min(size, below(300));
        memory.fill(target, u8(i), committed);
        buffer.commit(committed);
        expected += String.fromCharCode(i & 0xff).repeat(committed);
        break;
      }
      default: {
        const size = below(buffer.size + 1);
        buffer.consume(size);
        expected = expected.substr(size);
      }
    }
    assert(buffer.size == expected.length, "size");
    if (i % 16 == 0) assert(contents() == expected, "contents");
  }
  buffer.consume(buffer.size);
  expect(owned()).toBe(0);
});
