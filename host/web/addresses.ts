/**
 * Where an address leads. Invariant: what a browser takes for another site is never taken for this one, however it is
 * written: browsers drop tabs and line ends inside of an address, and read a backslash as a slash (WHATWG URL 4.4).
 */
import type { HTTPServerRequest } from "../http/request.js";
import { HTTPError } from "./errors.js";

/** Scheme and host that a browser would find in `url`; "" for an address of the same site. */
export function siteOf(url: string): string {
  const base = "http://same.invalid";
  const text = url.replace(/[\t\n\r]/g, "").replace(/^[\0-\x20]+/, "");
  try {
    const { protocol, host, username, password } = new URL(text, base);
    return host === "same.invalid" && protocol === "http:" ? "" : `${protocol}//${username}:${password}@${host}`;
  } catch {
    return "not an address";
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\0-\x1f\x7f]/;

/** Whether `url` holds what cannot be sent in a header field. */
export function hasControl(url: string): boolean {
  return CONTROL.test(url);
}

/** Whether `url` is the path of an address of this site. */
export function isLocal(url: string): boolean {
  return url.startsWith("/") && siteOf(url) === "" && !hasControl(url);
}

/**
 * `loginUrl` with the request's own address as the argument `next`, unless it has a query already. A login page on
 * another host needs the host, too. Throws HTTPError 403 for an address that a browser would take for another site's.
 */
export function withNext(loginUrl: string, { protocol, host, path, target }: HTTPServerRequest): string {
  if (loginUrl.includes("?")) return loginUrl;
  const own = path + queryOf(target);
  if (siteOf(own) !== "") throw new HTTPError(403, "a path that begins with two slashes is not one to come back to");
  const next = /^[a-z][a-z0-9+.-]*:/i.test(loginUrl) ? `${protocol}://${host}${own}` : own;
  return `${loginUrl}?next=${encodeURIComponent(next)}`;
}

/** The request's address with a slash at its end; null: it has one. Throws as `moved`. */
export function withSlash(request: HTTPServerRequest): string | null {
  const { path } = request;
  return path.endsWith("/") ? null : moved(request, `${path}/`);
}

/** The request's address without slashes at its end; null: it has none, or is the root. Throws as `moved`. */
export function withoutSlash(request: HTTPServerRequest): string | null {
  const { path } = request;
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === SLASH) end--;
  return end > 0 && end < path.length ? moved(request, path.slice(0, end)) : null;
}

const SLASH = 0x2f;

/**
 * `path` with the request's query, to redirect to. Throws HTTPError: 404 unless the method is GET or HEAD, 403 for a
 * path of which a browser would take the first part for a host.
 */
function moved({ method, target }: HTTPServerRequest, path: string): string {
  if (method !== "GET" && method !== "HEAD") throw new HTTPError(404);
  if (/^[/\\]{2}/.test(path)) throw new HTTPError(403, "a path that begins with two slashes is not redirected");
  return path + queryOf(target);
}

/** With its question mark; "" without one. */
function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? "" : target.slice(mark);
}
