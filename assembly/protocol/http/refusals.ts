// Why a request is refused, in the order in which a request is read; texts.ts has what the answer says.
// Generated from protocol/protocol.json by `make protocol`; edit it there.

/** Why a request is refused, each with the status of the answer. */
export const enum Refusal {
  // --- the request line ---
  /** 400: The request line does not begin with a method and one space. */
  BAD_METHOD = -2,
  /** 400: The request target is empty or holds a byte that must be percent-encoded. */
  BAD_TARGET = -3,
  /** 400: The request line has no HTTP version. */
  NO_VERSION = -4,
  /** 400: The request line does not end with a space, HTTP/1.1 and CR LF. */
  BAD_VERSION = -5,
  /** 505: This server speaks HTTP/1.x only. */
  UNSUPPORTED_VERSION = -6,
  /** 414: The request target is too long. */
  TARGET_TOO_LONG = -7,
  // --- header fields ---
  /** 400: A header field's name is empty or holds a byte that names cannot have. */
  BAD_NAME = -8,
  /** 400: A header line has no colon. */
  NO_COLON = -9,
  /** 400: A header field's name is followed by white space. */
  SPACE_BEFORE_COLON = -10,
  /** 400: A header line begins with white space: folding is not accepted. */
  FOLDED_FIELD = -11,
  /** 400: A header field's value holds a control character. */
  BAD_VALUE = -12,
  /** 400: A header line does not end with CR LF. */
  BAD_LINE_END = -13,
  /** 431: The request has too many header fields. */
  TOO_MANY_FIELDS = -14,
  /** 431: The request line and header fields are too large. */
  HEAD_TOO_LARGE = -15,
  /** 408: The request's head did not arrive in time. */
  HEAD_TIMEOUT = -16,
  /** 400: The client ended its side inside a request. */
  REQUEST_CUT = -17,
  // --- what the request asks for, and its framing ---
  /** 501: CONNECT is not implemented: this is no proxy. */
  CONNECT = -18,
  /** 400: The request target is neither a path nor an http or https URI, or does not fit the method. */
  BAD_TARGET_FORM = -19,
  /** 400: The request has no Host, which HTTP/1.1 requires. */
  NO_HOST = -20,
  /** 400: Host is given more than once. */
  SEVERAL_HOSTS = -21,
  /** 400: Host is not a host name or address with an optional port. */
  BAD_HOST = -22,
  /** 400: Content-Length is not a number. */
  BAD_LENGTH = -23,
  /** 400: Content-Length is given more than once. */
  SEVERAL_LENGTHS = -24,
  /** 400: Content-Length and Transfer-Encoding exclude each other. */
  LENGTH_AND_CODING = -25,
  /** 400: Transfer-Encoding is not defined for HTTP/1.0. */
  CODING_IN_HTTP10 = -26,
  /** 400: Transfer-Encoding does not end with chunked, or names it twice. */
  BAD_CODING = -27,
  /** 501: The only Transfer-Encoding that is implemented is chunked. */
  UNSUPPORTED_CODING = -28,
  /** 400: Connection is not a list of option names. */
  BAD_CONNECTION = -29,
  /** 417: The only expectation that is met is 100-continue. */
  EXPECTATION = -30,
  // --- the body ---
  /** 413: The request's body is larger than this server accepts. */
  BODY_TOO_LARGE = -31,
  /** 408: The request's body did not arrive in time. */
  BODY_TIMEOUT = -32,
  /** 400: A chunk's size is not 1 to 16 hexadecimal digits and CR LF. */
  BAD_CHUNK_SIZE = -33,
  /** 400: A chunk's extension has a control character or does not end with CR LF. */
  BAD_CHUNK_EXTENSION = -34,
  /** 400: A chunk's size and extensions are too long. */
  CHUNK_LINE_TOO_LONG = -35,
  /** 400: The body's chunk extensions outweigh its data. */
  TOO_MUCH_CHUNKING = -36,
  /** 400: A chunk's data is not followed by CR LF. */
  BAD_CHUNK_END = -37,
  /** 400: A trailer line is not a name, a colon, a value and CR LF. */
  BAD_TRAILER = -38,
  /** 431: The trailer fields are too large or too many. */
  TRAILERS_TOO_LARGE = -39,
  // --- the server ---
  /** 503: The server is short of memory; try again later. */
  MEMORY_SHORT = -40,
}

/** The last code, for tests that go through all of them. */
export const LAST_REFUSAL: i32 = Refusal.MEMORY_SHORT;
