// Resolver: the addresses of a host name, by the platform's resolver, the preferred one first.
// Invariant: at most CONNECT_ADDRESSES_MAX addresses come of a name; its lookup is ended before they are handed on.

import { Address } from "../core/address";
import { REASON_BAD_ADDRESS, REASON_UNKNOWN_NAME } from "../core/connectreasons";
import { AGAIN } from "../core/errors";
import { CONNECT_ADDRESSES_MAX, CONNECT_NAME_BYTES_MAX } from "../core/limits";
import { EventHandler, IOLoop, WRITE } from "../loop/ioloop";
import * as outgoing from "../wasi/outgoing";

/** Waits for addresses. */
export interface Resolving {
  /** There is at least one. */
  resolved(addresses: Array<Address>): void;
  /** There is none, for a reason. */
  failed(reason: i32): void;
}


@final
export class Resolver extends EventHandler {
  private loop: IOLoop = IOLoop.current();
  private handle: i32 = -1;
  private found: Array<Address> = [];

  constructor(private waiting: Resolving) {
    super();
  }

  /** Looks up a name in UTF-8. */
  begin(name: ArrayBuffer): void {
    const size = name.byteLength;
    if (!size || size > CONNECT_NAME_BYTES_MAX) return this.waiting.failed(REASON_BAD_ADDRESS);
    const handle = outgoing.lookup(changetype<usize>(name), size);
    if (handle < 0) return this.waiting.failed(-handle);
    this.handle = handle;
    this.loop.addHandler(handle, this, WRITE);
  }

  onReady(handle: i32, events: i32): void {
    let result = 1;
    while (result > 0 && this.found.length < CONNECT_ADDRESSES_MAX) {
      const address = new Address();
      result = outgoing.nextAddress(handle, address);
      if (result > 0) this.found.push(address);
    }
    if (result == AGAIN) return;
    this.end();
    if (this.found.length) this.waiting.resolved(this.found);
    else this.waiting.failed(result ? -result : REASON_UNKNOWN_NAME);
  }

  /** Safe at any time. */
  end(): void {
    if (this.handle < 0) return;
    this.loop.removeHandler(this.handle);
    outgoing.endLookup(this.handle);
    this.handle = -1;
  }
}
