// The two ways in which a host runs a module: `_start` under a WASI runtime, `turn` from a host's own event loop.
//
// An application exports both (`export { _start, turn } from "waterspout/assembly"`). Its top level runs when the
// module is instantiated and sets up its servers. Invariant: turn() never waits longer than maxWaitMs.

import { NS_PER_MS } from "../core/units";
import { IOLoop } from "./ioloop";
import * as wasi from "../wasi/index";
// What a component exports in their place; `waterspout build` makes them exports.
import "./component";
import "./componentasync";

/** For turn(): no limit; from turn(): no other turn is wanted without an event. Milliseconds. */
export const FOREVER: i32 = i32.MAX_VALUE;

/**
 * One turn of the loop that waits at most `maxWaitMs`. Returns the milliseconds until the next one is wanted even
 * without an event, 0 for at once, FOREVER for never, and -1 once the loop has been stopped.
 */
export function turn(maxWaitMs: i32): i32 {
  const rest = IOLoop.current().turn(maxWaitMs == FOREVER ? wasi.FOREVER : i64(maxWaitMs) * NS_PER_MS);
  if (rest < 0) return -1;
  if (rest == wasi.FOREVER) return FOREVER;
  return i32(min<i64>((rest + NS_PER_MS - 1) / NS_PER_MS, FOREVER - 1));
}

/** Runs the loop until it is stopped: what a WASI runtime calls. */
export function _start(): void {
  while (turn(FOREVER) >= 0) {}
}
