/**
 * A whole answer under `compressResponse`: compressed at once when it is small, later when it is not, or left as it is.
 *
 * Invariant: what leaves has the head that belongs to it; a wrong Content-Length is found before anything is sent.
 */

import { type Data, toBytes } from "../../core/data.js";
import { COMPRESS_AT_ONCE_BYTES_MAX } from "../../core/limits.js";
import type { HeaderPairs } from "../headerpairs.js";
import { encodeHeaders, type HeaderBlock } from "../headers.js";
import { mismatch } from "../response.js";
import type { ContentCoding } from "./acceptencoding.js";
import { type CodedHead, type Compression, codeHead } from "./options.js";
import { compressWhole, hasFreeCompressor } from "./stream.js";

/** Fields that describe a body, and so have no place without one. */
const OF_A_BODY = /^content-(?:encoding|language|length|type)$/i;

/** An answer's head as it leaves, and its body: as it leaves, or with the coding that it gets on the way. */
export type CodedAnswer =
  | { readonly block: HeaderBlock; readonly body: Data | null; readonly later: null }
  | { readonly block: HeaderBlock; readonly body: Uint8Array; readonly later: ContentCoding };

/** `plain` is the block of `headers`. Throws HTTPOutputError when its Content-Length is not the body's. */
export function codeWhole(
  compression: Compression,
  acceptEncoding: string | null,
  status: number,
  headers: HeaderPairs,
  plain: HeaderBlock,
  body: Data | null,
): CodedAnswer {
  const bytes = body === null ? new Uint8Array(0) : toBytes(body);
  const small = bytes.length <= COMPRESS_AT_ONCE_BYTES_MAX;
  const { coding, headers: fields } = codeOf(compression, acceptEncoding, status, headers, bytes.length);
  const block = encodeHeaders(fields);
  if (coding === null) return { block, body, later: null };
  if (plain.contentLength >= 0 && plain.contentLength !== bytes.length) {
    throw mismatch(plain.contentLength, bytes.length);
  }
  if (!small) return { block, body: bytes, later: coding };
  return { block, body: compressWhole(compression, coding, bytes), later: null };
}

/**
 * The fields of a 304 in the place of a 200 with `headers` and a body of so many bytes: without those that describe a
 * body; its ETag and its Vary are that one's.
 */
export function notModifiedFields(
  compression: Compression | null,
  acceptEncoding: string | null,
  headers: HeaderPairs,
  bytes: number,
): HeaderPairs {
  const fields = compression === null ? headers : codeOf(compression, acceptEncoding, 200, headers, bytes).headers;
  return fields.filter(([name]) => !OF_A_BODY.test(name));
}

function codeOf(
  compression: Compression,
  acceptEncoding: string | null,
  status: number,
  headers: HeaderPairs,
  bytes: number,
): CodedHead {
  const small = bytes >= 0 && bytes <= COMPRESS_AT_ONCE_BYTES_MAX;
  return codeHead(compression, acceptEncoding, status, headers, bytes, small || hasFreeCompressor());
}
