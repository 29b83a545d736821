// A small heap may grow; a large one is left to V8.
import { afterEach, expect, test, vi } from "vitest";

const v8 = vi.hoisted(() => ({ flags: [] as string[], used: 0 }));
vi.mock("node:v8", () => ({
  setFlagsFromString: (flag: string) => v8.flags.push(flag),
  getHeapStatistics: () => ({ used_heap_size: v8.used }),
}));

afterEach(() => vi.useRealTimers());

test("the heap of the command may grow while it is small, and is V8's business while it is large", async () => {
  const { raiseHeapGrowth } = await import("../../../../host/cli/run/heapgrowth.js");
  vi.useFakeTimers();
  const told = (used: number): string[] => {
    v8.used = used;
    vi.advanceTimersByTime(60_000);
    return v8.flags.splice(0);
  };
  v8.used = 8 << 20;
  raiseHeapGrowth();
  expect(told(9 << 20)).toEqual(["--heap-growing-percent=700"]);
  expect(told(64 << 20)).toEqual(["--heap-growing-percent=0"]);
  expect(told(500 << 20)).toEqual([]);
  expect(told(8 << 20)).toEqual(["--heap-growing-percent=700"]);
});
