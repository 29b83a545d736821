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
//   channelRead(channel, target, size)  n > 0 | 0 the host is gone | AGAIN | -REASON
//   channelWrite(source, size)    n > 0 | -REASON; may block
//   shutdown(handle)              no more bytes will be sent; close(handle)
//   peer(handle, address)         fills in where the peer is; false: unknown, as on preview1
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

import { Address } from "../core/address";
import { AGAIN } from "../core/errors";
import { OVER_HTTP, PREVIEW1 } from "./build";
import { FOREVER, NONE, READ, WRITE } from "./readiness";
import * as preview1 from "./preview1";
import * as poller from "./poller";
import * as preview2 from "./preview2/index";
import * as preview3 from "./preview3/index";
import * as http from "./http/index";
import * as httpAsync from "./httpasync/index";
import * as sim from "./sim";

export { FOREVER, NONE, READ, WRITE };
/** Components of wasi:http serve by themselves. */
const NO_CHANNEL: i32 = -1;

// @ts-ignore: decorator
@inline export function start(): void {
  if (WASI == 2) report(preview2.start());
  if (PREVIEW1) preview1.start();
  else if (WASI == 3) report(preview3.start());
  else if (WASI == 0) sim.start();
}

/** A component that cannot listen ends with a line on stderr. */
function report(problem: string | null): void {
  if (!problem) return;
  const line = String.UTF8.encode("waterspout: " + problem + "\n");
  log(changetype<usize>(line), line.byteLength);
  exit(1);
}

