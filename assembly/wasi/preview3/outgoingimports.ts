// What applications that connect ask of WASI 0.3.0 beside imports.ts; they alone have these imports.

/** Cases of a socket's error-code. */
export const ERROR_NOT_SUPPORTED: i32 = 1;
export const ERROR_INVALID_ARGUMENT: i32 = 2;
export const ERROR_REMOTE_UNREACHABLE: i32 = 8;
export const ERROR_CONNECTION_REFUSED: i32 = 9;
/** Cases of a lookup's error-code. */
export const LOOKUP_ACCESS_DENIED: i32 = 0;
export const LOOKUP_INVALID_ARGUMENT: i32 = 1;
export const LOOKUP_UNRESOLVABLE: i32 = 2;
export const LOOKUP_PERMANENT: i32 = 4;
export const LOOKUP_OTHER: i32 = 5;

// @ts-ignore: decorator
@external("wasi:sockets/types@0.3.0", "[async-lower][method]tcp-socket.connect")
export declare function connect(parameters: usize, resultOut: usize): i32;
// @ts-ignore: decorator
@external("wasi:sockets/ip-name-lookup@0.3.0", "[async-lower]resolve-addresses")
export declare function resolveAddresses(name: usize, size: i32, resultOut: usize): i32;
