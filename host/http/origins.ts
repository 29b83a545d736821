/**
 * Whether the page that sent a request is of the site that the request went to: the rule for websockets, and for
 * requests that change something.
 *
 * `assembly/websocket/handler.ts` has the same rule; test/corpus/origins.md holds both to it.
 * Reference: RFC 6454 7 for the form of an Origin.
 */

/** Scheme, then host and port. Anything else, such as "null" or an address with a path, is no page of ours. */
const ORIGIN = /^(https?):\/\/([^/?#@\\\s]+)$/i;
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ["http", ":80"],
  ["https", ":443"],
]);

/**
 * Whether `origin`, as the field says it, is of `host`, which may name a port. The origin's scheme tells which port may
 * be left out.
 */
export function isSameOrigin(origin: string, host: string): boolean {
  const [, scheme = "", site = ""] = ORIGIN.exec(origin.toLowerCase()) ?? [];
  const port = DEFAULT_PORTS.get(scheme);
  if (port === undefined) return false;
  const own = without(port, site);
  return own !== "" && own === without(port, host.toLowerCase());
}

function without(port: string, host: string): string {
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}
