/**
 * How long requests took: a count for each narrow range of time, kept for each method and each class of status.
 *
 * Invariants: a request costs a few stores into typed arrays, and a share of one reading of the clock, because those
 * that are answered in one turn of the loop leave together; a range is at most a sixteenth of its time wide, or 250 ns;
 * what a series takes of memory is the same for one request and for all of them. Reference: HdrHistogram's log-linear
 * buckets.
 */
import { LATENCY_ROUTES_MAX } from "../core/limits.js";
import { METHODS } from "./methods.js";

/** Ranges are counted in units of this: 250 ns. */
const UNITS_PER_MS = 4000;
const UNITS_MAX = 0x7fffffff;
/** Ranges of each power of two, as a number of bits. */
const FINE_BITS = 4;
const FINE = 1 << FINE_BITS;
/** How many ranges there are: what takes longer than 537 s is in the last. */
export const LATENCY_RANGES = (31 - FINE_BITS + 1) * FINE;

/** The range that `ms` is in. */
export function rangeOf(ms: number): number {
  const units = Math.min(Math.max(Math.ceil(ms * UNITS_PER_MS) - 1, 0), UNITS_MAX);
  if (units < FINE) return units;
  const bits = 31 - Math.clz32(units);
  return (bits - FINE_BITS + 1) * FINE + ((units >>> (bits - FINE_BITS)) & (FINE - 1));
}

/** The longest time, in milliseconds, that belongs to a range. */
export function rangeEndMs(range: number): number {
  if (range < FINE) return (range + 1) / UNITS_PER_MS;
  const bits = (range >> FINE_BITS) + FINE_BITS - 1;
  return (((range & (FINE - 1)) + FINE + 1) * 2 ** (bits - FINE_BITS)) / UNITS_PER_MS;
}

/** Times, as counts of ranges. */
export class Histogram {
  readonly counts = new Float64Array(LATENCY_RANGES);
  count = 0;
  sumMs = 0;
  maxMs = 0;

  /** One more that took `ms`. */
  add(ms: number): void {
    const range = rangeOf(ms);
    this.counts[range] = (this.counts[range] as number) + 1;
    this.count++;
    this.sumMs += ms;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** All of another one. */
  merge({ counts, count, sumMs, maxMs }: LatencyCounts): void {
    for (const [range, more] of counts) this.counts[range] = (this.counts[range] as number) + more;
    this.count += count;
    this.sumMs += sumMs;
    this.maxMs = Math.max(this.maxMs, maxMs);
  }

  /** The time that `share` of all (0 to 1) did not pass, at most a sixteenth too long; 0 of none. */
  quantileMs(share: number): number {
    let rest = Math.max(1, Math.ceil(share * this.count));
    for (let range = 0; range < LATENCY_RANGES; range++) {
      rest -= this.counts[range] as number;
      if (rest <= 0) return Math.min(rangeEndMs(range), this.maxMs);
    }
    return this.maxMs;
  }

  /**
   * How many took at most `ms`, which must be the end of a range, such as a power of two of microseconds from 16 on.
   */
  countTo(ms: number): number {
    let sum = 0;
    for (let range = rangeOf(ms); range >= 0; range--) sum += this.counts[range] as number;
    return sum;
  }

  /** As plain data: only the ranges that have been met. */
  get plain(): LatencyCounts {
    const counts: [number, number][] = [];
    for (const [range, count] of this.counts.entries()) if (count !== 0) counts.push([range, count]);
    return { counts, count: this.count, sumMs: this.sumMs, maxMs: this.maxMs };
  }
}

/** A histogram as plain data. */
export interface LatencyCounts {
  /** Range and count, in the order of ranges. */
  readonly counts: readonly (readonly [number, number])[];
  /** Requests in all ranges. */
  readonly count: number;
  /** Their times together, in milliseconds. */
  readonly sumMs: number;
  /** The longest of them, in milliseconds. */
  readonly maxMs: number;
}

/** The requests of one kind. */
export interface LatencySeries extends LatencyCounts {
  /** A method that has a number in the protocol, `"other"` for all others: a peer cannot make up series. */
  readonly method: string;
  /** `"2xx"` and so on; `"aborted"` when the answer did not become complete. */
  readonly status: string;
  /** The pattern of the route, `""` without one. */
  readonly route: string;
}

const STATUS_CLASSES = ["aborted", "1xx", "2xx", "3xx", "4xx", "5xx", "other"] as const;
const KINDS = METHODS.length * STATUS_CLASSES.length;
/** Requests that have been answered in this turn. */
const WAITING_MAX = 512;

/** The latencies of one server. */
export class Latencies {
  readonly #series: (Histogram | undefined)[] = [];
  readonly #routes = new Map<string, number>([["", 0]]);
  // Those whose answer leaves at the end of this turn: their series, and when they came.
  readonly #kinds = new Uint32Array(WAITING_MAX);
  readonly #cameMs = new Float64Array(WAITING_MAX);
  #waiting = 0;

  /**
   * A request's answer has been written and leaves with this turn. `method` is its number in the protocol, `status`
   * null when it has no complete answer.
   */
  answered(method: number, status: number | null, route: string, cameMs: number): void {
    if (this.#waiting === WAITING_MAX) this.settle();
    const at = this.#waiting++;
    const class_ = status === null ? 0 : Math.min((status / 100) | 0, STATUS_CLASSES.length - 1);
    const kind = method * STATUS_CLASSES.length + class_;
    this.#kinds[at] = route === "" ? kind : kind + this.#routeNumber(route) * KINDS;
    this.#cameMs[at] = cameMs;
    if (status === null) this.settle();
  }

  /** What was answered leaves now. */
  settle(): void {
    if (this.#waiting === 0) return;
    const now = performance.now();
    for (let at = 0; at < this.#waiting; at++) {
      const kind = this.#kinds[at] as number;
      const series = this.#series[kind] ?? this.#begin(kind);
      series.add(now - (this.#cameMs[at] as number));
    }
    this.#waiting = 0;
  }

  #begin(kind: number): Histogram {
    const series = new Histogram();
    this.#series[kind] = series;
    return series;
  }

  /** Routes beyond the bound share the number of the last. */
  #routeNumber(route: string): number {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    const number = this.#routes.size;
    if (number === LATENCY_ROUTES_MAX) return this.#routeNumber("other");
    this.#routes.set(number === LATENCY_ROUTES_MAX - 1 ? "other" : route, number);
    return number;
  }

  /** All series that have a request. */
  get series(): LatencySeries[] {
    this.settle();
    const routes = [...this.#routes.keys()];
    return Object.entries(this.#series).flatMap(([key, histogram]) => {
      if (histogram === undefined) return [];
      const kind = Number(key) % KINDS;
      return {
        method: METHODS[Math.floor(kind / STATUS_CLASSES.length)] || "other",
        status: STATUS_CLASSES[kind % STATUS_CLASSES.length] as string,
        route: routes[Math.floor(Number(key) / KINDS)] as string,
        ...histogram.plain,
      };
    });
  }
}
