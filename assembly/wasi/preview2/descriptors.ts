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
  flags: i32; // of a connection: SHUT and OWING
}
const BYTES: usize = 32;
if (offsetof<Descriptor>() > BYTES) ERROR("a descriptor has grown");

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
    w.dropInput(descriptor.input);
    w.dropOutput(descriptor.output);
  }
  w.dropSocket(descriptor.socket);
  release(fd);
}

/** The resources of `fd` have been dropped: its number is given to another. */
export function release(fd: i32): void {
  const descriptor = descriptorAt(fd);
  descriptor.kind = FREE;
  descriptor.following = free;
  free = fd;
}
