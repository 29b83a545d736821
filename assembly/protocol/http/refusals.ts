// Why a request is refused, in the order in which a request is read, with the status and the sentence of the answer.
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

/** Status and sentence of each, a line each, in the order of the codes; the last is for what is no refusal. */
export const EXPLAINED: string = `
400 The request line does not begin with a method and one space
400 The request target is empty or holds a byte that must be percent-encoded
400 The request line has no HTTP version
400 The request line does not end with a space, HTTP/1.1 and CR LF
505 This server speaks HTTP/1.x only
414 The request target is longer than this server accepts
400 A header field's name is empty or holds a byte that is not allowed in names
400 A header line has no colon
400 A header field's name is followed by white space
400 A header line begins with white space; folded lines are not accepted
400 A header field's value holds a control character
400 A header line does not end with CR LF
431 The request has more header fields than this server accepts
431 The request line and header fields are larger than this server accepts
408 The request's head did not arrive in time
501 CONNECT is not implemented: this server is not a proxy
400 The request target is neither a path nor an http or https URI, or does not fit the method
400 The request has no Host, which HTTP/1.1 requires
400 Host is given more than once
400 Host is not a host name or address with an optional port
400 Content-Length is not a number
400 Content-Length is given more than once
400 Content-Length and Transfer-Encoding exclude each other
400 Transfer-Encoding is not defined for HTTP/1.0
400 Transfer-Encoding does not end with chunked, or names it twice
501 The only Transfer-Encoding that this server implements is chunked
400 Connection is not a list of option names
417 The only expectation that this server meets is 100-continue
413 The request's body is larger than this server accepts
408 The request's body did not arrive in time
400 A chunk's size is not a number of up to 16 hexadecimal digits followed by CR LF
400 A chunk's extension holds a control character or does not end with CR LF
400 A chunk's size and extensions are longer than this server accepts
400 The body's chunk extensions outweigh its data
400 A chunk's data is not followed by CR LF
400 A trailer line is not a name, a colon, a value and CR LF
431 The trailer fields are larger or more than this server accepts
503 The server holds as much for others as it can; try again later
500 The server refused the request
`;
