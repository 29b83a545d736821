/**
 * What the sandbox tells about requests that it has answered itself (docs/protocol.md, REFUSED), as a line for an
 * operator.
 *
 * Invariant: the sentence is the sandbox's, one of a few; nothing in the line is the peer's but its address.
 */
import { type Address, hostAndPort } from "../core/address.js";
import { ProtocolError } from "../core/errors.js";
import { REFUSED_BYTES } from "./frames.js";

/**
 * Why requests are refused, and with which status: in the order of assembly/protocol/http/refusal.ts, the last for all
 * others.
 */
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

/** Where the sandbox stops counting those that it does not tell. */
const UNTOLD_MAX = 0xffff;

/** What `server.stats()` and the metrics call a reason. */
export type RefusalName = (typeof REFUSALS)[number][0];

/** A request that never came to a handler. */
export interface Refusal {
  /** The status of the sandbox's answer. */
  readonly status: number;
  /** Others since the last one that was told. */
  readonly untold: number;
  readonly descriptor: number;
  /** Where its ADDRESS begins in the chunk, -1 without one. */
  readonly addressAt: number;
  readonly sentence: string;
}

/** Reads a REFUSED frame; throws ProtocolError when it is malformed. */
export function readRefusal(chunk: Buffer, start: number, end: number): Refusal {
  if (end - start <= REFUSED_BYTES) throw new ProtocolError("REFUSED is cut short");
  const status = chunk.readUInt16LE(start);
  const family = chunk.readUInt16LE(start + 8);
  const sentence = chunk.toString("latin1", start + REFUSED_BYTES, end);
  const isKnown = status >= 400 && status <= 599 && (family === 0 || family === 4 || family === 6);
  if (!isKnown || !/^[ -~]{1,256}$/.test(sentence)) throw new ProtocolError("REFUSED with fields that have no meaning");
  return {
    status,
    untold: chunk.readUInt16LE(start + 2),
    descriptor: chunk.readUInt32LE(start + 4),
    addressAt: family === 0 ? -1 : start + 8,
    sentence,
  };
}

/** `a request from 127.0.0.1:5000 was refused with 400: …; 3 others before it were not told` */
export function refusalLine({ status, untold, sentence }: Refusal, address: Address | null): string {
  const from = address === null ? "" : ` from ${hostAndPort(address)}`;
  const number = untold === UNTOLD_MAX ? `${untold} or more` : `${untold} more`;
  const others = untold === 0 ? "" : `; ${number} ${untold === 1 ? "was" : "were"} refused before it and not told`;
  return `a request${from} was refused with ${status}: ${sentence}${others}`;
}
