/**
 * Addresses and listening sockets. A port is bound by the runtime that will serve it (runtime/index.ts); here a name
 * becomes addresses, and every failure an error with the address in it.
 *
 * Reference: Tornado's netutil.bind_sockets.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { ListeningSocket } from "./address.js";
import { BindError, OptionError } from "./errors.js";
import { BACKLOG } from "./limits.js";
import { type RuntimeName, resolveOptions } from "./options.js";
import { runtimeNamed } from "./runtime/index.js";

/** How to bind. */
export interface BindOptions {
  /** Connections that wait in the kernel. Default 511. */
  backlog?: number;
  /** The runtime that will serve the sockets. Default as in ServerOptions. */
  runtime?: RuntimeName | undefined;
}

/** The loopback address: what a server listens on when nobody says otherwise. */
export const LOOPBACK = "127.0.0.1";
const ANY = ["0.0.0.0", "::"];

/**
 * Binds `port` (0: a free one, the same for all addresses) on every address that `address` stands for: an IP address, a host
 * name, or `""` for all interfaces. Rejects with BindError, whose `code` is the system's, for example `"EADDRINUSE"`.
 */
export async function bindSockets(
  port: number,
  address: string = LOOPBACK,
  options: BindOptions = {},
): Promise<ListeningSocket[]> {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new OptionError(`port must be a whole number from 0 to 65535, not ${String(port)}`);
  }
  const backlog = options.backlog ?? BACKLOG;
  if (!Number.isInteger(backlog) || backlog < 1 || backlog > 65535) {
    throw new OptionError(`backlog must be a whole number from 1 to 65535, not ${String(backlog)}`);
  }
  const runtime = runtimeNamed(resolveOptions({ runtime: options.runtime }).runtime);
  const addresses = await resolve(address, port);
  const sockets: ListeningSocket[] = [];
  for (const candidate of addresses) {
    try {
      sockets.push(await runtime.bind(candidate, sockets[0]?.address.port ?? port, backlog));
    } catch (error) {
      if (error instanceof BindError && isMissing(error) && (addresses.length > 1 || sockets.length > 0)) continue;
      for (const socket of sockets) socket.close();
      throw error;
    }
  }
  if (sockets.length === 0) throw new BindError("EADDRNOTAVAIL", address, port);
  return sockets;
}

/** A machine without IPv6 has no `::`, and no `::1` for its name: that is no failure as long as another address is there. */
function isMissing(error: BindError): boolean {
  return error.address.includes(":") && (error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL");
}

async function resolve(address: string, port: number): Promise<string[]> {
  if (address === "") return ANY;
  if (isIP(address) !== 0) return [address];
  try {
    const found = await lookup(address, { all: true, order: "ipv4first" });
    return [...new Set(found.map((entry) => entry.address))];
  } catch {
    throw new BindError("ENOTFOUND", address, port);
  }
}
