// Restarts by the clock: how many may follow each other, when they come back, and the pauses between them.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { TokenBucket } from "../../../host/core/tokenbucket.js";
import { RestartPauses, restartLimiter, startedAgain } from "../../../host/workers/restartpolicy.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function taken(limiter: TokenBucket): number {
  let count = 0;
  while (limiter.take()) count++;
  return count;
}

test("the number of restarts is used up, and comes back one a minute, to what it was and no further", () => {
  const limiter = restartLimiter(5);
  expect(taken(limiter)).toBe(5);
  vi.advanceTimersByTime(59_999);
  expect(taken(limiter)).toBe(0);
  vi.advanceTimersByTime(1);
  expect(taken(limiter)).toBe(1);
  for (let half = 0; half < 6; half++) {
    vi.advanceTimersByTime(30_000);
    expect(taken(limiter)).toBe(half % 2);
  }
  vi.advanceTimersByTime(24 * 3_600_000);
  expect(taken(limiter)).toBe(5);
});

test("no restarts stay none", () => {
  const limiter = restartLimiter(0);
  vi.advanceTimersByTime(24 * 3_600_000);
  expect(taken(limiter)).toBe(0);
});

test("the first end costs no pause, those in a row more and more, and one that has served for a while none again", () => {
  const pauses = new RestartPauses();
  const livedFor = (ms: number): number => {
    pauses.started();
    vi.advanceTimersByTime(ms);
    return pauses.ended();
  };
  expect(Array.from({ length: 9 }, () => livedFor(500))).toEqual([0, 50, 100, 200, 400, 800, 1600, 2000, 2000]);
  expect(livedFor(501)).toBe(0);
  expect(livedFor(0)).toBe(50);
});

test("a line says when", () => {
  expect([0, 400].map(startedAgain)).toEqual(["it is started again", "it is started again in 400 ms"]);
});
