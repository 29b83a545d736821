// Connecting to a name that has several addresses: the families take turns, and the first connection wins.
//
// Invariants: one attempt of each family is in flight; the second family starts after SECOND_FAMILY_MS or when an
// attempt of the first has failed; when one has won, or the caller gives up, all others are closed.
// Reference: RFC 8305 5, in the form of Tornado's tcpclient.py, _Connector.

import { Address } from "../core/address";
import { REASON_UNREACHABLE } from "../core/connectreasons";
import { AGAIN } from "../core/errors";
import { SECOND_FAMILY_MS } from "../core/limits";
import { EventHandler, IOLoop, Timeout, WRITE } from "../loop/ioloop";
import * as wasi from "../wasi/index";
import * as outgoing from "../wasi/outgoing";

/** Waits for the end of a race. */
export interface Racer {
  /** `handle` is connected to `address`, and has no handler in the loop. */
  won(handle: i32, address: Address): void;
  /** No address could be connected to: the reason of the last one. */
  failed(reason: i32): void;
}


@final
class HeadStart extends Timeout {
  constructor(private race: ConnectRace) {
    super();
  }
  run(): void {
    this.race.startSecond();
  }
}


@final
export class ConnectRace {
  private loop: IOLoop = IOLoop.current();
  private first: Family;
  private second: Family;
  private headStart!: HeadStart;
  private isSecondStarted: bool = false;
  private reason: i32 = REASON_UNREACHABLE;

  /** `addresses`: at least one, the preferred first. */
  constructor(
    addresses: Array<Address>,
    private racer: Racer,
  ) {
    const family = addresses[0].family;
    this.first = new Family();
    this.second = new Family();
    this.first.race = this.second.race = this;
    for (let i = 0; i < addresses.length; i++) {
      (addresses[i].family == family ? this.first : this.second).addresses.push(addresses[i]);
    }
    this.headStart = new HeadStart(this);
  }

  begin(): void {
    this.loop.callLater(SECOND_FAMILY_MS, this.headStart);
    this.first.next();
  }

  startSecond(): void {
    if (this.isSecondStarted) return;
    this.isSecondStarted = true;
    this.loop.removeTimeout(this.headStart);
    this.second.next();
  }

  /** For a family: its attempt has succeeded. */
  connected(family: Family): void {
    const handle = family.release();
    this.end();
    this.racer.won(handle, family.current!);
  }

  /** For a family: an attempt has failed. */
  attemptFailed(family: Family, reason: i32): void {
    this.reason = reason;
    family.next();
    this.startSecond();
  }

  /** For a family: it has no address left. */
  exhausted(): void {
    if (this.first.isOver && this.second.isOver && this.isSecondStarted) this.racer.failed(this.reason);
  }

  /** Closes the attempts that are under way. Safe at any time. */
  end(): void {
    this.loop.removeTimeout(this.headStart);
    this.first.end();
    this.second.end();
  }
}

/** The addresses of one family, and the attempt at one of them. */
@final
class Family extends EventHandler {
  race: ConnectRace | null = null;
  addresses: Array<Address> = [];
  /** The address that is tried, or was tried last. */
  current: Address | null = null;
  private handle: i32 = -1;
  private loop: IOLoop = IOLoop.current();

  /** No attempt is under way, and none will be. */
  get isOver(): bool {
    return this.handle < 0 && !this.addresses.length;
  }

  /** Tries the next address. */
  next(): void {
    if (!this.addresses.length) return this.race!.exhausted();
    const address = this.addresses.shift();
    this.current = address;
    const handle = outgoing.connect(address);
    if (handle < 0) return this.race!.attemptFailed(this, -handle);
    this.handle = handle;
    this.loop.addHandler(handle, this, WRITE);
  }

  onReady(handle: i32, events: i32): void {
    const result = outgoing.connected(handle);
    if (result == AGAIN) return;
    if (result == 0) return this.race!.connected(this);
    this.end();
    this.race!.attemptFailed(this, -result);
  }

  /** The handle is no longer this one's. */
  release(): i32 {
    const handle = this.handle;
    this.loop.removeHandler(handle);
    this.handle = -1;
    return handle;
  }

  end(): void {
    if (this.handle >= 0) wasi.close(this.release());
  }
}
