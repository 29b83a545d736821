/**
 * Which clients may begin a TLS handshake when more wait than there is room for.
 *
 * Invariants: a client that has sent nothing holds no place. The latest client finds room: when all places are taken,
 * the address that has most loses its oldest. An address may have all the places that no other address wants.
 */
import type { Address } from "../core/address.js";
import { HANDSHAKES_MAX, SILENT_MAX } from "../core/limits.js";

/** One connection on its way to TLS. */
export interface PendingHandshake {
  /** Where it comes from: an IPv4 address, or the 64 bits of IPv6 that one site usually has. */
  readonly network: string;
  /** Closes the connection, which then leaves. */
  readonly drop: () => void;
  start: () => void;
}

/** Connections by network. */
class ByNetwork {
  readonly #groups = new Map<string, Set<PendingHandshake>>();
  size = 0;

  add(pending: PendingHandshake): void {
    const group = this.#groups.get(pending.network);
    if (group === undefined) this.#groups.set(pending.network, new Set([pending]));
    else group.add(pending);
    this.size++;
  }

  /** Returns whether it was among them. */
  delete(pending: PendingHandshake): boolean {
    const group = this.#groups.get(pending.network);
    if (group?.delete(pending) !== true) return false;
    if (group.size === 0) this.#groups.delete(pending.network);
    this.size--;
    return true;
  }

  count(network: string): number {
    return this.#groups.get(network)?.size ?? 0;
  }

  /** The oldest of the network that has most; there must be one. */
  oldestOfMost(): PendingHandshake {
    let most = new Set<PendingHandshake>();
    for (const group of this.#groups.values()) if (group.size > most.size) most = group;
    return most.values().next().value as PendingHandshake;
  }
}

export class Places {
  readonly #max: number;
  readonly #silentMax: number;
  readonly #silent = new ByNetwork();
  readonly #holders = new ByNetwork();
  /** Clients that have sent their ClientHello and wait for a place, in the order in which they came. */
  readonly #queue = new Set<PendingHandshake>();

  /**
   * Room for `max` handshakes, for as many that wait for a place, and for `silentMax` connections that have said
   * nothing.
   */
  constructor(max: number = HANDSHAKES_MAX, silentMax: number = SILENT_MAX) {
    this.#max = max;
    this.#silentMax = silentMax;
  }

  /** A client has connected. `drop` is called when its connection has to make room for another. */
  enter(address: Address | null, drop: () => void): PendingHandshake {
    const pending: PendingHandshake = { network: networkOf(address), drop, start: () => {} };
    this.#silent.add(pending);
    if (this.#silent.size > this.#silentMax) this.#silent.oldestOfMost().drop();
    return pending;
  }

  /** Its ClientHello has come: `start` is called when there is a place for it, perhaps at once. */
  ask(pending: PendingHandshake, start: () => void): void {
    if (!this.#silent.delete(pending)) return;
    pending.start = start;
    if (this.#holders.size < this.#max) return this.#give(pending);
    const oldest = this.#holders.oldestOfMost();
    if (this.#holders.count(pending.network) + 1 < this.#holders.count(oldest.network)) {
      this.#holders.delete(oldest);
      this.#give(pending);
      oldest.drop();
    } else {
      this.#queue.add(pending);
      if (this.#queue.size > this.#max) oldest.drop();
    }
  }

  /** Its handshake has ended, or its connection. May be called again. */
  leave(pending: PendingHandshake): void {
    this.#silent.delete(pending);
    this.#queue.delete(pending);
    if (!this.#holders.delete(pending)) return;
    const next = this.#queue.values().next().value;
    if (next === undefined) return;
    this.#queue.delete(next);
    this.#give(next);
  }

  #give(pending: PendingHandshake): void {
    this.#holders.add(pending);
    pending.start();
  }
}

/** An IPv4 address, or the first 64 bits of an IPv6 one, since a host that has one address of those has them all. */
export function networkOf(address: Address | null): string {
  if (address === null || address.family !== "IPv6" || address.address.includes(".")) return address?.address ?? "";
  const [first = [], last = []] = address.address.split("::").map((half) => half.split(":").filter(Boolean));
  const between = Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0");
  return [...first, ...between, ...last].slice(0, 4).join(":");
}
