/**
 * Where a redirect leads.
 *
 * Invariant: what is meant for one origin, as Authorization and Cookie are, is never sent to another.
 * Reference: RFC 9110 15.4; Tornado's simple_httpclient._HTTPConnection.finish.
 */
import { HTTPClientError } from "./httpclienterrors.js";
import type { Hop } from "./httprequest.js";

/** With these the request is sent again as it was. */
const SAME_AGAIN = [307, 308];
const REDIRECTS = [301, 302, 303, ...SAME_AGAIN];

/**
 * The next request; null when the answer is no redirect. Throws HTTPClientError with 599 for one that cannot be
 * followed.
 */
export function redirectOf(hop: Hop, status: number, location: string | null): Hop | null {
  if (location === null || !REDIRECTS.includes(status)) return null;
  if (!URL.canParse(location, hop.url.href)) throw refused("to an address that is none");
  const url = new URL(location, hop.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refused(`to ${url.protocol}`);
  url.username = "";
  url.password = "";
  const headers = hop.headers.copy();
  headers.delete("host");
  if (url.origin !== hop.url.origin) for (const name of ["authorization", "cookie"]) headers.delete(name);
  const isKept = SAME_AGAIN.includes(status) || hop.method === "HEAD" || (status !== 303 && hop.method !== "POST");
  if (!isKept) {
    for (const name of ["content-length", "content-type", "content-encoding", "transfer-encoding", "expect"])
      headers.delete(name);
    return { url, method: "GET", headers, body: null };
  }
  if (hop.body !== null && !(hop.body instanceof Uint8Array)) throw refused("with a body that cannot be sent again");
  return { ...hop, url, headers };
}

function refused(what: string): HTTPClientError {
  return new HTTPClientError(599, `the server redirects ${what}`);
}
