/**
 * Conditional requests: what becomes of an answer that would be 200.
 *
 * Invariants: conditions are looked at in the order of RFC 9110 13.2.2; one that is malformed is as if it were not
 * there, but for If-Match, which then names no tag. assembly/web/conditions.ts does the same, and
 * test/corpus/conditional-requests.md holds both to it.
 */
import type { HTTPHeaders } from "../http/headers.js";
import { namesEtag } from "./etags.js";
import { parseHTTPDate } from "./httpdate.js";

/** By what a client can tell one version from another. */
export interface Validators {
  /** With its quotes; null: there is none. */
  readonly etag: string | null;
  /** In whole seconds, given in milliseconds since 1970; null: not known. */
  readonly modifiedMs: number | null;
}

/**
 * The status that the conditions of a GET or HEAD leave of 200: that, 304 when the client has it, 412 when it wants
 * another version.
 */
export function precondition(headers: HTTPHeaders, { etag, modifiedMs }: Validators): 200 | 304 | 412 {
  const match = headers.get("if-match");
  if (match === null) {
    const limit = dateIn(headers, "if-unmodified-since");
    if (limit !== null && modifiedMs !== null && modifiedMs > limit) return 412;
  } else if (!namesEtag(match, etag, "strong")) return 412;
  const noneMatch = headers.get("if-none-match");
  if (noneMatch !== null) return namesEtag(noneMatch, etag) ? 304 : 200;
  const since = dateIn(headers, "if-modified-since");
  return since !== null && modifiedMs !== null && modifiedMs <= since ? 304 : 200;
}

/**
 * If-Range: whether the rest that the client has is of this version; a part of another would be of no use to it (RFC
 * 9110 13.1.5).
 */
export function isSameVersion(headers: HTTPHeaders, { etag, modifiedMs }: Validators): boolean {
  const condition = headers.get("if-range");
  if (condition === null) return true;
  if (condition.includes('"')) return condition === etag && !etag.startsWith("W/");
  const date = parseHTTPDate(condition);
  return date !== null && date === modifiedMs;
}

function dateIn(headers: HTTPHeaders, name: string): number | null {
  const field = headers.get(name);
  return field === null ? null : parseHTTPDate(field);
}
