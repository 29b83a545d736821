// Promises that are settled from outside, not waited for, or waited for only so long.
import { expect, test } from "vitest";

import { deferred, ignore, within } from "../../../host/core/promises.js";

test("a deferred one is settled by its functions", async () => {
  const good = deferred<number>();
  good.resolve(7);
  await expect(good.promise).resolves.toBe(7);
  const bad = deferred();
  bad.reject(new Error("no"));
  await expect(bad.promise).rejects.toThrow("no");
});

test("an ignored one is the same promise, and its rejection is not an unhandled one", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): number => unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    const promise = Promise.reject(new Error("of no interest"));
    expect(ignore(promise)).toBe(promise);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
    await expect(promise).rejects.toThrow("of no interest");
  } finally {
    process.removeListener("unhandledRejection", note);
  }
});

test("within its time it is what it resolves with, then null", async () => {
  await expect(within(Promise.resolve("soon"), 60_000)).resolves.toBe("soon");
  await expect(within(new Promise(() => {}), 1)).resolves.toBeNull();
  await expect(within(Promise.reject(new Error("no")), 60_000)).rejects.toThrow("no");
});
