// A worker is killed while clients ask it, and what is lost is distinguished: with the worker, or of others.

import { clientPortsOf, isStopped, workersOf } from "../e2e/support/processes.js";
import { eventually, type Server } from "../e2e/support/ways.js";
import type { Loss } from "./clients.js";

/**
 * Kills the worker with most connections. Adds the ports of their clients to `cut`, and resolves when another worker
 * serves in its place, with how many ms that took.
 */
export async function killOne(server: Server, cut: Set<number>): Promise<number> {
  const workers = serving(server);
  const [victim] = workers.toSorted((one, other) => other.ports.size - one.ports.size);
  process.kill(victim.pid, "SIGSTOP"); // it accepts no more: its connections are all that dies with it
  await eventually("it stands still", () => isStopped(victim.pid));
  for (const port of clientPortsOf(victim.pid, server.port)) cut.add(port);
  process.kill(victim.pid, "SIGKILL");
  const begun = performance.now();
  const known = new Set(workers.map(({ pid }) => pid));
  await eventually("another one serves", () =>
    serving(server).some(({ pid, ports }) => !known.has(pid) && ports.size > 0),
  );
  return performance.now() - begun;
}

/** What was lost although the worker of its connection was not killed. */
export function lossesOfOthers(lost: readonly Loss[], cut: ReadonlySet<number>): Loss[] {
  return lost.filter(({ port }) => !cut.has(port));
}

function serving(server: Server): { pid: number; ports: Set<number> }[] {
  return workersOf(server.pid).map(({ pid }) => ({ pid, ports: clientPortsOf(pid, server.port) }));
}
