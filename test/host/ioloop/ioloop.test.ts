// The host's loop: handlers of Node's streams, timeouts, runSync, close, and PeriodicCallback under a clock of its own.
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defaultLogger } from "../../../host/core/log.js";
import { IOLoop, PeriodicCallback } from "../../../host/index.js";

const failures: string[] = [];
let loop: IOLoop;

beforeEach(() => {
  loop = IOLoop.current();
  failures.length = 0;
  loop.logger = { ...defaultLogger, error: (fields) => failures.push(String((fields as { err: unknown }).err)) };
});
afterEach(() => {
  vi.useRealTimers();
  loop.close();
});

const iteration = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("handlers", () => {
  function watched(events: number): { pipe: PassThrough; seen: string[] } {
    const pipe = new PassThrough({ highWaterMark: 4 });
    const seen: string[] = [];
    loop.addHandler(
      pipe,
      (target, ready) => {
        const names = [
          ready & IOLoop.READ ? "r" : "",
          ready & IOLoop.WRITE ? "w" : "",
          ready & IOLoop.ERROR ? "e" : "",
        ];
        seen.push(`${names.join("")}${ready & IOLoop.READ ? (target.read() ?? "") : ""}`);
      },
      events,
    );
    return { pipe, seen };
  }

  test("READ tells of bytes and of the end", async () => {
    const { pipe, seen } = watched(IOLoop.READ);
    pipe.write("a");
    await iteration();
    expect(seen).toEqual(["ra"]);
    pipe.end();
    await once(pipe, "end");
    await iteration();
    expect(seen.at(-1)).toMatch(/^r/);
  });

  test("WRITE tells of room, at once and after it was full", async () => {
    const { pipe, seen } = watched(IOLoop.WRITE);
    await iteration();
    expect(seen).toEqual(["w"]);
    expect(pipe.write("more than four")).toBe(false);
    await iteration();
    expect(seen).toEqual(["w"]);
    pipe.resume();
    await once(pipe, "drain");
    await iteration();
    expect(seen).toEqual(["w", "w"]);
  });

  test("ERROR is reported without being asked for", async () => {
    const { pipe, seen } = watched(IOLoop.NONE);
    pipe.destroy(new Error("broken"));
    await iteration();
    expect(seen).toEqual(["e"]);
  });

  test("update, remove, twice, unknown", async () => {
    const { pipe, seen } = watched(IOLoop.NONE);
    pipe.write("a");
    await iteration();
    expect(seen).toEqual([]);
    loop.updateHandler(pipe, IOLoop.READ);
    await iteration();
    expect(seen).toEqual(["ra"]);
    expect(() => loop.addHandler(pipe, () => {}, IOLoop.READ)).toThrow(/twice/);
    loop.removeHandler(pipe);
    loop.removeHandler(pipe);
    pipe.write("b");
    await iteration();
    expect(seen).toEqual(["ra"]);
    expect(() => loop.updateHandler(pipe, IOLoop.READ)).toThrow(expect.objectContaining({ code: "IOLOOP" }));
    expect(() => loop.addHandler(0 as never, () => {}, IOLoop.READ)).toThrow(/descriptor/);
  });

  test("what a handler throws is logged", async () => {
    const pipe = new PassThrough();
    loop.addHandler(
      pipe,
      () => {
        throw new Error("broken handler");
      },
      IOLoop.WRITE,
    );
    await iteration();
    expect(failures).toEqual(["Error: broken handler"]);
  });
});

describe("callbacks", () => {
  test("the loop is one, and its clock goes forward", () => {
    expect(IOLoop.current()).toBe(loop);
    const before = loop.time();
    expect(loop.time()).toBeGreaterThanOrEqual(before);
  });

  test("are called with their values, now and later", async () => {
    const called: string[] = [];
    const removed = loop.callLater(5, () => called.push("never"));
    loop.removeTimeout(removed);
    loop.removeTimeout(removed);
    loop.callLater(-5, () => called.push("soon"));
    loop.addCallback((text: string) => called.push(text), "next");
    await new Promise<void>((resolve) => loop.callLater(20, resolve));
    expect(called.sort()).toEqual(["next", "soon"]);
    expect(() => loop.callLater(Number.NaN, () => {})).toThrow(TypeError);
  });

  test("are added by each of Tornado's names, and for what is settled", async () => {
    const called: unknown[] = [];
    loop.spawnCallback((text: string) => called.push(text), "spawned");
    loop.addCallbackFromSignal((text: string) => called.push(text), "signal");
    const futures = [Promise.resolve(1), Promise.reject(new Error("rejected"))];
    await Promise.all(
      futures.map(
        (future) =>
          new Promise<void>((resolve) => {
            loop.addFuture(future, (settled) => resolve(void called.push(settled)));
          }),
      ),
    );
    expect(called).toEqual(["spawned", "signal", ...futures]);
  });

  test("that fail are logged, and the loop goes on", async () => {
    loop.addCallback(() => {
      throw new Error("thrown");
    });
    loop.addCallback(() => Promise.reject(new Error("rejected")));
    await vi.waitUntil(() => failures.length === 2);
    expect(failures).toEqual(["Error: thrown", "Error: rejected"]);
  });
});

