/**
 * Several processes for one program: Tornado's fork_processes, for a runtime that cannot fork. A worker runs the
 * program from its beginning, gets the sockets that were bound before, and goes on where `forkProcesses` returns its
 * id.
 *
 * Invariant: a worker process does not outlive the one that started it, however that ends.
 */
import { availableParallelism, constants } from "node:os";
import { wholeNumber } from "../core/check.js";
import { whyNotShared } from "../core/engine.js";
import { RuntimeUnavailableError, WorkerError } from "../core/errors.js";
import { RESTARTS_MAX } from "../core/limits.js";
import { defaultLogger } from "../core/log.js";
import { shareMemory } from "../core/memorybudget.js";
import { taskId } from "../net/inheritedsockets.js";
import { ProcessGroup } from "./processgroup.js";

export const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const PROCESSES_MAX = 1024;

/** What serves in this process, for a stop by signal. */
export const serving = new Set<{ stop(): Promise<void> }>();

let forked = false;

/** How many processors this process may use, at least 1. */
export function cpuCount(): number {
  return availableParallelism();
}

/**
 * Starts `count` processes (0 or null: one a processor) that run this program again, and watches over them. In each of
 * them it resolves with the process's task id, from 0 to `count` - 1. In the calling process it never resolves: that
 * forwards SIGINT and SIGTERM, starts a process that has ended abnormally again with the same id, and exits with 0 when
 * all have ended normally.
 *
 * Sockets from `bindSockets` and `bindUnixSocket` that were bound before are shared: connections wait in them while no
 * process lives. After `maxRestarts` (100) restarts in a row, of which one is forgotten each minute, the remaining ones
 * are stopped, and it rejects with WorkerError, as it does when it is called twice or when this process serves already;
 * with RuntimeUnavailableError where processes cannot share sockets, as in Bun and Deno.
 * A worker process without a handler for SIGINT or SIGTERM stops its servers in order.
 */
export async function forkProcesses(count: number | null = 0, maxRestarts: number = RESTARTS_MAX): Promise<number> {
  const wanted = wholeNumber("count", count ?? 0, 0, PROCESSES_MAX) || Math.min(cpuCount(), PROCESSES_MAX);
  wholeNumber("maxRestarts", maxRestarts, 0);
  if (forked) throw new WorkerError("forkProcesses was called before");
  if (serving.size > 0) throw new WorkerError("forkProcesses must be called before anything is served");
  const why = whyNotShared("forkProcesses");
  if (why !== null) throw new RuntimeUnavailableError(why);
  forked = true;
  const id = taskId();
  if (id !== null) {
    shareMemory(wanted);
    stopOnSignals();
    return id;
  }
  const group = new ProcessGroup({
    count: wanted,
    first: wanted,
    restartsMax: maxRestarts,
    warn: (text) => defaultLogger.warn(text),
    message: () => {},
    restarts: () => true,
  });
  forwardSignals(group);
  process.exit(await group.ended);
}

/** The first signal stops in order, the second at once. */
export function forwardSignals(group: ProcessGroup): void {
  onSignals(
    (name) => group.signal(name),
    () => group.signal("SIGKILL"),
  );
}

/** Calls `stop` at the first SIGINT or SIGTERM; at the second `kill`, and exits with 128 and its number. */
export function onSignals(stop: (name: NodeJS.Signals) => void, kill: () => void = () => {}): void {
  let stopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping) {
        kill();
        process.exit(128 + constants.signals[signal]);
      }
      stopping = true;
      stop(signal);
    });
  }
}

/** For a worker process whose program does not care itself. */
function stopOnSignals(): void {
  let stopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (process.listenerCount(signal) > 1) return;
      if (stopping) process.exit(128 + constants.signals[signal]);
      stopping = true;
      const stops = [...serving].map((server) => server.stop());
      Promise.all(stops).then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}
