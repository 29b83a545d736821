/**
 * The plaintext of connections that this process has accepted, on its way to a listener that the workers accept from.
 *
 * Every process on this machine may connect to that listener. So each connection begins with a PROXY protocol header
 * whose source address is a secret of its own instead of the peer's; the host knows a forwarded connection by it, and
 * refuses all others.
 *
 * Invariants: what is buffered for one connection is bounded in both directions; an end travels as an end and a break
 * as a break; nothing is kept of a connection that has ended.
 * Reference: HAProxy's proxy-protocol.txt 2.2.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Peer } from "../../bridge/bridge.js";
import { HALF_CLOSED_MS } from "../../core/limits.js";
import { type Deferred, deferred } from "../../core/promises.js";

const SECRET_BYTES = 16;
/** Signature, version 2 with the command PROXY, TCP over IPv6, 36 bytes of addresses and ports. */
const HEADER = Buffer.from("0d0a0d0a000d0a515549540a21210024", "hex");
const HEADER_BYTES = HEADER.length + 36;

/** The connections of one listener. */
export class Forwarding {
  readonly #peers: Map<string, Peer>;
  readonly #connectInside: () => Socket;
  readonly #connections = new Set<Forwarded>();
  #ended: Deferred<void> | null = null;

  /** `peers`: who is behind each secret, while its connection lives. `connectInside` connects to the workers. */
  constructor(peers: Map<string, Peer>, connectInside: () => Socket) {
    this.#peers = peers;
    this.#connectInside = connectInside;
  }

  /** Forwards `socket`. `release` is called when a worker's listener has taken the connection, or it has ended. */
  begin(socket: TLSSocket, peer: Peer, release: () => void): void {
    const secret = randomBytes(SECRET_BYTES);
    const key = secret.toString("latin1");
    this.#peers.set(key, peer);
    const inner = this.#connectInside();
    const connection = new Forwarded(socket, inner, release, () => {
      this.#peers.delete(key);
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#ended?.resolve();
    });
    this.#connections.add(connection);
    inner.write(header(secret));
  }

  /** The workers have ended: resolves when what they have written has left, or `ms` are over. */
  drained(ms: number): Promise<void> {
    for (const connection of this.#connections) connection.finish();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, ms);
    this.#ended ??= deferred();
    if (this.#connections.size === 0) this.#ended.resolve();
    return this.#ended.promise.finally(() => clearTimeout(timer));
  }
}

/** One connection: the peer's TLS on one side, plaintext to a worker on the other. */
class Forwarded {
  readonly #outer: TLSSocket;
  readonly #inner: Socket;
  readonly #closed: () => void;

  constructor(outer: TLSSocket, inner: Socket, connected: () => void, closed: () => void) {
    this.#outer = outer;
    this.#inner = inner;
    this.#closed = closed;
    inner.once("connect", connected);
    inner.once("close", connected);
    outer.on("error", () => {}); // "close" follows
    inner.on("error", () => {});
    // A peer that never ends its side would keep the connection: the worker has closed it, and cannot say so.
    inner.once("end", () => outer.setTimeout(HALF_CLOSED_MS, () => outer.destroy()));
    outer.once("close", () => this.#outerClosed());
    inner.once("close", () => this.#innerClosed());
    outer.pipe(inner);
    inner.pipe(outer);
  }

  /** The worker has ended: what it wrote still leaves, and then the connection ends. */
  finish(): void {
    if (this.#inner.readableEnded || this.#inner.destroyed) this.#outer.destroySoon();
    else this.#inner.once("end", () => this.#outer.destroySoon());
  }

  destroy(): void {
    this.#outer.destroy();
    this.#inner.destroy();
  }

  #outerClosed(): void {
    if (!this.#inner.destroyed && !this.#outer.readableEnded) this.#inner.resetAndDestroy();
    else this.#inner.destroySoon();
    if (this.#inner.closed) this.#closed();
  }

  /** A worker that resets the connection after it has ended its side has only refused what it did not want to read. */
  #innerClosed(): void {
    if (this.#inner.readableEnded) this.#outer.destroySoon();
    else this.#outer.destroy();
    if (this.#outer.closed) this.#closed();
  }
}

/** The secret as the source's address; the rest says nothing. */
function header(secret: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  HEADER.copy(bytes);
  secret.copy(bytes, HEADER.length);
  return bytes;
}