describe("timeouts", () => {
  test("callAt and addTimeout, in order, removable", () => {
    vi.useFakeTimers();
    const order: string[] = [];
    const now = loop.time();
    loop.callAt(now + 20, () => order.push("third"));
    loop.callAt(now - 5, () => order.push("first"));
    loop.addTimeout(new Date(Date.now() + 10), () => order.push("second"));
    loop.removeTimeout(loop.addTimeout(now + 5, () => order.push("never")));
    vi.advanceTimersByTime(40);
    expect(order).toEqual(["first", "second", "third"]);
    expect(() => loop.callAt(Number.NaN, () => {})).toThrow(TypeError);
  });

  test("longer than Node's timers know", () => {
    vi.useFakeTimers();
    const called = vi.fn();
    const month = 31 * 24 * 3600 * 1000;
    loop.callLater(month, called);
    vi.advanceTimersByTime(month - 1);
    expect(called).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(called).toHaveBeenCalledTimes(1);
  });
});

describe("running", () => {
  test("start lasts until stop; a stop before it counts", async () => {
    let running = true;
    const done = loop.start().then(() => {
      running = false;
    });
    expect(() => loop.start()).toThrow(/running/);
    await new Promise<void>((resolve) => loop.addCallback(resolve));
    expect(running).toBe(true);
    loop.stop();
    await done;
    loop.stop();
    await loop.start();
  });

  test("runSync gives what the function gives", async () => {
    expect(await loop.runSync(() => 1)).toBe(1);
    expect(await loop.runSync(async () => "two", 1000)).toBe("two");
    await expect(loop.runSync(() => Promise.reject(new Error("three")))).rejects.toThrow("three");
    await expect(
      loop.runSync(() => {
        throw new Error("four");
      }),
    ).rejects.toThrow("four");
  });

  test("runSync has a limit, can be stopped, and is not for two", async () => {
    const never = (): Promise<void> => new Promise(() => {});
    await expect(loop.runSync(never, 10)).rejects.toMatchObject({ name: "TimeoutError", code: "TIMEOUT" });
    const running = loop.runSync(never);
    await expect(loop.runSync(never)).rejects.toThrow(/running already/);
    loop.addCallback(() => loop.stop());
    await expect(running).rejects.toThrow(/stopped/);
    expect(await loop.runSync(() => "goes on")).toBe("goes on");
  });

  test("close forgets everything, and current() is a new loop", async () => {
    vi.useFakeTimers();
    const called = vi.fn();
    const pipe = new PassThrough();
    loop.callLater(1, called);
    loop.addCallback(called);
    loop.addHandler(pipe, called, IOLoop.WRITE);
    const started = loop.start();
    expect(() => loop.close()).toThrow(/stop/);
    loop.stop();
    await started;
    loop.close(true);
    loop.addCallback(called);
    loop.callLater(1, called);
    await vi.advanceTimersByTimeAsync(10);
    expect(called).not.toHaveBeenCalled();
    expect(pipe.destroyed).toBe(true);
    expect(() => loop.start()).toThrow(/closed/);
    expect(IOLoop.instance()).not.toBe(loop);
    expect(IOLoop.instance()).toBe(IOLoop.current());
  });
});

describe("PeriodicCallback", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  /** Times of the calls, counted from the start. */
  async function calls(
    periodMs: number,
    forMs: number,
    work: (call: number) => unknown,
    jitter = 0,
  ): Promise<number[]> {
    const times: number[] = [];
    const start = loop.time();
    const periodic = new PeriodicCallback(
      () => {
        times.push(Math.round(loop.time() - start));
        return work(times.length);
      },
      periodMs,
      jitter,
    );
    expect(periodic).toMatchObject({ callbackTimeMs: periodMs, jitter });
    expect(periodic.isRunning()).toBe(false);
    periodic.start();
    periodic.start();
    expect(periodic.isRunning()).toBe(true);
    await vi.advanceTimersByTimeAsync(forMs);
    periodic.stop();
    periodic.stop();
    await vi.advanceTimersByTimeAsync(10 * periodMs);
    return times;
  }

  test("comes every period, for the first time after one, until it is stopped", async () => {
    expect(await calls(10, 45, () => {})).toEqual([10, 20, 30, 40]);
  });

  test("does not drift by what a call takes", async () => {
    const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3));
    expect(await calls(10, 55, wait)).toEqual([10, 20, 30, 40, 50]);
  });

  test("leaves out what has passed meanwhile, and never runs twice at once", async () => {
    const wait = (call: number): unknown => (call === 1 ? new Promise((resolve) => setTimeout(resolve, 25)) : null);
    expect(await calls(10, 65, wait)).toEqual([10, 40, 50, 60]);
  });

  test("goes on when a call throws or rejects, and logs that", async () => {
    const work = (call: number): unknown => {
      if (call === 1) throw new Error("thrown");
      return call === 2 ? Promise.reject(new Error("rejected")) : undefined;
    };
    expect(await calls(10, 35, work)).toEqual([10, 20, 30]);
    expect(failures).toEqual(["Error: thrown", "Error: rejected"]);
  });

  test("jitter varies each period to both sides, within its share", async () => {
    const times = await calls(1000, 100_000, () => {}, 0.5);
    const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(749);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1252);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(100);
  });

  test("can be stopped by its own call and started again", async () => {
    const seen: number[] = [];
    const periodic: PeriodicCallback = new PeriodicCallback(() => {
      seen.push(loop.time());
      periodic.stop();
    }, 10);
    periodic.start();
    await vi.advanceTimersByTimeAsync(50);
    expect(seen.length).toBe(1);
    periodic.start();
    await vi.advanceTimersByTimeAsync(50);
    expect(seen.length).toBe(2);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("%d is no period", (period) => {
    expect(() => new PeriodicCallback(() => {}, period)).toThrow(/callbackTimeMs/);
  });

  test.each([-0.1, 1.1])("%d is no jitter", (jitter) => {
    expect(() => new PeriodicCallback(() => {}, 10, jitter)).toThrow(/jitter/);
  });
});
