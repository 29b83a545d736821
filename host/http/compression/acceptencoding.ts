/**
 * Which coding an answer may have, by the request's Accept-Encoding.
 *
 * Invariant: a coding that is chosen was accepted with a quality above 0.
 * Reference: RFC 9110 12.5.3.
 */

/** The codings that answers are compressed with. */
export type ContentCoding = "zstd" | "br" | "gzip" | "deflate";

/** What a client accepts. */
export interface Negotiated {
  /** The best coding; null: the answer goes out as it is. */
  readonly coding: ContentCoding | null;
  /** An answer as it is was refused (`identity;q=0`). */
  readonly identityRefused: boolean;
}

const AS_IT_IS: Negotiated = { coding: null, identityRefused: false };
const QUALITY = /^q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/i;

/**
 * Chooses among `offered`, the first of those that are accepted equally. Without a header field nothing is compressed.
 */
export function negotiateCoding(header: string | null, offered: readonly ContentCoding[]): Negotiated {
  if (header === null || header === "") return AS_IT_IS;
  const accepted = readQualities(header);
  const others = accepted.get("*");
  let coding: ContentCoding | null = null;
  let best = 0;
  for (const candidate of offered) {
    const quality = accepted.get(candidate) ?? others ?? 0;
    if (quality > best) {
      coding = candidate;
      best = quality;
    }
  }
  const identity = accepted.get("identity") ?? others;
  // identity counts less than any coding unless it is named with a higher quality
  if (accepted.has("identity") && (identity as number) > best) coding = null;
  return { coding, identityRefused: identity === 0 };
}

function readQualities(header: string): Map<string, number> {
  const accepted = new Map<string, number>();
  for (const entry of header.split(",")) {
    const [name = "", parameter, ...rest] = entry.split(";").map((part) => part.trim().toLowerCase());
    const quality = parameter === undefined ? 1 : Number(QUALITY.exec(parameter)?.[1] ?? Number.NaN);
    if (name === "" || rest.length > 0 || Number.isNaN(quality)) continue;
    accepted.set(name === "x-gzip" ? "gzip" : name, quality);
  }
  return accepted;
}
