// The errors that a server keeps for its live page: how many, how long, and that its logger gets them as before.
import { expect, test, vi } from "vitest";
import { RECENT_ERROR_CHARS_MAX, RECENT_ERRORS_MAX } from "../../../host/core/limits.js";
import { newest, RecentErrors } from "../../../host/core/recenterrors.js";

function watched() {
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const errors = new RecentErrors();
  return { errors, inner: logger, logger: errors.watch({ logger }).logger };
}

test("the logger gets what it got before; only errors are kept, with their cause, on one line", () => {
  const { errors, inner, logger } = watched();
  const err = new TypeError("x is\nnot y");
  logger.error({ err }, "a handler failed");
  logger.warn("careful");
  logger.error("alone");
  expect(inner.error.mock.calls).toEqual([[{ err }, "a handler failed"], ["alone"]]);
  expect(inner.warn.mock.calls).toEqual([["careful"]]);
  const texts = errors.list.map(({ text }) => text);
  expect(texts).toEqual(["alone", expect.stringMatching(/^a handler failed: TypeError: x is not y \(at .*\)$/)]);
});

test("the last ten are kept, and of each 500 characters", () => {
  const { errors, logger } = watched();
  for (let i = 0; i <= RECENT_ERRORS_MAX; i++) logger.error(`error ${i}`);
  expect(errors.list.map(({ text }) => text)).not.toContain("error 0");
  expect(errors.list.length).toBe(RECENT_ERRORS_MAX);
  for (const more of [0, 1]) logger.error("x".repeat(RECENT_ERROR_CHARS_MAX + more));
  for (const { text } of errors.list.slice(0, 2)) expect(text.length).toBe(RECENT_ERROR_CHARS_MAX);
});

test("those of several processes are sorted by time", () => {
  const one = [
    { time: 3, text: "c" },
    { time: 1, text: "a" },
  ];
  expect(newest([...one, { time: 2, text: "b" }]).map(({ text }) => text)).toEqual(["c", "b", "a"]);
});
