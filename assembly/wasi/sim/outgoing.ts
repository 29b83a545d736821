// Outgoing connections over the scripted network of sim/net.ts: what outgoing.ts is for the other platforms.
//
//   dialled   peers that the sandbox connects to: accept() or refuse() each
//   asked     names that it looks up: find() or fail() each
//
// Invariant: no other file of the platform knows this one, so that core.wasm has nothing of it.

import { Address } from "../../core/address";
import { AGAIN } from "../../core/errors";
import { answerOf, close, openPeer } from "./index";
import { Peer } from "./net";

/** A name that the sandbox looks up. */
@final
export class Lookup {
  addresses: Array<Address> = [];
  handle: i32 = -1;

  constructor(
    readonly name: string,
    private resolver: Peer,
  ) {}

  /** The resolver has not answered. */
  get isWaiting(): bool {
    return this.resolver.answer == AGAIN;
  }

  /** The sandbox has ended it. */
  get closed(): bool {
    return this.resolver.closed;
  }

  /** The name has these addresses, in this order. */
  find(addresses: Array<Address>): void {
    this.addresses = addresses;
    this.resolver.accept();
  }

  /** It has none, for a reason. */
  fail(reason: i32): void {
    this.resolver.refuse(reason);
  }
}

/** In the order in which the sandbox asked. */
export const dialled: Array<Peer> = [];
export const asked: Array<Lookup> = [];
let denied: i32 = 0;

/** From now on nothing can even begin, for a reason. */
export function deny(reason: i32): void {
  denied = reason;
}

export function connect(address: Address): i32 {
  if (denied) return -denied;
  const peer = new Peer();
  peer.answer = AGAIN;
  peer.address = new Address();
  peer.address!.copyFrom(address);
  const handle = openPeer(peer);
  if (handle >= 0) dialled.push(peer);
  return handle;
}

export function connected(handle: i32): i32 {
  return answerOf(handle);
}

export function lookup(name: usize, size: i32): i32 {
  if (denied) return -denied;
  const resolver = new Peer();
  resolver.answer = AGAIN;
  const handle = openPeer(resolver);
  if (handle < 0) return handle;
  const lookup = new Lookup(String.UTF8.decodeUnsafe(name, usize(size)), resolver);
  lookup.handle = handle;
  asked.push(lookup);
  return handle;
}

export function nextAddress(handle: i32, address: Address): i32 {
  const lookup = openLookup(handle);
  const answer = answerOf(handle);
  if (answer) return answer;
  if (!lookup.addresses.length) return 0;
  const port = address.port;
  address.copyFrom(lookup.addresses.shift());
  address.port = port;
  return 1;
}

export function endLookup(handle: i32): void {
  openLookup(handle);
  close(handle);
}

function openLookup(handle: i32): Lookup {
  for (let i = 0; i < asked.length; i++) if (asked[i].handle == handle && !asked[i].closed) return asked[i];
  throw new Error("not a lookup");
}
