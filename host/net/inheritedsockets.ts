/**
 * What a worker process has from the process that started it: its task id, and the listening sockets that were bound
 * before.
 *
 * A worker runs the same program again; where that binds a socket as its parent did, it gets the parent's. So sockets
 * are known by what was asked for (`key`), and two that were asked for alike are distinguished by their order.
 *
 * Invariants: a socket is handed out once; what is in the environment counts only in the process that it was written
 * for. A worker whose parent ends before it has begun ends, too: it does not take itself for a program of its own.
 */
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Address, ListeningSocket } from "../core/address.js";
import { ORPHAN_GRACE_MS } from "../core/limits.js";

/** The environment variable that tells a worker process what it is. */
export const TASK_VARIABLE = "WATERSPOUT_TASK";

/** The first descriptor of the sockets; before it are the standard streams and the channel. */
const FIRST_FD = 4;

interface Task {
  /** The process that this was written for is a child of that one. */
  readonly parent: number;
  /** Null for a spare process, which gets it later. */
  readonly id: number | null;
  /** One entry a call that bound sockets. */
  readonly sockets: readonly {
    readonly key: string;
    readonly addresses: readonly Address[];
    readonly isPassed: boolean;
  }[];
}

interface Inherited {
  readonly address: Address;
  readonly fd: number;
}

/** Sockets of this process, in the order in which they were bound. */
let bound: { readonly key: string; readonly sockets: readonly ListeningSocket[]; readonly isPassed: boolean }[] = [];

interface Entry {
  readonly key: string;
  readonly sockets: readonly Inherited[];
  /** The parent has them from its service manager. */
  readonly isPassed: boolean;
}

/** What the parent has left for this process. */
interface Legacy {
  id: number | null;
  readonly isSpare: boolean;
  /** What `takeInherited` has not handed out. */
  readonly entries: Entry[];
}

let legacy: Legacy | null = null;

/** Read when it is first asked for: to import this package reads nothing. */
function legacyOfThis(): Legacy {
  if (legacy !== null) return legacy;
  const task = readTask();
  if (task !== null) endWithParent();
  legacy = { id: task?.id ?? null, isSpare: task?.id === null, entries: task === null ? [] : fileDescriptors(task) };
  return legacy;
}

/**
 * A worker process does not outlive its parent: when that is gone, the worker does what its program does at SIGTERM.
 * It ends soon, whatever that is: it has the port that a new parent wants to bind.
 */
function endWithParent(): void {
  process.once("disconnect", () => {
    process.kill(process.pid, "SIGTERM");
    setTimeout(() => process.exit(128 + constants.signals.SIGTERM), ORPHAN_GRACE_MS).unref();
  });
  process.channel?.unref();
}

/** The number of this worker process, from 0; null in a process that forkProcesses has not started. */
export function taskId(): number | null {
  return legacyOfThis().id;
}

/** Whether this process was started as a spare one: it has a parent, and no number until `becomeTask`. */
export function isSpare(): boolean {
  return legacyOfThis().isSpare;
}

/** This spare process is worker `id` from now on. */
export function becomeTask(id: number): void {
  legacyOfThis().id = id;
}

/** The sockets that the parent got for `key`, if there are any that were not handed out yet. */
export function takeInherited(key: string): readonly Inherited[] | null {
  const { entries } = legacyOfThis();
  const at = entries.findIndex((entry) => entry.key === key);
  return at < 0 ? null : (entries.splice(at, 1)[0]?.sockets ?? null);
}

/** Whether `takeInherited` would give some. */
export function hasInherited(key: string): boolean {
  return legacyOfThis().entries.some((entry) => entry.key === key);
}

/** The keys of those, not handed out yet, that the parent has from its service manager. */
export function passedOnKeys(): readonly string[] {
  return legacyOfThis().entries.flatMap(({ key, isPassed }) => (isPassed ? key : []));
}

/**
 * Remembers that `sockets` were bound for `key`, by a service manager if they are `isPassed`, so that workers started
 * later share them.
 */
export function rememberBound(key: string, sockets: readonly ListeningSocket[], isPassed = false): void {
  bound = [...shareable(), { key, sockets, isPassed }];
}

/** What workers inherit: for their environment, and the descriptors for their `stdio`, in order. */
export interface Inheritance {
  /** Null: for a spare process. */
  task(id: number | null): string;
  readonly fds: number[];
  /** There will be no more workers: this process gives its sockets back. */
  close(): void;
}

/** The sockets that this process holds and does not accept from: all, or those of `only`. */
export function inheritance(only: readonly ListeningSocket[] | null = null): Inheritance {
  const entries = shareable().filter(
    ({ sockets }) => only === null || sockets.every((socket) => only.includes(socket)),
  );
  const sockets = entries.map(({ key, sockets, isPassed }) => {
    return { key, addresses: sockets.map(({ address }) => address), isPassed };
  });
  return {
    task: (id) => JSON.stringify({ parent: process.pid, id, sockets } satisfies Task),
    fds: entries.flatMap(({ sockets }) => sockets.map(({ sharedFd }) => sharedFd as number)),
    close: () => {
      for (const socket of entries.flatMap(({ sockets }) => sockets)) socket.close();
    },
  };
}

function shareable() {
  return bound.filter(({ sockets }) => sockets.every(({ sharedFd }) => typeof sharedFd === "number"));
}

/** Null when there is none, or when it was written for another process or by another program. */
function readTask(): Task | null {
  const read = taskIn(process.env[TASK_VARIABLE] ?? "null");
  if (read === null || read.parent === process.ppid) return read;
  // What a worker starts has the variable, too, and a living parent.
  if (process.channel !== undefined && isGone(read.parent)) process.exit(128 + constants.signals.SIGTERM);
  return null;
}

function taskIn(text: string): Task | null {
  try {
    const read = JSON.parse(text) as Task | null;
    const isTask = Number.isInteger(read?.parent) && (read?.id === null || Number.isInteger(read?.id));
    return isTask && Array.isArray(read?.sockets) ? read : null;
  } catch {
    return null;
  }
}

/** Whether a process has ended, even if its own parent has not taken its status yet. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"; // not where another system has no such file
  }
}

function fileDescriptors({ sockets }: Task): Entry[] {
  let fd = FIRST_FD;
  return sockets.map(({ key, addresses, isPassed }) => {
    return { key, sockets: addresses.map((address) => ({ address, fd: fd++ })), isPassed };
  });
}
