// What the sandbox asks of WASI 0.2.0, by the names of the canonical ABI: world.wit says the same in the words of the
// component model, and a test holds the list. Reference: CanonicalABI.md; wasi:io, wasi:sockets, wasi:cli, wasi:clocks
// 0.2.0.

/** Cases of a socket's error-code. */
export const ERROR_ACCESS_DENIED: i32 = 1;
export const ERROR_WOULD_BLOCK: i32 = 8;
export const ERROR_ADDRESS_NOT_BINDABLE: i32 = 11;
export const ERROR_ADDRESS_IN_USE: i32 = 12;
export const ERROR_CONNECTION_RESET: i32 = 15;
export const ERROR_CONNECTION_ABORTED: i32 = 16;
/** Cases of shutdown-type. */
export const SHUTDOWN_SEND: i32 = 1;

// @ts-ignore: decorator
@external("wasi:io/poll@0.2.0", "poll")
export declare function poll(pollables: usize, count: i32, listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:io/poll@0.2.0", "[resource-drop]pollable")
export declare function dropPollable(pollable: i32): void;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[method]input-stream.read")
export declare function readInput(stream: i32, size: u64, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[method]input-stream.subscribe")
export declare function subscribeInput(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[resource-drop]input-stream")
export declare function dropInput(stream: i32): void;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[method]output-stream.check-write")
export declare function checkWrite(stream: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[method]output-stream.write")
export declare function writeOutput(stream: i32, source: usize, size: usize, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[method]output-stream.blocking-write-and-flush")
export declare function writeAndFlush(stream: i32, source: usize, size: usize, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[method]output-stream.subscribe")
export declare function subscribeOutput(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:io/streams@0.2.0", "[resource-drop]output-stream")
export declare function dropOutput(stream: i32): void;
// @ts-ignore: decorator
@external("wasi:io/error@0.2.0", "[resource-drop]error")
export declare function dropError(error: i32): void;

// @ts-ignore: decorator
@external("wasi:clocks/monotonic-clock@0.2.0", "now")
export declare function monotonicNow(): u64;
// @ts-ignore: decorator
@external("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration")
export declare function subscribeDuration(ns: u64): i32;
// @ts-ignore: decorator
@external("wasi:clocks/wall-clock@0.2.0", "now")
export declare function wallNow(datetimeOut: usize): void;

// @ts-ignore: decorator
@external("wasi:cli/environment@0.2.0", "get-environment")
export declare function getEnvironment(listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:cli/environment@0.2.0", "get-arguments")
export declare function getArguments(listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:cli/exit@0.2.0", "exit")
export declare function exit(isError: i32): void;
// @ts-ignore: decorator
@external("wasi:cli/stdin@0.2.0", "get-stdin")
export declare function getStdin(): i32;
// @ts-ignore: decorator
@external("wasi:cli/stdout@0.2.0", "get-stdout")
export declare function getStdout(): i32;
// @ts-ignore: decorator
@external("wasi:cli/stderr@0.2.0", "get-stderr")
export declare function getStderr(): i32;

// @ts-ignore: decorator
@external("wasi:sockets/instance-network@0.2.0", "instance-network")
export declare function instanceNetwork(): i32;
// @ts-ignore: decorator
@external("wasi:sockets/tcp-create-socket@0.2.0", "create-tcp-socket")
export declare function createSocket(family: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.start-bind")
export declare function startBind(
  socket: i32,
  network: i32,
  family: i32,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  n4: i32,
  n5: i32,
  n6: i32,
  n7: i32,
  n8: i32,
  n9: i32,
  n10: i32,
  resultOut: usize,
): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.finish-bind")
export declare function finishBind(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.set-listen-backlog-size")
export declare function setBacklog(socket: i32, size: u64, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.set-send-buffer-size")
export declare function setSendBuffer(socket: i32, size: u64, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.start-listen")
export declare function startListen(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.finish-listen")
export declare function finishListen(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.accept")
export declare function acceptSocket(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.remote-address")
export declare function remoteAddress(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.subscribe")
export declare function subscribeSocket(socket: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.shutdown")
export declare function shutdownSocket(socket: i32, how: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[resource-drop]tcp-socket")
export declare function dropSocket(socket: i32): void;
