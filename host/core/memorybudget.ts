/**
 * How much memory this process may still take, and what part of it each bound gets that no option has set.
 *
 * A process beyond a limit of its system is killed, or dies in an allocation that cannot fail. So the defaults of all
 * that peers can fill are parts of the room that there is, and leave half of it to sockets, to handlers and to garbage.
 *
 * Invariant: found out once, when the first server is made, or when it is known how many processes share a limit;
 * without a limit every bound has its usual value.
 * Reference: setrlimit(2), RLIMIT_DATA and RLIMIT_AS; proc(5), VmData and VmSize; `process.constrainedMemory` for
 * cgroups.
 */
import { readFileSync } from "node:fs";
import { OptionError } from "./errors.js";

/** The environment variable that says how much memory each process may take. */
export const MEMORY_VARIABLE = "WATERSPOUT_MEMORY";
/** What it may say, for an error. */
export const MEMORY_FORMS = "a size from 64M on, such as 256M or 1G";
/** Node alone takes as much. */
const MEMORY_BYTES_SAID_MIN = 64 << 20;

/** What JavaScript itself may still take once a server has started: V8's new space grows so far. */
const JAVASCRIPT_BYTES = 32 << 20;
/** How little room there is at least, whatever the limits say: enough for a few requests. */
const ROOM_BYTES_MIN = 16 << 20;
/** With more room V8's own rules for garbage will do. */
const SHORT_BYTES_MAX = 512 << 20;

// Parts of the room, by what they bound: together less than half of it. docs/limits.md lists them.
export const BODIES_SHARE = 8;
export const SANDBOX_SHARE = 8;
export const HELD_SHARE = 16;
export const WRITES_HELD_SHARE = 16;
export const READ_AHEAD_SHARE = 32;
/** What the memory of a .wasm application may grow by has one: of those above it needs only what is read ahead. */
export const APPLICATION_SHARE = 4;
/** What may lie outside of V8's heap in addition to what was left there, before garbage is collected. */
export const GARBAGE_SHARE = 8;
/** One read of a socket: many thousand connections may have one each. */
export const SOCKET_READ_SHARE = 16384;
/** There may be so many as the room has times these bytes. */
export const CONNECTION_BYTES = 64 << 10;
export const COMPRESSOR_BYTES = 4 << 20;

/** A limit of this process, and what counts towards it already, in bytes. */
export interface MemoryLimit {
  readonly max: number;
  readonly used: number;
}

let room: number | null = null;
/** Processes that do the same as this one, and share the limit of one container or service. */
let processes = 1;

/** This process is one of `count` that share what their container or service may take. */
export function shareMemory(count: number): void {
  processes = count;
  room = null;
}

/** Bytes that this process may take in addition to what it has; Infinity: as many as it likes. */
export function memoryRoom(): number {
  room ??= roomWithin(memoryLimits(processes));
  return room;
}

/** Whether there is so little that it has to be looked after; for one of `count` processes, where that is given. */
export function isMemoryShort(count?: number): boolean {
  return (count === undefined ? memoryRoom() : roomWithin(memoryLimits(count))) <= SHORT_BYTES_MAX;
}

/** One of `parts` of the room, and `bytesMax` at most. */
export function memoryShare(parts: number, bytesMax: number): number {
  return Math.min(bytesMax, Math.floor(memoryRoom() / parts));
}

/** What is left within the tightest of `limits`, ROOM_BYTES_MIN at least. */
export function roomWithin(limits: readonly MemoryLimit[]): number {
  return Math.max(ROOM_BYTES_MIN, Math.min(...limits.map(({ max, used }) => max - used - JAVASCRIPT_BYTES)));
}

/** The bytes that `text` means, such as "256M"; null: it is none of MEMORY_FORMS. */
export function memoryIn(text: string): number | null {
  const [, amount, unit = ""] = /^(\d{1,12})([KMG]?)$/i.exec(text) ?? [];
  const bytes = Number(amount) * 1024 ** " KMG".indexOf(unit.toUpperCase() || " ");
  return bytes >= MEMORY_BYTES_SAID_MIN ? bytes : null;
}

function memorySaid(): number {
  const text = process.env[MEMORY_VARIABLE];
  if (text === undefined || text === "") return Number.POSITIVE_INFINITY;
  const bytes = memoryIn(text);
  if (bytes === null) throw new OptionError(`${MEMORY_VARIABLE} must be ${MEMORY_FORMS}, not ${JSON.stringify(text)}`);
  return bytes;
}

function memoryLimits(count: number): MemoryLimit[] {
  const used = process.memoryUsage.rss();
  return [
    { max: memorySaid(), used },
    { max: (process.constrainedMemory() || Number.POSITIVE_INFINITY) / count, used },
    ...systemLimits(textOf("/proc/self/limits"), textOf("/proc/self/status")),
  ];
}

/** By what Linux says of a process in these two files; without them there are none. */
export function systemLimits(limits: string, status: string): MemoryLimit[] {
  return [
    { max: numberIn(limits, /^Max data size +(\d+)/m), used: 1024 * numberIn(status, /^VmData:\s+(\d+)/m) },
    { max: numberIn(limits, /^Max address space +(\d+)/m), used: 1024 * numberIn(status, /^VmSize:\s+(\d+)/m) },
  ].filter(({ max }) => max !== Number.POSITIVE_INFINITY);
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? Number.POSITIVE_INFINITY : Number(found);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // another system
  }
}
