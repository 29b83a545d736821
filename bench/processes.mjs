// Every process that the bench starts, and what /proc says about it.
// Invariant: what `start` has started is dead, with its children, before the bench itself ends, however it ends.
// Reference: proc(5), for stat and smaps_rollup.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux
const OUTPUT_KEPT = 4096;
const STOP_MS = 12_000; // more than a server may take for its drain

export const OPEN_FILES = Math.min(16_384, hardFileLimit()); // room for 10,000 connections, where the machine allows it

const running = new Set();

/**
 * Starts a program, on one core unless `core` is null.
 * `ended` resolves to how it ended; `output()` is the last of what it said.
 */
export function start(command, { core = null, env = {}, ipc = false } = {}) {
  const pin = core === null ? [] : ["taskset", "--cpu-list", String(core)];
  const [file, ...args] = [...pin, "prlimit", `--nofile=${OPEN_FILES}`, ...command];
  const child = spawn(file, args, {
    env: { ...process.env, RUST_BACKTRACE: "0", ...env }, // with 1, wasmtime collects a backtrace at each EAGAIN
    detached: true, // a group of its own: Ctrl-C reaches the bench alone, which then ends everything in order
    stdio: ["ignore", "pipe", "pipe", ...(ipc ? ["ipc"] : [])],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-OUTPUT_KEPT);
    });
  }
  const started = { child, pid: child.pid, output: () => output.trim(), how: null };
  running.add(started);
  started.ended = new Promise((resolve) => {
    const end = (how) => {
      running.delete(started);
      started.how = how;
      resolve(how);
    };
    child.once("error", (error) => end(error.message));
    child.once("close", (code, signal) => end(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
  return started;
}

/**
 * Asks a program to end, and kills it with its children when it does not. Resolves to whether it obeyed; a child that
 * holds on to its output counts as not ended.
 */
export async function stop(started) {
  if (started.how !== null) return true;
  const tree = processTree(started.pid);
  signal([started.pid], "SIGTERM");
  const timer = setTimeout(() => signal(tree, "SIGKILL"), STOP_MS);
  const how = await started.ended;
  clearTimeout(timer);
  return how !== "killed by SIGKILL";
}

/** Installs the handlers that keep the invariant. */
export function endEverythingAtExit() {
  process.on("exit", () => {
    for (const started of running) signal(processTree(started.pid), "SIGKILL");
  });
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => process.exit(128 + constants.signals[name]));
  }
}

function signal(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }
}

// --- /proc ---

/** The process and all its descendants, itself first. */
export function processTree(root) {
  const children = new Map();
  for (const entry of readdirSync("/proc")) {
    const stat = /^\d+$/.test(entry) ? readStat(entry) : null;
    if (stat === null) continue;
    if (!children.has(stat.parent)) children.set(stat.parent, []);
    children.get(stat.parent).push(Number(entry));
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? [])); // `tree` grows while it is walked
  return tree;
}

/** CPU seconds (user and system) used so far: by the process itself, and by its descendants. */
export function cpuSeconds(root) {
  const seconds = processTree(root).map((pid) => readStat(pid)?.cpuSeconds ?? 0);
  return { main: seconds[0], children: seconds.slice(1).reduce((sum, each) => sum + each, 0) };
}

/** Memory of the process and its descendants in bytes: resident, and with shared pages divided among their users. */
export function memoryBytes(root) {
  const sum = { rss: 0, pss: 0 };
  for (const pid of processTree(root)) {
    const text = readProc(`${pid}/smaps_rollup`) ?? "";
    for (const [, kind, kibibytes] of text.matchAll(/^(Rss|Pss):\s+(\d+)/gm)) {
      sum[kind.toLowerCase()] += Number(kibibytes) * 1024;
    }
  }
  return sum;
}

function readStat(pid) {
  const text = readProc(`${pid}/stat`);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // the name before may hold anything
  return { parent: Number(fields[1]), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND };
}

function hardFileLimit() {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readProc("self/limits") ?? "")?.[1];
  return limit === undefined || limit === "unlimited" ? Infinity : Number(limit);
}

function readProc(path) {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return null; // that process ended meanwhile
  }
}
