// What a component logs of failures that peers may bring about, over a clock that stands still until a test moves it.
import { expect, test, vi } from "vitest";

import { takeActions } from "../../edge/queue.js";
import { LINES_PER_SECOND, report } from "../../edge/report.js";

const clock = vi.hoisted(() => ({ ms: 5 }));
vi.mock("../../edge/clock.js", () => ({ monotonicMs: () => clock.ms }));

const lines = (): string[] => (takeActions().actions as { val: string }[]).map(({ val }) => val);

test("a hundred lines a second are logged, and the next one says how many there were more", () => {
  for (let i = 1; i <= LINES_PER_SECOND; i++) report(`line ${i}`);
  expect(lines()[LINES_PER_SECOND - 1]).toBe("line 100\n");
  report("one");
  clock.ms += 999;
  report("two");
  expect(lines()).toEqual([]);
  clock.ms++;
  report("three");
  report("four");
  expect(lines()).toEqual(["three; 2 more lines before it were not logged\n", "four\n"]);
});
