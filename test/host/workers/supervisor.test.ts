// Workers that end, in every way and at every time, over a runtime that only pretends.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { defaultLogger } from "../../../host/core/log.js";
import { toStop } from "../../../host/core/patience.js";
import type { Runtime, Worker, WorkerEvents } from "../../../host/runtime/index.js";
import { type Session, type SessionEvents, Supervisor } from "../../../host/workers/supervisor.js";

class Started implements Worker {
  alive = true;
  stopGraceMs: number | null = null;
  ended = false;
  constructor(
    readonly events: WorkerEvents,
    readonly session: { events: SessionEvents; ended: boolean },
  ) {}
  end(error: Error | null): void {
    if (!this.alive) return;
    this.alive = false;
    this.events.ended(error);
  }
  kill(): void {
    queueMicrotask(() => this.end(new Error("killed")));
  }
  schedule(): void {}
  send(): void {}
  finish(): void {}
  peer(): null {
    return null;
  }
}

let workers: Started[];
let warnings: string[];
let givenUp: Error | null;
/** Lines that workers may log. */
let linesLeft: number;
/** What each worker takes along when it ends. */
let lost: string;
/** What a worker does when it is started. */
let onStart: (worker: Started) => void;

function supervise(count: number): Supervisor {
  let last: { events: SessionEvents; ended: boolean };
  const runtime: Runtime = {
    name: "node",
    bind: () => Promise.reject(new Error("not here")),
    bindNow: () => expect.fail("not here"),
    adopt: () => expect.fail("not here"),
    guard: () => Promise.reject(new Error("not here")),
    prepare: () => Promise.resolve(),
    start(_module, _sockets, events) {
      const worker = new Started(events, last);
      workers.push(worker);
      queueMicrotask(() => onStart(worker));
      return worker;
    },
  };
  return new Supervisor({
    runtime,
    module: "core.wasm",
    sockets: [],
    count,
    logger: {
      ...defaultLogger,
      error: (text) => warnings.push(String(text)),
      warn: (text) => warnings.push(String(text)),
    },
    session: (events): Session => {
      const state = { events, ended: false };
      last = state;
      let mine: Started;
      return {
        attach: (worker) => {
          mine = worker as Started;
        },
        gather: () => {},
        receive: () => {},
        takeLine: () => linesLeft-- > 0,
        end: () => {
          state.ended = true;
          return lost;
        },
        stop: ({ graceMs }) => {
          mine.stopGraceMs = graceMs;
        },
      };
    },
    failed: (error) => {
      givenUp = error;
    },
  });
}

const alive = (): Started[] => workers.filter((worker) => worker.alive);

beforeEach(() => {
  vi.useFakeTimers();
  workers = [];
  warnings = [];
  givenUp = null;
  lost = "";
  linesLeft = 1000;
  onStart = (worker) => worker.session.events.ready();
});
afterEach(() => vi.useRealTimers());

describe("starting", () => {
  test("waits for all workers", async () => {
    await supervise(3).start();
    expect(alive().length).toBe(3);
  });

  test("fails with the worker that fails, and leaves none behind", async () => {
    onStart = (worker) =>
      workers.length === 2 ? worker.end(new Error("no such thing")) : worker.session.events.ready();
    await expect(supervise(2).start()).rejects.toThrow("no such thing");
    expect(alive()).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers.length).toBe(2);
  });

  test("does not wait for ever", async () => {
    onStart = () => {};
    const started = supervise(1).start();
    started.catch(() => {});
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(started).rejects.toThrow(/did not begin to serve/);
    expect(alive()).toEqual([]);
  });
});

test("a worker that ends while it finishes what it has begun is a line with what was lost, too", async () => {
  const supervisor = supervise(2);
  await supervisor.start();
  const stopped = supervisor.stop(toStop(1000));
  lost = "2 requests";
  workers[0].end(new Error("it was killed by SIGKILL"));
  lost = "";
  workers[1].end(null);
  await stopped;
  expect(warnings).toEqual(["worker 0 has ended: it was killed by SIGKILL; lost with it: 2 requests"]);
});

