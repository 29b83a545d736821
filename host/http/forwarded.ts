/**
 * The client of a request and its scheme, by what the proxies before this server say in its header fields (`xheaders`).
 *
 * Invariants: fields count only when the connection comes from a trusted proxy. A peer whose address is not known is
 * none, unless the server can never learn addresses; that is a fact of the server and not of one connection. An
 * address that is none changes nothing; of a list only what trusted proxies have added is believed, from the right.
 * Reference: Tornado's httpserver._HTTPRequestContext; RFC 7239.
 */
import { type BlockList, isIP } from "node:net";
import { type Address, familyOf } from "../core/address.js";
import { OWS, QUOTED_STRING, TOKEN } from "../core/grammar.js";
import { isTrusted } from "../core/trustedpeers.js";
import type { HTTPHeaders } from "./headers.js";

/** Which peers' fields are believed. */
export interface ForwardTrust {
  /** The proxies of `trustedDownstream`: their entries in a list are passed over. */
  readonly proxies: BlockList;
  /** Those, and this machine: the peers that are believed. */
  readonly peers: BlockList;
  /** Forwarded is read, and not the X- fields. */
  readonly standard: boolean;
  /** The server learns no addresses: fields are believed from every peer that can connect. */
  readonly anonymous: boolean;
}

/** What is to be believed of a request. */
export interface Forwarded {
  readonly address: Address | null;
  readonly protocol: "http" | "https";
}

/** One pair of Forwarded, and what ends it. */
const PAIR = new RegExp(`${OWS}(${TOKEN})=(?:${QUOTED_STRING}|(${TOKEN}))${OWS}([;,]|$)`, "y");

/** Whether the fields of the connection from `peer` are believed. */
export function isFromProxy(trust: ForwardTrust, peer: Address | null): boolean {
  return isTrusted(trust.peers, peer) || (peer === null && trust.anonymous);
}

/** `peer` and `protocol` are those of the connection. */
export function forwardedBy(
  trust: ForwardTrust,
  headers: HTTPHeaders,
  peer: Address | null,
  protocol: "http" | "https",
): Forwarded {
  if (!isFromProxy(trust, peer)) return { address: peer, protocol };
  const { client, scheme } = trust.standard ? readForwarded(trust, headers) : readFields(trust, headers);
  return { address: client ?? peer, protocol: scheme === "http" || scheme === "https" ? scheme : protocol };
}

/** What the fields say, as far as it is believed. */
interface Claim {
  readonly client: Address | null;
  readonly scheme: string;
}

/** X-Real-Ip, else X-Forwarded-For; the last entry of X-Scheme, else of X-Forwarded-Proto. */
function readFields(trust: ForwardTrust, headers: HTTPHeaders): Claim {
  const real = headers.get("x-real-ip");
  const list = headers.get("x-forwarded-for");
  const schemes = headers.get("x-scheme") ?? headers.get("x-forwarded-proto") ?? "";
  const scheme = schemes.slice(schemes.lastIndexOf(",") + 1).trim();
  if (real !== null) return { client: parseAddress(real), scheme };
  return { client: list === null ? null : firstStranger(trust, list.split(",")), scheme };
}

/**
 * `Forwarded: for="[2001:db8::1]:4711";proto=https, for=192.0.2.1` (RFC 7239 4); nothing of it when it is malformed.
 */
function readForwarded(trust: ForwardTrust, headers: HTTPHeaders): Claim {
  const text = headers.get("forwarded") ?? "";
  const addresses = [""];
  let scheme = "";
  for (let at = 0; at < text.length; at = PAIR.lastIndex) {
    PAIR.lastIndex = at;
    const match = PAIR.exec(text);
    if (match === null) return { client: null, scheme: "" };
    const name = (match[1] as string).toLowerCase();
    const value = match[3] ?? (match[2] as string).replace(/\\(.)/g, "$1");
    if (name === "for") addresses[addresses.length - 1] = value;
    if (name === "proto") scheme = value.toLowerCase();
    if (match[4] !== ",") continue;
    addresses.push("");
    scheme = "";
  }
  return { client: text === "" ? null : firstStranger(trust, addresses), scheme };
}

/** The rightmost address that is no trusted proxy's; when all are, the leftmost. */
function firstStranger(trust: ForwardTrust, entries: readonly string[]): Address | null {
  let last: Address | null = null;
  for (let index = entries.length - 1; index >= 0; index--) {
    last = parseAddress(entries[index] as string);
    if (last === null) return null; // whichever peer added this, nothing to the left of it can be believed
    if (!isTrusted(trust.proxies, last)) break;
  }
  return last;
}

/**
 * `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; the port is 0 when it is not
 * given.
 */
function parseAddress(text: string): Address | null {
  const entry = text.trim();
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(entry);
  const address = isIP(entry) !== 0 ? entry : (match?.[1] ?? match?.[2] ?? "");
  const port = isIP(entry) !== 0 ? 0 : Number(match?.[3] ?? 0);
  const bracketed = address !== entry && match?.[1] !== undefined;
  const version = isIP(address);
  if (version === 0 || port > 0xffff || address.includes("%") || (bracketed && version !== 6)) return null;
  return { address, port, family: familyOf(address) };
}
