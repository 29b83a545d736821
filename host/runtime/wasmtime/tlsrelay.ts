/**
 * TLS for wasmtime workers, which have none: this process listens on the public port, and forwards the plaintext of
 * every connection over a loopback listener that the workers accept from.
 *
 * Every process on this machine may connect to that listener. So each connection begins with a PROXY protocol header
 * whose source address is a secret of its own instead of the peer's; the host knows a forwarded connection by it, and
 * refuses all others.
 *
 * Invariants: what is buffered for one connection is bounded in both directions; an end travels as an end and a break
 * as a break; connections that no worker has room for count as handshakes, whose number is bounded.
 * Reference: HAProxy's proxy-protocol.txt 2.2.
 */
import { randomBytes } from "node:crypto";
import { connect, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Peer } from "../../bridge/bridge.js";
import { type Address, type ListeningSocket, LOOPBACK } from "../../core/address.js";
import { BACKLOG, HALF_CLOSED_MS } from "../../core/limits.js";
import { type Deferred, deferred } from "../../core/promises.js";
import type { RuntimeName } from "../../core/runtimename.js";
import { type TLSContexts, tlsOf } from "../../tls/contexts.js";
import { Handshakes } from "../../tls/handshakes.js";
import { closeWhenTaken, newServer, onConnection } from "../node/listener.js";
import type { SharedListener } from "../node/sharedlistener.js";
import type { Guard, GuardedSockets } from "../worker.js";

const SECRET_BYTES = 16;
/** Signature, version 2 with the command PROXY, TCP over IPv6, 36 bytes of addresses and ports. */
const HEADER = Buffer.from("0d0a0d0a000d0a515549540a21210024", "hex");
const HEADER_BYTES = HEADER.length + 36;

/** A listening socket whose connections speak TLS. Workers inherit `fd`. */
export class TLSRelay implements ListeningSocket {
  readonly runtime: RuntimeName;
  readonly address: Address;
  readonly #outer: Server;
  readonly #outerListener: SharedListener;
  /** What workers accept from. */
  readonly inner: SharedListener;
  readonly #handshakes: Handshakes;
  readonly #peers: Map<string, Peer>;
  readonly #connections = new Set<Forwarded>();
  readonly sharedFd = null;
  #ended: Deferred<void> | null = null;

  constructor(outer: SharedListener, inner: SharedListener, guard: Guard, tls: TLSContexts, peers: Map<string, Peer>) {
    this.runtime = inner.runtime;
    this.address = outer.address;
    this.#outerListener = outer;
    this.inner = inner;
    this.#peers = peers;
    this.#handshakes = new Handshakes(tls, guard.scheme, ({ socket, address }, release) =>
      this.#forward(socket, { address, tls: tlsOf(socket) }, release),
    );
    this.#outer = newServer();
    onConnection(this.#outer, outer.address, (accepted) => this.#handshakes.begin(accepted));
    this.#outer.on("error", () => {}); // a connection that could not be accepted is the peer's loss alone
    this.#outer.listen({ fd: outer.give({ shift: () => undefined, close: () => this.#outer.close() }) }, BACKLOG);
  }

  /** The descriptor that workers accept from. */
  get fd(): number {
    return this.inner.fd;
  }

  /** Only its workers take connections. */
  accept(): null {
    return null;
  }

  close(): void {
    this.#outer.close();
    this.#outerListener.close();
    this.#handshakes.close();
    this.inner.close();
  }

  async finish(): Promise<void> {
    const last = await closeWhenTaken(this.#outer, this.address);
    this.#outerListener.close();
    for (const accepted of last) this.#handshakes.begin(accepted);
    await this.#handshakes.finish();
    this.inner.close();
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

  #forward(socket: TLSSocket, peer: Peer, release: () => void): void {
    const secret = randomBytes(SECRET_BYTES);
    const key = secret.toString("latin1");
    this.#peers.set(key, peer);
    const inner = connect({ host: LOOPBACK, port: this.inner.address.port, allowHalfOpen: true, noDelay: true });
    const connection = new Forwarded(socket, inner, release, () => {
      this.#peers.delete(key);
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#ended?.resolve();
    });
    this.#connections.add(connection);
    inner.write(header(secret));
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

/**
 * Puts TLS in front of `sockets`, which belong to what is returned from then on. `listenInside` makes the listener on
 * the loopback address that a socket's workers accept from. Rejects with BindError.
 */
export async function relay(
  sockets: readonly SharedListener[],
  listenInside: () => Promise<SharedListener>,
  guard: Guard,
  tls: TLSContexts,
): Promise<GuardedSockets> {
  const peers = new Map<string, Peer>();
  const relays: TLSRelay[] = [];
  try {
    for (const socket of sockets) {
      relays.push(new TLSRelay(socket, await listenInside(), guard, tls, peers));
    }
  } catch (error) {
    for (const made of relays) made.close();
    throw error;
  }
  return {
    sockets: relays,
    peers,
    drained: async (ms) => void (await Promise.all(relays.map((made) => made.drained(ms)))),
  };
}
