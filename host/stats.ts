/**
 * What `server.stats()` tells: the numbers that each sandbox counts, and their sum.
 *
 * Invariant: the names stand in the order of the table in docs/protocol.md, STATS, which is that of assembly/stats.ts;
 * test/host/frames.test.ts holds the three together.
 */
import { ProtocolError } from "./errors.js";
import { STATS_BYTES } from "./frames.js";

/** In the order of the table. @internal */
export const STAT_NAMES = [
  "connectionsNow",
  "connectionsEver",
  "connectionsRefused",
  "acceptRests",
  "bytesIn",
  "bytesOut",
  "requestsNow",
  "requestsEver",
  "requestsRefused",
  "turns",
  "turnNs",
  "turnNsMax",
  "handlesTried",
  "polls",
  "probes",
  "probesMissed",
  "bufferBytes",
  "memoryBytes",
] as const;

/** What a worker has done since it was started; a worker that replaces another begins at 0. */
export interface WorkerStats {
  /** Open connections. */
  readonly connectionsNow: number;
  /** Connections that were accepted. */
  readonly connectionsEver: number;
  /** Connections that were closed before a handler saw them: their PROXY protocol header was wrong or did not come. */
  readonly connectionsRefused: number;
  /** Times that accepting rested because there were no descriptors. */
  readonly acceptRests: number;
  /** Bytes that have been read from peers. */
  readonly bytesIn: number;
  /** Bytes that have left for peers. */
  readonly bytesOut: number;
  /** HTTP requests whose answer is not complete. */
  readonly requestsNow: number;
  /** HTTP requests whose head was in order. */
  readonly requestsEver: number;
  /** HTTP requests that were answered with an error by the sandbox: malformed, too large, too slow. */
  readonly requestsRefused: number;
  /** Turns of the sandbox's loop. */
  readonly turns: number;
  /** Nanoseconds in turns; waiting does not count. */
  readonly turnNs: number;
  /** The longest turn, in nanoseconds. */
  readonly turnNsMax: number;
  /** Listeners and connections that turns tried because they were, or might have been, ready. */
  readonly handlesTried: number;
  /** Calls of poll_oneoff. */
  readonly polls: number;
  /** Connections that were read without a poll. */
  readonly probes: number;
  /** Probes that found nothing. */
  readonly probesMissed: number;
  /** Bytes in the sandbox's buffers. */
  readonly bufferBytes: number;
  /** Bytes of the sandbox's memory, which never shrinks. */
  readonly memoryBytes: number;
}

/** The sum of a server's workers (of `turnNsMax` the greatest), and each of them. */
export interface ServerStats extends WorkerStats {
  /** Ready handles a turn, on average. */
  readonly readyPerTurn: number;
  /** The workers that answered; one that hangs is not among them. */
  readonly workers: readonly WorkerStats[];
}

/** Reads a STATS frame; throws ProtocolError for one that cannot be. */
export function readStats(chunk: Buffer, start: number, end: number): WorkerStats {
  if (end - start !== STATS_BYTES) throw new ProtocolError("STATS");
  const rows = STAT_NAMES.map((name, index) => {
    const value = chunk.readBigUInt64LE(start + index * 8);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError(`STATS: ${name}`);
    return [name, Number(value)];
  });
  return Object.fromEntries(rows) as WorkerStats;
}

/** Adds up. */
export function sumStats(workers: readonly WorkerStats[]): ServerStats {
  const sum = Object.fromEntries(
    STAT_NAMES.map((name) => {
      const values = workers.map((worker) => worker[name]);
      return [name, name === "turnNsMax" ? Math.max(0, ...values) : values.reduce((total, value) => total + value, 0)];
    }),
  ) as unknown as WorkerStats;
  const readyPerTurn = sum.turns === 0 ? 0 : (sum.handlesTried - sum.probesMissed) / sum.turns;
  return { ...sum, readyPerTurn, workers };
}
