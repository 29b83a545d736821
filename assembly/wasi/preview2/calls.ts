// The functions of preview1 that servers call, carried out over WASI 0.2, so that the platform above stays the one of
// preview1.
//
// Here poll_oneoff tells of what is ready alone, and always for certain.
// A write of 0.2 may be taken by the host before the peer's side has room. So the last byte of such a write counts as
// written only when all of it has left: a stream that closes after the last byte closes after all of them, and a peer
// that takes nothing is noticed.
// Reference: imports.ts of preview1 for results and errno; wasi:io/streams, check-write.

import { Address } from "../../core/address";
import { HANDLES_MAX, LISTENERS_MAX } from "../../core/limits";
import { land } from "../component/memory";
import { readSocketAddress } from "../component/socketaddress";
import * as p1 from "../imports";
import {
  CONNECTION,
  Descriptor,
  OWING,
  WAITS,
  SHUT,
  ROOMY,
  close,
  descriptorAt,
  hasRoom,
  isOpen,
  open,
  readableOf,
  writableOf,
} from "./descriptors";
import * as w from "./imports";
import { writeToStderr } from "./output";

const ERRNO_BADF: i32 = 8;
const ERRNO_MFILE: i32 = 33;
/** An event that is certain; see poller.ts. */
const CERTAIN_BYTES: u64 = 65536;
/** A host that permits no larger writes waits when an output is dropped: wasmtime from 48 on. 47 permits 1 GiB. */
const WAITING_HOST_ROOM: i64 = 65536;
/** With such a host the system's buffer of a connection has this size, so that there is more to ask for at its end. */
const SEND_BUFFER_BYTES: u64 = 65536;

const SUBSCRIPTIONS_MAX: i32 = HANDLES_MAX * 2 + LISTENERS_MAX + 2;
const pollables: usize = WASI == 2 ? memory.data(4 * SUBSCRIPTIONS_MAX, 4) : 0;
const indexes: usize = WASI == 2 ? memory.data(4 * SUBSCRIPTIONS_MAX, 4) : 0;
const result: usize = WASI == 2 ? memory.data(64, 8) : 0;
let atOnce: i32 = 0; // a pollable that is always ready

export function fd_fdstat_get(fd: u32, statOut: usize): i32 {
  if (!isOpen(fd)) return ERRNO_BADF;
  store<u8>(statOut, p1.FILETYPE_SOCKET_STREAM);
  return 0;
}

export function sock_accept(fd: u32, flags: i32, fdOut: usize): i32 {
  if (!hasRoom()) return ERRNO_MFILE;
  w.acceptSocket(descriptorAt(fd).socket, result);
  if (load<u8>(result)) {
    const code = load<u8>(result, 4);
    if (code == w.ERROR_WOULD_BLOCK) return p1.ERRNO_AGAIN;
    return code == w.ERROR_CONNECTION_ABORTED || code == w.ERROR_CONNECTION_RESET ? p1.ERRNO_CONNABORTED : ERRNO_MFILE;
  }
  store<i32>(fdOut, open(CONNECTION, load<i32>(result, 4), load<i32>(result, 8), load<i32>(result, 12)));
  return 0;
}

/** The number of the socket among the component's handles. */
export function socketOf(fd: u32): u32 {
  return descriptorAt(fd).socket;
}

/** Where the peer of `fd` is; false: it has gone again. */
export function peer(fd: u32, address: Address): bool {
  w.remoteAddress(descriptorAt(fd).socket, result);
  if (load<u8>(result)) return false;
  readSocketAddress(result + 4, address);
  return true;
}

export function sock_recv(fd: u32, iovs: usize, count: i32, flags: i32, sizeOut: usize, flagsOut: usize): i32 {
  const size = load<usize>(iovs, 4);
  land(load<usize>(iovs), size);
  w.readInput(descriptorAt(fd).input, size, result);
  land(0, 0);
  store<i32>(sizeOut, 0);
  if (load<u8>(result)) return load<u8>(result, 4) ? 0 : failed(result + 8);
  const n = load<i32>(result, 8);
  store<i32>(sizeOut, n);
  return n ? 0 : p1.ERRNO_AGAIN;
}

/** Of the channel: the others are read by sock_recv, which is the same here. */
export function fd_read(fd: u32, iovs: usize, count: i32, sizeOut: usize): i32 {
  return sock_recv(fd, iovs, count, 0, sizeOut, 0);
}

