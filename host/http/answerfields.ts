/**
 * Header fields that every answer to a request has, whether its handler, a middleware or the server gives it.
 *
 * Invariant: a field that the answer has itself is its own; `Set-Cookie` and `Vary` are lists, to which these are
 * added.
 */
import { headerPairs } from "./headerpairs.js";
import type { HeadersInput, HTTPHeaders } from "./headers.js";

const LISTS = ["set-cookie", "vary"];

/** `headers` with those of `more` that it lacks. */
export function withFields(headers: HeadersInput | undefined, more: HTTPHeaders | null): HeadersInput | undefined {
  if (more === null || more.size === 0) return headers;
  const pairs = headerPairs(headers);
  const own = pairs.map(([name, value]) => [String(name).toLowerCase(), value] as const);
  const isLacking = ([name, value]: readonly [string, string]) =>
    !own.some(([key, text]) => key === name && (!LISTS.includes(name) || text === value));
  return [...pairs, ...[...more].filter(isLacking)];
}