describe("a worker that ends", () => {
  test("is replaced at once, its session ended, the others left alone", async () => {
    await supervise(2).start();
    workers[0].end(new Error("it was killed by SIGKILL"));
    expect(workers[0].session.ended).toBe(true);
    expect(warnings[0]).toMatch(/worker 0 has ended: it was killed by SIGKILL/);
    expect(alive()).toEqual([workers[1]]);
    await vi.advanceTimersByTimeAsync(0);
    expect(alive()).toEqual([workers[1], workers[2]]);
  });

  test("is one log line, with what was lost", async () => {
    await supervise(1).start();
    lost = "3 requests, 1 websocket";
    workers[0].end(new Error("it was killed by SIGKILL"));
    await vi.advanceTimersByTimeAsync(0);
    lost = "";
    workers[1].end(new Error("again"));
    expect(warnings).toEqual([
      "the worker has ended: it was killed by SIGKILL; lost with it: 3 requests, 1 websocket; it is started again",
      "the worker has ended: again; it is started again in 50 ms",
    ]);
  });

  test("in order but unasked is replaced, too", async () => {
    await supervise(1).start();
    workers[0].end(null);
    await vi.advanceTimersByTimeAsync(0);
    expect(alive().length).toBe(1);
  });

  test("is reported with what its session says", async () => {
    await supervise(1).start();
    workers[0].session.events.failed(new Error("malformed frame"));
    workers[0].end(new Error("it was killed"));
    expect(warnings[0]).toMatch(/malformed frame/);
  });

  test("again and again is replaced less and less often, and given up at last", async () => {
    await supervise(1).start();
    let seconds = 0;
    for (; givenUp === null && seconds < 1000; seconds++) {
      for (const worker of alive()) worker.end(new Error("again"));
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(seconds).toBeGreaterThan(100);
    expect(workers.length).toBe(101 + Math.floor(seconds / 60));
    expect(givenUp?.message).toMatch(/gave up after 10\d restarts.*again/);
    expect(alive()).toEqual([]);
  });

  test("every hour for ten days, is replaced at once each time", async () => {
    const supervisor = supervise(1);
    await supervisor.start();
    for (let hour = 0; hour < 240; hour++) {
      await vi.advanceTimersByTimeAsync(3_600_000);
      alive()[0].end(new Error("now and then"));
      await vi.advanceTimersByTimeAsync(0);
      expect(alive().length).toBe(1);
    }
    expect(givenUp).toBe(null);
    expect(supervisor.restarts).toBe(240);
  });

  test("a hundred times in a minute, and again when an hour has passed, is replaced; not a hundred and first time", async () => {
    await supervise(10).start();
    const end = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        while (alive().length === 0) await vi.advanceTimersByTimeAsync(100);
        alive()[0].end(new Error("in a row"));
        await vi.advanceTimersByTimeAsync(0);
      }
    };
    await end(100);
    await vi.advanceTimersByTimeAsync(100 * 60_000);
    await end(100);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(alive().length).toBe(10);
    await end(1);
    expect(givenUp?.message).toMatch(/gave up after 200 restarts/);
  });

  test("beside others waits alone: their next end is as rare as before", async () => {
    await supervise(2).start();
    await vi.advanceTimersByTimeAsync(0);
    for (let i = 0; i < 5; i++) {
      workers.findLast(({ alive }) => alive)?.end(new Error("in a row"));
      await vi.advanceTimersByTimeAsync(2000);
    }
    workers[0].end(new Error("rare"));
    await vi.advanceTimersByTimeAsync(0);
    expect(alive().length).toBe(2);
    expect(warnings.at(-1)).toMatch(/rare; it is started again$/);
  });
});

test("a worker's lines are logged as long as its session takes them", async () => {
  await supervise(1).start();
  linesLeft = 2;
  for (const line of ["one", "two", "three"]) workers[0].events.log(line);
  expect(warnings).toEqual(["the worker: one", "the worker: two"]);
});

describe("stopping", () => {
  test("asks every worker and waits for it", async () => {
    const supervisor = supervise(2);
    await supervisor.start();
    let stopped = false;
    const stop = supervisor.stop(toStop(500)).then(() => {
      stopped = true;
    });
    expect(workers.map(({ stopGraceMs }) => stopGraceMs)).toEqual([500, 500]);
    expect(supervisor.stop(toStop(1))).toBe(supervisor.stop(toStop(2)));
    expect(workers.map(({ stopGraceMs }) => stopGraceMs)).toEqual([2, 2]);
    workers[0].end(null);
    await vi.advanceTimersByTimeAsync(10);
    expect(stopped).toBe(false);
    workers[1].end(null);
    await stop;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers.length).toBe(2);
  });

  test("kills who does not end", async () => {
    const supervisor = supervise(1);
    await supervisor.start();
    const stop = supervisor.stop(toStop(500));
    await vi.advanceTimersByTimeAsync(1400);
    expect(alive().length).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    await stop;
    expect(alive()).toEqual([]);
  });

  test("kills sooner when a second call has less patience", async () => {
    const supervisor = supervise(1);
    await supervisor.start();
    const stop = supervisor.stop(toStop(60_000));
    await vi.advanceTimersByTimeAsync(1000);
    supervisor.stop(toStop(0));
    await vi.advanceTimersByTimeAsync(999);
    expect(alive().length).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await stop;
    expect(alive()).toEqual([]);
  });

  test("while a worker is to be started again", async () => {
    const supervisor = supervise(1);
    await supervisor.start();
    workers[0].end(new Error("ended"));
    await supervisor.stop(toStop(500));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers.length).toBe(1);
  });

  test("before it has begun to serve", async () => {
    onStart = () => {};
    const supervisor = supervise(1);
    const started = supervisor.start();
    started.catch(() => {});
    await vi.advanceTimersByTimeAsync(1);
    const stop = supervisor.stop(toStop(500));
    workers[0].end(null);
    await stop;
    await expect(started).rejects.toThrow();
  });
});
