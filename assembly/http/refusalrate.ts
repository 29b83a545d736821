// How often refused requests are told to whoever keeps the log: so many a second, and then how many more there were.
// Invariant: what is told and what is counted add up; a flood of bad requests is no flood of lines.

import { REFUSALS_PER_SECOND } from "../core/limits";
import { NS_PER_S } from "../core/units";


@final
export class RefusalRate {
  private since: i64 = i64.MIN_VALUE / 2;
  private told: i32 = 0;
  private untold: i32 = 0;

  /**
   * For a refusal at `now`, monotonic nanoseconds: -1: it is not told but counted; else how many were counted before
   * it.
   */
  next(now: i64): i32 {
    if (now - this.since >= NS_PER_S) {
      this.since = now;
      this.told = 0;
    }
    if (this.told == REFUSALS_PER_SECOND) {
      if (this.untold < i32(u16.MAX_VALUE)) this.untold++; // a frame has room for as many
      return -1;
    }
    this.told++;
    const untold = this.untold;
    this.untold = 0;
    return untold;
  }
}
