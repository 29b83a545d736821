// Why a stream, a read or a request ended. A result of the sandbox is an `i32`: an amount >= 0, AGAIN, or -REASON.
// The same numbers travel in frames: docs/protocol.md, section Reasons.

/** Nothing can be done now; ask again when the handle is ready. */
export const AGAIN: i32 = -100;

/** This side closed it. */
export const REASON_CLOSED: i32 = 1;
/** The peer ended its side in an orderly way. */
export const REASON_END: i32 = 2;
/** The connection was reset, or its pipe broke. */
export const REASON_RESET: i32 = 3;
/** A time limit ran out. */
export const REASON_TIMEOUT: i32 = 4;
/** The delimiter did not come within maxBytes. */
export const REASON_TOO_LONG: i32 = 5;
/** No room in a buffer or in the sandbox's memory. */
export const REASON_BUFFER_FULL: i32 = 6;
/** The server stops and its grace is over. */
export const REASON_STOPPING: i32 = 7;
/** Another error of the socket. */
export const REASON_IO: i32 = 8;
/** A read is already pending on this stream. */
export const REASON_BUSY: i32 = 9;
/** The handler's answer would have broken the connection's framing. */
export const REASON_BAD_RESPONSE: i32 = 10;
/** The rest of the request was malformed. */
export const REASON_BAD_REQUEST: i32 = 11;
/** The request's body is larger than allowed. */
export const REASON_TOO_LARGE: i32 = 12;
