/**
 * Entity tags of bodies (RFC 9110 8.8.3). Invariant: a tag is strong, the sha1 of the body as in Tornado; a short text
 * that was tagged a moment ago is not hashed again. In a component edge/withoutnode.ts takes this file's place.
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
