// What a component of wasi:http asks of the runtime beside the clocks, streams and polls of ../preview2/imports.ts, by
// the names of the canonical ABI: world.wit says the same in the words of the component model, and a test holds the
// list. Reference: CanonicalABI.md; wasi:http 0.2.0, types.wit.

/** Cases of `method`; OTHER has a text. */
export const METHOD_OTHER_CASE: i32 = 9;

// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]incoming-request.method")
export declare function requestMethod(request: i32, methodOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]incoming-request.path-with-query")
export declare function requestTarget(request: i32, optionOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]incoming-request.authority")
export declare function requestAuthority(request: i32, optionOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]incoming-request.headers")
export declare function requestFields(request: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]incoming-request.consume")
export declare function consumeRequest(request: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[resource-drop]incoming-request")
export declare function dropRequest(request: i32): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]incoming-body.stream")
export declare function inputOf(body: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[resource-drop]incoming-body")
export declare function dropIncomingBody(body: i32): void;

// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[constructor]fields")
export declare function newFields(): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[static]fields.from-list")
export declare function fieldsOf(list: usize, count: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]fields.entries")
export declare function entriesOf(fields: i32, listOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]fields.append")
export declare function appendField(
  fields: i32,
  name: usize,
  nameSize: usize,
  value: usize,
  valueSize: usize,
  resultOut: usize,
): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[resource-drop]fields")
export declare function dropFields(fields: i32): void;

// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[constructor]outgoing-response")
export declare function newResponse(fields: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]outgoing-response.set-status-code")
export declare function setStatus(response: i32, status: i32): i32;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]outgoing-response.body")
export declare function outgoingBodyOf(response: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[method]outgoing-body.write")
export declare function outputOf(body: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[static]outgoing-body.finish")
export declare function finishBody(body: i32, hasTrailers: i32, trailers: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[resource-drop]outgoing-body")
export declare function dropOutgoingBody(body: i32): void;
/** `isError` 0: the rest but `response` is for errors. */
// @ts-ignore: decorator
@external("wasi:http/types@0.2.0", "[static]response-outparam.set")
export declare function setResponse(
  outparam: i32,
  isError: i32,
  response: i32,
  b: i32,
  c: i64,
  d: i32,
  e: i32,
  f: i32,
  g: i32,
): void;
