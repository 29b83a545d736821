/**
 * Reports of a moment become numbers that only grow: what a worker had counted when it was last asked stays when it
 * ends.
 *
 * Invariant: workers are asked only when a client asks; clients that ask at the same time share one answer.
 */
import { Histogram, type LatencySeries } from "../bridge/latencies.js";
import { addStats, type WorkerStats } from "../bridge/stats.js";
import type { Inspected, Report } from "./report.js";

/** The requests of one method, class of status and route. */
export interface LatencyTotal {
  readonly method: string;
  readonly status: string;
  readonly route: string;
  readonly histogram: Histogram;
}

/** All that is known at one moment. */
export interface Reading {
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number;
  readonly report: Report;
  /** Of all workers that there ever were; what is true now, such as open connections, only of those that live. */
  readonly stats: WorkerStats;
  readonly latencies: readonly LatencyTotal[];
}

/** What is not a sum over time. */
const OF_THE_MOMENT = { connectionsNow: 0, connectionsHot: 0, requestsNow: 0, bufferBytes: 0, memoryBytes: 0 };

export class Totals {
  readonly #inspected: Inspected;
  #asked: Promise<Reading> | null = null;
  #gone: WorkerStats[] = [];
  #workers = new Map<string, WorkerStats>();
  #goneLatencies: readonly LatencySeries[] = [];
  #latencies = new Map<string, readonly LatencySeries[]>();

  constructor(inspected: Inspected) {
    this.#inspected = inspected;
  }

  /** Asks. */
  read(): Promise<Reading> {
    this.#asked ??= this.#inspected
      .report()
      .then((report) => this.#take(report))
      .finally(() => {
        this.#asked = null;
      });
    return this.#asked;
  }

  #take(report: Report): Reading {
    this.#workers = this.#takeWorkers(report);
    this.#takeLatencies(report);
    const stats = addStats([...this.#gone, ...this.#workers.values()]);
    const latencies = sumLatencies([...this.#goneLatencies, ...[...this.#latencies.values()].flat()]);
    return { atMs: performance.now(), report, stats, latencies };
  }

  #takeWorkers({ workers }: Report): Map<string, WorkerStats> {
    const live = new Map<string, WorkerStats>();
    for (const { key, stats } of workers) {
      const known = stats ?? this.#workers.get(key);
      if (known !== undefined) live.set(key, known);
    }
    const gone = [...this.#workers]
      .filter(([key]) => !live.has(key))
      .map(([, stats]) => ({ ...stats, ...OF_THE_MOMENT }));
    if (gone.length > 0) this.#gone = [addStats([...this.#gone, ...gone])];
    return live;
  }

  #takeLatencies({ latencies }: Report): void {
    const live = new Map(latencies.map(({ key, series }) => [key, series]));
    const gone = [...this.#latencies].filter(([key]) => !live.has(key)).flatMap(([, series]) => series);
    if (gone.length > 0) {
      const sums = sumLatencies([...this.#goneLatencies, ...gone]);
      this.#goneLatencies = sums.map(({ histogram, ...names }) => ({ ...names, ...histogram.plain }));
    }
    this.#latencies = live;
  }
}

/** One histogram for each method, class of status and route. */
function sumLatencies(all: readonly LatencySeries[]): LatencyTotal[] {
  const totals = new Map<string, LatencyTotal>();
  for (const series of all) {
    const { method, status, route } = series;
    const key = `${method} ${status} ${route}`;
    const total = totals.get(key) ?? { method, status, route, histogram: new Histogram() };
    total.histogram.merge(series);
    totals.set(key, total);
  }
  return [...totals.values()];
}
