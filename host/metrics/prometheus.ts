/**
 * A server's numbers as metrics of prom-client, by the conventions of Prometheus: base units, `_total` for what only
 * grows.
 *
 * Invariants: nothing is counted for them; a scrape asks the workers once and reads what they, and the host, have
 * counted anyway. Every label has a bounded set of values, and none of them is a peer's. docs/observability.md lists
 * the metrics; a test holds it to this file.
 */

import { REFUSALS } from "../bridge/refusals.js";
import { turnTimeBoundNs } from "../bridge/stats.js";
import type { Inspected, Report } from "./report.js";
import { type LatencyTotal, type Reading, Totals } from "./totals.js";

/** What prom-client's Registry has, as far as it is used. */
export interface MetricsRegistry {
  /** Adds a metric, which the registry then asks for its values at each scrape. */
  registerMetric(metric: never): void;
}

type Labels = Readonly<Record<string, string | number>>;

/** One line of the text. */
interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** The metric's name with `_bucket`, `_sum` or `_count`, for a histogram. */
  readonly metricName?: string;
}

interface Definition {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Whether it is left out for applications without counters for the host. */
  readonly counted: boolean;
  samples(reading: Reading, name: string): Sample[];
}

/**
 * The bounds of the latency histogram: 16 µs and 19 times twice that. Each is the end of a range, so the counts are
 * exact.
 */
const LATENCY_BOUNDS_MS = Array.from({ length: 20 }, (_, index) => (16 * 2 ** index) / 1000);

const one = (value: number): Sample[] => [{ labels: {}, value }];
const seconds = (ms: number): number => ms / 1000;

function counter(name: string, help: string, value: (reading: Reading) => number, counted = true): Definition {
  return { name, type: "counter", help, counted, samples: (reading) => one(value(reading)) };
}

function gauge(name: string, help: string, value: (reading: Reading) => number, counted = true): Definition {
  return { name, type: "gauge", help, counted, samples: (reading) => one(value(reading)) };
}

const ofReport = (value: (report: Report) => number) => (reading: Reading) => value(reading.report);

/** @internal */
export const METRICS: readonly Definition[] = [
  {
    name: "waterspout_connections",
    type: "gauge",
    help: "Open connections: hot ones have moved bytes a moment ago, cold ones cost next to nothing.",
    counted: true,
    samples: ({ stats }) => [
      { labels: { state: "hot" }, value: stats.connectionsHot },
      { labels: { state: "cold" }, value: Math.max(0, stats.connectionsNow - stats.connectionsHot) },
    ],
  },
  counter("waterspout_connections_accepted_total", "Connections that were accepted.", (r) => r.stats.connectionsEver),
  counter(
    "waterspout_connections_refused_total",
    "Connections that were closed before a handler saw them.",
    (r) => r.stats.connectionsRefused + r.report.connectionsRefused,
  ),
  counter(
    "waterspout_accept_rests_total",
    "Times that accepting rested because there were no descriptors.",
    (r) => r.stats.acceptRests,
  ),
  counter("waterspout_received_bytes_total", "Bytes that were read from peers.", (r) => r.stats.bytesIn),
  counter("waterspout_sent_bytes_total", "Bytes that have left for peers.", (r) => r.stats.bytesOut),
  counter("waterspout_http_requests_total", "HTTP requests whose head was in order.", (r) => r.stats.requestsEver),
  gauge(
    "waterspout_http_requests_in_flight",
    "HTTP requests whose answer is not complete.",
    (r) => r.stats.requestsNow,
  ),
  {
    name: "waterspout_http_requests_refused_total",
    type: "counter",
    help: "HTTP requests that the sandbox answered with an error, by the status and the reason.",
    counted: true,
    samples: ({ stats }) =>
      REFUSALS.map(([reason, status]) => ({ labels: { status, reason }, value: stats.refused[reason] })),
  },
  {
    name: "waterspout_http_request_duration_seconds",
    type: "histogram",
    help: "Time from a request's arrival at its handler's process until its answer left it.",
    counted: true,
    samples: ({ latencies }, name) => latencies.flatMap((latency) => latencySamples(latency, name)),
  },
  {
    name: "waterspout_turn_duration_seconds",
    type: "histogram",
    help: "Time that turns of the sandbox's loop took, without waiting.",
    counted: true,
    samples: turnSamples,
  },
  gauge("waterspout_longest_turn_seconds", "The longest turn that there ever was.", (r) => r.stats.turnNsMax / 1e9),
  counter(
    "waterspout_ready_handles_total",
    "Listeners and connections that turns found ready.",
    (r) => r.stats.handlesTried - r.stats.probesMissed,
  ),
  counter("waterspout_polls_total", "Calls of poll_oneoff.", (r) => r.stats.polls),
  counter("waterspout_probes_total", "Connections that were read without a poll.", (r) => r.stats.probes),
  counter("waterspout_probes_missed_total", "Probes that found nothing.", (r) => r.stats.probesMissed),
  gauge("waterspout_sandbox_buffer_bytes", "Bytes in the sandboxes' buffers.", (r) => r.stats.bufferBytes),
  gauge("waterspout_sandbox_memory_bytes", "Memory of the sandboxes, which never shrinks.", (r) => r.stats.memoryBytes),
  gauge(
    "waterspout_node_resident_bytes",
    "Resident memory of the Node processes.",
    ofReport((report) => report.residentBytes),
    false,
  ),
  gauge(
    "waterspout_workers",
    "Workers that serve now.",
    ofReport((report) => report.workersServing),
    false,
  ),
  gauge(
    "waterspout_workers_configured",
    "Workers that should serve.",
    ofReport((report) => report.workersConfigured),
    false,
  ),
  counter(
    "waterspout_worker_restarts_total",
    "Workers that ended by accident and were started again.",
    (r) => r.report.workerRestarts,
    false,
  ),
  gauge(
    "waterspout_ready",
    "1 while the server takes new requests.",
    ofReport((report) => (report.state === "serving" && report.workersServing > 0 ? 1 : 0)),
    false,
  ),
];

