// What a component of WASI 0.2 writes to stderr, and the bridge to stdout. Reference: wasi:cli/stderr, wasi:cli/stdout;
// wasi:io/streams, blocking-write-and-flush.

import { OVER_02 } from "../build";
import * as w from "./imports";

/** What blocking-write-and-flush takes at once. */
const WRITE_BYTES_MAX: i32 = 4096;
const result: usize = OVER_02 ? memory.data(16, 8) : 0;
let stderr: i32 = 0;
let stdout: i32 = 0;

/** How many bytes were written, -1: stderr is closed. */
export function writeToStderr(source: usize, size: i32): i32 {
  if (!stderr) stderr = w.getStderr();
  return write(stderr, source, size);
}

/** How many bytes were written, -1: stdout is closed. */
export function writeToStdout(source: usize, size: i32): i32 {
  if (!stdout) stdout = w.getStdout();
  return write(stdout, source, size);
}

function write(stream: i32, source: usize, size: i32): i32 {
  const n = min(size, WRITE_BYTES_MAX);
  w.writeAndFlush(stream, source, n, result);
  if (!load<u8>(result)) return n;
  if (!load<u8>(result, 4)) w.dropError(load<i32>(result, 8));
  return -1;
}
