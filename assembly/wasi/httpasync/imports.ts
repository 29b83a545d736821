// What a component of wasi:http 0.3 asks of the runtime beside the clocks and stderr of ../preview3/imports.ts, by the
// names of the canonical ABI: world.wit says the same in the words of the component model, and a test holds the list.
// Of `consume-body` future 0 is what became of the body, stream 1 the body, future 2 how it ended; of `new` stream 0 is
// the body, future 1 how it ends, future 2 what became of it.
// Reference: CanonicalABI.md; wasi:http 0.3.0, types.wit.

/** A future's write is done. */
export const EVENT_FUTURE_WRITE: i32 = 5;
/** Cases of error-code. */
export const ERROR_RESPONSE_INCOMPLETE: u8 = 25;
export const ERROR_CONFIGURATION: i32 = 37;
export const ERROR_INTERNAL: u8 = 38;
/** The case of header-error that has a text. */
export const HEADER_ERROR_OTHER: u8 = 4;

// @ts-ignore: decorator
@external("$root", "[context-get-0]")
export declare function getContext(): i32;
// @ts-ignore: decorator
@external("$root", "[context-set-0]")
export declare function setContext(value: i32): void;
// @ts-ignore: decorator
@external("$root", "[backpressure-inc]")
export declare function increaseBackpressure(): void;
// @ts-ignore: decorator
@external("$root", "[backpressure-dec]")
export declare function decreaseBackpressure(): void;

// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[method]request.get-method")
export declare function requestMethod(request: i32, methodOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[method]request.get-path-with-query")
export declare function requestTarget(request: i32, optionOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[method]request.get-authority")
export declare function requestAuthority(request: i32, optionOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[method]request.get-headers")
export declare function requestFields(request: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[resource-drop]request")
export declare function dropRequest(request: i32): void;

// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[static]request.consume-body")
export declare function consumeBody(request: i32, resultIn: i32, pairOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[future-new-0][static]request.consume-body")
export declare function newBodyResult(): u64;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[async-lower][future-write-0][static]request.consume-body")
export declare function writeBodyResult(future: i32, source: usize): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[future-drop-writable-0][static]request.consume-body")
export declare function dropBodyResult(future: i32): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[async-lower][stream-read-1][static]request.consume-body")
export declare function readBody(stream: i32, target: usize, size: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[stream-cancel-read-1][static]request.consume-body")
export declare function cancelBody(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[stream-drop-readable-1][static]request.consume-body")
export declare function dropBody(stream: i32): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[async-lower][future-read-2][static]request.consume-body")
export declare function readBodyEnd(future: i32, target: usize): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[future-cancel-read-2][static]request.consume-body")
export declare function cancelBodyEnd(future: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[future-drop-readable-2][static]request.consume-body")
export declare function dropBodyEnd(future: i32): void;

// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[constructor]fields")
export declare function newFields(): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[method]fields.copy-all")
export declare function entriesOf(fields: i32, listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[method]fields.append")
export declare function appendField(
  fields: i32,
  name: usize,
  nameSize: usize,
  value: usize,
  valueSize: usize,
  resultOut: usize,
): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[resource-drop]fields")
export declare function dropFields(fields: i32): void;

// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[static]response.new")
export declare function newResponse(fields: i32, hasBody: i32, body: i32, end: i32, pairOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[method]response.set-status-code")
export declare function setStatus(response: i32, status: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[stream-new-0][static]response.new")
export declare function newOutput(): u64;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[async-lower][stream-write-0][static]response.new")
export declare function writeOutput(stream: i32, source: usize, size: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[stream-cancel-write-0][static]response.new")
export declare function cancelOutput(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[stream-drop-writable-0][static]response.new")
export declare function dropOutput(stream: i32): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[future-new-1][static]response.new")
export declare function newOutputEnd(): u64;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[async-lower][future-write-1][static]response.new")
export declare function writeOutputEnd(future: i32, source: usize): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[future-drop-writable-1][static]response.new")
export declare function dropOutputEnd(future: i32): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.3.0", "[future-drop-readable-2][static]response.new")
export declare function dropOutputResult(future: i32): void;
/** `isError` 0: `value` is the response; else the error-code's case, and the rest is for its texts and numbers. */
// @ts-ignore: decorator
@external("[export]wasi:http/handler@0.3.0", "[task-return]handle")
export declare function returnFromHandle(
  isError: i32,
  value: i32,
  b: i32,
  c: i64,
  d: i32,
  e: i32,
  f: i32,
  g: i32,
): void;