function latencySamples({ method, status, route, histogram }: LatencyTotal, name: string): Sample[] {
  const labels = route === "" ? { method, status } : { method, status, route };
  const buckets = LATENCY_BOUNDS_MS.map((ms) => bucket(name, labels, seconds(ms), histogram.countTo(ms)));
  return [
    ...buckets,
    bucket(name, labels, "+Inf", histogram.count),
    { metricName: `${name}_sum`, labels, value: seconds(histogram.sumMs) },
    { metricName: `${name}_count`, labels, value: histogram.count },
  ];
}

function turnSamples({ stats }: Reading, name: string): Sample[] {
  let sum = 0;
  const buckets = stats.turnTimes.map((count, index) => {
    const bound = turnTimeBoundNs(index);
    sum += count;
    return bucket(name, {}, Number.isFinite(bound) ? bound / 1e9 : "+Inf", sum);
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: stats.turnNs / 1e9 },
    { metricName: `${name}_count`, labels: {}, value: sum },
  ];
}

function bucket(name: string, labels: Labels, le: number | "+Inf", value: number): Sample {
  return { metricName: `${name}_bucket`, labels: { ...labels, le }, value };
}

/** A metric as prom-client asks it: it is read, never written. */
class Metric {
  readonly #definition: Definition;
  readonly #totals: Totals;
  readonly aggregator = "sum";
  readonly help: string;
  readonly type: Definition["type"];
  /** prom-client changes it for OpenMetrics. */
  name: string;

  constructor(definition: Definition, totals: Totals) {
    this.#definition = definition;
    this.#totals = totals;
    this.name = definition.name;
    this.help = definition.help;
    this.type = definition.type;
  }

  async get() {
    const reading = await this.#totals.read();
    const { name, help, type, aggregator } = this;
    const isKnown = reading.report.counts || !this.#definition.counted;
    return { name, help, type, aggregator, values: isKnown ? this.#definition.samples(reading, name) : [] };
  }

  /** What has been counted stays counted. */
  reset(): void {}
}

/**
 * Registers the metrics of `server`, a TCPServer or HTTPServer, with a registry of prom-client 15, such as its
 * `register`. They are read when the registry is: `await register.metrics()`. A registry takes them of one server; for
 * two give each a registry.
 */
export function registerMetrics(server: Inspected, registry: MetricsRegistry): void {
  registerTotals(new Totals(server), registry);
}

/** @internal The same, for code that reads them in another way, too. */
export function registerTotals(totals: Totals, registry: MetricsRegistry): void {
  for (const definition of METRICS) registry.registerMetric(new Metric(definition, totals) as never);
}
