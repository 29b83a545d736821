/**
 * What a process knows of its server at one moment, as plain data: it goes between processes as JSON.
 *
 * Invariant: each worker or process has a key, so that what one that has ended had counted is neither lost nor counted
 * twice (totals.ts).
 */
import type { LatencySeries } from "../bridge/latencies.js";
import type { WorkerStats } from "../bridge/stats.js";
import type { RecentError } from "../core/recenterrors.js";

/** A server's life; only one that serves is ready. */
export type ServingState = "starting" | "serving" | "stopping";

/** One sandbox. */
export interface WorkerReport {
  /** What tells it from other workers, also of other processes. */
  readonly key: string;
  /** Null: it has not answered in time. */
  readonly stats: WorkerStats | null;
}

/** The requests that one process has measured. */
export interface LatencyReport {
  /** What tells the process from others. */
  readonly key: string;
  /** How long requests took, by method, status and route. */
  readonly series: readonly LatencySeries[];
}

/** What a server has to say of itself at one moment. */
export interface Report {
  /** Whether it starts, serves or stops. */
  readonly state: ServingState;
  /** The runtime of its sandboxes. */
  readonly runtime: string;
  /** What is served, as people call it. */
  readonly program: string;
  /** Where it listens, as `address:port` or the path of a Unix-domain socket. */
  readonly addresses: readonly string[];
  /** When it was made, in milliseconds since 1970. */
  readonly begunMs: number;
  /** The last errors in its log, the newest first. */
  readonly errors: readonly RecentError[];
  /** Workers that should serve. */
  readonly workersConfigured: number;
  /** Workers that serve now. */
  readonly workersServing: number;
  /** Workers that ended by accident and were started again. */
  readonly workerRestarts: number;
  /** Connections that Node has closed before a sandbox saw them. */
  readonly connectionsRefused: number;
  /** Each of its sandboxes. */
  readonly workers: readonly WorkerReport[];
  /** The latencies that each of its processes has measured. */
  readonly latencies: readonly LatencyReport[];
  /** Whether sandboxes of this kind report their counters: `.wasm` applications do not. */
  readonly counts: boolean;
  /** Resident memory of the Node processes, in bytes. */
  readonly residentBytes: number;
}

/** What the admin server shows: a server, or several processes as one. */
export interface Inspected {
  /** Whether it starts, serves or stops. */
  readonly state: ServingState;
  /** Workers that serve now. */
  readonly workersServing: number;
  /** @internal Asks the workers for their numbers. */
  report(): Promise<Report>;
}
