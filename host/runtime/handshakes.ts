/**
 * TLS handshakes: accepted connections go in, those that have agreed come out.
 *
 * Invariants: at most HANDSHAKES_MAX are under way, and as many wait for one to end; what comes beyond that is closed, and so is
 * a connection whose handshake takes longer than it may. A peer that sends nonsense costs its own connection alone.
 * Reference: node:tls, whose server takes connections by its event "connection".
 */
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { HANDSHAKE_GRACE_MS, HANDSHAKES_MAX } from "../limits.js";
import { noteTLS, refuses, serverSettings, type TLSContexts } from "../tls.js";

/** Takes a connection that speaks TLS now. Its handshake counts as under way until `release` is called, once. */
export type TakeSecured = (socket: TLSSocket, release: () => void) => void;

export class Handshakes {
  readonly #server: Server;
  readonly #unwatch: () => void;
  /** Those that have not agreed yet, by their peer: node:tls does not tell which connection a secured one came from. */
  readonly #underWay = new Map<string, Socket>();
  #waiting: Socket[] = [];
  #count = 0;
  #changed = (): void => {};

  constructor(contexts: TLSContexts, scheme: "http" | "tcp", take: TakeSecured) {
    const { certReqs } = contexts;
    this.#server = createServer(serverSettings(contexts, scheme));
    this.#server.on("secureConnection", (socket) => {
      this.#underWay.delete(peerOf(socket));
      socket.allowHalfOpen = true;
      noteTLS(socket, certReqs);
      if (refuses(socket, certReqs)) {
        socket.on("error", () => {});
        socket.destroy();
        return this.#release();
      }
      take(
        socket,
        once(() => this.#release()),
      );
    });
    this.#server.on("tlsClientError", (_error, socket) => {
      socket.destroy();
      this.#release();
    });
    this.#unwatch = contexts.watch(() => this.#server.setSecureContext(contexts.preset));
  }

  /** Takes an accepted connection of which nothing has been read. */
  begin(socket: Socket): void {
    if (this.#count < HANDSHAKES_MAX) {
      this.#start(socket);
    } else if (this.#waiting.length < HANDSHAKES_MAX) {
      socket.on("error", () => {});
      this.#waiting.push(socket);
    } else {
      socket.destroy();
    }
  }

  /** No more come: lets those that are under way come to their end, for HANDSHAKE_GRACE_MS at most, and closes the others. */
  async finish(): Promise<void> {
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, HANDSHAKE_GRACE_MS);
        this.#changed = () => {
          if (this.#count > 0) return;
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.close();
  }

  /** Closes everything that has not agreed yet. */
  close(): void {
    this.#unwatch();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const socket of [...waiting, ...this.#underWay.values()]) socket.destroy();
  }

  #start(socket: Socket): void {
    this.#count++;
    const peer = peerOf(socket);
    socket.allowHalfOpen = false; // a peer that ends its side in the middle of its handshake has given up
    this.#underWay.set(peer, socket);
    socket.once("close", () => this.#underWay.get(peer) === socket && this.#underWay.delete(peer));
    this.#server.emit("connection", socket);
  }

  #release(): void {
    this.#count--;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
    this.#changed();
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (!called) call();
    called = true;
  };
}
