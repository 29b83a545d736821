/**
 * Entity tags (RFC 9110 8.8.3, 13.1.1 and 13.1.2). Invariant: a tag is strong, the sha1 of the body as in Tornado; a
 * short text that was tagged a moment ago is not hashed again.
 */
import { createHash, hash } from "node:crypto";

/** Texts whose tags are kept: the few that an application sends again and again. */
const KEPT = 8;
const KEPT_LENGTH_MAX = 16 << 10;
const texts: string[] = [];
const tags: string[] = [];
let next = 0;

/** The strong tag of a body, in its quotes. */
export function etagOf(body: string | Uint8Array): string {
  if (typeof body !== "string" || body.length > KEPT_LENGTH_MAX) return `"${sha1(body)}"`;
  for (let at = 0; at < texts.length; at++) if (texts[at] === body) return tags[at] as string;
  const tag = `"${sha1(body)}"`;
  texts[next] = body;
  tags[next] = tag;
  next = (next + 1) % KEPT;
  return tag;
}

/** One call where Node has it (20.12 and later): half the time for a short text. */
const sha1 =
  hash === undefined ? (body: string | Uint8Array) => createHash("sha1").update(body).digest("hex") : hashOnce;

function hashOnce(body: string | Uint8Array): string {
  return hash("sha1", body, "hex");
}

/** A tag of a list, with what may stand around it. */
const MEMBER = /[\t ,]*((?:W\/)?"[^"]*")[\t ]*(?:,|$)/y;

/**
 * Whether an If-None-Match or If-Match field names `etag` (null: there is none): `*`, or one of its list, which is read
 * up to what is no tag. Compared weakly, or `"strong"`: then no weak tag is equal to any.
 */
export function namesEtag(field: string, etag: string | null, comparison: "weak" | "strong" = "weak"): boolean {
  if (field === "*") return true;
  if (etag === null) return false;
  const isStrong = comparison === "strong";
  if (isStrong && etag.startsWith("W/")) return false;
  const wanted = isStrong ? etag : opaque(etag);
  MEMBER.lastIndex = 0;
  for (let member = MEMBER.exec(field); member !== null; member = MEMBER.exec(field)) {
    const tag = member[1] as string;
    if ((isStrong ? tag : opaque(tag)) === wanted) return true;
  }
  return false;
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
