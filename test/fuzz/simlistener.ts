// A listening socket that is none: connections wait in its queue, which processes share, until a worker takes them.
import type { Address, ListeningSocket } from "../../host/core/address.js";
import type { SimWorker } from "./simworker.js";
import type { Wire } from "./wire.js";

const ADDRESS: Address = { address: "127.0.0.1", port: 1, family: "IPv4" };

/** A port that is bound: `queue` has the connections that wait. */
export class SimListener implements ListeningSocket {
  readonly address = ADDRESS;
  readonly runtime = "wasmtime";
  /** The descriptor, which is none. Null: it is closed. */
  sharedFd: number | null = 0;

  /** The connections that it hands to others. */
  readonly accepted = new Set<Wire>();

  constructor(
    readonly queue: Wire[],
    readonly workers: Set<SimWorker> = new Set(),
  ) {}

  accept(): null {
    return null;
  }

  close(): void {
    this.sharedFd = null;
  }
}
