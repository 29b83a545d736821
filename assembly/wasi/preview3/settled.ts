// Waiting for one copy to or from a stream, and for nothing else, as a log line and a block of a file do.
// Invariant: the stream is in no other set; all of the component stands still meanwhile.

import { OVER_03 } from "../build";
import * as w from "./imports";

const event: usize = OVER_03 ? memory.data(8, 4) : 0;
let set: i32 = 0;

/** What has come of a copy of `stream` that answered `copied`. */
export function settled(stream: i32, copied: i32): i32 {
  if (copied != w.BLOCKED) return copied;
  if (!set) set = w.newSet();
  w.join(stream, set);
  w.waitSet(set, event);
  w.join(stream, 0);
  return load<i32>(event, 4);
}
