// What the figures were taken on, and which core does what.

import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";

/** The cores this process may use, for instance [0, 1]. */
function allowedCores() {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const cores = process.platform === "linux" ? allowedCores() : [];

/** One core for all servers, another one for the load; null means "anywhere" (a machine with one core). */
export const SERVER_CORE = cores.length > 1 ? cores[0] : null;
export const LOAD_CORE = cores.length > 1 ? cores[1] : null;

export function describeMachine() {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cores.length,
    kernel: release(),
    loadBefore: loadavg()[0],
    busy: loadavg()[0] > cores.length / 2,
    pinning:
      SERVER_CORE === null
        ? "none: the machine has one core"
        : `servers on core ${SERVER_CORE}, load on core ${LOAD_CORE}`,
  };
}
