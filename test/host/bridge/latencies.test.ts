// How long requests took: the ranges and their error, percentiles, and that a peer cannot make up series.
import { describe, expect, test } from "vitest";

import { Histogram, LATENCY_RANGES, Latencies, rangeEndMs, rangeOf } from "../../../host/bridge/latencies.js";
import { LATENCY_ROUTES_MAX } from "../../../host/core/limits.js";

/** Numbers that are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

describe("a range", () => {
  test("ends where the next begins, and its end belongs to it", () => {
    let last = 0;
    for (let range = 0; range < LATENCY_RANGES; range++) {
      const end = rangeEndMs(range);
      expect(end).toBeGreaterThan(last);
      expect(rangeOf(end)).toBe(range);
      if (range < LATENCY_RANGES - 1) expect(rangeOf(end + 1e-9 * end + 1e-9)).toBe(range + 1);
      last = end;
    }
  });

  test("is at most a sixteenth of its time wide, or 250 ns", () => {
    const random = numbers(7);
    for (let i = 0; i < 20_000; i++) {
      const ms = 10 ** ((random.next().value as number) * 9 - 4);
      const end = rangeEndMs(rangeOf(ms));
      if (ms > rangeEndMs(LATENCY_RANGES - 1)) continue;
      expect(end).toBeGreaterThanOrEqual(ms * (1 - 1e-12));
      expect(end - ms).toBeLessThanOrEqual(Math.max(ms / 16, 0.00025) * (1 + 1e-9));
    }
  });

  test.each([
    [0, 0],
    [-1, 0],
    [0.00025, 0],
    [0.000251, 1],
    [536_870, LATENCY_RANGES - 1],
    [1e12, LATENCY_RANGES - 1],
    [Number.POSITIVE_INFINITY, LATENCY_RANGES - 1],
  ])("of %d ms is %d", (ms, range) => {
    expect(rangeOf(ms)).toBe(range);
  });
});

describe("a histogram", () => {
  test("knows percentiles with an error of at most a sixteenth", () => {
    const histogram = new Histogram();
    const random = numbers(1);
    const times = Array.from({ length: 10_000 }, () => 0.05 / (1.0001 - (random.next().value as number)));
    for (const ms of times) histogram.add(ms);
    times.sort((one, other) => one - other);
    for (const share of [0, 0.5, 0.9, 0.99, 0.999, 1]) {
      const exact = times[Math.max(0, Math.ceil(share * times.length) - 1)];
      expect(histogram.quantileMs(share)).toBeGreaterThanOrEqual(exact);
      expect(histogram.quantileMs(share)).toBeLessThanOrEqual(exact * (1 + 1 / 16));
    }
    expect(histogram.count).toBe(10_000);
    expect(histogram.maxMs).toBe(times.at(-1));
    expect(histogram.sumMs).toBeCloseTo(times.reduce((sum, ms) => sum + ms));
  });

  test("counts exactly up to a power of two of microseconds", () => {
    const histogram = new Histogram();
    for (const ms of [0.016, 0.0161, 1.023, 1.024, 1.0241, 8388.608]) histogram.add(ms);
    expect([0.016, 0.032, 1.024, 2.048, 8388.608].map((ms) => histogram.countTo(ms))).toEqual([1, 2, 4, 5, 6]);
  });

  test("is the same after it was plain data, and of nothing it is 0", () => {
    const histogram = new Histogram();
    for (const ms of [1, 2, 2, 300]) histogram.add(ms);
    const other = new Histogram();
    other.merge(JSON.parse(JSON.stringify(histogram.plain)));
    expect(other).toEqual(histogram);
    other.merge(histogram.plain);
    expect(other).toMatchObject({ count: 8, sumMs: 610, maxMs: 300 });
    expect(new Histogram().quantileMs(0.99)).toBe(0);
  });
});

describe("the latencies of a server", () => {
  test("are kept by method and class of status; what left together took until then", () => {
    const latencies = new Latencies();
    const came = performance.now() - 100;
    latencies.answered(1, 200, "", came);
    latencies.answered(1, 204, "", came);
    latencies.answered(3, 404, "", came);
    latencies.answered(0, 503, "", came);
    latencies.answered(7, 999, "", came);
    latencies.answered(1, null, "", came);
    const series = latencies.series.map(({ method, status, count }) => [method, status, count]);
    expect(series.sort()).toEqual([
      ["GET", "2xx", 2],
      ["GET", "aborted", 1],
      ["OPTIONS", "other", 1],
      ["POST", "4xx", 1],
      ["other", "5xx", 1],
    ]);
    for (const { sumMs, count } of latencies.series) expect(sumMs / count).toBeGreaterThanOrEqual(100);
  });

  test("wait for the end of the turn, however many there are", () => {
    const latencies = new Latencies();
    for (let i = 0; i < 5000; i++) latencies.answered(1, 200, "", performance.now());
    latencies.settle();
    expect(latencies.series[0]?.count).toBe(5000);
  });

  test("a route has a series of its own, until there are too many", () => {
    const latencies = new Latencies();
    for (let i = 0; i < LATENCY_ROUTES_MAX + 50; i++) {
      latencies.answered(1, 200, `/${i}`, 0);
      latencies.answered(1, 200, "/0", 0);
    }
    const routes = latencies.series.map(({ route, count }) => [route, count]);
    expect(routes.length).toBe(LATENCY_ROUTES_MAX - 1);
    expect(routes).toContainEqual(["/0", LATENCY_ROUTES_MAX + 51]);
    expect(routes).toContainEqual(["other", 52]);
  });
});
