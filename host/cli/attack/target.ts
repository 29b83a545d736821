/**
 * What is attacked: the URL, and the one address that its host stands for.
 *
 * Invariant: the address is looked up once, and every connection goes there; an answer of the name server that differs
 * later changes nothing.
 */
import { lookup } from "node:dns/promises";
import { BlockList } from "node:net";
import { UsageError } from "../../core/errors.js";
import { ATTACK_ANSWER_MS } from "../../core/limits.js";

/** A server that may be attacked. */
export interface Target {
  readonly url: string;
  /** The value of the field Host. */
  readonly host: string;
  /** The request-target: path and query. */
  readonly path: string;
  readonly address: string;
  readonly port: number;
  /** The name for the TLS handshake; null: without TLS. */
  readonly tlsName: string | null;
  /** The request-target of a websocket; null: there is none. */
  readonly socketPath: string | null;
  /** How long an answer may take that ought to come at once. */
  readonly answerMs: number;
  /** The URL is a websocket's, so only websockets are tried. */
  readonly socketOnly: boolean;
}

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "ws:": 80, "https:": 443, "wss:": 443 };

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

/**
 * Looks the host of `text` up. Throws UsageError for a URL that cannot be attacked, and for a host that has an address
 * other than this machine's loopback, unless `isOwned`. `socketPath`: the path of a websocket there, if there is one.
 */
export async function targetOf(text: string, socketPath: string | null, isOwned: boolean): Promise<Target> {
  const url = URL.canParse(text) ? new URL(text) : null;
  const port = PORTS[url?.protocol ?? ""];
  if (url === null || port === undefined) {
    throw new UsageError(`attack needs a URL that begins with http, https, ws or wss, not ${JSON.stringify(text)}`);
  }
  if (socketPath !== null && !/^\/[!-~]*$/.test(socketPath)) {
    throw new UsageError(`--websocket must be a path, such as /ws, not ${JSON.stringify(socketPath)}`);
  }
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = await addressesOf(name);
  const foreign = addresses.find((address) => !isLoopback(address));
  if (foreign !== undefined && !isOwned) {
    const where = foreign === name ? name : `${name} (${foreign})`;
    throw new UsageError(`${where} is not this machine's loopback: attack it with --i-own-this-host alone`);
  }
  const path = url.pathname + url.search;
  const socketOnly = url.protocol.startsWith("ws");
  return {
    url: url.href,
    host: url.host,
    path,
    address: addresses[0] as string,
    port: Number(url.port) || port,
    tlsName: ["https:", "wss:"].includes(url.protocol) ? name : null,
    socketPath: socketPath ?? (socketOnly ? path : null),
    socketOnly,
    answerMs: ATTACK_ANSWER_MS,
  };
}

async function addressesOf(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new Error(`${name} cannot be looked up: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Also of an IPv4 address that is written as one of IPv6. */
function isLoopback(address: string): boolean {
  return loopback.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
