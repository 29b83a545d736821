// The platform over WASI preview1: sockets, channel, clock. Invariant: only this file and wasi/poller.ts call
// imports.ts. Reference: the contract in index.ts; WASI snapshot 01. There is no peer address, no bind and no socket
// option here.

import { AGAIN, REASON_BUFFER_FULL, REASON_IO, REASON_RESET, REASON_TIMEOUT } from "../core/errors";
import { LISTENERS_MAX } from "../core/limits";
import { NS_PER_S } from "../core/units";
import {
  clock_time_get,
  fd_close,
  fd_fdstat_get,
  fd_read,
  fd_write,
  proc_exit,
  sock_accept,
  sock_recv,
  sock_send,
  sock_shutdown,
} from "./calls";
import {
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  ERRNO_AGAIN,
  ERRNO_CONNABORTED,
  ERRNO_CONNRESET,
  ERRNO_INTR,
  ERRNO_NOTCONN,
  ERRNO_PIPE,
  ERRNO_TIMEDOUT,
  FDFLAGS_NONBLOCK,
  FILETYPE_SOCKET_STREAM,
  SHUT_WRITE,
} from "./imports";
import * as poller from "./poller";
import { BLOCKING, ORDINARY, PINNED, hasRoom } from "./backoff";

const FIRST_LISTENER_FD: u32 = 3;
const CHANNEL_IN: u32 = 0;
const CHANNEL_OUT: u32 = 1;
const STDERR: u32 = 2;

// One iovec at 0, results behind it: nothing of it lives longer than a call.
const scratch: usize = memory.data(32, 8);
const RESULT: usize = 8;
const FLAGS: usize = 12;
const TIME: usize = 16;

const listeners: usize = memory.data(LISTENERS_MAX * 4, 4);
let count: i32 = 0;
let channel: i32 = -1;

/** Finds the listeners: the stream sockets among the descriptors from 3 up, until the first that is not open. */
export function start(): void {
  const stat = memory.data(24, 8);
  for (let fd = FIRST_LISTENER_FD; fd_fdstat_get(fd, stat) == 0; fd++) {
    if (load<u8>(stat) != FILETYPE_SOCKET_STREAM || count == LISTENERS_MAX) continue;
    store<i32>(listeners + (usize(count) << 2), poller.open(fd, PINNED));
    count++;
  }
}

export function listenerCount(): i32 {
  return count;
}

export function listener(index: i32): i32 {
  return load<i32>(listeners + (usize(index) << 2));
}

export function openChannel(): i32 {
  channel = poller.open(CHANNEL_IN, BLOCKING);
  return channel;
}

export function accept(listener: i32): i32 {
  if (!hasRoom()) return -REASON_BUFFER_FULL;
  const errno = sock_accept(poller.descriptor(listener), FDFLAGS_NONBLOCK, scratch + RESULT);
  if (errno == 0) {
    poller.hit(listener);
    return poller.open(load<u32>(scratch, RESULT), ORDINARY);
  }
  // A connection that died in the queue, or a signal, is no news: the listener stays ready if there are more.
  if (errno == ERRNO_AGAIN || errno == ERRNO_CONNABORTED || errno == ERRNO_INTR || errno == ERRNO_CONNRESET)
    return AGAIN;
  return -REASON_BUFFER_FULL; // EMFILE, ENFILE, ENOBUFS, ENOMEM: the process or the system is full
}

export function read(handle: i32, target: usize, size: i32): i32 {
  if (poller.held && handle != channel) return AGAIN;
  const fd = poller.descriptor(handle);
  store<u32>(scratch, u32(target));
  store<u32>(scratch, u32(size), 4);
  const errno =
    handle == channel
      ? fd_read(fd, scratch, 1, scratch + RESULT)
      : sock_recv(fd, scratch, 1, 0, scratch + RESULT, scratch + FLAGS);
  if (errno == ERRNO_AGAIN || errno == ERRNO_INTR) {
    poller.miss(handle);
    return AGAIN;
  }
  poller.hit(handle);
  return errno == 0 ? load<i32>(scratch, RESULT) : -reasonOf(errno);
}

export function write(handle: i32, source: usize, size: i32): i32 {
  store<u32>(scratch, u32(source));
  store<u32>(scratch, u32(size), 4);
  const errno = sock_send(poller.descriptor(handle), scratch, 1, 0, scratch + RESULT);
  if (errno == ERRNO_AGAIN || errno == ERRNO_INTR) return AGAIN;
  poller.hit(handle);
  return errno == 0 ? load<i32>(scratch, RESULT) : -reasonOf(errno);
}

export function channelWrite(source: usize, size: i32): i32 {
  poller.ask();
  return writeTo(CHANNEL_OUT, source, size);
}

export function shutdown(handle: i32): void {
  sock_shutdown(poller.descriptor(handle), SHUT_WRITE);
}

export function close(handle: i32): void {
  fd_close(poller.descriptor(handle));
  poller.release(handle);
}

export function now(): i64 {
  clock_time_get(CLOCK_MONOTONIC, 1, scratch + TIME);
  return load<i64>(scratch, TIME);
}

export function unixSeconds(): i64 {
  clock_time_get(CLOCK_REALTIME, 1, scratch + TIME);
  return load<i64>(scratch, TIME) / NS_PER_S;
}

export function log(source: usize, size: i32): void {
  writeTo(STDERR, source, size);
}

export function exit(code: i32): void {
  proc_exit(code);
}

function writeTo(fd: u32, source: usize, size: i32): i32 {
  store<u32>(scratch, u32(source));
  store<u32>(scratch, u32(size), 4);
  const errno = fd_write(fd, scratch, 1, scratch + RESULT);
  return errno == 0 ? load<i32>(scratch, RESULT) : -reasonOf(errno);
}

function reasonOf(errno: i32): i32 {
  switch (errno) {
    case ERRNO_CONNRESET:
    case ERRNO_CONNABORTED:
    case ERRNO_NOTCONN:
    case ERRNO_PIPE:
      return REASON_RESET;
    case ERRNO_TIMEDOUT:
      return REASON_TIMEOUT;
    default:
      return REASON_IO;
  }
}
