// Worker processes that end while they finish what they have begun, over processes that only pretend.
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";

import { ProcessGroup } from "../../../host/workers/processgroup.js";

const children: Child[] = [];

class Child extends EventEmitter {
  readonly connected = true;
  readonly pid = 1;
  readonly send = vi.fn();
  readonly kill = vi.fn();
}

vi.mock("node:child_process", async (original) => ({
  ...(await original<typeof import("node:child_process")>()),
  spawn: (): ChildProcess => {
    const child = new Child();
    children.push(child);
    return child as unknown as ChildProcess;
  },
}));

test("one that is killed while it finishes its requests is a line, and not started again", async () => {
  const lines: string[] = [];
  const warn = (text: string) => lines.push(text);
  const group = new ProcessGroup({
    count: 2,
    first: 2,
    restartsMax: 9,
    warn,
    message() {},
    restarts: () => true,
    sockets: [],
  });
  group.retire();
  children[0].emit("exit", null, "SIGKILL");
  children[1].emit("exit", 0, null);
  expect(await group.ended).toBe(137);
  expect(children.map(({ send }) => send.mock.calls[0]?.[0])).toEqual([{ retire: true }, { retire: true }]);
  expect(children).toHaveLength(2);
  expect(lines).toEqual(["worker process 0 has ended by SIGKILL before it had finished its requests"]);
});

test("one that ends by the signal of the stop says nothing", async () => {
  children.length = 0;
  const warn = vi.fn();
  const group = new ProcessGroup({
    count: 1,
    first: 1,
    restartsMax: 9,
    warn,
    message() {},
    restarts: () => true,
    sockets: [],
  });
  group.signal("SIGTERM");
  children[0].emit("exit", null, "SIGTERM");
  expect(await group.ended).toBe(0);
  expect(warn).not.toHaveBeenCalled();
});
