// How many requests of one connection may begin in one turn: a client that pipelines many must not hold up the others.
// Invariant: a connection that has spent its budget reads on once, when the handlers of all that is ready have run.

import { Callback, IOLoop } from "../loop/ioloop";
import { IOStream } from "../stream/iostream";
import { REQUESTS_AT_ONCE } from "../core/limits";


@final
export class TurnBudget extends Callback {
  /** The budget is spent: the connection waits until the others have had their turn. */
  spent: bool = false;
  private turn: i64 = 0; // its time
  private begun: i32 = 0; // requests that began in it
  private stream!: IOStream;

  /** For a new connection. */
  start(stream: IOStream): void {
    this.stream = stream;
  }

  /** Whether another request may begin now. */
  take(): bool {
    if (this.spent) return false;
    const loop = IOLoop.current();
    if (loop.time != this.turn) {
      this.turn = loop.time;
      this.begun = 0;
    }
    if (this.begun++ < REQUESTS_AT_ONCE) return true;
    this.spent = true;
    loop.addCallback(this);
    return false;
  }

  run(): void {
    this.spent = false;
    this.begun = 0;
    this.stream.resume(); // without effect when it has closed meanwhile
  }
}
