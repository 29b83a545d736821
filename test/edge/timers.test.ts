// Timers of a component, over a clock that stands still until a test moves it.
import { expect, test, vi } from "vitest";

import { runTimers, timerGlobals, untilTimer } from "../../edge/timers.js";

const clock = vi.hoisted(() => ({ ms: 0 }));
vi.mock("../../edge/clock.js", () => ({ monotonicMs: () => clock.ms }));

const { setTimeout, clearTimeout } = timerGlobals;

test("those that are left run in their order when most were cleared", () => {
  const order: number[] = [];
  const timers = Array.from({ length: 100 }, (_, i) => setTimeout(() => order.push(i), 1 + ((i * 37) % 50)));
  for (const [i, timer] of timers.entries()) if (i % 7 !== 0) clearTimeout(timer);
  expect(untilTimer()).toBe(1);
  clock.ms = 1000;
  runTimers();
  const left = Array.from({ length: 15 }, (_, i) => i * 7);
  expect(order).toEqual(left.sort((a, b) => ((a * 37) % 50) - ((b * 37) % 50) || a - b));
  expect(untilTimer()).toBe(null);
});

test("one may be cleared by the callback of another, and by its own", () => {
  const seen: string[] = [];
  const own = timerGlobals.setInterval(() => {
    seen.push("own");
    timerGlobals.clearInterval(own);
  }, 1);
  setTimeout(() => clearTimeout(other), 1);
  const other = setTimeout(() => seen.push("other"), 2);
  clock.ms += 10;
  runTimers();
  expect(seen).toEqual(["own"]);
  expect(untilTimer()).toBe(null);
});
