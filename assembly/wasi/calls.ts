// The functions of preview1 that servers call: the runtime's own, or those that preview2/ carries out over WASI 0.2.
// Invariant: only preview1.ts and poller.ts call them.

import * as host from "./imports";
import * as over0_2 from "./preview2/calls";

// @ts-ignore: decorator
@inline export function poll_oneoff(subscriptions: usize, events: usize, count: i32, countOut: usize): i32 {
  if (WASI == 2) return over0_2.poll_oneoff(subscriptions, events, count, countOut);
  return host.poll_oneoff(subscriptions, events, count, countOut);
}
// @ts-ignore: decorator
@inline export function sock_accept(fd: u32, flags: i32, fdOut: usize): i32 {
  return WASI == 2 ? over0_2.sock_accept(fd, flags, fdOut) : host.sock_accept(fd, flags, fdOut);
}
// @ts-ignore: decorator
@inline export function sock_recv(fd: u32, iovs: usize, count: i32, flags: i32, sizeOut: usize, flagsOut: usize): i32 {
  if (WASI == 2) return over0_2.sock_recv(fd, iovs, count, flags, sizeOut, flagsOut);
  return host.sock_recv(fd, iovs, count, flags, sizeOut, flagsOut);
}
// @ts-ignore: decorator
@inline export function sock_send(fd: u32, iovs: usize, count: i32, flags: i32, sizeOut: usize): i32 {
  if (WASI == 2) return over0_2.sock_send(fd, iovs, count, flags, sizeOut);
  return host.sock_send(fd, iovs, count, flags, sizeOut);
}
// @ts-ignore: decorator
@inline export function sock_shutdown(fd: u32, how: i32): i32 {
  return WASI == 2 ? over0_2.sock_shutdown(fd, how) : host.sock_shutdown(fd, how);
}
// @ts-ignore: decorator
@inline export function fd_read(fd: u32, iovs: usize, count: i32, sizeOut: usize): i32 {
  if (WASI == 2) return over0_2.fd_read(fd, iovs, count, sizeOut);
  return host.fd_read(fd, iovs, count, sizeOut);
}
// @ts-ignore: decorator
@inline export function fd_write(fd: u32, iovs: usize, count: i32, sizeOut: usize): i32 {
  return WASI == 2 ? over0_2.fd_write(fd, iovs, count, sizeOut) : host.fd_write(fd, iovs, count, sizeOut);
}
// @ts-ignore: decorator
@inline export function fd_close(fd: u32): i32 {
  return WASI == 2 ? over0_2.fd_close(fd) : host.fd_close(fd);
}
// @ts-ignore: decorator
@inline export function fd_fdstat_get(fd: u32, statOut: usize): i32 {
  return WASI == 2 ? over0_2.fd_fdstat_get(fd, statOut) : host.fd_fdstat_get(fd, statOut);
}
// @ts-ignore: decorator
@inline export function clock_time_get(clock: i32, precision: u64, timeOut: usize): i32 {
  if (WASI == 2) return over0_2.clock_time_get(clock, precision, timeOut);
  return host.clock_time_get(clock, precision, timeOut);
}
// @ts-ignore: decorator
@inline export function proc_exit(code: i32): void {
  if (WASI == 2) over0_2.proc_exit(code);
  else host.proc_exit(code);
}
