/**
 * What the event `clientError` has of a request that the sandbox has refused: an error with the code that Node's parser
 * has for it, and a socket through which nothing goes any more, since the answer has left.
 *
 * Reference: docs/protocol.md, REFUSED; llhttp's list of errors.
 */
import { Duplex } from "node:stream";
import type { Address } from "../core/address.js";
import type { RequestListener } from "../server/httpserver.js";

type Refusal = Parameters<NonNullable<RequestListener["refused"]>>[0];

type ParseError = readonly [code: string, reason?: string];

const INVALID_VERSION: ParseError = ["HPE_INVALID_VERSION", "Invalid HTTP version"];
const INVALID_TOKEN: ParseError = ["HPE_INVALID_HEADER_TOKEN", "Invalid header token"];
const OVERFLOW: ParseError = ["HPE_HEADER_OVERFLOW", "Header overflow"];
const INVALID_CODING: ParseError = ["HPE_INVALID_TRANSFER_ENCODING", "Request has invalid `Transfer-Encoding`"];
const INVALID_CHUNK: ParseError = ["HPE_INVALID_CHUNK_SIZE", "Invalid character in chunk size"];
const CHUNK_OVERFLOW: ParseError = ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "Chunk extensions overflow"];
const TIMEOUT: ParseError = ["ERR_HTTP_REQUEST_TIMEOUT"];

/**
 * Node's code and words. Those that are none to Node's server, for example a second Host, have no code: it has no event
 * for them.
 */
const ERRORS: Partial<Record<Refusal["reason"], ParseError>> = {
  bad_method: ["HPE_INVALID_METHOD", "Invalid method encountered"],
  bad_target: ["HPE_INVALID_URL", "Invalid characters in url"],
  no_version: INVALID_VERSION,
  bad_version: INVALID_VERSION,
  unsupported_version: INVALID_VERSION,
  target_too_long: OVERFLOW,
  bad_name: INVALID_TOKEN,
  no_colon: INVALID_TOKEN,
  space_before_colon: INVALID_TOKEN,
  folded_field: ["HPE_INVALID_HEADER_TOKEN", "Unexpected whitespace after header value"],
  bad_value: ["HPE_INVALID_HEADER_TOKEN", "Invalid header value char"],
  bad_line_end: ["HPE_LF_EXPECTED", "Missing expected LF after header value"],
  too_many_fields: OVERFLOW,
  head_too_large: OVERFLOW,
  request_cut: ["HPE_INVALID_EOF_STATE", "Invalid EOF state"],
  head_timeout: TIMEOUT,
  body_timeout: TIMEOUT,
  bad_length: ["HPE_INVALID_CONTENT_LENGTH", "Invalid character in Content-Length"],
  several_lengths: ["HPE_UNEXPECTED_CONTENT_LENGTH", "Duplicate Content-Length"],
  length_and_coding: ["HPE_INVALID_TRANSFER_ENCODING", "Transfer-Encoding can't be present with Content-Length"],
  coding_in_http10: INVALID_CODING,
  bad_coding: INVALID_CODING,
  unsupported_coding: INVALID_CODING,
  bad_chunk_size: INVALID_CHUNK,
  bad_chunk_extension: INVALID_CHUNK,
  chunk_line_too_long: CHUNK_OVERFLOW,
  too_much_chunking: CHUNK_OVERFLOW,
  bad_chunk_end: ["HPE_STRICT", "Expected LF after chunk data"],
  bad_trailer: INVALID_TOKEN,
  trailers_too_large: OVERFLOW,
};

/** The error of a method that Node's parser does not know. */
export function invalidMethod(): Error {
  return parseError({ reason: "bad_method" }) as Error;
}

/** The error of a refusal; null: Node's server has none for it. What no bytes have caused has no `rawPacket`. */
export function parseError({ reason: name }: Pick<Refusal, "reason">): Error | null {
  const given = ERRORS[name];
  if (given === undefined) return null;
  const [code, reason] = given;
  if (reason === undefined) return Object.assign(new Error("Request timeout"), { code });
  if (name === "request_cut") return Object.assign(new Error("Parse Error"), { code, reason, bytesParsed: 0 });
  return Object.assign(new Error(`Parse Error: ${reason}`), { code, reason });
}

/** A connection that has been answered: `writable` is false, and what is written all the same is dropped. */
export class AnsweredSocket extends Duplex {
  /** The client's IP address; undefined when it is not known. */
  readonly remoteAddress: string | undefined;
  /** The client's port; undefined when it is not known. */
  readonly remotePort: number | undefined;
  /** `"IPv4"` or `"IPv6"`; undefined when it is not known. */
  readonly remoteFamily: string | undefined;

  constructor(address: Address | null) {
    super();
    this.remoteAddress = address?.address;
    this.remotePort = address?.port;
    this.remoteFamily = address?.family;
    this.destroy();
  }
}
