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

/** Those that are none to Node's server, for example a second Host, have no code: it has no event for them. */
const CODES: Partial<Record<Refusal["reason"], string>> = {
  bad_method: "HPE_INVALID_METHOD",
  bad_target: "HPE_INVALID_URL",
  no_version: "HPE_INVALID_VERSION",
  bad_version: "HPE_INVALID_VERSION",
  unsupported_version: "HPE_INVALID_VERSION",
  target_too_long: "HPE_HEADER_OVERFLOW",
  bad_name: "HPE_INVALID_HEADER_TOKEN",
  no_colon: "HPE_INVALID_HEADER_TOKEN",
  space_before_colon: "HPE_INVALID_HEADER_TOKEN",
  folded_field: "HPE_INVALID_HEADER_TOKEN",
  bad_value: "HPE_INVALID_HEADER_TOKEN",
  bad_line_end: "HPE_LF_EXPECTED",
  too_many_fields: "HPE_HEADER_OVERFLOW",
  head_too_large: "HPE_HEADER_OVERFLOW",
  head_cut: "HPE_INVALID_EOF_STATE",
  head_timeout: "ERR_HTTP_REQUEST_TIMEOUT",
  body_timeout: "ERR_HTTP_REQUEST_TIMEOUT",
  bad_length: "HPE_INVALID_CONTENT_LENGTH",
  several_lengths: "HPE_UNEXPECTED_CONTENT_LENGTH",
  length_and_coding: "HPE_INVALID_TRANSFER_ENCODING",
  coding_in_http10: "HPE_INVALID_TRANSFER_ENCODING",
  bad_coding: "HPE_INVALID_TRANSFER_ENCODING",
  unsupported_coding: "HPE_INVALID_TRANSFER_ENCODING",
  bad_chunk_size: "HPE_INVALID_CHUNK_SIZE",
  bad_chunk_extension: "HPE_INVALID_CHUNK_SIZE",
  chunk_line_too_long: "HPE_CHUNK_EXTENSIONS_OVERFLOW",
  too_much_chunking: "HPE_CHUNK_EXTENSIONS_OVERFLOW",
  bad_chunk_end: "HPE_INVALID_CHUNK_SIZE",
  bad_trailer: "HPE_INVALID_HEADER_TOKEN",
  trailers_too_large: "HPE_HEADER_OVERFLOW",
};

/** What Node's parser says where it has the same words for all of a code. */
const WORDS: Record<string, string> = {
  HPE_INVALID_METHOD: "Invalid method encountered",
  HPE_HEADER_OVERFLOW: "Header overflow",
};

/** The error of a refusal; null: Node's server has none for it. */
export function parseError({ reason: name, sentence }: Refusal): Error | null {
  const code = CODES[name];
  if (code === undefined) return null;
  const reason = WORDS[code] ?? sentence;
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
