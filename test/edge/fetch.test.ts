// The answer of another server that the handler does not read, over a clock that stands still until a test moves it.
import { expect, test, vi } from "vitest";

import { fetch, outgoing } from "../../edge/fetch.js";
import { takeActions } from "../../edge/queue.js";
import { runTimers } from "../../edge/timers.js";

const clock = vi.hoisted(() => ({ ms: 0 }));
vi.mock("../../edge/clock.js", () => ({ monotonicMs: () => clock.ms, isRunning: () => true }));

const tags = (): string[] => takeActions().actions.map(({ tag }) => tag);

test.each([
  [59_999, []],
  [60_000, ["abort-request"]],
])("it is given up when it has waited for a minute: %i ms", async (ms, actions) => {
  const asked = fetch("http://other.example/");
  await Promise.resolve();
  const [{ val }] = takeActions().actions as { val: { id: number } }[];
  outgoing.head(val.id, 200, "\ncontent-length:10");
  const answer = await asked;
  clock.ms += ms;
  runTimers();
  expect(tags()).toEqual(actions);
  outgoing.data(val.id, new Uint8Array(10), true);
  const read = answer.arrayBuffer();
  if (actions.length > 0) await expect(read).rejects.toThrow("the body was not read in time");
  else expect((await read).byteLength).toBe(10);
});
