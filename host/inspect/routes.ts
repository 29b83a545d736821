/**
 * What the live page shows of routes and of classes of status: which answer slowly, and which fail.
 *
 * Invariant: a table has at most INSPECT_ROUTES_MAX rows, whatever an application or a peer does.
 */
import { Histogram } from "../bridge/latencies.js";
import { INSPECT_ROUTES_MAX } from "../core/limits.js";
import type { LatencyTotal } from "../metrics/totals.js";

/** The requests of one method and route since the server began. */
export interface RouteRow {
  readonly method: string;
  /** The pattern of the route; `""` for handlers that have none. */
  readonly route: string;
  readonly requests: number;
  /** Answered with 500 or more, or broken off. */
  readonly failed: number;
  /** Milliseconds that 99 of 100 requests did not pass. */
  readonly p99: number;
}

/** Requests of one class of status, such as `2xx` or `aborted`. */
export interface StatusRow {
  readonly status: string;
  readonly perSecond: number;
  readonly ever: number;
}

/** The slowest routes, and those that fail most. */
export interface RouteTables {
  readonly slowest: readonly RouteRow[];
  readonly failing: readonly RouteRow[];
}

const FAILED: readonly string[] = ["5xx", "aborted"];

export function routeTables(latencies: readonly LatencyTotal[]): RouteTables {
  const rows = routeRows(latencies);
  return {
    slowest: first(rows, (row) => row.p99),
    failing: first(rows, (row) => row.failed),
  };
}

/** `seconds` lie between the two readings. */
export function statusRows(
  before: readonly LatencyTotal[],
  after: readonly LatencyTotal[],
  seconds: number,
): readonly StatusRow[] {
  const was = countsByStatus(before);
  return [...countsByStatus(after)]
    .map(([status, ever]) => ({ status, ever, perSecond: Math.max(0, ever - (was.get(status) ?? 0)) / seconds }))
    .sort((one, other) => (one.status < other.status ? -1 : 1));
}

function countsByStatus(latencies: readonly LatencyTotal[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { status, histogram } of latencies) counts.set(status, (counts.get(status) ?? 0) + histogram.count);
  return counts;
}

function routeRows(latencies: readonly LatencyTotal[]): RouteRow[] {
  const routes = new Map<string, { method: string; route: string; failed: number; sum: Histogram }>();
  for (const { method, route, status, histogram } of latencies) {
    const key = `${method} ${route}`;
    const row = routes.get(key) ?? { method, route, failed: 0, sum: new Histogram() };
    row.sum.merge(histogram.plain);
    if (FAILED.includes(status)) row.failed += histogram.count;
    routes.set(key, row);
  }
  return [...routes.values()].map(({ sum, ...names }) => ({
    ...names,
    requests: sum.count,
    p99: Math.round(sum.quantileMs(0.99) * 1e4) / 1e4,
  }));
}

/** The rows with the greatest values, of those that have any. */
function first(rows: readonly RouteRow[], value: (row: RouteRow) => number): RouteRow[] {
  return rows
    .filter((row) => value(row) > 0)
    .sort((one, other) => value(other) - value(one))
    .slice(0, INSPECT_ROUTES_MAX);
}
