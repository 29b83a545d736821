/**
 * Listening sockets of the node runtime: node:net listens, and what it accepts waits here until the sandbox takes it.
 *
 * Invariant: a waiting socket is not read, and at most QUEUE_MAX wait: node:net cannot be told to stop accepting, so what comes
 * beyond that is refused.
 */
import { createServer, type Server, type Socket } from "node:net";
import { type Address, familyOf, type ListeningSocket } from "../address.js";
import { BindError } from "../errors.js";
import type { AcceptQueue } from "./descriptors.js";

const QUEUE_MAX = 1024;

export class NodeListener implements ListeningSocket, AcceptQueue {
  readonly runtime = "node";
  readonly address: Address;
  readonly #server: Server;
  #sockets: Socket[] = [];
  #changed: (() => void) | null = null;

  constructor(server: Server, address: Address) {
    this.#server = server;
    this.address = address;
    server.on("connection", (socket: Socket) => this.#take(socket));
    server.on("error", () => {}); // a connection that could not be accepted is the peer's loss alone
  }

  get waiting(): number {
    return this.#sockets.length;
  }

  shift(): Socket | undefined {
    const socket = this.#sockets.shift();
    socket?.removeAllListeners("error");
    return socket;
  }

  watch(changed: (() => void) | null): void {
    this.#changed = changed;
  }

  close(): void {
    const sockets = this.#sockets;
    this.#sockets = [];
    for (const socket of sockets) socket.destroy();
    this.#server.close();
  }

  #take(socket: Socket): void {
    if (this.#sockets.length >= QUEUE_MAX) {
      socket.destroy();
      return;
    }
    socket.on("error", () => {});
    this.#sockets.push(socket);
    this.#changed?.();
  }
}

/** Listens on one port. Rejects with BindError. */
export function listen(address: string, port: number, backlog: number): Promise<NodeListener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(new BindError(error.code ?? "EIO", address, port)));
    server.listen({ host: address, port, backlog, ipv6Only: true }, () => {
      server.removeAllListeners("error");
      const bound = server.address();
      const real = typeof bound === "object" && bound !== null ? bound.port : port;
      resolve(new NodeListener(server, { address, port: real, family: familyOf(address) }));
    });
  });
}
