// Metrics: what a registry of prom-client makes of reports, by Prometheus' conventions, and numbers that never go back.
import { Counter, Registry, register } from "prom-client";
import { describe, expect, onTestFinished, test } from "vitest";
import { Histogram } from "../../../host/bridge/latencies.js";
import { TURN_TIMES_COUNT } from "../../../host/bridge/statnames.js";
import { addStats, type WorkerStats } from "../../../host/bridge/stats.js";
import { isLocalName } from "../../../host/inspect/access.js";
import { snapshotOf } from "../../../host/inspect/snapshot.js";
import { METRICS, registerMetrics } from "../../../host/metrics/prometheus.js";
import { PrometheusText } from "../../../host/metrics/prometheustext.js";
import type { Inspected, Report } from "../../../host/metrics/report.js";
import { Totals } from "../../../host/metrics/totals.js";
import { resolveOptions } from "../../../host/server/options.js";
import { readMetrics } from "../support/prometheustext.js";

const turnTimes = (...counts: number[]): number[] => [
  ...counts,
  ...new Array(TURN_TIMES_COUNT - counts.length).fill(0),
];

const stats = (numbers: Partial<WorkerStats>): WorkerStats => ({ ...addStats([]), ...numbers });

function latency(method: string, route: string, ...ms: number[]) {
  const histogram = new Histogram();
  for (const each of ms) histogram.add(each);
  return { method, status: "2xx", route, ...histogram.plain };
}

const EMPTY: Report = {
  state: "serving",
  runtime: "node",
  program: "hello.ts",
  addresses: ["127.0.0.1:8888"],
  begunMs: 0,
  errors: [],
  workersConfigured: 1,
  workersServing: 1,
  workerRestarts: 0,
  connectionsRefused: 0,
  workers: [],
  latencies: [],
  counts: true,
  residentBytes: 1,
};

/** Something to look at, which says one thing after the other. */
function saying(...reports: Partial<Report>[]): Inspected & { asked: number } {
  return {
    state: "serving",
    workersServing: 1,
    asked: 0,
    async report() {
      return { ...EMPTY, ...reports[Math.min(this.asked++, reports.length - 1)] };
    },
  };
}

async function scrape(inspected: Inspected) {
  const registry = new Registry();
  registerMetrics(inspected, registry);
  return readMetrics(await registry.metrics());
}

describe("the text", () => {
  const report: Partial<Report> = {
    workerRestarts: 2,
    connectionsRefused: 1,
    workers: [
      {
        key: "1",
        stats: stats({
          connectionsNow: 10,
          connectionsHot: 4,
          connectionsRefused: 2,
          requestsEver: 7,
          bytesIn: 1000,
          turns: 6,
          turnNs: 1_500_000_000,
          turnNsMax: 1_000_000,
          turnTimes: turnTimes(1, 2, 3),
          handlesTried: 9,
          probesMissed: 2,
          refused: { ...stats({}).refused, no_host: 3 },
        }),
      },
    ],
    latencies: [{ key: "", series: [latency("GET", "", 0.016, 1, 20_000), latency("POST", "/users/:id", 2)] }],
  };

  test("says what was counted, in base units", async () => {
    const families = await scrape(saying(report));
    const value = (key: string) => families.get(key.replace(/\{.*/, ""))?.samples.get(key);
    expect(families.size).toBe(METRICS.length);
    expect(value('waterspout_connections{state="hot"}')).toBe(4);
    expect(value('waterspout_connections{state="cold"}')).toBe(6);
    expect(value("waterspout_connections_refused_total")).toBe(3);
    expect(value("waterspout_http_requests_total")).toBe(7);
    expect(value("waterspout_received_bytes_total")).toBe(1000);
    expect(value("waterspout_longest_turn_seconds")).toBe(0.001);
    expect(value("waterspout_ready_handles_total")).toBe(7);
    expect(value("waterspout_worker_restarts_total")).toBe(2);
    expect(value("waterspout_ready")).toBe(1);
    expect(value('waterspout_http_requests_refused_total{status="400",reason="no_host"}')).toBe(3);
    const turns = families.get("waterspout_turn_duration_seconds")!.samples;
    expect(turns.get('waterspout_turn_duration_seconds_bucket{le="0.000002048"}')).toBe(3);
    expect(turns.get("waterspout_turn_duration_seconds_sum")).toBe(1.5);
    const latencies = families.get("waterspout_http_request_duration_seconds")!.samples;
    const name = "waterspout_http_request_duration_seconds";
    expect(latencies.get(`${name}_bucket{method="GET",status="2xx",le="0.000016"}`)).toBe(1);
    expect(latencies.get(`${name}_bucket{method="GET",status="2xx",le="0.001024"}`)).toBe(2);
    expect(latencies.get(`${name}_bucket{method="GET",status="2xx",le="8.388608"}`)).toBe(2);
    expect(latencies.get(`${name}_sum{method="GET",status="2xx"}`)).toBeCloseTo(20.001016);
    expect(latencies.get(`${name}_count{method="POST",status="2xx",route="/users/:id"}`)).toBe(1);
  });

  test("asks once a scrape", async () => {
    const inspected = saying(report);
    await scrape(inspected);
    expect(inspected.asked).toBe(1);
  });

  test("leaves out what a .wasm application does not tell", async () => {
    const families = await scrape(saying({ counts: false }));
    const known = [...families].filter(([, { samples }]) => samples.size > 0).map(([name]) => name);
    expect(known).toEqual(METRICS.filter(({ counted }) => !counted).map(({ name }) => name));
    expect(known).toContain("waterspout_workers");
  });

  test("is as strict about OpenMetrics' names", async () => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    registerMetrics(saying(report), registry);
    const text = await registry.metrics();
    expect(text).toContain("\n# TYPE waterspout_http_requests counter\nwaterspout_http_requests_total 7\n");
    expect(await registry.metrics()).toBe(text);
  });

  test("a registry takes one server, and a reset changes nothing", async () => {
    const registry = new Registry();
    registerMetrics(saying(report), registry);
    expect(() => registerMetrics(saying(report), registry)).toThrow(/already been registered/);
    const text = await registry.metrics();
    registry.resetMetrics();
    expect(await registry.metrics()).toBe(text);
  });
});

