// What the kernel says about a process and all that it started: who lives, what it costs. Linux, proc(5).
// Nothing here kills by name: only what a test has started, found through its parent.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Clock ticks a second in /proc/PID/stat; Linux shows user space 100 whatever the kernel's own rate is. */
const TICKS_PER_SECOND = 100;
const WINDOW_MS = 1000;
const WINDOWS_MAX = 15;

interface Stat {
  pid: number;
  parent: number;
  state: string;
  cpuTicks: number;
  startTime: string;
}

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
  pid: number;
  startTime: string;
}

/** The process and everything below it, itself first. Empty when it is gone. */
export function processTree(pid: number): ProcessId[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => stat(Number(name)))
    .filter((found) => found !== null && found.state !== "Z") as Stat[];
  const tree = all.filter((found) => found.pid === pid);
  for (const member of tree) tree.push(...all.filter((found) => found.parent === member.pid));
  return tree.map(({ pid, startTime }) => ({ pid, startTime }));
}

export function isAlive({ pid, startTime }: ProcessId): boolean {
  const found = stat(pid);
  return found !== null && found.state !== "Z" && found.startTime === startTime;
}

/** It was stopped by a signal, and has not gone on. */
export function isStopped(pid: number): boolean {
  return stat(pid)?.state === "T";
}

/** The processes below `pid` that serve: wasmtime, or the command itself once more, unless it is a spare one. */
export function workersOf(pid: number): ProcessId[] {
  const serves = (argument: string): boolean => /(^|\/)(wasmtime(-async)?|cli\/main\.js)$/.test(argument);
  return processTree(pid)
    .slice(1)
    .filter((member) => (wasSpare(member.pid) ? !waits(member.pid) : commandLine(member.pid).slice(0, 2).some(serves)));
}

/** The processes below `pid` that wait for a worker's death. */
export function sparesOf(pid: number): ProcessId[] {
  return processTree(pid)
    .slice(1)
    .filter((member) => wasSpare(member.pid) && waits(member.pid));
}

/** It was started as a spare process. */
function wasSpare(pid: number): boolean {
  return /"id":null/.test(environmentOf(pid).WATERSPOUT_TASK ?? "");
}

/** Once it has been called its title is its command line, as one text. */
function waits(pid: number): boolean {
  return !/cli\/main\.js /.test(commandLine(pid)[0] ?? "");
}

/** Whether the process has the server's end of the loopback connection between these two ports. */
export function holdsConnection(pid: number, serverPort: number, clientPort: number): boolean {
  const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (read("/proc/net/tcp") ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  const row = rows.find(([, local, remote]) => local?.endsWith(hex(serverPort)) && remote?.endsWith(hex(clientPort)));
  const links = entries(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
  return row !== undefined && links.includes(`socket:[${row[9]}]`);
}

/** The ports of the clients whose loopback connections to `serverPort` the process holds. */
export function clientPortsOf(pid: number, serverPort: number): Set<number> {
  const links = new Set(entries(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`)));
  const port = (address = ""): number => Number.parseInt(address.slice(address.indexOf(":") + 1), 16);
  const rows = (read("/proc/net/tcp") ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  const held = rows.filter((row) => port(row[1]) === serverPort && links.has(`socket:[${row[9]}]`));
  return new Set(held.map(([, , remote]) => port(remote)).filter((remote) => remote > 0));
}

export function commandLine(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`)?.split("\0").slice(0, -1) ?? [];
}

/** The environment that the process was started with. */
export function environmentOf(pid: number): Record<string, string> {
  const pairs = read(`/proc/${pid}/environ`)?.split("\0").slice(0, -1) ?? [];
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** What the tree does while nothing is asked of it. */
export interface Activity {
  /** Of one core. */
  cpuShare: number;
  wakeUpsPerSecond: number;
}

/**
 * The least of up to fifteen windows of a second, until one is calm. On a busy machine, work from before (a compiler's,
 * a collector's) fills the first ones; a server that spins does so in each.
 */
export async function activity(pid: number): Promise<Activity> {
  const least = { cpuShare: Infinity, wakeUpsPerSecond: Infinity };
  for (let i = 0; i < WINDOWS_MAX && (least.cpuShare > 0.02 || least.wakeUpsPerSecond > 10); i++) {
    const [ticks, wakeUps, start] = [cpuTicks(pid), wakeUpsOf(pid), performance.now()];
    await sleep(WINDOW_MS);
    const seconds = (performance.now() - start) / 1000;
    least.cpuShare = Math.min(least.cpuShare, (cpuTicks(pid) - ticks) / TICKS_PER_SECOND / seconds);
    least.wakeUpsPerSecond = Math.min(least.wakeUpsPerSecond, (wakeUpsOf(pid) - wakeUps) / seconds);
  }
  return least;
}

/** Memory of the tree that is resident and its own (no file pages, which all processes share). */
export function residentBytes(pid: number): number {
  return processTree(pid)
    .map((member) => Number(/^RssAnon:\s+(\d+) kB$/m.exec(read(`/proc/${member.pid}/status`) ?? "")?.[1] ?? 0) * 1024)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function cpuTicks(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + (stat(member.pid)?.cpuTicks ?? 0), 0);
}

/**
 * How often the main threads of its processes have slept, and so been woken. Other threads (Node's collector of
 * garbage, a TypeScript compiler's) work long after the last request; a loop that spins or polls does it in the main
 * thread.
 */
function wakeUpsOf(pid: number): number {
  return processTree(pid)
    .map((member) => `/proc/${member.pid}/task/${member.pid}/status`)
    .map((file) => Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(read(file) ?? "")?.[1] ?? 0))
    .reduce((sum, count) => sum + count, 0);
}

function stat(pid: number): Stat | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The second field is the command's name in parentheses and may hold anything; count from its end.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    state: fields[0],
    parent: Number(fields[1]),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    startTime: fields[19],
  };
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // the process has ended meanwhile
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null; // the process has ended meanwhile
  }
}
