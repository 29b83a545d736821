/**
 * Addresses and listening sockets. A port is bound by the runtime that will serve it (runtime/index.ts); here a name
 * becomes addresses, and every failure an error with the address in it.
 *
 * Reference: Tornado's netutil.bind_sockets.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { familyOf, hostAndPort, type ListeningSocket, LOOPBACK, type SocketOptions } from "../core/address.js";
import { BACKLOG_MAX, choice, PORT_MAX, wholeNumber } from "../core/check.js";
import { BindError, OptionError } from "../core/errors.js";
import { BACKLOG } from "../core/limits.js";
import { isComponent, type RuntimeName, resolveRuntime, whyNotInComponent } from "../core/runtimename.js";
import { type Runtime, runtimeNamed } from "../runtime/index.js";
import type { Binding } from "../runtime/worker.js";
import { hasInherited, passedOnKeys, rememberBound, takeInherited, taskId } from "./inheritedsockets.js";
import { type PassedSocket, passedSockets, takePassed } from "./passedsockets.js";

/** How to bind. */
export interface BindOptions extends SocketOptions {
  /** Only addresses of this family. Default: both. */
  family?: "IPv4" | "IPv6" | undefined;
  /** Connections that wait in the kernel. Default 511. */
  backlog?: number;
  /** The runtime that will serve the sockets. Default as in ServerOptions. */
  runtime?: RuntimeName | undefined;
}

/** Whether `text` is an IPv4 or IPv6 address, and no name: Tornado's `is_valid_ip`. */
export function isValidIp(text: string): boolean {
  return isIP(text) !== 0;
}

const ANY = ["0.0.0.0", "::"];
/** What the unit calls the socket to serve, where it has several. */
const PASSED_NAME = "waterspout";
/** Free ports that are tried until one is free for all addresses. */
const FREE_PORTS_TRIED = 10;

/**
 * Binds `port` (0: a free one, the same for all addresses) on every address that `address` (default 127.0.0.1) stands
 * for: an IP address, a host name, or `""` for all interfaces. Gives one socket an address, each listening: connections
 * wait in the kernel until the sockets are given to `addSockets`, in this process or in those of `forkProcesses`.
 *
 * Rejects with BindError, whose `code` is the system's, for example `"EADDRINUSE"`, and with OptionError.
 */
export function bindSockets(
  port: number,
  address: string = LOOPBACK,
  options: BindOptions = {},
): Promise<ListeningSocket[]> {
  return bind(port, address, options, true);
}

/** Sockets that this process serves at once and alone. Otherwise as `bindSockets`, and cheaper in Node. */
export function bindOwnSockets(
  port: number,
  address: string | undefined,
  options: BindOptions,
): Promise<ListeningSocket[]> {
  return bind(port, address ?? LOOPBACK, options, false);
}

/**
 * As `bindOwnSockets`, at once; null where that is not possible: for a name, all interfaces in two sockets, or what
 * worker processes inherit.
 */
export function bindNow(port: number, address: string, options: BindOptions): Binding | null {
  const { backlog = BACKLOG, ipv6Only = true } = options;
  const runtime = runtimeNamed(resolveRuntime(options.runtime));
  const isEverywhere = address === "" && !ipv6Only;
  const isForked = isComponent(runtime.name) && taskId() !== null; // `bind` says why that cannot be
  const isPlain = (isIP(address) !== 0 || isEverywhere) && Number.isInteger(port) && port >= 0 && port <= PORT_MAX;
  if (!isPlain || isForked || isInherited(port, address, runtime.name)) return null;
  if (passedSockets().some((passed) => passed.address.port === port)) return null;
  if (!isEverywhere) return runtime.bindNow(address, port, backlog, { ipv6Only });
  try {
    return runtime.bindNow("::", port, backlog, { ipv6Only });
  } catch (error) {
    if (!(error instanceof BindError && isMissing(error))) throw error;
    return runtime.bindNow("0.0.0.0", port, backlog, {});
  }
}

async function bind(port: number, address: string, options: BindOptions, shared: boolean): Promise<ListeningSocket[]> {
  const { backlog = BACKLOG, family, ipv6Only = true, reusePort = false } = options;
  wholeNumber("port", port, 0, PORT_MAX);
  wholeNumber("backlog", backlog, 1, BACKLOG_MAX);
  if (family !== undefined) choice("family", family, ["IPv4", "IPv6"]);
  if (reusePort && !hasReusePort(process.versions.node)) {
    throw new OptionError(`reusePort needs Node 22.12 or later, and this is Node ${process.versions.node}`);
  }
  const runtime = runtimeNamed(resolveRuntime(options.runtime));
  if (isComponent(runtime.name) && taskId() !== null) {
    throw new OptionError(whyNotInComponent(runtime.name, "no port for several processes"));
  }
  const key = keyOf(port, address, family, runtime.name);
  const inherited = takeInherited(key);
  if (inherited !== null) return inherited.map((socket) => runtime.adopt(socket.address, socket.fd, backlog));
  const addresses = await resolve(address, port, family, ipv6Only);
  const passed = takePassed(port, addresses);
  if (passed.length > 0) return adoptPassed(runtime, passed, backlog, shared ? key : null);
  const bindOne: BindOne = (candidate, at) => runtime.bind(candidate, at, backlog, { ipv6Only, reusePort, shared });
  const sockets = await bindAll(addresses, port, bindOne);
  if (sockets.length === 0) throw new BindError("EADDRNOTAVAIL", address, port);
  if (shared) rememberBound(key, sockets);
  return sockets;
}

