/**
 * The parts of a request-target, in origin-form, absolute-form, or `*`.
 *
 * Invariant: the sandbox has checked the target; what is odd in one is in the path or the query.
 * Reference: RFC 9112 3.2.
 */

/** Where the path begins: after the authority of an absolute-form target (RFC 9112 3.2.2). */
export function pathStart(target: string): number {
  if (target.startsWith("/")) return 0;
  const scheme = target.indexOf("://");
  if (scheme < 0) return 0;
  const end = target.slice(scheme + 3).search(/[/?]/);
  return end < 0 ? target.length : scheme + 3 + end;
}

/** The authority of an absolute-form target, which counts more than Host (RFC 9112 3.2.2); "" in any other form. */
export function authorityOf(target: string): string {
  if (target.startsWith("/")) return "";
  const scheme = target.indexOf("://");
  return scheme < 0 ? "" : target.slice(scheme + 3, pathStart(target));
}

/** The path, not decoded; `/` when it is empty (RFC 9110 4.2.3). */
export function pathOf(target: string): string {
  const start = pathStart(target);
  const mark = target.indexOf("?", start);
  const path = start === 0 && mark < 0 ? target : target.slice(start, mark < 0 ? target.length : mark);
  return path === "" ? "/" : path;
}
