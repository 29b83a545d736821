// Log lines of a component of WASI 0.2. Reference: wasi:cli/stderr; wasi:io/streams, blocking-write-and-flush.

import { OVER_02 } from "../build";
import * as w from "./imports";

/** What blocking-write-and-flush takes at once. */
const WRITE_BYTES_MAX: i32 = 4096;
const result: usize = OVER_02 ? memory.data(16, 8) : 0;
let stderr: i32 = 0;

/** How many bytes were written, -1: stderr is closed. */
export function writeToStderr(source: usize, size: i32): i32 {
  if (!stderr) stderr = w.getStderr();
  const n = min(size, WRITE_BYTES_MAX);
  w.writeAndFlush(stderr, source, n, result);
  if (!load<u8>(result)) return n;
  if (!load<u8>(result, 4)) w.dropError(load<i32>(result, 8));
  return -1;
}
