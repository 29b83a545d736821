// StreamTimeout: the one timeout of a stream, for all its deadlines.
// Invariant: it fires at the earliest deadline or before it. It is not moved when a deadline becomes later, as happens
// with every request; the stream looks which deadlines have passed.

import { IOLoop, Timeout } from "../loop/ioloop";

/** A stream, as far as its timeout is concerned. */
export interface TimedStream {
  /** The timeout fired; perhaps too early for all deadlines. */
  timeoutFired(): void;
}


@final
export class StreamTimeout extends Timeout {
  private loop: IOLoop = IOLoop.current();

  constructor(private stream: TimedStream) {
    super();
  }

  run(): void {
    this.stream.timeoutFired();
  }

  /** Fires at `deadline`, monotonic nanoseconds, or before. */
  fireBy(deadline: i64): void {
    if (!this.armed || deadline < this.deadline) this.loop.callAt(deadline, this);
  }

  /** The stream has closed. */
  cancel(): void {
    this.loop.removeTimeout(this);
  }
}
