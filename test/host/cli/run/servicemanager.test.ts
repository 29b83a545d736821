// What the messages to systemd cost when they cannot be sent, and how often they are asked for. What systemd hears is in
// test/e2e/systemd.test.ts.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ServiceManager } from "../../../../host/cli/run/servicemanager.js";

beforeEach(() => {
  vi.stubEnv("NOTIFY_SOCKET", "/nowhere");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a process that cannot even be spawned costs a line, not the server", async () => {
  const said: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
  const manager = new ServiceManager();
  manager.ready("\0"); // spawn throws, as it does when the system has no memory for a process
  await vi.waitFor(() => expect(write).toHaveBeenCalled());
  expect(said).toEqual([expect.stringMatching(/^waterspout: warning: systemd hears nothing: .*null bytes/)]);
});

test("a watchdog of two months is no timer that runs out at once", () => {
  vi.stubEnv("WATCHDOG_USEC", String(60 * 86_400 * 1e6));
  vi.useFakeTimers();
  const answers = vi.fn(async () => false);
  new ServiceManager().watch(answers);
  vi.advanceTimersByTime(60_000);
  expect(answers).not.toHaveBeenCalled();
});
