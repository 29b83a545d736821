/** Entity tags in conditions (RFC 9110 8.8.3, 13.1.1 and 13.1.2). */

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
