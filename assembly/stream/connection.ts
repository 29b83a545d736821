// Connection: what is known of an accepted connection, apart from the bytes that are read from it or written to it.
// Invariant: its handle is valid until it closes; then the platform may use the number again, see wasi/index.ts.

import { Address } from "../core/address";
import * as wasi from "../wasi/index";

/** Keeps the list of connections it accepted, and drops each when it has closed. */
export interface StreamOwner {
  /** `connection` has closed. */
  streamClosed(connection: Connection): void;
}

/** An accepted connection: its handle, its listener and its peer. */
// @ts-ignore: decorator
@final
export class Connection {
  /** The connection's platform handle. */
  handle: i32 = -1;
  /** Index of the listener that it came from. */
  listener: i32 = 0;
  /** Called when it has closed: the server that accepted it. */
  owner: StreamOwner | null = null;
  /** Its place in the owner's list. */
  place: i32 = 0;
  /** Where the peer is, null: unknown. */
  address: Address | null = null;
  private room: Address | null = null; // what `address` points to, kept for the next connection

  /** The number by which the host knows it. */
  get descriptor(): u32 {
    return wasi.descriptor(this.handle);
  }

  /** Notes where the peer is. */
  setAddress(address: Address): void {
    let room = this.room;
    if (!room) room = this.room = new Address();
    room.copyFrom(address);
    this.address = room;
  }

  /** It has closed: its owner drops it, and the object is free for the next connection. */
  end(): void {
    if (this.owner) this.owner!.streamClosed(this);
    this.handle = -1;
    this.listener = 0;
    this.owner = null;
    this.address = null;
  }
}
