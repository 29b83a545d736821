/**
 * The peer of a connection, as far as the host knows it.
 *
 * Invariant: an address is one that the host has seen or that a PROXY protocol header has, never a guess.
 */
import { type Accepted, type Address, readAddress } from "../core/address.js";
import type { TLSInfo } from "../tls/contexts.js";

/** The other end of a connection, as far as the host knows it. */
export interface Peer {
  /** Where it is; null: unknown. */
  readonly address: Address | null;
  /** What TLS has agreed on; null without TLS in this process. */
  readonly tls: TLSInfo | null;
  /** The connection as this process has accepted it, where it holds it. */
  readonly accepted?: Accepted | undefined;
  /** Nothing more is read from it, as if the peer had ended its side: what is in flight is still answered. */
  end?(): void;
  /** Sets TCP_NODELAY where this process holds the socket; returns whether it does. */
  setNodelay?(on: boolean): boolean;
}

/** A peer by what its PROXY protocol header says; decoded when asked for. */
export class ProxiedPeer implements Peer {
  readonly tls = null;
  readonly #chunk: Buffer;
  readonly #at: number;
  readonly #carrier: Peer | null;

  /** `carrier`: the peer of the connection that brought the header, where this process holds it. */
  constructor(chunk: Buffer, at: number, carrier: Peer | null) {
    this.#chunk = chunk;
    this.#at = at;
    this.#carrier = carrier;
  }

  get accepted(): Accepted | undefined {
    return this.#carrier?.accepted;
  }

  end(): void {
    this.#carrier?.end?.();
  }

  get address(): Address {
    return readAddress(this.#chunk, this.#at);
  }
}
