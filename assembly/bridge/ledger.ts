// What the host gave to be written for one stream, answer or websocket, and how much of it has left: SENT.
// Invariant: what SENT reports in all is never more than what has left. Reference: docs/protocol.md, SENT.

import { Channel } from "./channel";
import { FRAME_SENT } from "./frames";

export abstract class Ledger {
  private given: u64 = 0; // bytes that the host gave to be written
  private reported: u64 = 0; // of which SENT has reported
  private listed: bool = false; // in the list of this turn

  /** The id to report for, 0: the host awaits no report any more. */
  protected abstract get id(): u32;
  /** Bytes that have not left, at least those of the host that have not. */
  protected abstract get unsent(): i32;

  /** For the next stream, answer or websocket of its slot. */
  reset(): void {
    this.given = this.reported = 0;
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

  /** SENT, when bytes have left since the last one. */
  report(channel: Channel): void {
    this.listed = false;
    const id = this.id;
    if (!id) return;
    const left = this.given - min<u64>(this.given, this.unsent);
    if (left <= this.reported) return;
    store<u32>(channel.send(FRAME_SENT, id, 4), u32(left - this.reported));
    this.reported = left;
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
