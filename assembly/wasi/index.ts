// The platform: everything that the sandbox asks of its surroundings, behind one contract with one file for each
// version of WASI.
//
//   start()                       finds the listeners that the host handed over
//   listenerCount()  listener(i)  their handles
//   openChannel()                 the control channel (fd 0) as a handle: reading it blocks, so it is reported only
//                                 when a read is certain to find something
//   accept(listener)              handle | AGAIN | -REASON (-REASON_BUFFER_FULL: out of descriptors, pause a while)
//   read(handle, target, size)    n > 0 | 0 the peer's end | AGAIN | -REASON
//   write(handle, source, size)   n >= 0 | AGAIN | -REASON
//   channelWrite(source, size)    n > 0 | -REASON; may block
//   shutdown(handle)              no more bytes will be sent; close(handle)
//   descriptor(handle)            the number by which the host knows it
//   watch(handle, interest)       NONE, READ, WRITE or both; replaces what was watched
//   hold(yes)                     the host is behind: while held, only writers and the channel are watched, and no
//                                 connection is read
//   held()                        whether it is
//   wait(timeoutNs)               waits for something to be ready, FOREVER for no limit, 0 for no wait
//   sleepNs()                     how long it may be left alone when no event comes: 0 go on at once, FOREVER
//   hotConnections()              connections that each poll asks about; the others cost nothing until a sweep
//   next()                        the next handle to try, -1: none is left; `ready` says for what
//   now()  unixSeconds()  log(source, size)  exit(code)
//
// A handle is a small number that stays with its socket and is used again after close. Readiness is only a hint: a
// handle from next() may well answer AGAIN, and a socket that is ready may be reported a turn later. An error wakes its
// own handle and no other. `wait` costs in proportion to what is active, not to what is connected.

import * as preview1 from "./preview1";
import * as poller from "./poller";
import * as sim from "./sim";

export const NONE: i32 = 0;
export const READ: i32 = 1;
export const WRITE: i32 = 2;
export const FOREVER: i64 = i64.MAX_VALUE;

// WASI: 0 a scripted network for tests, 1 preview1. The branches not taken vanish with their imports.
if (!isDefined(WASI)) ERROR("choose a platform: --use WASI=1 (preview1) or --use WASI=0 (sim)");

// @ts-ignore: decorator
@inline export function start(): void {
  if (WASI == 1) preview1.start();
  else sim.start();
}
// @ts-ignore: decorator
@inline export function listenerCount(): i32 {
  return WASI == 1 ? preview1.listenerCount() : sim.listenerCount();
}
// @ts-ignore: decorator
@inline export function listener(index: i32): i32 {
  return WASI == 1 ? preview1.listener(index) : sim.listener(index);
}
// @ts-ignore: decorator
@inline export function openChannel(): i32 {
  return WASI == 1 ? preview1.openChannel() : sim.openChannel();
}
// @ts-ignore: decorator
@inline export function accept(listener: i32): i32 {
  return WASI == 1 ? preview1.accept(listener) : sim.accept(listener);
}
// @ts-ignore: decorator
@inline export function read(handle: i32, target: usize, size: i32): i32 {
  return WASI == 1 ? preview1.read(handle, target, size) : sim.read(handle, target, size);
}
// @ts-ignore: decorator
@inline export function write(handle: i32, source: usize, size: i32): i32 {
  return WASI == 1 ? preview1.write(handle, source, size) : sim.write(handle, source, size);
}
// @ts-ignore: decorator
@inline export function channelWrite(source: usize, size: i32): i32 {
  return WASI == 1 ? preview1.channelWrite(source, size) : sim.channelWrite(source, size);
}
// @ts-ignore: decorator
@inline export function shutdown(handle: i32): void {
  if (WASI == 1) preview1.shutdown(handle);
  else sim.shutdown(handle);
}
// @ts-ignore: decorator
@inline export function close(handle: i32): void {
  if (WASI == 1) preview1.close(handle);
  else sim.close(handle);
}
// @ts-ignore: decorator
@inline export function descriptor(handle: i32): u32 {
  return WASI == 1 ? poller.descriptor(handle) : sim.descriptor(handle);
}
// @ts-ignore: decorator
@inline export function watch(handle: i32, interest: i32): void {
  if (WASI == 1) poller.watch(handle, interest);
  else sim.watch(handle, interest);
}
// @ts-ignore: decorator
@inline export function hold(yes: bool): void {
  if (WASI == 1) poller.hold(yes);
  else sim.hold(yes);
}
// @ts-ignore: decorator
@inline export function held(): bool {
  return WASI == 1 ? poller.held : sim.held();
}
// @ts-ignore: decorator
@inline export function wait(timeoutNs: i64): void {
  if (WASI == 1) poller.wait(timeoutNs);
  else sim.wait(timeoutNs);
}
// @ts-ignore: decorator
@inline export function next(): i32 {
  return WASI == 1 ? poller.next() : sim.next();
}
// @ts-ignore: decorator
@inline export function sleepNs(): i64 {
  return WASI == 1 ? poller.sleepNs() : sim.sleepNs();
}
// @ts-ignore: decorator
@inline export function hotConnections(): i32 {
  return WASI == 1 ? poller.hotConnections() : sim.hotConnections();
}
/** What the handle of the last next() is ready for: READ or WRITE. */
// @ts-ignore: decorator
@inline export function ready(): i32 {
  return WASI == 1 ? poller.ready : sim.ready;
}
// @ts-ignore: decorator
@inline export function now(): i64 {
  return WASI == 1 ? preview1.now() : sim.now();
}
// @ts-ignore: decorator
@inline export function unixSeconds(): i64 {
  return WASI == 1 ? preview1.unixSeconds() : sim.unixSeconds();
}
// @ts-ignore: decorator
@inline export function log(source: usize, size: i32): void {
  if (WASI == 1) preview1.log(source, size);
  else sim.log(source, size);
}
// @ts-ignore: decorator
@inline export function exit(code: i32): void {
  if (WASI == 1) preview1.exit(code);
  else sim.exit(code);
}
