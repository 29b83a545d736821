// What the loop does for streams: their timeout, and their end when the turn is over.
// Invariant: nothing is closed in the middle of a turn, so no handler is called from inside a call of its own.

import { Callback, IOLoop, Timeout } from "./ioloop";
import { IOStream } from "./iostream";
import { uncorkAll } from "./streamwriter";


@final
export class StreamTimeout extends Timeout {
  constructor(private stream: IOStream) {
    super();
  }
  run(): void {
    this.stream.timeoutFired();
  }
}

/** At the end of a turn: sends what is still gathered, then closes what was retired. */
@final
class TurnEnd extends Callback {
  retired: Array<IOStream> = [];
  run(): void {
    uncorkAll();
    for (let i = 0; i < this.retired.length; i++) {
      unchecked(this.retired[i]).bury();
      uncorkAll(); // its handler may have written to another stream
    }
    this.retired.length = 0;
  }
}

let turnEnd: TurnEnd | null = null;

/** Before the first stream. */
export function prepare(): void {
  if (turnEnd) return;
  turnEnd = new TurnEnd();
  IOLoop.current().atTurnEnd(turnEnd!);
}

/** Closes `stream` when the turn is over. */
export function buryLater(stream: IOStream): void {
  turnEnd!.retired.push(stream);
}
