/**
 * TLS handshakes: accepted connections go in, those that have agreed come out.
 *
 * Invariants: at most HANDSHAKES_MAX are under way, and as many wait for one to end; what comes beyond that is closed, and so is
 * a connection whose handshake takes longer than it may. A peer that sends nonsense costs its own connection alone.
 * Reference: node:tls, whose server takes connections by its event "connection".
 */
import type { Duplex } from "node:stream";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { HANDSHAKE_GRACE_MS, HANDSHAKES_MAX } from "../limits.js";
import { noteTLS, refuses, serverSettings, type TLSContexts } from "../tls.js";
import type { Accepted } from "./descriptors.js";

/** Takes a connection that speaks TLS now. Its handshake counts as under way until `release` is called, once. */
export type TakeSecured = (accepted: Accepted & { readonly socket: TLSSocket }, release: () => void) => void;

export class Handshakes {
  readonly #server: Server;
  readonly #unwatch: () => void;
  /** Those that have not agreed yet, by the connection that TLS is spoken over. */
  readonly #underWay = new Map<Duplex, Accepted>();
  #waiting: Accepted[] = [];
  #count = 0;
  #changed = (): void => {};

  constructor(contexts: TLSContexts, scheme: "http" | "tcp", take: TakeSecured) {
    const { certReqs } = contexts;
    this.#server = createServer(serverSettings(contexts, scheme));
    this.#server.on("secureConnection", (socket) => {
      const accepted = this.#underWay.get(connectionOf(socket));
      this.#underWay.delete(connectionOf(socket));
      socket.allowHalfOpen = true;
      noteTLS(socket, certReqs);
      if (accepted === undefined || refuses(socket, certReqs)) {
        socket.on("error", () => {});
        socket.destroy();
        return this.#release();
      }
      const release = once(() => this.#release());
      take({ socket, address: accepted.address }, release);
    });
    this.#server.on("tlsClientError", (_error, socket) => {
      socket.destroy();
      this.#release();
    });
    this.#unwatch = contexts.watch(() => this.#server.setSecureContext(contexts.preset));
  }

  /** Takes an accepted connection of which nothing has been read. */
  begin(accepted: Accepted): void {
    if (this.#count < HANDSHAKES_MAX) {
      this.#start(accepted);
    } else if (this.#waiting.length < HANDSHAKES_MAX) {
      accepted.socket.on("error", () => {});
      this.#waiting.push(accepted);
    } else {
      accepted.socket.destroy();
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
    for (const { socket } of [...waiting, ...this.#underWay.values()]) socket.destroy();
  }

  #start(accepted: Accepted): void {
    const { socket } = accepted;
    this.#count++;
    socket.allowHalfOpen = false; // a peer that ends its side in the middle of its handshake has given up
    this.#underWay.set(socket, accepted);
    socket.once("close", () => this.#underWay.delete(socket));
    this.#server.emit("connection", socket);
  }

  #release(): void {
    this.#count--;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
    this.#changed();
  }
}

/** The connection that TLS is spoken over. node:tls keeps it in `_parent`, and has no public way to tell. */
function connectionOf(socket: TLSSocket): Duplex {
  return (socket as unknown as { readonly _parent: Duplex })._parent;
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (!called) call();
    called = true;
  };
}
