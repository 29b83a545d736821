/**
 * The event that the live page gets each second: the difference of two readings, as rates and percentiles.
 *
 * Invariant: every number is finite, whatever happened between the two readings.
 */
import { Histogram } from "../bridge/latencies.js";
import { REFUSALS } from "../bridge/refusals.js";
import { turnTimeBoundNs, type WorkerStats } from "../bridge/stats.js";
import { packageVersion } from "../core/paths.js";
import type { RecentError } from "../core/recenterrors.js";
import type { ServingState } from "../metrics/report.js";
import type { LatencyTotal, Reading } from "../metrics/totals.js";
import { type RouteTables, routeTables, type StatusRow, statusRows } from "./routes.js";

const VERSION = packageVersion();

/** One second of a server's life. Times are in milliseconds, sizes in bytes, rates are a second. */
export interface Snapshot {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly state: ServingState;
  readonly runtime: string;
  /** The version of this package. */
  readonly version: string;
  /** What is served, as people call it. */
  readonly program: string;
  readonly addresses: readonly string[];
  /** Milliseconds since the server was made. */
  readonly uptime: number;
  readonly workers: { readonly serving: number; readonly configured: number; readonly restarts: number };
  /** False: the application is a `.wasm` one, of which only the memory of Node is known of what follows. */
  readonly counts: boolean;
  readonly connections: {
    readonly hot: number;
    readonly cold: number;
    readonly ever: number;
    readonly refused: number;
    readonly perSecond: number;
  };
  readonly requests: {
    readonly now: number;
    readonly ever: number;
    readonly perSecond: number;
    readonly refusedPerSecond: number;
  };
  /** Of the requests that were answered in this second; null when there were none. */
  readonly latency: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  } | null;
  /** Answers by their class of status, in the order of classes. */
  readonly statuses: readonly StatusRow[];
  readonly routes: RouteTables;
  /** The last errors of the log, the newest first. */
  readonly errors: readonly RecentError[];
  /** Of the turns in this second; null when there were none. */
  readonly turns: {
    readonly perSecond: number;
    readonly mean: number;
    readonly p99: number;
    readonly max: number;
    readonly ready: number;
    /** The share of one processor that they took, of each worker on average: 1 is all of it. */
    readonly busy: number;
  } | null;
  readonly bytes: { readonly inPerSecond: number; readonly outPerSecond: number };
  readonly memory: { readonly sandbox: number; readonly buffers: number; readonly node: number };
  /** Requests that were refused since the server began, of those reasons that have any, the most frequent first. */
  readonly refused: readonly { readonly reason: string; readonly status: number; readonly count: number }[];
}

/** What happened between two readings; `time` is now, in milliseconds since 1970. */
export function snapshotOf(before: Reading, after: Reading, time: number): Snapshot {
  const seconds = Math.max((after.atMs - before.atMs) / 1000, 0.001);
  const { report, stats } = after;
  const since = (name: keyof WorkerStats) => Math.max(0, Number(stats[name]) - Number(before.stats[name]));
  const rate = (name: keyof WorkerStats) => since(name) / seconds;
  return {
    time,
    state: report.state,
    runtime: report.runtime,
    version: VERSION,
    program: report.program,
    addresses: report.addresses,
    uptime: Math.max(0, time - report.begunMs),
    workers: {
      serving: report.workersServing,
      configured: report.workersConfigured,
      restarts: report.workerRestarts,
    },
    counts: report.counts,
    connections: {
      hot: stats.connectionsHot,
      cold: Math.max(0, stats.connectionsNow - stats.connectionsHot),
      ever: stats.connectionsEver,
      refused: stats.connectionsRefused + report.connectionsRefused,
      perSecond: rate("connectionsEver"),
    },
    requests: {
      now: stats.requestsNow,
      ever: stats.requestsEver,
      perSecond: rate("requestsEver"),
      refusedPerSecond: rate("requestsRefused"),
    },
    latency: latencyOf(difference(before.latencies, after.latencies)),
    statuses: statusRows(before.latencies, after.latencies, seconds),
    routes: routeTables(after.latencies),
    errors: report.errors,
    turns: turnsOf(before, after, seconds),
    bytes: { inPerSecond: rate("bytesIn"), outPerSecond: rate("bytesOut") },
    memory: { sandbox: stats.memoryBytes, buffers: stats.bufferBytes, node: report.residentBytes },
    refused: REFUSALS.map(([reason, status]) => ({ reason, status, count: stats.refused[reason] }))
      .filter(({ count }) => count > 0)
      .sort((one, other) => other.count - one.count),
  };
}

/** The requests of all kinds that `after` has and `before` has not. */
function difference(before: readonly LatencyTotal[], after: readonly LatencyTotal[]): Histogram {
  const sum = new Histogram();
  for (const { histogram } of after) sum.merge(histogram.plain);
  for (const { histogram } of before) {
    for (const [range, count] of histogram.counts.entries()) {
      sum.counts[range] = Math.max(0, (sum.counts[range] as number) - count);
    }
  }
  sum.count = sum.counts.reduce((total, count) => total + count, 0);
  return sum;
}

/** The end of the last range that was met is the maximum: at most a sixteenth too long. */
function latencyOf(histogram: Histogram): Snapshot["latency"] {
  if (histogram.count === 0) return null;
  const at = (share: number) => round(histogram.quantileMs(share));
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function turnsOf(before: Reading, after: Reading, seconds: number): Snapshot["turns"] {
  const [was, is] = [before.stats, after.stats];
  const counts = is.turnTimes.map((count, index) => Math.max(0, count - (was.turnTimes[index] ?? 0)));
  const turns = counts.reduce((total, count) => total + count, 0);
  if (turns === 0) return null;
  const spentMs = Math.max(0, is.turnNs - was.turnNs) / 1e6;
  const ready = is.handlesTried - is.probesMissed - (was.handlesTried - was.probesMissed);
  return {
    perSecond: turns / seconds,
    mean: round(spentMs / turns),
    p99: turnQuantileMs(counts, turns, 0.99, is.turnNsMax),
    max: turnQuantileMs(counts, turns, 1, is.turnNsMax),
    ready: round(Math.max(0, ready) / turns),
    busy: round(spentMs / (seconds * 1000) / Math.max(1, after.report.workersServing)),
  };
}

/** The bound that `share` of the turns did not pass. */
function turnQuantileMs(counts: readonly number[], turns: number, share: number, longestNs: number): number {
  let rest = Math.ceil(turns * share);
  const index = counts.findIndex((count) => (rest -= count) <= 0);
  return round(Math.min(turnTimeBoundNs(index), longestNs) / 1e6);
}

/** Four decimals are enough to draw with. */
function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
