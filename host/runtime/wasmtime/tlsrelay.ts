/**
 * TLS for wasmtime workers, which have none: this process listens on the public port, and forwards the plaintext of
 * every connection over a loopback listener that the workers accept from (forwarding.ts).
 *
 * Invariant: connections that no worker has room for count as handshakes, whose number is bounded.
 */
import { connect, type Server } from "node:net";
import type { Peer } from "../../bridge/bridge.js";
import { type Address, type ListeningSocket, LOOPBACK } from "../../core/address.js";
import { BACKLOG } from "../../core/limits.js";
import type { RuntimeName } from "../../core/runtimename.js";
import { type TLSContexts, tlsOf } from "../../tls/contexts.js";
import { Handshakes } from "../../tls/handshakes.js";
import { closeWhenTaken, newServer, onConnection } from "../node/listener.js";
import type { SharedListener } from "../node/sharedlistener.js";
import type { Guard, GuardedSockets } from "../worker.js";
import { Forwarding } from "./forwarding.js";

/** A listening socket whose connections speak TLS. Workers inherit `fd`. */
export class TLSRelay implements ListeningSocket {
  readonly runtime: RuntimeName;
  readonly address: Address;
  readonly #outer: Server;
  readonly #outerListener: SharedListener;
  /** What workers accept from. */
  readonly inner: SharedListener;
  readonly #handshakes: Handshakes;
  readonly #forwarding: Forwarding;
  readonly sharedFd = null;

  constructor(outer: SharedListener, inner: SharedListener, guard: Guard, tls: TLSContexts, peers: Map<string, Peer>) {
    this.runtime = inner.runtime;
    this.address = outer.address;
    this.#outerListener = outer;
    this.inner = inner;
    const { port } = inner.address;
    this.#forwarding = new Forwarding(peers, () => {
      return connect({ host: LOOPBACK, port, allowHalfOpen: true, noDelay: true });
    });
    this.#handshakes = new Handshakes(tls, guard.scheme, ({ socket, address }, release) =>
      this.#forwarding.begin(socket, { address, tls: tlsOf(socket) }, release),
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
    return this.#forwarding.drained(ms);
  }
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
