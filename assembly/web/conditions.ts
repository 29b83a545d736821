// Conditional requests: what becomes of an answer that would be 200.
//
// Invariants: conditions are looked at in the order of RFC 9110 13.2.2; one that is malformed is as if it were not
// there, but for If-Match, which then names no tag. host/web/conditions.ts does the same, and
// test/corpus/conditional-requests.md holds both to it.

import { NO_DATE, parseDate } from "./dates";
import { namesEtag } from "./etags";
import { HeldHead } from "./heldhead";

/**
 * The status that the conditions of a GET or HEAD leave of 200: that, 304 when the client has it, 412 when it wants
 * another version. `etag` with its quotes, "": there is none; `modified` in seconds since 1970, NO_DATE: unknown.
 */
export function precondition(head: HeldHead, etag: string, modified: i64): i32 {
  if (head.hasField("if-match")) {
    if (!namesEtag(head.field("if-match", ""), etag, true)) return 412;
  } else {
    const limit = parseDate(head.field("if-unmodified-since", ""));
    if (limit != NO_DATE && modified != NO_DATE && modified > limit) return 412;
  }
  if (head.hasField("if-none-match")) return namesEtag(head.field("if-none-match", ""), etag) ? 304 : 200;
  const since = parseDate(head.field("if-modified-since", ""));
  return since != NO_DATE && modified != NO_DATE && modified <= since ? 304 : 200;
}

/**
 * If-Range: whether the rest that the client has is of this version; a part of another would be of no use to it (RFC
 * 9110 13.1.5).
 */
export function isSameVersion(head: HeldHead, etag: string, modified: i64): bool {
  if (!head.hasField("if-range")) return true;
  const condition = head.field("if-range", "");
  if (condition.includes('"')) return condition == etag && !etag.startsWith("W/");
  return modified != NO_DATE && parseDate(condition) == modified;
}
