// A connection's share of a turn: a peer that sends many requests in one piece must not hold up the others.
// Invariant: who has been told to wait is asked to read on once, when the handlers of all that is ready have run.

import { HTTP1Connection } from "./connection";
import { Callback, IOLoop } from "../loop/ioloop";
import { REQUESTS_AT_ONCE } from "../core/limits";


@final
export class TurnShare extends Callback {
  /** The connection has had its share, and goes on when the others have had theirs. */
  waiting: bool = false;
  private turn: i64 = 0; // its time
  private begun: i32 = 0; // in it

  constructor(private connection: HTTP1Connection) {
    super();
  }

  /** Whether another request may begin now. */
  take(): bool {
    if (this.waiting) return false;
    const loop = IOLoop.current();
    if (loop.time != this.turn) {
      this.turn = loop.time;
      this.begun = 0;
    }
    if (this.begun++ < REQUESTS_AT_ONCE) return true;
    this.waiting = true;
    loop.addCallback(this);
    return false;
  }

  run(): void {
    this.waiting = false;
    this.begun = 0;
    this.connection.readOn();
  }
}
