// Workers that end, in every way and at every time, over a runtime that only pretends.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { defaultLogger } from "../../host/log.js";
import type { Runtime, Worker, WorkerEvents } from "../../host/runtime/index.js";
import { type Session, type SessionEvents, Supervisor } from "../../host/supervisor.js";

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
/** What a worker does when it is started. */
let onStart: (worker: Started) => void;

function supervise(count: number): Supervisor {
  let last: { events: SessionEvents; ended: boolean };
  const runtime: Runtime = {
    name: "node",
    bind: () => Promise.reject(new Error("not here")),
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
        end: () => {
          state.ended = true;
        },
        stop: (graceMs) => {
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

describe("a worker that ends", () => {
  test("is replaced after a pause, its session ended, the others left alone", async () => {
    await supervise(2).start();
    workers[0].end(new Error("it was killed by SIGKILL"));
    expect(workers[0].session.ended).toBe(true);
    expect(warnings[0]).toMatch(/worker 0 has ended: it was killed by SIGKILL/);
    expect(alive()).toEqual([workers[1]]);
    await vi.advanceTimersByTimeAsync(60);
    expect(alive()).toEqual([workers[1], workers[2]]);
  });

  test("in order but unasked is replaced, too", async () => {
    await supervise(1).start();
    workers[0].end(null);
    await vi.advanceTimersByTimeAsync(60);
    expect(alive().length).toBe(1);
  });

  test("is told with what its session says", async () => {
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
    expect(workers.length).toBe(101);
    expect(seconds).toBeGreaterThan(100);
    expect(givenUp?.message).toMatch(/gave up after 100 restarts.*again/);
    expect(alive()).toEqual([]);
  });
});

describe("stopping", () => {
  test("asks every worker and waits for it", async () => {
    const supervisor = supervise(2);
    await supervisor.start();
    let stopped = false;
    const stop = supervisor.stop(500).then(() => {
      stopped = true;
    });
    expect(supervisor.stop(1)).toBe(supervisor.stop(2));
    expect(workers.map(({ stopGraceMs }) => stopGraceMs)).toEqual([500, 500]);
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
    const stop = supervisor.stop(500);
    await vi.advanceTimersByTimeAsync(1400);
    expect(alive().length).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    await stop;
    expect(alive()).toEqual([]);
  });

  test("while a worker is to be started again", async () => {
    const supervisor = supervise(1);
    await supervisor.start();
    workers[0].end(new Error("ended"));
    await supervisor.stop(500);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers.length).toBe(1);
  });

  test("before it has begun to serve", async () => {
    onStart = () => {};
    const supervisor = supervise(1);
    const started = supervisor.start();
    started.catch(() => {});
    await vi.advanceTimersByTimeAsync(1);
    const stop = supervisor.stop(500);
    workers[0].end(null);
    await stop;
    await expect(started).rejects.toThrow();
  });
});
