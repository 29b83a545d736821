// Why a request is refused, in the order in which a request is read; texts.ts has what the answer says.
// Generated from protocol/protocol.json by `make protocol`; edit it there.

export const enum Refusal {
  // --- the request line ---
  BAD_METHOD = -2,
  BAD_TARGET = -3,
  NO_VERSION = -4,
  BAD_VERSION = -5,
  UNSUPPORTED_VERSION = -6,
  TARGET_TOO_LONG = -7,
  // --- header fields ---
  BAD_NAME = -8,
  NO_COLON = -9,
  SPACE_BEFORE_COLON = -10,
  FOLDED_FIELD = -11,
  BAD_VALUE = -12,
  BAD_LINE_END = -13,
  TOO_MANY_FIELDS = -14,
  HEAD_TOO_LARGE = -15,
  HEAD_TIMEOUT = -16,
  // --- what the request asks for, and its framing ---
  CONNECT = -17,
  BAD_TARGET_FORM = -18,
  NO_HOST = -19,
  SEVERAL_HOSTS = -20,
  BAD_HOST = -21,
  BAD_LENGTH = -22,
  SEVERAL_LENGTHS = -23,
  LENGTH_AND_CODING = -24,
  CODING_IN_HTTP10 = -25,
  BAD_CODING = -26,
  UNSUPPORTED_CODING = -27,
  BAD_CONNECTION = -28,
  EXPECTATION = -29,
  // --- the body ---
  BODY_TOO_LARGE = -30,
  BODY_TIMEOUT = -31,
  BAD_CHUNK_SIZE = -32,
  BAD_CHUNK_EXTENSION = -33,
  CHUNK_LINE_TOO_LONG = -34,
  TOO_MUCH_CHUNKING = -35,
  BAD_CHUNK_END = -36,
  BAD_TRAILER = -37,
  TRAILERS_TOO_LARGE = -38,
  // --- the server ---
  MEMORY_SHORT = -39,
}

/** The last code, for tests that go through all of them. */
export const LAST_REFUSAL: i32 = Refusal.MEMORY_SHORT;