export function sock_send(fd: u32, iovs: usize, count: i32, flags: i32, sizeOut: usize): i32 {
  const descriptor = descriptorAt(fd);
  if (descriptor.flags & SHUT) return p1.ERRNO_PIPE;
  let room = roomOf(descriptor.output);
  if (!room && (descriptor.flags & (OWING | ROOMY)) != OWING) room = roomAfterWait(descriptor);
  descriptor.flags &= ~ROOMY;
  if (room <= 0) return room ? -i32(room) : p1.ERRNO_AGAIN;
  if (room <= WAITING_HOST_ROOM && !(descriptor.flags & WAITS)) {
    descriptor.flags |= WAITS;
    w.setSendBuffer(descriptor.socket, SEND_BUFFER_BYTES, result);
  }
  const size = load<i32>(iovs, 4);
  const owed = descriptor.flags & OWING ? 1 : 0; // that byte is the first of these, and has left now
  descriptor.flags &= ~OWING;
  const n = i32(min<i64>(room, size - owed));
  store<i32>(sizeOut, owed + n);
  if (!n) return 0;
  w.writeOutput(descriptor.output, load<usize>(iovs) + usize(owed), n, result);
  if (load<u8>(result)) return load<u8>(result, 4) ? p1.ERRNO_PIPE : failed(result + 8);
  room = roomOf(descriptor.output);
  if (room < 0) return -i32(room);
  if (!room) {
    descriptor.flags |= OWING;
    store<i32>(sizeOut, owed + n - 1);
    if (owed + n == 1) return p1.ERRNO_AGAIN;
  }
  return 0;
}

/** How many bytes the host takes, 0 while it still has some | -errno. */
function roomOf(output: i32): i64 {
  w.checkWrite(output, result);
  if (!load<u8>(result)) return load<i64>(result, 8);
  return load<u8>(result, 8) ? -p1.ERRNO_PIPE : -failed(result + 12);
}

/**
 * The room of a stream that has some, for nothing is owed or poll_oneoff has said so. wasmtime 48 answers 0 all the
 * same to a component that has asked a hundred things since it last waited, so this waits: for this stream, not long.
 */
function roomAfterWait(descriptor: Descriptor): i64 {
  const timer = w.subscribeDuration(1);
  store<i32>(pollables, writableOf(descriptor));
  store<i32>(pollables, timer, 4);
  land(indexes, 8);
  w.poll(pollables, 2, result);
  land(0, 0);
  w.dropPollable(timer);
  return roomOf(descriptor.output);
}

function failed(error: usize): i32 {
  w.dropError(load<i32>(error));
  return p1.ERRNO_CONNRESET;
}

export function sock_shutdown(fd: u32, how: i32): i32 {
  descriptorAt(fd).flags |= SHUT;
  w.shutdownSocket(descriptorAt(fd).socket, w.SHUTDOWN_SEND, result);
  return 0;
}

export function fd_close(fd: u32): i32 {
  close(fd);
  return 0;
}

/** To stderr, whatever `fd` is. */
export function fd_write(fd: u32, iovs: usize, count: i32, sizeOut: usize): i32 {
  const n = writeToStderr(load<usize>(iovs), load<i32>(iovs, 4));
  store<i32>(sizeOut, max(n, 0));
  return n < 0 ? p1.ERRNO_PIPE : 0;
}

export function poll_oneoff(subscriptions: usize, events: usize, count: i32, countOut: usize): i32 {
  let timer = 0;
  for (let i = 0; i < count; i++) {
    const from = subscriptions + usize(i) * p1.SUBSCRIPTION_BYTES;
    let pollable: i32;
    if (load<u8>(from, 8) == p1.TAG_CLOCK) {
      const ns = load<u64>(from, 24);
      if (ns) pollable = timer = w.subscribeDuration(ns);
      else pollable = atOnce = atOnce ? atOnce : w.subscribeDuration(0);
    } else {
      const descriptor = descriptorAt(load<u32>(from, 16));
      pollable = load<u8>(from, 8) == p1.TAG_READ ? readableOf(descriptor) : writableOf(descriptor);
    }
    store<i32>(pollables + (usize(i) << 2), pollable);
  }
  land(indexes, usize(count) << 2);
  w.poll(pollables, count, result);
  land(0, 0);
  if (timer) w.dropPollable(timer);
  const ready = load<i32>(result, 4);
  for (let i = 0; i < ready; i++) {
    const from = subscriptions + usize(load<i32>(indexes + (usize(i) << 2))) * p1.SUBSCRIPTION_BYTES;
    const event = events + usize(i) * p1.EVENT_BYTES;
    if (load<u8>(from, 8) == p1.TAG_WRITE) descriptorAt(load<u32>(from, 16)).flags |= ROOMY;
    store<u64>(event, load<u64>(from));
    store<u64>(event, u64(load<u8>(from, 8)) << 16, 8); // errno 0, and the kind
    store<u64>(event, CERTAIN_BYTES, 16);
    store<u64>(event, 0, 24);
  }
  store<i32>(countOut, ready);
  return 0;
}

export function clock_time_get(clock: i32, precision: u64, timeOut: usize): i32 {
  if (clock == p1.CLOCK_MONOTONIC) store<u64>(timeOut, w.monotonicNow());
  else {
    w.wallNow(result);
    store<u64>(timeOut, load<u64>(result) * 1_000_000_000 + load<u32>(result, 8));
  }
  return 0;
}

/** 0.2 knows success and failure alone. */
export function proc_exit(code: i32): void {
  w.exit(code ? 1 : 0);
}
