/**
 * The counters of `server.stats()`: those of each sandbox, and their sum.
 *
 * Invariants: reading a table costs the same whatever it holds; the names stand in the order of the table in
 * docs/protocol.md, STATS, which is that of assembly/core/stats.ts; test/host/bridge/frames.test.ts holds the three
 * together.
 */
import { ProtocolError } from "../core/errors.js";
import { STATS_BYTES } from "./frames.js";
import type { RefusalName } from "./refusals.js";
import { REFUSALS, STAT_NAMES, TURN_TIMES_COUNT } from "./statnames.js";

const TURN_TIMES_AT = STAT_NAMES.length * 8;
const REFUSALS_AT = TURN_TIMES_AT + TURN_TIMES_COUNT * 8;

/** The longest time, in nanoseconds, of the turns that are counted at `index` of `turnTimes`. */
export function turnTimeBoundNs(index: number): number {
  return index >= TURN_TIMES_COUNT - 1 ? Number.POSITIVE_INFINITY : 1024 * 2 ** index;
}

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
  /** Open connections about which each poll asks, because they moved bytes a moment ago. */
  readonly connectionsHot: number;
  /**
   * How many turns took at most 1,024 ns, at most twice that, and so on, each turn counted once; the last has no bound.
   */
  readonly turnTimes: readonly number[];
  /** `requestsRefused`, by the reason. */
  readonly refused: Readonly<Record<RefusalName, number>>;
}

/** The sum of a server's workers (of `turnNsMax` the greatest), and each of them. */
export interface ServerStats extends WorkerStats {
  /** Ready handles a turn, on average. */
  readonly readyPerTurn: number;
  /** Open connections that cost nothing until something comes, or until a sweep looks at them. */
  readonly connectionsCold: number;
  /** Workers that have ended by accident and were started again. */
  readonly workerRestarts: number;
  /** The workers that answered; one that hangs is not among them. */
  readonly workers: readonly WorkerStats[];
}

/** Reads a STATS frame; throws ProtocolError for one of another size. From 2 ** 53 on numbers are rounded. */
export function readStats(chunk: Buffer, start: number, end: number): WorkerStats {
  if (end - start !== STATS_BYTES) throw new ProtocolError("STATS");
  const number = (offset: number) => Number(chunk.readBigUInt64LE(start + offset));
  return {
    ...(Object.fromEntries(STAT_NAMES.map((name, index) => [name, number(index * 8)])) as Numbers),
    turnTimes: Array.from({ length: TURN_TIMES_COUNT }, (_, index) => number(TURN_TIMES_AT + index * 8)),
    refused: byReason((_, index) => number(REFUSALS_AT + index * 8)),
  };
}

type Numbers = Record<(typeof STAT_NAMES)[number], number>;

function byReason(value: (name: RefusalName, index: number) => number): Record<RefusalName, number> {
  return Object.fromEntries(REFUSALS.map(([name], index) => [name, value(name, index)])) as Record<RefusalName, number>;
}

/** Adds up what workers have counted. */
export function addStats(workers: readonly WorkerStats[]): WorkerStats {
  const sum = (value: (worker: WorkerStats) => number) => workers.reduce((total, worker) => total + value(worker), 0);
  const numbers = Object.fromEntries(STAT_NAMES.map((name) => [name, sum((worker) => worker[name])])) as Numbers;
  return {
    ...numbers,
    turnNsMax: Math.max(0, ...workers.map((worker) => worker.turnNsMax)),
    turnTimes: Array.from({ length: TURN_TIMES_COUNT }, (_, index) => sum(({ turnTimes }) => turnTimes[index] ?? 0)),
    refused: byReason((name) => sum(({ refused }) => refused[name])),
  };
}

/** The sum of a server's workers, with what follows from it. */
export function sumStats(workers: readonly WorkerStats[], workerRestarts = 0): ServerStats {
  const sum = addStats(workers);
  const readyPerTurn = sum.turns === 0 ? 0 : (sum.handlesTried - sum.probesMissed) / sum.turns;
  const connectionsCold = Math.max(0, sum.connectionsNow - sum.connectionsHot);
  return { ...sum, readyPerTurn, connectionsCold, workerRestarts, workers };
}
