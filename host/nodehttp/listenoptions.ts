/**
 * What `listen` of a server of Node's kind is given, in any of its forms.
 *
 * Invariant: a port that is none, and what cannot be listened on, is Node's own error in the turn of `listen`.
 */

const PORT_MAX = 65_535;

/** Where a server of Node's kind listens. */
export interface NodeListenOptions {
  /** Default 0: a free one. */
  port?: number | string | undefined;
  /** Default 127.0.0.1; `""`: all interfaces. */
  host?: string | undefined;
  /** Connections that may wait to be accepted. Default 511. */
  backlog?: number | undefined;
  /** An IPv6 address takes no IPv4 connections. Default true. */
  ipv6Only?: boolean | undefined;
  /** A Unix-domain socket in place of a port; it is served in this process, whatever the runtime. */
  path?: string | undefined;
  /** Every user of this machine may connect to `path`: its mode is 0666. Default false: its owner alone, 0600. */
  readableAll?: boolean | undefined;
  /** The same as `readableAll`; one of the two is enough. Default false. */
  writableAll?: boolean | undefined;
}

/** @internal What arguments of `listen` say. */
export function listenOptions(given: unknown[]): NodeListenOptions {
  const [first, second] = given;
  if (typeof first === "object" && first !== null) {
    const { path, ...place } = first as NodeListenOptions & { readonly fd?: number };
    if (place.fd !== undefined) throw notSo("ERR_INVALID_ARG_VALUE", "listen: there is no way to listen on an fd");
    return path ? { ...place, path } : place;
  }
  const backlog = given.slice(1).find((each) => typeof each === "number") as number | undefined;
  if (typeof first === "string" && !/^\d+$/.test(first)) return { path: first, backlog };
  const port = typeof first === "function" ? undefined : (first as number | string | undefined);
  return { port, host: typeof second === "string" ? second : undefined, backlog };
}

/** Throws Node's error. */
export function checkPort(port: number | string): void {
  const isText = typeof port === "string" && port.trim() !== "";
  const isPort = (typeof port === "number" || isText) && Number.isInteger(Number(port)) && Number(port) >= 0;
  if (isPort && Number(port) <= PORT_MAX) return;
  const said = typeof port === "string" ? `type string ('${port}')` : String(port);
  throw Object.assign(new RangeError(`options.port should be >= 0 and < 65536. Received ${said}.`), {
    code: "ERR_SOCKET_BAD_PORT",
  });
}

/** An error with a code, as Node's are. */
export function notSo(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
