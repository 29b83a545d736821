// Linger: how much longer a stream is read after its last bytes have left, and how much of what comes is dropped.
// Closing with unread input would reset the connection, and the peer might lose the last answer.
//
// Invariants: it ends LINGER_MS after the peer's last bytes, LINGER_WHOLE_MS after it began, or with more than
// LINGER_BYTES_MAX. Reference: RFC 9112 9.6.

import { LINGER_BYTES_MAX, LINGER_MS, LINGER_WHOLE_MS } from "../core/limits";
import { NS_PER_MS } from "../core/units";


@final
export class Linger {
  private dropped: i32 = 0;
  private end: i64 = 0;

  /** Begins at `now`, monotonic nanoseconds; returns the deadline. */
  begin(now: i64): i64 {
    this.end = now + i64(LINGER_WHOLE_MS) * NS_PER_MS;
    return this.next(now);
  }

  /** The deadline, if the peer sends nothing more after `now`. */
  next(now: i64): i64 {
    return min(now + i64(LINGER_MS) * NS_PER_MS, this.end);
  }

  /** Counts bytes that were dropped, also before it began. False: too many. */
  drop(size: i32): bool {
    this.dropped += size;
    return this.dropped <= LINGER_BYTES_MAX;
  }

  /** For the next connection of the pool. */
  reset(): void {
    this.dropped = 0;
  }
}
