// Descriptors over WASI 0.2, as preview1 has them: small numbers for listeners and connections, each with its
// resources. 0 is the bridge's channel, of which there is an input alone.
// Invariant: a descriptor's resources are dropped in the order pollables, streams, socket: a parent before its children
// would end the component.

import { HANDLES_MAX, LISTENERS_MAX } from "../../core/limits";
import * as w from "./imports";

/** Kinds of descriptors. */
export const FREE: i32 = 0;
export const CONNECTION: i32 = 1;
export const LISTENER: i32 = 2;
/** A connection that is being made; also a name that is being looked up, which outgoing.ts closes itself. */
export const CONNECTING: i32 = 3;

/**
 * Flags of a connection. SHUT: no more is sent. OWING: the last byte of a write is not counted yet. ROOMY: a poll has
 * said that there is room, and it was not tried since. WAITS: dropping its output holds up all of the component until
 * the system has taken what was written.
 */
export const SHUT: i32 = 1;
export const OWING: i32 = 2;
export const ROOMY: i32 = 4;
export const WAITS: i32 = 8;

/** The first number behind those of preview1's stdin, stdout and stderr. */
export const FIRST: i32 = 3;
const COUNT_MAX: i32 = i32(FIRST) + HANDLES_MAX + LISTENERS_MAX;

// @ts-ignore: decorator
@unmanaged
export class Descriptor {
  socket: i32;
  input: i32;
  output: i32;
  readable: i32; // pollables, 0: not made yet
  writable: i32;
  following: i32; // in the list of free ones
  kind: i32;
  flags: i32; // of a connection
}
const BYTES: usize = 32;
if (offsetof<Descriptor>() > BYTES) ERROR("a descriptor has grown");

/** What the system's buffer gets for what a connection owes at its end: the most that Linux grants by default. */
const LAST_SEND_BUFFER_BYTES: u64 = 212992;
const result: usize = WASI == 2 ? memory.data(8, 8) : 0;

const table: usize = WASI == 2 ? memory.data(i32(BYTES) * COUNT_MAX, 16) : 0;
let free: i32 = -1;
let used: i32 = i32(FIRST);

// @ts-ignore: decorator
@inline
export function descriptorAt(fd: u32): Descriptor {
  return changetype<Descriptor>(table + usize(fd) * BYTES);
}

export function isOpen(fd: u32): bool {
  return i32(fd) >= FIRST && i32(fd) < used && descriptorAt(fd).kind != FREE;
}

export function hasRoom(): bool {
  return free >= 0 || used < COUNT_MAX;
}

export function open(kind: i32, socket: i32, input: i32, output: i32): i32 {
  let fd = free;
  if (fd >= 0) free = descriptorAt(fd).following;
  else fd = used++;
  const descriptor = descriptorAt(fd);
  memory.fill(changetype<usize>(descriptor), 0, BYTES);
  descriptor.kind = kind;
  descriptor.socket = socket;
  descriptor.input = input;
  descriptor.output = output;
  return fd;
}

/** Tells of input; of a listener, of a connection. */
export function readableOf(descriptor: Descriptor): i32 {
  if (!descriptor.readable) {
    descriptor.readable =
      descriptor.kind == LISTENER ? w.subscribeSocket(descriptor.socket) : w.subscribeInput(descriptor.input);
  }
  return descriptor.readable;
}

export function writableOf(descriptor: Descriptor): i32 {
  if (!descriptor.writable) {
    descriptor.writable =
      descriptor.kind == CONNECTING ? w.subscribeSocket(descriptor.socket) : w.subscribeOutput(descriptor.output);
  }
  return descriptor.writable;
}

export function close(fd: i32): void {
  const descriptor = descriptorAt(fd);
  if (descriptor.readable) w.dropPollable(descriptor.readable);
  if (descriptor.writable) w.dropPollable(descriptor.writable);
  if (descriptor.kind == CONNECTION) {
    if (descriptor.flags & WAITS) endOutput(descriptor);
    w.dropInput(descriptor.input);
    w.dropOutput(descriptor.output);
  }
  w.dropSocket(descriptor.socket);
  release(fd);
}

/**
 * Dropping the output does not wait after this. What the host still holds, less than one write, fits into the system's
 * buffer once that has grown; a stream that is shut down is not waited for until it has room.
 */
function endOutput(descriptor: Descriptor): void {
  if (descriptor.flags & OWING) w.setSendBuffer(descriptor.socket, LAST_SEND_BUFFER_BYTES, result);
  w.shutdownSocket(descriptor.socket, w.SHUTDOWN_SEND, result);
}

/** The resources of `fd` have been dropped: its number is given to another. */
export function release(fd: i32): void {
  const descriptor = descriptorAt(fd);
  descriptor.kind = FREE;
  descriptor.following = free;
  free = fd;
}
