// What a component-async exports: wasi:cli/run, which the runtime calls once and then calls back for each event.
// AssemblyScript cannot name them as the canonical ABI does; `waterspout build` renames them. Reference:
// CanonicalABI.md, canon lift with callback.

import { IOLoop } from "./ioloop";
import { waitableSet } from "../wasi/preview3/connections";
import { setTimer, take } from "../wasi/preview3/events";
import { EVENT_NONE, returnFromRun } from "../wasi/preview3/imports";

export { cabi_realloc } from "../wasi/component/memory";

// What a callback answers.
const EXIT: i32 = 0;
const YIELD: i32 = 1;
const WAIT: i32 = 2;

export function run(): i32 {
  return proceed();
}

export function callback(kind: i32, waitable: i32, result: i32): i32 {
  if (kind != EVENT_NONE) take(kind, waitable, result);
  return proceed();
}

function proceed(): i32 {
  const loop = IOLoop.current();
  const rest = loop.turn(0);
  if (rest < 0) {
    returnFromRun(0);
    return EXIT;
  }
  return rest > 0 && setTimer(loop.time, rest) ? WAIT | (waitableSet() << 4) : YIELD;
}
