/**
 * Why a stream, a read or a request ended: the numbers that travel in frames, and what errors say of them.
 * Generated from protocol/protocol.json by `make protocol`; edit it there.
 */

/** Why the sandbox ended a stream, a read or a request: the number that travels in a frame. */
export const REASONS = {
  CLOSED: 1,
  END: 2,
  RESET: 3,
  TIMEOUT: 4,
  TOO_LONG: 5,
  BUFFER_FULL: 6,
  STOPPING: 7,
  IO: 8,
  BUSY: 9,
  BAD_RESPONSE: 10,
  BAD_REQUEST: 11,
  TOO_LARGE: 12,
} as const;

/** Each of them in words. */
export const EXPLANATIONS: Readonly<Record<keyof typeof REASONS, string>> = {
  CLOSED: "it was closed on this side",
  END: "the peer ended its side",
  RESET: "the connection was reset",
  TIMEOUT: "a time limit ran out",
  TOO_LONG: "the delimiter did not come within maxBytes",
  BUFFER_FULL: "a buffer is full",
  STOPPING: "the server stops and its grace is over",
  IO: "the socket failed",
  BUSY: "a read is already pending",
  BAD_RESPONSE: "the answer would have broken the connection's framing",
  BAD_REQUEST: "the rest of the request was malformed",
  TOO_LARGE: "the request's body is larger than allowed",
};
