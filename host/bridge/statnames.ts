/**
 * What the table of STATS holds. Generated from protocol/protocol.json by `make protocol`; edit it there.
 */

/** In the order of the table. @internal */
export const STAT_NAMES = [
  "connectionsNow",
  "connectionsEver",
  "connectionsRefused",
  "acceptRests",
  "bytesIn",
  "bytesOut",
  "requestsNow",
  "requestsEver",
  "requestsRefused",
  "turns",
  "turnNs",
  "turnNsMax",
  "handlesTried",
  "polls",
  "probes",
  "probesMissed",
  "bufferBytes",
  "memoryBytes",
  "connectionsHot",
] as const;

/**
 * Rows of the table behind those: how many turns took at most 1,024 ns, twice that, and so on; the last has no bound.
 * @internal
 */
export const TURN_TIMES_COUNT = 20;

/** Behind those: why requests are refused, with which status and sentence; the last is for all others. */
export const REFUSALS = [
  ["bad_method", 400, "The request line does not begin with a method and one space"],
  ["bad_target", 400, "The request target is empty or holds a byte that must be percent-encoded"],
  ["no_version", 400, "The request line has no HTTP version"],
  ["bad_version", 400, "The request line does not end with a space, HTTP/1.1 and CR LF"],
  ["unsupported_version", 505, "This server speaks HTTP/1.x only"],
  ["target_too_long", 414, "The request target is too long"],
  ["bad_name", 400, "A header field's name is empty or holds a byte that names cannot have"],
  ["no_colon", 400, "A header line has no colon"],
  ["space_before_colon", 400, "A header field's name is followed by white space"],
  ["folded_field", 400, "A header line begins with white space: folding is not accepted"],
  ["bad_value", 400, "A header field's value holds a control character"],
  ["bad_line_end", 400, "A header line does not end with CR LF"],
  ["too_many_fields", 431, "The request has too many header fields"],
  ["head_too_large", 431, "The request line and header fields are too large"],
  ["head_timeout", 408, "The request's head did not arrive in time"],
  ["request_cut", 400, "The client ended its side inside a request"],
  ["connect", 501, "CONNECT is not implemented: this is no proxy"],
  ["bad_target_form", 400, "The request target is neither a path nor an http or https URI, or does not fit the method"],
  ["no_host", 400, "The request has no Host, which HTTP/1.1 requires"],
  ["several_hosts", 400, "Host is given more than once"],
  ["bad_host", 400, "Host is not a host name or address with an optional port"],
  ["bad_length", 400, "Content-Length is not a number"],
  ["several_lengths", 400, "Content-Length is given more than once"],
  ["length_and_coding", 400, "Content-Length and Transfer-Encoding exclude each other"],
  ["coding_in_http10", 400, "Transfer-Encoding is not defined for HTTP/1.0"],
  ["bad_coding", 400, "Transfer-Encoding does not end with chunked, or names it twice"],
  ["unsupported_coding", 501, "The only Transfer-Encoding that is implemented is chunked"],
  ["bad_connection", 400, "Connection is not a list of option names"],
  ["expectation", 417, "The only expectation that is met is 100-continue"],
  ["body_too_large", 413, "The request's body is larger than this server accepts"],
  ["body_timeout", 408, "The request's body did not arrive in time"],
  ["bad_chunk_size", 400, "A chunk's size is not 1 to 16 hexadecimal digits and CR LF"],
  ["bad_chunk_extension", 400, "A chunk's extension has a control character or does not end with CR LF"],
  ["chunk_line_too_long", 400, "A chunk's size and extensions are too long"],
  ["too_much_chunking", 400, "The body's chunk extensions outweigh its data"],
  ["bad_chunk_end", 400, "A chunk's data is not followed by CR LF"],
  ["bad_trailer", 400, "A trailer line is not a name, a colon, a value and CR LF"],
  ["trailers_too_large", 431, "The trailer fields are too large or too many"],
  ["memory_short", 503, "The server is short of memory; try again later"],
  ["other", 500, "The server refused the request"],
] as const satisfies readonly (readonly [string, number, string])[];
