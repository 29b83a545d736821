/**
 * Where a client has connected to, as sockets of Node's tell it: the server's address, unless that is all interfaces.
 */
import type { AddressInfo } from "node:net";

/** The server of a socket, as far as the socket asks it. */
export interface ServerSocket {
  address(): AddressInfo | string | null;
}

/** Members are missing where they are not known. */
export type LocalAddress = Partial<AddressInfo>;

const ALL_INTERFACES = ["0.0.0.0", "::"];

/** The address of this end of a connection. */
export function localOf(server: ServerSocket | null): LocalAddress {
  const address = server?.address() ?? null;
  if (address === null || typeof address === "string") return {};
  return ALL_INTERFACES.includes(address.address) ? { port: address.port, family: address.family } : { ...address };
}
