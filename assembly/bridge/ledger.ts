// What the host gave to be written for one stream, answer or websocket, and that it has left: SENT.
// Invariant: nothing is reported while the peer's socket refuses a part of it. So of what a peer does not read, the
// host gives no more than one window. Reference: docs/protocol.md, SENT.

import { Channel } from "./channel";
import { FRAME_SENT } from "./frames";

export abstract class Ledger {
  private given: u32 = 0; // bytes that the host gave to be written and SENT has not reported
  private listed: bool = false; // in the list of this turn

  /** The id to report for, 0: the host awaits no report any more. */
  protected abstract get id(): u32;
  /** Bytes that have not left: those of the host, and others. */
  protected abstract get unsent(): i32;

  /** For the next stream, answer or websocket of its slot. */
  reset(): void {
    this.given = 0;
  }

  /** The host gave so many bytes. */
  add(bytes: i32): void {
    this.given += bytes;
  }

  /** False: it is in the list already. */
  enlist(): bool {
    if (this.listed) return false;
    this.listed = true;
    return true;
  }

  /** SENT, when all has left. */
  report(channel: Channel): void {
    this.listed = false;
    const id = this.id;
    if (!id || !this.given || this.unsent) return;
    store<u32>(channel.send(FRAME_SENT, id, 4), this.given);
    this.given = 0;
  }
}

/** The ledgers that may have something to report. What was written in a turn leaves at its end, so that is when. */
@final
export class Reports {
  private ledgers: Array<Ledger> = [];

  constructor(private channel: Channel) {}

  /** Reports at the end of this turn. */
  add(ledger: Ledger): void {
    if (ledger.enlist()) this.ledgers.push(ledger);
  }

  /** At the end of a turn. */
  send(): void {
    if (this.channel.full) return; // what is not reported now is part of the next report
    for (let i = 0; i < this.ledgers.length; i++) unchecked(this.ledgers[i]).report(this.channel);
    this.ledgers.length = 0;
  }
}