describe("/metrics", () => {
  test("has what the application counts itself behind the server's", async () => {
    const own = new Counter({ name: "orders_total", help: "Orders." });
    onTestFinished(() => register.clear());
    own.inc(3);
    const { status, type, text } = await new PrometheusText(new Totals(saying({}))).read();
    expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    const families = readMetrics(text);
    expect(families.size).toBe(METRICS.length + 1);
    expect(families.get("orders_total")?.samples.get("orders_total")).toBe(3);
  });

  test("has nothing twice when the application has registered the server, too", async () => {
    const server = saying({ workerRestarts: 1 });
    registerMetrics(server, register);
    onTestFinished(() => register.clear());
    expect(readMetrics((await new PrometheusText(new Totals(server)).read()).text).size).toBe(METRICS.length);
  });

  test("says in one sentence that prom-client is missing", async () => {
    const answer = await new PrometheusText(new Totals(saying({})), async () => null).read();
    expect(answer).toMatchObject({
      status: 503,
      text: "Metrics need the package prom-client: npm install prom-client@15\n",
    });
  });
});

describe("the option inspect", () => {
  test.each([
    [undefined, null],
    [false, null],
    [true, { port: 8889, address: "127.0.0.1" }],
    [{}, { port: 8889, address: "127.0.0.1" }],
    [
      { port: 0, address: "" },
      { port: 0, address: "" },
    ],
    [{ port: 65_535 }, { port: 65_535, address: "127.0.0.1" }],
  ])("%j is %j", (option, resolved) => {
    expect(resolveOptions({ inspect: option }).inspect).toEqual(resolved);
  });

  test.each([1, "8889", null, { port: -1 }, { port: 65_536 }, { port: 1.5 }, { address: 1 }])(
    "%j is refused",
    (option) => {
      expect(() => resolveOptions({ inspect: option as never })).toThrow(/^inspect/);
    },
  );
});