// @ts-ignore: decorator
@inline export function listenerCount(): i32 {
  if (PREVIEW1) return preview1.listenerCount();
  if (OVER_HTTP) return 0;
  return WASI == 3 ? preview3.listenerCount() : sim.listenerCount();
}
// @ts-ignore: decorator
@inline export function listener(index: i32): i32 {
  if (PREVIEW1) return preview1.listener(index);
  if (OVER_HTTP) return -1;
  return WASI == 3 ? preview3.listener(index) : sim.listener(index);
}
// @ts-ignore: decorator
@inline export function openChannel(): i32 {
  if (WASI == 2) return preview2.openChannel();
  if (PREVIEW1) return preview1.openChannel();
  if (OVER_HTTP) return NO_CHANNEL;
  return WASI == 3 ? preview3.openChannel() : sim.openChannel();
}
// @ts-ignore: decorator
@inline export function channelRead(channel: i32, target: usize, size: i32): i32 {
  return WASI == 3 ? preview3.channelRead(target, size) : read(channel, target, size);
}
// @ts-ignore: decorator
@inline export function accept(listener: i32): i32 {
  if (PREVIEW1) return preview1.accept(listener);
  if (OVER_HTTP) return AGAIN;
  return WASI == 3 ? preview3.accept(listener) : sim.accept(listener);
}
// @ts-ignore: decorator
@inline export function read(handle: i32, target: usize, size: i32): i32 {
  if (PREVIEW1) return preview1.read(handle, target, size);
  if (WASI == 4) return http.read(target, size);
  if (WASI == 5) return httpAsync.read(handle, target, size);
  return WASI == 3 ? preview3.read(handle, target, size) : sim.read(handle, target, size);
}
// @ts-ignore: decorator
@inline export function write(handle: i32, source: usize, size: i32): i32 {
  if (PREVIEW1) return preview1.write(handle, source, size);
  if (WASI == 4) return http.write(source, size);
  if (WASI == 5) return httpAsync.write(handle, source, size);
  return WASI == 3 ? preview3.write(handle, source, size) : sim.write(handle, source, size);
}
// @ts-ignore: decorator
@inline export function channelWrite(source: usize, size: i32): i32 {
  if (WASI == 2) return preview2.channelWrite(source, size);
  if (PREVIEW1) return preview1.channelWrite(source, size);
  if (OVER_HTTP) return NO_CHANNEL;
  return WASI == 3 ? preview3.channelWrite(source, size) : sim.channelWrite(source, size);
}
// @ts-ignore: decorator
@inline export function shutdown(handle: i32): void {
  if (PREVIEW1) preview1.shutdown(handle);
  else if (WASI == 3) preview3.shutdown(handle);
  else if (WASI == 0) sim.shutdown(handle);
}
// @ts-ignore: decorator
@inline export function close(handle: i32): void {
  if (PREVIEW1) preview1.close(handle);
  else if (WASI == 3) preview3.close(handle);
  else if (WASI == 0) sim.close(handle);
}
// @ts-ignore: decorator
@inline export function descriptor(handle: i32): u32 {
  if (WASI == 2) return preview2.socketOf(poller.descriptor(handle));
  if (PREVIEW1) return poller.descriptor(handle);
  if (OVER_HTTP) return 0;
  return WASI == 3 ? preview3.descriptor(handle) : sim.descriptor(handle);
}
// @ts-ignore: decorator
@inline export function watch(handle: i32, interest: i32): void {
  if (PREVIEW1) poller.watch(handle, interest);
  else if (WASI == 3) preview3.watch(handle, interest);
  else if (WASI == 4) http.watch(interest);
  else if (WASI == 5) httpAsync.watch(handle, interest);
  else sim.watch(handle, interest);
}
// @ts-ignore: decorator
@inline export function hold(yes: bool): void {
  if (PREVIEW1) poller.hold(yes);
  else if (WASI == 3) preview3.hold(yes);
  else if (WASI == 0) sim.hold(yes);
}
// @ts-ignore: decorator
@inline export function held(): bool {
  if (PREVIEW1) return poller.held;
  if (OVER_HTTP) return false;
  return WASI == 3 ? preview3.held : sim.held();
}
// @ts-ignore: decorator
@inline export function wait(timeoutNs: i64): void {
  if (PREVIEW1) poller.wait(timeoutNs);
  else if (WASI == 3)
    preview3.wait(); // waiting is the runtime's
  else if (WASI == 4) http.wait(timeoutNs);
  else if (WASI == 5) httpAsync.wait();
  else sim.wait(timeoutNs);
}
// @ts-ignore: decorator
@inline export function next(): i32 {
  if (PREVIEW1) return poller.next();
  if (WASI == 4) return http.next();
  if (WASI == 5) return httpAsync.next();
  return WASI == 3 ? preview3.next() : sim.next();
}
// @ts-ignore: decorator
@inline export function sleepNs(): i64 {
  if (PREVIEW1) return poller.sleepNs();
  if (WASI == 4) return FOREVER;
  if (WASI == 5) return httpAsync.sleepNs();
  return WASI == 3 ? preview3.sleepNs() : sim.sleepNs();
}
// @ts-ignore: decorator
@inline export function hotConnections(): i32 {
  if (PREVIEW1) return poller.hotConnections();
  return WASI >= 3 ? 0 : sim.hotConnections();
}
/** Where the peer is. */
// @ts-ignore: decorator
@inline export function peer(handle: i32, address: Address): bool {
  if (WASI == 2) return preview2.peer(poller.descriptor(handle), address);
  if (WASI == 3) return preview3.peer(handle, address);
  return WASI == 0 ? sim.peer(handle, address) : false;
}
/** What the handle of the last next() is ready for: READ or WRITE. */
// @ts-ignore: decorator
@inline export function ready(): i32 {
  if (PREVIEW1) return poller.ready;
  if (WASI == 4) return http.ready;
  if (WASI == 5) return httpAsync.ready;
  return WASI == 3 ? preview3.ready : sim.ready;
}
// @ts-ignore: decorator
@inline export function now(): i64 {
  if (PREVIEW1) return preview1.now();
  if (WASI == 4) return http.now();
  if (WASI == 5) return httpAsync.now();
  return WASI == 3 ? preview3.now() : sim.now();
}
// @ts-ignore: decorator
@inline export function unixSeconds(): i64 {
  if (PREVIEW1) return preview1.unixSeconds();
  if (WASI == 4) return http.unixSeconds();
  if (WASI == 5) return httpAsync.unixSeconds();
  return WASI == 3 ? preview3.unixSeconds() : sim.unixSeconds();
}
// @ts-ignore: decorator
@inline export function log(source: usize, size: i32): void {
  if (PREVIEW1) preview1.log(source, size);
  else if (WASI == 3) preview3.log(source, size);
  else if (WASI == 4) http.log(source, size);
  else if (WASI == 5) httpAsync.log(source, size);
  else sim.log(source, size);
}
// @ts-ignore: decorator
@inline export function exit(code: i32): void {
  if (PREVIEW1) preview1.exit(code);
  else if (WASI == 3) preview3.exit(code);
  else if (WASI == 0) sim.exit(code);
}
