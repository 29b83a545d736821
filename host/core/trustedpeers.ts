/**
 * Proxies that may say what the client's address is: addresses and networks as text, checked when the server is made.
 * Reference: HAProxy's proxy-protocol.txt 2: only trusted proxies should be able to use the protocol.
 */
import { BlockList, isIP } from "node:net";
import type { Address } from "./address.js";
import { OptionError } from "./errors.js";

const BITS = { 4: 32, 6: 128 } as const;
/** Unless configured: proxies of the same machine. */
export const LOOPBACK_NETWORKS: readonly string[] = ["127.0.0.0/8", "::1"];

/**
 * The list of an option's trusted peers. Throws OptionError for what is neither an IP address nor a network
 * like `10.0.0.0/8`.
 */
export function trustedPeers(option: string, entries: readonly string[] = LOOPBACK_NETWORKS): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", prefix, ...rest] = String(entry).split("/");
    const version = isIP(address);
    const most = version === 0 ? -1 : BITS[version as 4 | 6];
    const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
    if (bits < 0 || bits > most || rest.length > 0) {
      throw new OptionError(`${option} has ${JSON.stringify(entry)}, which is no IP address or network`);
    }
    list.addSubnet(address, bits, version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/**
 * Whether a peer is trusted. One without a known address is not. The mode of a Unix-domain socket's file decides which
 * peers may connect, so each of them is trusted.
 */
export function isTrusted(list: BlockList, peer: Address | null): boolean {
  if (peer === null) return false;
  return peer.family === "unix" || list.check(peer.address, peer.family === "IPv6" ? "ipv6" : "ipv4");
}
