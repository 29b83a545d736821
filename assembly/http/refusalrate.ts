// How many refused requests are logged: so many a second, and then how many more there were.
// Invariant: each refusal is logged or counted; a flood of bad requests is no flood of lines.

import { REFUSALS_PER_SECOND } from "../core/limits";
import { NS_PER_S } from "../core/units";


@final
export class RefusalRate {
  private since: i64 = i64.MIN_VALUE / 2;
  private logged: i32 = 0;
  private skipped: i32 = 0;

  /**
   * For a refusal at `now`, monotonic nanoseconds: -1: it is counted and not logged; else how many were
   * counted before it.
   */
  next(now: i64): i32 {
    if (now - this.since >= NS_PER_S) {
      this.since = now;
      this.logged = 0;
    }
    if (this.logged == REFUSALS_PER_SECOND) {
      if (this.skipped < i32(u16.MAX_VALUE)) this.skipped++; // a frame has room for as many
      return -1;
    }
    this.logged++;
    const skipped = this.skipped;
    this.skipped = 0;
    return skipped;
  }
}
