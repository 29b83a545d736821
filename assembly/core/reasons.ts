// Why a stream, a read or a request ended: the numbers that travel in frames.
// Generated from protocol/protocol.json by `make protocol`; edit it there.

/** This side closed it. */
export const REASON_CLOSED: i32 = 1;
/** The peer ended its side (an orderly end), or did so and was sent nothing for `halfCloseTimeoutMs`. */
export const REASON_END: i32 = 2;
/** The connection was reset or its pipe broke. */
export const REASON_RESET: i32 = 3;
/** A time limit ran out. */
export const REASON_TIMEOUT: i32 = 4;
/** The delimiter did not come within maxBytes. */
export const REASON_TOO_LONG: i32 = 5;
/** No room in a buffer or in the sandbox's memory. */
export const REASON_BUFFER_FULL: i32 = 6;
/** The server stops and the grace is over. */
export const REASON_STOPPING: i32 = 7;
/** Another error of the socket. */
export const REASON_IO: i32 = 8;
/** A read is already pending on this stream. */
export const REASON_BUSY: i32 = 9;
/** The handler's answer would have broken the connection's framing. */
export const REASON_BAD_RESPONSE: i32 = 10;
/** The rest of the request was malformed (it has been answered, if it could be). */
export const REASON_BAD_REQUEST: i32 = 11;
/** The request's body is larger than allowed (answered with 413, if it could be). */
export const REASON_TOO_LARGE: i32 = 12;
