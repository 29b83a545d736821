/**
 * What a worker process has from the process that started it: its task id, and the listening sockets that were bound
 * before.
 *
 * A worker runs the same program again; where that binds a socket as its parent did, it gets the parent's. So sockets
 * are known by what was asked for (`key`), and two that were asked for alike are distinguished by their order.
 *
 * Invariants: a socket is handed out once; what is in the environment counts only in the process that it was written
 * for.
 */
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
  readonly id: number;
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
  readonly id: number | null;
  /** What `takeInherited` has not handed out. */
  readonly entries: Entry[];
}

let legacy: Legacy | null = null;

/** Read when it is first asked for: to import this package reads nothing. */
function legacyOfThis(): Legacy {
  if (legacy !== null) return legacy;
  const task = readTask();
  if (task !== null) endWithParent();
  legacy = task === null ? { id: null, entries: [] } : { id: task.id, entries: fileDescriptors(task) };
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
  task(id: number): string;
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
  try {
    const read = JSON.parse(process.env[TASK_VARIABLE] ?? "null") as Task | null;
    return read?.parent === process.ppid && Number.isInteger(read.id) && Array.isArray(read.sockets) ? read : null;
  } catch {
    return null;
  }
}

function fileDescriptors({ sockets }: Task): Entry[] {
  let fd = FIRST_FD;
  return sockets.map(({ key, addresses, isPassed }) => {
    return { key, sockets: addresses.map((address) => ({ address, fd: fd++ })), isPassed };
  });
}
