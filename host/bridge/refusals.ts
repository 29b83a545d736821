/**
 * Requests that the sandbox has refused by itself (docs/protocol.md, REFUSED), each as a line of the log.
 *
 * Invariant: the sentence is the sandbox's, one of a few; nothing in the line is the peer's but its address.
 */
import { type Address, hostAndPort } from "../core/address.js";
import { ProtocolError } from "../core/errors.js";
import { REFUSED_BYTES } from "./frames.js";
import { REFUSALS } from "./statnames.js";

export { REFUSALS };

/** Where the sandbox stops counting those that it does not tell. */
const UNREPORTED_MAX = 0xffff;

/** What `server.stats()` and the metrics call a reason. */
export type RefusalName = (typeof REFUSALS)[number][0];

/** A request that never came to a handler. */
export interface Refusal {
  /** The status of the sandbox's answer. */
  readonly status: number;
  /** Others since the last REFUSED, which had none of their own. */
  readonly unreported: number;
  readonly descriptor: number;
  /** Where its ADDRESS begins in the chunk, -1 without one. */
  readonly addressAt: number;
  readonly sentence: string;
  /** What `sentence` says; `"other"` when it is none of the sandbox's. */
  readonly reason: RefusalName;
}

const REASONS: ReadonlyMap<string, RefusalName> = new Map(REFUSALS.map(([reason, , sentence]) => [sentence, reason]));

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
    unreported: chunk.readUInt16LE(start + 2),
    descriptor: chunk.readUInt32LE(start + 4),
    addressAt: family === 0 ? -1 : start + 8,
    sentence,
    reason: REASONS.get(sentence) ?? "other",
  };
}

/** `a request from 127.0.0.1:5000 was refused with 400: …; 3 more were refused before it and not logged` */
export function refusalLine({ status, unreported, sentence }: Refusal, address: Address | null): string {
  const from = address === null ? "" : ` from ${hostAndPort(address)}`;
  const number = unreported === UNREPORTED_MAX ? `${unreported} or more` : `${unreported} more`;
  const others =
    unreported === 0 ? "" : `; ${number} ${unreported === 1 ? "was" : "were"} refused before it and not logged`;
  return `a request${from} was refused with ${status}: ${sentence}${others}`;
}
