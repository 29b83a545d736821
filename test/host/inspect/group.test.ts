// Which of several processes hang, as the watchdog asks it.
import { expect, onTestFinished, test, vi } from "vitest";

import { START_TIMEOUT_MS } from "../../../host/core/limits.js";
import { InspectedGroup } from "../../../host/inspect/group.js";
import type { ProcessGroup } from "../../../host/workers/processgroup.js";

test("a process that serves is silent after the time asked for, one that starts after that of a start", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const startedMs = performance.now();
  const live = [
    { id: 0, pid: 100, startedMs },
    { id: 1, pid: 101, startedMs },
  ];
  const inspected = new InspectedGroup(2);
  inspected.watch({ live, stopping: false, restarts: 0 } as unknown as ProcessGroup);
  inspected.take(0, { serving: true });

  vi.advanceTimersByTime(3000);
  expect(inspected.silent(3000)).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(inspected.silent(3000)).toEqual([{ id: 0, ms: 3000 }]);
  inspected.take(0, { serving: true });

  vi.advanceTimersByTime(START_TIMEOUT_MS - 3001);
  inspected.take(0, { serving: true });
  expect(inspected.silent(3000)).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(inspected.silent(3000)).toEqual([{ id: 1, ms: START_TIMEOUT_MS }]);
  expect(inspected.silent(START_TIMEOUT_MS + 1)).toEqual([]);
});
