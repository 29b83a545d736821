/**
 * Which answers are compressed (`compressResponse`), and what becomes of their header fields.
 *
 * Invariants: an answer is compressed only with a coding that its request accepts, and only once; whatever depends on
 * Accept-Encoding says so in Vary, compressed or not; a compressed answer never keeps the length or the strong ETag of
 * the plain one.
 * Reference: RFC 9110 8.4, 8.8.3, 12.5.3 and 12.5.5; Tornado's web.GZipContentEncoding for types, level and least size.
 */

import { wholeNumber } from "../../core/check.js";
import { OptionError } from "../../core/errors.js";
import { BROTLI_QUALITY, COMPRESS_BYTES_MIN, GZIP_LEVEL, ZSTD_LEVEL } from "../../core/limits.js";
import type { HeaderPairs } from "../headerpairs.js";
import { HTTPHeaders } from "../headers.js";
import { type ContentCoding, negotiateCoding } from "./acceptencoding.js";
import { hasZstd } from "./zstd.js";

/** How answers are compressed. */
export interface CompressionOptions {
  /**
   * Codings that may be used, the preferred ones first. Default `["zstd", "br", "gzip", "deflate"]`; zstd is passed
   * over where Node has none (before 22.15).
   */
  encodings?: readonly ContentCoding[] | undefined;
  /** Whole answers with fewer bytes are sent as they are. Default 1,024. */
  bytesMin?: number | undefined;
  /** 1, fast, to 9, small: of gzip and deflate. Default 6. */
  gzipLevel?: number | undefined;
  /** 0, fast, to 11, small and very slow. Default 4. */
  brotliQuality?: number | undefined;
  /** 1, fast, to 19, small and slow: of zstd. Default 3. */
  zstdLevel?: number | undefined;
  /** Content types that are compressed beside `text/*` and the usual ones, without parameters: `"application/wasm"`. */
  types?: readonly string[] | undefined;
}

/** The same, complete and checked. */
export interface Compression {
  /** Codings that answers may have, the preferred one first. */
  readonly encodings: readonly ContentCoding[];
  /** Bytes of the smallest body that is compressed. */
  readonly bytesMin: number;
  /** 1 to 9. */
  readonly gzipLevel: number;
  /** 0 to 11. */
  readonly brotliQuality: number;
  /** 1 to 19. */
  readonly zstdLevel: number;
  /** Content types that are compressed beside the usual ones. */
  readonly types: ReadonlySet<string>;
}

/** What an answer's head becomes. */
export interface CodedHead {
  readonly headers: HeaderPairs;
  /** Null: the body goes out as it is. */
  readonly coding: ContentCoding | null;
}

const CODINGS: readonly ContentCoding[] = ["zstd", "br", "gzip", "deflate"];
const TYPES = [
  "application/javascript",
  "application/x-javascript",
  "application/xml",
  "application/atom+xml",
  "application/json",
  "application/xhtml+xml",
  "image/svg+xml",
];
/** Answers without a body, or with a part of one. */
const NEVER = [204, 206, 304];

/** Checks the option `compressResponse`; null: nothing is compressed. Throws OptionError. */
export function resolveCompression(option: boolean | CompressionOptions | undefined): Compression | null {
  if (option === undefined || option === false) return null;
  const { encodings = CODINGS, types = [], ...numbers } = option === true ? {} : option;
  if (encodings.length === 0 || encodings.some((coding) => !CODINGS.includes(coding))) {
    throw new OptionError(
      `compressResponse.encodings can have ${CODINGS.join(", ")}, not ${JSON.stringify(encodings)}`,
    );
  }
  const available = encodings.filter((coding) => coding !== "zstd" || hasZstd);
  if (available.length === 0) throw new OptionError("compressResponse.encodings: this Node has no zstd");
  return {
    encodings: available,
    bytesMin: wholeNumber(
      "compressResponse.bytesMin",
      numbers.bytesMin ?? COMPRESS_BYTES_MIN,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    gzipLevel: wholeNumber("compressResponse.gzipLevel", numbers.gzipLevel ?? GZIP_LEVEL, 1, 9),
    brotliQuality: wholeNumber("compressResponse.brotliQuality", numbers.brotliQuality ?? BROTLI_QUALITY, 0, 11),
    zstdLevel: wholeNumber("compressResponse.zstdLevel", numbers.zstdLevel ?? ZSTD_LEVEL, 1, 19),
    types: new Set([...TYPES, ...types.map((type) => type.toLowerCase())]),
  };
}

/**
 * Decides on one answer. `bytes` is the body's size, -1 while it is not known. `free`: whether there is a compressor
 * for an answer that is not compressed at once.
 */
export function codeHead(
  compression: Compression,
  acceptEncoding: string | null,
  status: number,
  headers: HeaderPairs,
  bytes: number,
  free: boolean,
): CodedHead {
  const fields = new HTTPHeaders(headers.map(([name, value]) => [String(name), String(value)] as const));
  const { coding, identityRefused } = negotiateCoding(acceptEncoding, compression.encodings);
  const isLarge = bytes < 0 || bytes >= compression.bytesMin;
  const isWorthIt = identityRefused || (isLarge && isCompressible(compression, fields));
  const chosen = free && isWorthIt && bytes !== 0 && isAllowed(status, fields) ? coding : null;
  return { headers: chosen === null ? varied(headers) : coded(varied(headers), chosen), coding: chosen };
}

function isCompressible({ types }: Compression, fields: HTTPHeaders): boolean {
  const type = (fields.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return type.startsWith("text/") || types.has(type);
}

/** Not what has a coding already, not a part of a body, and not what the handler forbids (RFC 9111 5.2.2.6). */
function isAllowed(status: number, fields: HTTPHeaders): boolean {
  if (NEVER.includes(status) || fields.has("content-encoding") || fields.has("content-range")) return false;
  return !/(^|[\s,])no-transform($|[\s,])/i.test(fields.get("cache-control") ?? "");
}

/** With Accept-Encoding in Vary. */
function varied(headers: HeaderPairs): HeaderPairs {
  const names = headers.filter(([name]) => isNamed(name, "vary")).flatMap(([, value]) => String(value).split(","));
  const has = names.some((name) => ["*", "accept-encoding"].includes(name.trim().toLowerCase()));
  return has ? headers : [...headers, ["Vary", "Accept-Encoding"]];
}

/** Of a compressed answer: with its coding, without the plain one's length, and with an ETag that says "equivalent". */
function coded(headers: HeaderPairs, coding: ContentCoding): HeaderPairs {
  const kept = headers.filter(([name]) => !isNamed(name, "content-length"));
  const weak = kept.map(([name, value]): [string, string | number] =>
    isNamed(name, "etag") && !String(value).startsWith("W/") ? [name, `W/${value}`] : [name, value],
  );
  return [...weak, ["Content-Encoding", coding]];
}

function isNamed(name: unknown, key: string): boolean {
  return String(name).toLowerCase() === key;
}
