// What applications that connect ask of WASI 0.2.0 beside imports.ts; they alone have these imports.

/** Cases of error-code. */
export const ERROR_NOT_SUPPORTED: i32 = 2;
export const ERROR_INVALID_ARGUMENT: i32 = 3;
export const ERROR_OUT_OF_MEMORY: i32 = 4;
export const ERROR_TIMEOUT: i32 = 5;
export const ERROR_NEW_SOCKET_LIMIT: i32 = 10;
export const ERROR_REMOTE_UNREACHABLE: i32 = 13;
export const ERROR_CONNECTION_REFUSED: i32 = 14;
export const ERROR_NAME_UNRESOLVABLE: i32 = 18;
export const ERROR_TEMPORARY_RESOLVER_FAILURE: i32 = 19;
export const ERROR_PERMANENT_RESOLVER_FAILURE: i32 = 20;

// @ts-ignore: decorator
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.start-connect")
export declare function startConnect(
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
@external("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.finish-connect")
export declare function finishConnect(socket: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/ip-name-lookup@0.2.0", "resolve-addresses")
export declare function resolveAddresses(network: i32, name: usize, size: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/ip-name-lookup@0.2.0", "[method]resolve-address-stream.resolve-next-address")
export declare function resolveNextAddress(stream: i32, resultOut: usize): void;
// @ts-ignore: decorator
@external("wasi:sockets/ip-name-lookup@0.2.0", "[method]resolve-address-stream.subscribe")
export declare function subscribeLookup(stream: i32): i32;
// @ts-ignore: decorator
@external("wasi:sockets/ip-name-lookup@0.2.0", "[resource-drop]resolve-address-stream")
export declare function dropLookup(stream: i32): void;
