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
  readonly key: string;
  /** Null: it has not answered in time. */
  readonly stats: WorkerStats | null;
}

/** The requests that one process has measured. */
export interface LatencyReport {
  readonly key: string;
  readonly series: readonly LatencySeries[];
}

export interface Report {
  readonly state: ServingState;
  readonly runtime: string;
  /** What is served, as people call it. */
  readonly program: string;
  /** Where it listens, as `address:port` or the path of a Unix-domain socket. */
  readonly addresses: readonly string[];
  /** When it was made, in milliseconds since 1970. */
  readonly begunMs: number;
  /** The last errors in its log, the newest first. */
  readonly errors: readonly RecentError[];
  readonly workersConfigured: number;
  readonly workersServing: number;
  readonly workerRestarts: number;
  /** Connections that Node has closed before a sandbox saw them. */
  readonly connectionsRefused: number;
  readonly workers: readonly WorkerReport[];
  readonly latencies: readonly LatencyReport[];
  /** Whether sandboxes of this kind report their counters: `.wasm` applications do not. */
  readonly counts: boolean;
  /** Resident memory of the Node processes, in bytes. */
  readonly residentBytes: number;
}

/** Whatever can be looked at. */
export interface Inspected {
  readonly state: ServingState;
  /** Workers that serve now. */
  readonly workersServing: number;
  report(): Promise<Report>;
}