/** Serves what a service manager has opened; with `key`, worker processes share it. */
function adoptPassed(
  runtime: Runtime,
  passed: readonly PassedSocket[],
  backlog: number,
  key: string | null,
): ListeningSocket[] {
  if (isComponent(runtime.name)) {
    const { address } = passed[0] as PassedSocket;
    throw new OptionError(whyNotInComponent(runtime.name, `no socket that is open already: ${hostAndPort(address)}`));
  }
  const sockets = passed.map(({ address, fd }) => runtime.adopt(address, fd, backlog));
  if (key !== null) rememberBound(key, sockets, true);
  return sockets;
}

/**
 * Where the service manager of this process, or of the one that has started it as a worker, has opened a socket, on
 * `port` when that is given; null: nowhere. Throws OptionError when there are several.
 */
export function expectedPlace(port?: number): { port: number; address: string } | null {
  const isFitting = (at: { readonly port: number }) => port === undefined || at.port === port;
  const inherited = passedOnKeys().map(placeOf).find(isFitting);
  if (inherited !== undefined) return inherited;
  const fitting = passedSockets().filter(({ address }) => isFitting(address));
  const named = fitting.filter(({ name }) => name === PASSED_NAME);
  const [socket, ...more] = named.length > 0 ? named : fitting;
  if (socket === undefined) return null;
  if (more.length === 0) return socket.address;
  const all = fitting.map(({ name, address }) => `${hostAndPort(address)} (${name})`).join(", ");
  throw new OptionError(`several sockets are open already, and not exactly one is named ${PASSED_NAME}: ${all}`);
}

/** What worker processes know a socket by. */
function keyOf(port: number, address: string, family: BindOptions["family"], runtime: RuntimeName): string {
  return JSON.stringify(["tcp", port, address, family ?? null, runtime]);
}

/** Where a socket was bound that has this key. */
function placeOf(key: string): { port: number; address: string } {
  const [, port, address] = JSON.parse(key) as [string, number, string];
  return { port, address };
}

/** Whether the process that started this one has bound sockets for that, and they were not handed out yet. */
export function isInherited(port: number, address: string, runtime: RuntimeName): boolean {
  return hasInherited(keyOf(port, address, undefined, runtime));
}

type BindOne = (address: string, port: number) => ReturnType<Runtime["bind"]>;

/** A port that was free for the first address may be taken for the next: then another is tried. */
async function bindAll(addresses: readonly string[], port: number, bindOne: BindOne): Promise<ListeningSocket[]> {
  for (let attempt = 1; ; attempt++) {
    const sockets: ListeningSocket[] = [];
    try {
      for (const address of addresses) {
        try {
          sockets.push(await bindOne(address, sockets[0]?.address.port ?? port));
        } catch (error) {
          if (!(error instanceof BindError && isMissing(error) && addresses.length > 1)) throw error;
        }
      }
      return sockets;
    } catch (error) {
      for (const socket of sockets) socket.close();
      const taken = port === 0 && sockets.length > 0 && error instanceof BindError && error.code === "EADDRINUSE";
      if (!taken || attempt === FREE_PORTS_TRIED) throw error;
    }
  }
}

/**
 * A machine without IPv6 has no `::`, and no `::1` for its name: that is no failure as long as another address is
 * there.
 */
function isMissing(error: BindError): boolean {
  return error.address.includes(":") && (error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL");
}

/** SO_REUSEPORT came to Node with 22.12 and 23.1. */
export function hasReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

async function resolve(
  address: string,
  port: number,
  family: BindOptions["family"],
  ipv6Only: boolean,
): Promise<string[]> {
  const addresses = await lookUp(address, port, ipv6Only || family === "IPv4");
  const fitting = addresses.filter((candidate) => family === undefined || familyOf(candidate) === family);
  if (fitting.length === 0) throw new BindError("EAFNOSUPPORT", address, port);
  return fitting;
}

async function lookUp(address: string, port: number, ipv6Only: boolean): Promise<string[]> {
  if (address === "") return ipv6Only ? ANY : ["::"]; // which then takes IPv4, too
  if (isIP(address) !== 0) return [address];
  try {
    const found = await lookup(address, { all: true, order: "ipv4first" });
    return [...new Set(found.map((entry) => entry.address))];
  } catch {
    throw new BindError("ENOTFOUND", address, port);
  }
}
