// What the sandbox asks of WASI preview1: these eleven functions are the module's whole list of rights, and a test
// holds it. Reference: WASI snapshot 01, wasi_snapshot_preview1.witx.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "poll_oneoff")
export declare function poll_oneoff(subscriptions: usize, events: usize, count: i32, countOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_accept")
export declare function sock_accept(fd: u32, flags: i32, fdOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_recv")
export declare function sock_recv(fd: u32, iovs: usize, count: i32, flags: i32, sizeOut: usize, flagsOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_send")
export declare function sock_send(fd: u32, iovs: usize, count: i32, flags: i32, sizeOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_shutdown")
export declare function sock_shutdown(fd: u32, how: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
export declare function fd_read(fd: u32, iovs: usize, count: i32, sizeOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
export declare function fd_write(fd: u32, iovs: usize, count: i32, sizeOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_close")
export declare function fd_close(fd: u32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_fdstat_get")
export declare function fd_fdstat_get(fd: u32, statOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: i32, precision: u64, timeOut: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
export declare function proc_exit(code: i32): void;

/** Errno values that mean something to us. */
export const ERRNO_SUCCESS: i32 = 0;
export const ERRNO_AGAIN: i32 = 6;
export const ERRNO_CONNABORTED: i32 = 13;
export const ERRNO_CONNRESET: i32 = 15;
export const ERRNO_INTR: i32 = 27;
export const ERRNO_NOTCONN: i32 = 53;
export const ERRNO_PIPE: i32 = 64;
export const ERRNO_TIMEDOUT: i32 = 73;

/** A subscription of poll_oneoff: userdata u64 @0, tag u8 @8, then a file (fd u32 @16) or a clock. */
export const SUBSCRIPTION_BYTES: usize = 48;
export const TAG_CLOCK: u8 = 0;
export const TAG_READ: u8 = 1;
export const TAG_WRITE: u8 = 2;

/** An event: userdata u64 @0, errno u16 @8, type u8 @10, bytes u64 @16, flags u16 @24 (1: hang-up). */
export const EVENT_BYTES: usize = 32;

export const CLOCK_REALTIME: i32 = 0;
export const CLOCK_MONOTONIC: i32 = 1;
/** fd_fdstat_get: filetype u8 @0 of a stream socket. */
export const FILETYPE_SOCKET_STREAM: u8 = 6;
/** sock_accept: make the accepted socket non-blocking. */
export const FDFLAGS_NONBLOCK: i32 = 4;
/** sock_shutdown: the sending side. */
export const SHUT_WRITE: i32 = 2;
