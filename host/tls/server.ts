/**
 * TLS's server side over any Duplex: from a connection that has sent nothing to an agreed one, or to an error.
 *
 * Invariants: a handshake ends once, and is reported once, for its own connection; one that fails has closed it.
 * The code that begins it measures how long it takes.
 * Reference: node:tls, whose server takes connections by its event "connection".
 */
import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { Server, TLSSocket } from "node:tls";
import type { Address } from "../core/address.js";
import { TLSHandshakeError } from "../core/errors.js";
import type { PendingHandshake, Places } from "./admission.js";
import { hearHello } from "./clienthello.js";
import { noteTLS, refuses, serverSettings, type TLSContexts } from "./contexts.js";
import { nodeTLS } from "./nodetls.js";

/** The node:tls server for a set of certificates. It does not listen. */
export class TLSServer {
  readonly #contexts: TLSContexts;
  readonly #server: Server;
  /** Later certificates are not wanted any more. */
  readonly close: () => void;

  constructor(contexts: TLSContexts, scheme: "http" | "tcp") {
    this.#contexts = contexts;
    this.#server = nodeTLS().createServer(serverSettings(contexts, scheme));
    this.close = contexts.watch(() => this.#server.setSecureContext(contexts.preset));
  }

  /**
   * Begins the handshake. `serverName`: what the client asks for by its hello, which is still to be read. `ended` is
   * called once.
   */
  accept(connection: Duplex, serverName: string | null, ended: (result: TLSSocket | TLSHandshakeError) => void): void {
    const { certReqs } = this.#contexts;
    // node:tls tells its server how a handshake has ended, and not which one. So each handshake has a view of the
    // server of its own, which gets its events alone.
    const emit = (event: string, first: unknown, second: unknown): boolean => {
      if (event === "tlsClientError") {
        (second as TLSSocket).destroy();
        ended(new TLSHandshakeError((first as Error).message, { cause: first }));
      } else if (event === "secureConnection") {
        const socket = first as TLSSocket;
        socket.on("error", () => {}); // until its owner listens
        socket.allowHalfOpen = true;
        noteTLS(socket, certReqs, serverName);
        ended(refuses(socket, certReqs) ? new TLSHandshakeError("the peer's certificate does not verify") : socket);
      }
      return false;
    };
    const view: Server = Object.create(this.#server, { emit: { value: emit } });
    EventEmitter.prototype.emit.call(view, "connection", connection);
  }
}

/** How a handshake has ended: a socket, or why there is none. Its place is taken until `release` is called. */
export type HandshakeEnd = (result: TLSSocket | Error, release: () => void) => void;

/** One connection that is to speak TLS. */
export class ServerHandshake {
  readonly #connection: Duplex;
  readonly #places: Places;
  readonly #pending: PendingHandshake;
  readonly #ended: HandshakeEnd;
  #over = false;

  /** Nothing has been taken out of `connection`. `ended` is called once, and not before this returns. */
  constructor(connection: Duplex, peer: Address | null, server: TLSServer, places: Places, ended: HandshakeEnd) {
    this.#connection = connection;
    this.#places = places;
    this.#ended = ended;
    connection.allowHalfOpen = false; // a peer that ends its side in the middle of its handshake has given up
    connection.on("error", () => {}); // "close" follows
    connection.once("close", () => this.fail(new TLSHandshakeError("the connection was closed")));
    this.#pending = places.enter(peer, () => {
      this.fail(new TLSHandshakeError("too many are under way"));
      connection.destroy();
    });
    hearHello(connection, (serverName) => {
      places.ask(this.#pending, () => server.accept(connection, serverName, (result) => this.#end(result)));
    });
  }

  /** Gives it up, unless it has ended. */
  fail(error: Error): void {
    this.#end(error);
  }

  #end(result: TLSSocket | Error): void {
    if (this.#over) return;
    this.#over = true;
    const release = (): void => this.#places.leave(this.#pending);
    if (result instanceof Error) {
      release();
      this.#connection.destroy();
    }
    this.#ended(result, release);
  }
}
