// What the sandbox asks of WASI 0.3.0, by the names of the canonical ABI: world.wit says the same in the words of the
// component model, and a test holds the list. `[stream-OP-K]FUNC`: K counts the streams and futures in FUNC's
// signature.
//
// A copy to or from a stream answers BLOCKED, or amount << 4 | code. Reference: CanonicalABI.md; wasi:sockets,
// wasi:cli, wasi:clocks 0.3.0.

export const BLOCKED: i32 = -1;
/** Codes of a copy's result. DROPPED: the other end is gone; one more copy would end the component. */
export const DROPPED: i32 = 1;
export const CANCELLED: i32 = 2;

/** Kinds of events. */
export const EVENT_NONE: i32 = 0;
export const EVENT_SUBTASK: i32 = 1;
export const EVENT_STREAM_READ: i32 = 2;
export const EVENT_STREAM_WRITE: i32 = 3;
export const EVENT_FUTURE_READ: i32 = 4;
/** A subtask's state: it has returned; this one and what is above is the end. */
export const SUBTASK_RETURNED: i32 = 2;

/** Cases of a socket's error-code. */
export const ERROR_ACCESS_DENIED: i32 = 0;
export const ERROR_OUT_OF_MEMORY: i32 = 3;
export const ERROR_TIMEOUT: i32 = 4;
export const ERROR_ADDRESS_NOT_BINDABLE: i32 = 6;
export const ERROR_ADDRESS_IN_USE: i32 = 7;
export const ERROR_CONNECTION_BROKEN: i32 = 10;
export const ERROR_CONNECTION_ABORTED: i32 = 12;
export const ERROR_OTHER: i32 = 14;

// @ts-ignore: decorator
@external("$root", "[waitable-set-new]")
export declare function newSet(): i32;
// @ts-ignore: decorator
@external("$root", "[waitable-set-wait]")
export declare function waitSet(set: i32, event: usize): i32;
// @ts-ignore: decorator
@external("$root", "[waitable-set-poll]")
export declare function pollSet(set: i32, event: usize): i32;
// @ts-ignore: decorator
@external("$root", "[waitable-join]")
export declare function join(waitable: i32, set: i32): void;
// @ts-ignore: decorator
@external("$root", "[subtask-drop]")
export declare function dropSubtask(subtask: i32): void;
// @ts-ignore: decorator
@external("$root", "[subtask-cancel]")
export declare function cancelSubtask(subtask: i32): i32;

// @ts-ignore: decorator
@external("wasi:clocks/monotonic-clock@0.3.0", "now")
export declare function monotonicNow(): u64;
// @ts-ignore: decorator
@external("wasi:clocks/monotonic-clock@0.3.0", "[async-lower]wait-for")
export declare function waitFor(ns: u64): i32;
// @ts-ignore: decorator
@external("wasi:clocks/monotonic-clock@0.3.0", "[async-lower]wait-until")
export declare function waitUntil(mark: u64): i32;
// @ts-ignore: decorator
@external("wasi:clocks/system-clock@0.3.0", "now")
export declare function systemNow(instantOut: usize): void;

// @ts-ignore: decorator
@external("wasi:cli/environment@0.3.0", "get-environment")
export declare function getEnvironment(listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:cli/environment@0.3.0", "get-arguments")
export declare function getArguments(listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:cli/exit@0.3.0", "exit-with-code")
export declare function exitWithCode(code: i32): void;
// @ts-ignore: decorator
@external("wasi:cli/stdin@0.3.0", "read-via-stream")
export declare function openStdin(pairOut: usize): void;
// @ts-ignore: decorator
@external("wasi:cli/stdin@0.3.0", "[async-lower][stream-read-0]read-via-stream")
export declare function readStdin(stream: i32, target: usize, size: i32): i32;
// @ts-ignore: decorator
@external("wasi:cli/stdout@0.3.0", "[stream-new-0]write-via-stream")
export declare function newStdout(): u64;
// @ts-ignore: decorator
@external("wasi:cli/stdout@0.3.0", "write-via-stream")
export declare function openStdout(readable: i32): i32;
// @ts-ignore: decorator
@external("wasi:cli/stdout@0.3.0", "[async-lower][stream-write-0]write-via-stream")
export declare function writeStdout(stream: i32, source: usize, size: i32): i32;
// @ts-ignore: decorator
@external("wasi:cli/stderr@0.3.0", "[stream-new-0]write-via-stream")
export declare function newStderr(): u64;
// @ts-ignore: decorator
@external("wasi:cli/stderr@0.3.0", "write-via-stream")
export declare function openStderr(readable: i32): i32;
// @ts-ignore: decorator
@external("wasi:cli/stderr@0.3.0", "[async-lower][stream-write-0]write-via-stream")
export declare function writeStderr(stream: i32, source: usize, size: i32): i32;

// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[static]tcp-socket.create")
export declare function createSocket(family: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[method]tcp-socket.bind")
export declare function bind(
  socket: i32,
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
@external("wasi:sockets/types@0.3.0", "[method]tcp-socket.set-listen-backlog-size")
export declare function setBacklog(socket: i32, size: u64, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[method]tcp-socket.listen")
export declare function listen(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[async-lower][stream-read-0][method]tcp-socket.listen")
export declare function readAccepted(stream: i32, target: usize, count: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[stream-cancel-read-0][method]tcp-socket.listen")
export declare function cancelAccepted(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[stream-drop-readable-0][method]tcp-socket.listen")
export declare function dropAccepted(stream: i32): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[method]tcp-socket.get-remote-address")
export declare function getRemoteAddress(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[resource-drop]tcp-socket")
export declare function dropSocket(socket: i32): void;

// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[stream-new-0][method]tcp-socket.send")
export declare function newOutput(): u64;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[method]tcp-socket.send")
export declare function send(socket: i32, readable: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[future-drop-readable-1][method]tcp-socket.send")
export declare function dropSendOutcome(future: i32): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[async-lower][stream-write-0][method]tcp-socket.send")
export declare function writeOutput(stream: i32, source: usize, size: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[stream-cancel-write-0][method]tcp-socket.send")
export declare function cancelOutput(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[stream-drop-writable-0][method]tcp-socket.send")
export declare function dropOutput(stream: i32): void;

// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[method]tcp-socket.receive")
export declare function receive(socket: i32, pairOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[async-lower][stream-read-0][method]tcp-socket.receive")
export declare function readInput(stream: i32, target: usize, size: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[stream-cancel-read-0][method]tcp-socket.receive")
export declare function cancelInput(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[stream-drop-readable-0][method]tcp-socket.receive")
export declare function dropInput(stream: i32): void;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[async-lower][future-read-1][method]tcp-socket.receive")
export declare function readInputOutcome(future: i32, target: usize): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[future-cancel-read-1][method]tcp-socket.receive")
export declare function cancelInputOutcome(future: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[future-drop-readable-1][method]tcp-socket.receive")
export declare function dropInputOutcome(future: i32): void;

// @ts-ignore: decorator
@external("[export]wasi:cli/run@0.3.0", "[task-return]run")
export declare function returnFromRun(isError: i32): void;
