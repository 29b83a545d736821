/**
 * Who sent a request, and how, by what the proxies before this server say in its header fields (`xheaders`).
 *
 * Invariants: fields count only when the connection comes from a trusted proxy, as far as it is known where it comes from; an address that
 * is none changes nothing; of a list only what trusted proxies have added is believed, from the right.
 * Reference: Tornado's httpserver._HTTPRequestContext; RFC 7239 for the forms of an address with a port.
 */
import { type BlockList, isIP } from "node:net";
import { type Address, familyOf } from "./address.js";
import type { HTTPHeaders } from "./httpheaders.js";
import { isTrusted } from "./trust.js";

/** Whose fields are believed. */
export interface ForwardTrust {
  /** The proxies of `trustedDownstream`: their entries in a list are passed over. */
  readonly proxies: BlockList;
  /** Those, and this machine: who may connect and be believed. */
  readonly peers: BlockList;
}

/** What is to be believed of a request. */
export interface Forwarded {
  readonly address: Address | null;
  readonly protocol: "http" | "https";
}

/** `peer` and `protocol` are those of the connection; a peer that nobody knows is taken for a proxy. */
export function forwardedBy(
  trust: ForwardTrust,
  headers: HTTPHeaders,
  peer: Address | null,
  protocol: "http" | "https",
): Forwarded {
  if (peer !== null && peer.family !== "unix" && !isTrusted(trust.peers, peer.address)) {
    return { address: peer, protocol };
  }
  return { address: clientOf(trust, headers) ?? peer, protocol: protocolOf(headers) ?? protocol };
}

/** X-Real-Ip, else the rightmost of X-Forwarded-For that is no trusted proxy. */
function clientOf(trust: ForwardTrust, headers: HTTPHeaders): Address | null {
  const real = headers.get("x-real-ip");
  if (real !== null) return parseAddress(real);
  const list = headers.get("x-forwarded-for");
  if (list === null) return null;
  let last: Address | null = null;
  for (let end = list.length; end >= 0; ) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    const entry = parseAddress(list.slice(comma + 1, end));
    if (entry === null) return null; // whoever added this, nothing to the left of it can be believed
    last = entry;
    if (!isTrusted(trust.proxies, entry.address)) break;
    end = comma;
  }
  return last;
}

/** The last entry of X-Scheme, else of X-Forwarded-Proto. */
function protocolOf(headers: HTTPHeaders): "http" | "https" | null {
  const list = headers.get("x-scheme") ?? headers.get("x-forwarded-proto") ?? "";
  const last = list.slice(list.lastIndexOf(",") + 1).trim();
  return last === "http" || last === "https" ? last : null;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; the port is 0 when it is not given. */
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
