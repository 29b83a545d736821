// What a component exports: wasi:cli/run, which serves until the loop is stopped.
// AssemblyScript cannot name it as the canonical ABI does; `waterspout build` renames it.

import { IOLoop } from "./ioloop";
import * as wasi from "../wasi/index";

export { cabi_realloc } from "../wasi/component/memory";

/** 0: in order. */
export function run(): i32 {
  const loop = IOLoop.current();
  while (loop.turn(wasi.FOREVER) >= 0) {}
  return 0;
}
