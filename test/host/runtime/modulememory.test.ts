// A limit for a module's memory: what it may grow by, and modules of which nothing can be said.
import { describe, expect, test } from "vitest";

import { memoryBytesWith, withGrowthLimit } from "../../../host/runtime/modulememory.js";

const PAGE = 64 << 10;
const HEADER = [0, ...Buffer.from("asm"), 1, 0, 0, 0];
const CUSTOM = [0, 3, 1, 0x78, 0xff]; // a section of another kind
const EXPORT = [7, 10, 1, 6, ...Buffer.from("memory"), 2, 0];

/** A module that exports a memory with these limits. */
function moduleOf(...limits: number[]): Uint8Array {
  return Uint8Array.from([...HEADER, ...CUSTOM, 5, 1 + limits.length, 1, ...limits, ...EXPORT]);
}

/** How many pages its memory can have in all. */
async function pagesOf(module: Uint8Array): Promise<number> {
  const { exports } = new WebAssembly.Instance(await WebAssembly.compile(Uint8Array.from(module)));
  const memory = exports.memory as WebAssembly.Memory;
  try {
    for (let pages = 0; pages < 1000; pages++) memory.grow(1);
  } catch {} // that was one too many
  return memory.buffer.byteLength / PAGE;
}

describe("a module's memory", () => {
  test.each([
    [3 * PAGE, 5],
    [3 * PAGE - 1, 4],
    [0, 2],
    [300 * PAGE, 302],
  ])("grows by %d bytes at most", async (bytes, pages) => {
    expect(await pagesOf(withGrowthLimit(moduleOf(0, 2), bytes))).toBe(pages);
    expect(memoryBytesWith(moduleOf(0, 2), bytes)).toBe(2 * PAGE + bytes);
  });

  test("of many pages keeps its size", async () => {
    expect(await pagesOf(withGrowthLimit(moduleOf(0, 0x80 + 44, 1), 3 * PAGE))).toBe(175);
  });

  test("has a limit of its own that is not raised", async () => {
    expect(await pagesOf(withGrowthLimit(moduleOf(1, 2, 4), 10 * PAGE))).toBe(4);
    expect(await pagesOf(withGrowthLimit(moduleOf(1, 2, 4), PAGE))).toBe(3);
  });

  test("grows as any may when the limit is beyond what there is", async () => {
    expect(await pagesOf(withGrowthLimit(moduleOf(0, 2), 2 ** 63))).toBe(1002);
    expect(memoryBytesWith(moduleOf(0, 2), 2 ** 63)).toBe(2 ** 32);
  });

  test("has no limit when there is none to set", () => {
    const module = moduleOf(0, 2);
    expect(withGrowthLimit(module, Number.POSITIVE_INFINITY)).toBe(module);
  });
});

test.each([
  ["without a memory", HEADER],
  ["with two", [...HEADER, 5, 5, 2, 0, 1, 0, 1]],
  ["with a shared one", [...HEADER, 5, 4, 1, 3, 1, 2]],
  ["that is none", Buffer.from("this is no module")],
  ["that is cut", HEADER.slice(0, 3)],
])("a module %s is left as it is", (_what, bytes) => {
  const module = Uint8Array.from(bytes);
  expect(withGrowthLimit(module, PAGE)).toBe(module);
  expect(memoryBytesWith(module, PAGE)).toBe(null);
});
