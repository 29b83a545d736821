// PeriodicCallback on the manual clock: no drift, nothing twice, and a start and a stop at any time.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { Callback, IOLoop } from "../../../assembly/loop/ioloop";
import { PeriodicCallback } from "../../../assembly/loop/periodiccallback";
import { network } from "../../../assembly/wasi/sim/net";
import { MS, settle, sleep } from "../support/sim";

/** Notes the milliseconds since it was made; the run that `slow` names takes `slowMs`. */
class Ticks extends Callback {
  times: Array<i64> = [];
  begun: i64 = network().clock;
  slow: i32 = -1;
  slowMs: i64 = 0;
  stops: PeriodicCallback | null = null;
  restarts: bool = false;

  run(): void {
    const net = network();
    this.times.push((net.clock - this.begun) / MS);
    if (this.times.length == this.slow) net.clock += this.slowMs * MS;
    const periodic = this.stops;
    if (!periodic) return;
    periodic.stop();
    if (this.restarts) periodic.start();
  }
}

function ticks(): Ticks {
  settle(); // the loop has begun
  return new Ticks();
}

test("runs every period, for the first time after one", () => {
  const seen = ticks();
  const periodic = new PeriodicCallback(seen, 10);
  expect(periodic.isRunning()).toBe(false);
  expect(periodic.start()).toBe(true);
  expect(periodic.isRunning()).toBe(true);
  sleep(45);
  expect(seen.times.join(" ")).toBe("10 20 30 40");
  periodic.stop();
  periodic.stop();
  expect(periodic.isRunning()).toBe(false);
  sleep(50);
  expect(seen.times.length).toBe(4);
});

test("may be started before the first turn", () => {
  network().clock += 1000 * MS;
  const seen = new Ticks();
  new PeriodicCallback(seen, 10).start();
  sleep(35);
  expect(seen.times.join(" ")).toBe("10 20 30");
});

test("does not drift by what a run takes", () => {
  const seen = ticks();
  seen.slow = 1;
  seen.slowMs = 7;
  new PeriodicCallback(seen, 10).start();
  sleep(45);
  expect(seen.times.join(" ")).toBe("10 20 30 40");
});

test("leaves out what has passed meanwhile", () => {
  const seen = ticks();
  seen.slow = 1;
  seen.slowMs = 25;
  new PeriodicCallback(seen, 10).start();
  sleep(65);
  expect(seen.times.join(" ")).toBe("10 40 50 60");
});

test("a second start changes nothing", () => {
  const seen = ticks();
  const periodic = new PeriodicCallback(seen, 10);
  periodic.start();
  sleep(5);
  expect(periodic.start()).toBe(true);
  sleep(30);
  expect(seen.times.join(" ")).toBe("10 20 30");
});

test("can be stopped by its own run, and started again", () => {
  const seen = ticks();
  const periodic = new PeriodicCallback(seen, 10);
  seen.stops = periodic;
  periodic.start();
  sleep(50);
  expect(seen.times.join(" ")).toBe("10");
  seen.restarts = true;
  periodic.start();
  sleep(35);
  expect(seen.times.slice(1).join(" ")).toBe("60 70 80");
});

test("jitter varies each period to both sides, within its share", () => {
  const seen = ticks();
  const periodic = new PeriodicCallback(seen, 1000, 0.5);
  periodic.start();
  sleep(100_000);
  let least: i64 = i64.MAX_VALUE;
  let most: i64 = 0;
  for (let i = 1; i < seen.times.length; i++) {
    const gap = seen.times[i] - seen.times[i - 1];
    least = min(least, gap);
    most = max(most, gap);
  }
  expect(seen.times.length).toBeGreaterThan(80);
  expect(least >= 749 && least < 900).toBe(true);
  expect(most <= 1251 && most > 1100).toBe(true);
});

test("a time that is not above 0, or a jitter not from 0 to 1, is refused", () => {
  const seen = ticks();
  expect(new PeriodicCallback(seen, 0).start()).toBe(false);
  expect(new PeriodicCallback(seen, -10).start()).toBe(false);
  expect(new PeriodicCallback(seen, 10, -0.1).start()).toBe(false);
  expect(new PeriodicCallback(seen, 10, 1.1).start()).toBe(false);
  expect(new PeriodicCallback(seen, 10, NaN).start()).toBe(false);
  sleep(50);
  expect(seen.times.length).toBe(0);
  expect(IOLoop.current().turn(0) != 0).toBe(true);
});
