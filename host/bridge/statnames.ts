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

/** Behind those: why requests are refused, and with which status; the last is for all others. */
export const REFUSALS = [
  ["bad_method", 400],
  ["bad_target", 400],
  ["no_version", 400],
  ["bad_version", 400],
  ["unsupported_version", 505],
  ["target_too_long", 414],
  ["bad_name", 400],
  ["no_colon", 400],
  ["space_before_colon", 400],
  ["folded_field", 400],
  ["bad_value", 400],
  ["bad_line_end", 400],
  ["too_many_fields", 431],
  ["head_too_large", 431],
  ["head_timeout", 408],
  ["connect", 501],
  ["bad_target_form", 400],
  ["no_host", 400],
  ["several_hosts", 400],
  ["bad_host", 400],
  ["bad_length", 400],
  ["several_lengths", 400],
  ["length_and_coding", 400],
  ["coding_in_http10", 400],
  ["bad_coding", 400],
  ["unsupported_coding", 501],
  ["bad_connection", 400],
  ["expectation", 417],
  ["body_too_large", 413],
  ["body_timeout", 408],
  ["bad_chunk_size", 400],
  ["bad_chunk_extension", 400],
  ["chunk_line_too_long", 400],
  ["too_much_chunking", 400],
  ["bad_chunk_end", 400],
  ["bad_trailer", 400],
  ["trailers_too_large", 431],
  ["memory_short", 503],
  ["other", 500],
] as const satisfies readonly (readonly [string, number])[];
