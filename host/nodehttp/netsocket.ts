/**
 * Sockets of servers are documented to be instances of `net.Socket`, and libraries ask for that.
 *
 * Invariant: of `net.Socket` only the place in the chain of prototypes is taken: what touches its handle is written
 * anew, and what is left is without effect where there is no handle, or is of Duplex.
 */
import { Socket } from "node:net";
import { Duplex } from "node:stream";

/** Puts `net.Socket` between the class of `prototype` and the Duplex that it extends. */
export function asNetSocket(prototype: object): void {
  const next = Object.getPrototypeOf(prototype) as object;
  if (next === Duplex.prototype) Object.setPrototypeOf(prototype, Socket.prototype);
  else if (next !== Socket.prototype) asNetSocket(next);
}
