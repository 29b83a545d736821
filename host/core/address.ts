/** The address of a connection or a listener: the types that all rooms share. */
import type { Socket } from "node:net";
import type { RuntimeName } from "./runtimename.js";

/** One end of a connection, or where a socket listens. */
export interface Address {
  /** The IP address as text; the path of a Unix-domain socket. */
  readonly address: string;
  /** 0 for a Unix-domain socket. */
  readonly port: number;
  /** The kind of `address`; `"unix"` is a Unix-domain socket. */
  readonly family: "IPv4" | "IPv6" | "unix";
}

/** Where a server listens unless configured: reachable from this machine alone. */
export const LOOPBACK = "127.0.0.1";

/** What is set before a port is bound. */
export interface SocketOptions {
  /** An IPv6 address takes no IPv4 connections. Default true. */
  ipv6Only?: boolean;
  /**
   * Other sockets may be bound to the same port, and the kernel spreads connections over them (SO_REUSEPORT). Needs
   * Node 22.12. Default false.
   */
  reusePort?: boolean;
}

/** A bound port or path, to be given to `addSockets` of a server with the same runtime. */
export interface ListeningSocket {
  /** Where it listens, with the port that the system has chosen where 0 was asked for. */
  readonly address: Address;
  /** The runtime that it was bound for: a server with another one refuses it. */
  readonly runtime: RuntimeName;
  /** @internal Whether a server or a handler of this process takes its connections. */
  readonly watched?: boolean;
  /** @internal The descriptor, while worker processes can share it. */
  readonly sharedFd?: number | null;
  /**
   * A connection that waits and where it comes from, for a handler of `IOLoop.addHandler`; null when none does. It is
   * paused: nothing of it is read before `resume()`, `read()` or `streamFromNode`.
   */
  accept(): [connection: Socket, address: Address] | null;
  /** Gives the port back. Connections that wait are refused. May be called again. */
  close(): void;
  /**
   * @internal Gives the port back and leaves the connections that wait to the workers. Where only workers accept it is
   * `close`.
   */
  finish?(): Promise<void>;
  /** @internal Connections that this process has accepted and closed, because too many wait for the sandbox. */
  readonly refused?: number;
  /** @internal Calls `taken` with each connection that will be served, before anything of it is read. */
  announce?(taken: (accepted: Accepted) => void): void;
}

/** The family of an IP address. */
export function familyOf(address: string): "IPv4" | "IPv6" {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** An ADDRESS of docs/protocol.md. */
export function readAddress(chunk: Buffer, at: number): Address {
  const port = chunk.readUInt16LE(at + 2);
  const bytes = chunk.subarray(at + 4, at + 20);
  if (chunk.readUInt16LE(at) === 4) return { address: bytes.subarray(0, 4).join("."), port, family: "IPv4" };
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const { hostname } = new URL(`http://[${groups.join(":")}]`); // writes the shortest form
  return { address: hostname.slice(1, -1), port, family: "IPv6" };
}

/** `address` as it stands in a URL: `127.0.0.1:80`, `[::1]:80`; a Unix-domain socket's path. */
export function hostAndPort(address: Address): string {
  if (address.family === "unix") return address.address;
  return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}

/**
 * A connection, and the address of its peer, noted when it was accepted: once the peer has reset it the system has
 * forgotten that.
 */
export interface Accepted {
  /** What a handler of Node's kind has as its socket, once it has one. */
  attached?: unknown;
  readonly socket: Socket;
  readonly address: Address;
}
