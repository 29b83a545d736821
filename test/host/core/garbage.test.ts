// Garbage that lies outside of V8's heap.
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { expect, test, vi } from "vitest";

import { tookBlock } from "../../../host/core/garbage.js";
import { YOUNG_BLOCKS_BYTES_MAX } from "../../../host/core/limits.js";

const BLOCK_BYTES = 64 << 10;
const ROUNDS = 8;
const MINOR = constants.NODE_PERFORMANCE_GC_MINOR;

test("blocks that were taken and dropped are freed before V8 would collect all of its heap for them", async () => {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if ((entry as PerformanceEntry & { detail: { kind: number } }).detail.kind === MINOR) collections++;
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  for (let bytes = 0; bytes < ROUNDS * YOUNG_BLOCKS_BYTES_MAX; bytes += BLOCK_BYTES) {
    tookBlock(Buffer.allocUnsafeSlow(BLOCK_BYTES).length);
  }
  expect(process.memoryUsage().arrayBuffers).toBeLessThan((ROUNDS / 2) * YOUNG_BLOCKS_BYTES_MAX);
  // Their entries come later, and not all of them. By itself V8 would have collected half as often.
  await vi.waitUntil(() => collections >= ROUNDS - 2, { timeout: 20_000 });
  observer.disconnect();
});

test("blocks that are kept stay as they are", () => {
  const kept: Buffer[] = [];
  for (let index = 0; index < (2 * YOUNG_BLOCKS_BYTES_MAX) / BLOCK_BYTES; index++) {
    const block = Buffer.alloc(BLOCK_BYTES, index & 255);
    tookBlock(block.length);
    kept.push(block);
  }
  expect(kept.every((block, index) => block[0] === (index & 255) && block.at(-1) === (index & 255))).toBe(true);
});