describe("totals", () => {
  const worker = (key: string, requestsEver: number, connectionsNow: number) => ({
    key,
    stats: stats({ requestsEver, connectionsNow, turnNsMax: requestsEver, turnTimes: turnTimes(requestsEver) }),
  });

  test("keep what a worker had counted that is gone, but not what was true of it", async () => {
    const totals = new Totals(
      saying(
        { workers: [worker("1", 100, 5), worker("2", 50, 5)] },
        { workers: [worker("2", 60, 6)] },
        { workers: [worker("2", 70, 7), worker("3", 1, 1)] },
        { workers: [] },
      ),
    );
    const seen = [];
    for (let i = 0; i < 4; i++) {
      const { stats } = await totals.read();
      seen.push([stats.requestsEver, stats.connectionsNow, stats.turnNsMax, stats.turnTimes[0]]);
    }
    expect(seen).toEqual([
      [150, 10, 100, 150],
      [160, 6, 100, 160],
      [171, 8, 100, 171],
      [171, 0, 100, 171],
    ]);
  });

  test("take a worker that does not answer at its last word, and do not count it twice", async () => {
    const silent = { key: "1", stats: null };
    const totals = new Totals(
      saying(
        { workers: [silent] },
        { workers: [worker("1", 9, 3)] },
        { workers: [silent] },
        { workers: [worker("1", 10, 2)] },
      ),
    );
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push((await totals.read()).stats.requestsEver);
    expect(seen).toEqual([0, 9, 9, 10]);
  });

  test("add up the latencies of processes, also of those that are gone", async () => {
    const of = (key: string, ...ms: number[]) => ({ key, series: [latency("GET", "", ...ms)] });
    const totals = new Totals(
      saying(
        { latencies: [of("a", 1), of("b", 2, 3)] },
        { latencies: [of("b", 2, 3, 4)] },
        { latencies: [of("c", 5)] },
      ),
    );
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push((await totals.read()).latencies.map(({ histogram }) => histogram.count));
    expect(seen).toEqual([[3], [4], [5]]);
  });
});

test("what a process had measured that is gone is added up once, however many there have been", async () => {
  let added = 0;
  const plain = latency("GET", "", 1);
  const reports = Array.from({ length: 50 }, (_, index) => {
    const series = { ...plain };
    Object.defineProperty(series, "counts", {
      get() {
        added++;
        return plain.counts;
      },
    });
    return { latencies: [{ key: String(index), series: [series] }] };
  });
  const totals = new Totals(saying(...reports));
  let count = 0;
  for (const _ of reports) count = (await totals.read()).latencies[0]?.histogram.count ?? 0;
  expect(count).toBe(50);
  expect(added).toBe(50 + 49);
});

describe("a second of the live page", () => {
  async function second(before: Partial<Report>, after: Partial<Report>) {
    const totals = new Totals(saying(before, after));
    const first = { ...(await totals.read()), atMs: 0 };
    return snapshotOf(first, { ...(await totals.read()), atMs: 2000 }, 1);
  }

  test("is the difference", async () => {
    const histogram = [latency("GET", "", 1000)];
    const snapshot = await second(
      {
        workers: [{ key: "1", stats: stats({ requestsEver: 100, turns: 10, turnTimes: turnTimes(10) }) }],
        latencies: [{ key: "", series: histogram }],
      },
      {
        workers: [
          {
            key: "1",
            stats: stats({
              requestsEver: 300,
              connectionsNow: 5,
              connectionsHot: 2,
              turns: 30,
              turnNs: 20_000,
              turnNsMax: 1500,
              handlesTried: 60,
              probesMissed: 20,
              turnTimes: turnTimes(29, 1),
              refused: { ...stats({}).refused, no_host: 1, bad_method: 2 },
            }),
          },
        ],
        latencies: [{ key: "", series: [latency("GET", "", 1000, 2, 2, 2, 8), latency("POST", "", 4)] }],
      },
    );
    expect(snapshot.requests).toMatchObject({ perSecond: 100, ever: 300 });
    expect(snapshot.connections).toMatchObject({ hot: 2, cold: 3 });
    expect(snapshot.turns).toMatchObject({ perSecond: 10, mean: 0.001, ready: 2, max: 0.0015 });
    expect(snapshot.latency!.p50).toBeCloseTo(2, 0);
    expect(snapshot.latency!.max).toBeGreaterThanOrEqual(8);
    expect(snapshot.latency!.max).toBeLessThanOrEqual(8.5);
    expect(snapshot.refused).toEqual([
      { reason: "bad_method", status: 400, count: 2 },
      { reason: "no_host", status: 400, count: 1 },
    ]);
  });

  test("without anything is without percentiles", async () => {
    const snapshot = await second({}, {});
    expect(snapshot).toMatchObject({ latency: null, turns: null, refused: [] });
    expect(JSON.stringify(snapshot)).not.toMatch(/NaN|Infinity/);
  });
});

test.each([
  ["127.0.0.1", true],
  ["127.0.0.1:8889", true],
  ["localhost:1", true],
  ["LOCALHOST", true],
  ["[::1]:8889", true],
  ["10.1.2.3", true],
  ["evil.example", false],
  ["127.0.0.1.evil.example", false],
  ["localhost.evil.example:8889", false],
  ["evil.example:127", false],
  ["::1", false],
  ["[evil]", false],
  ["", false],
])("a host named %j may ask: %s", (host, may) => {
  expect(isLocalName(host)).toBe(may);
});
