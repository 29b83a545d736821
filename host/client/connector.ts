/**
 * The sockets of outgoing connections.
 *
 * Invariant: a promise that rejects has closed its socket, and an abort does that at once.
 */
import net from "node:net";
import { settleOnce } from "../core/settleonce.js";
import type { Connector } from "./happyeyeballs.js";

interface Source {
  sourceAddress?: string | undefined;
  sourcePort?: number | undefined;
}

/** Connects to one address, from `sourceAddress` and `sourcePort` where they are given. */
export function socketConnector({ sourceAddress, sourcePort }: Source): Connector {
  return ({ address, port }, signal) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({
        host: address,
        port,
        allowHalfOpen: true,
        noDelay: true,
        ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
        ...(sourcePort === undefined ? {} : { localPort: sourcePort }),
      });
      settleOnce(socket, "connect", signal, resolve, reject);
    });
}
