/** Where a connection or a listener is: the types that everything else shares. */
import type { RuntimeName } from "./options.js";

/** One end of a TCP connection, or where a socket listens. */
export interface Address {
  /** The IP address as text. */
  readonly address: string;
  readonly port: number;
  readonly family: "IPv4" | "IPv6";
}

/** A bound port, to be given to `addSockets` of a server with the same runtime. */
export interface ListeningSocket {
  readonly address: Address;
  readonly runtime: RuntimeName;
  /** Gives the port back. Connections that wait are refused. May be called again. */
  close(): void;
}

/** The family of an IP address. */
export function familyOf(address: string): Address["family"] {
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

/** `address` as it stands in a URL: `127.0.0.1:80`, `[::1]:80`. */
export function hostAndPort(address: Address): string {
  return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
