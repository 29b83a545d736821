// The platform of a component of wasi:http: no sockets, but one exchange, whose handle is EXCHANGE. Reading it reads
// the request's body, writing it writes the answer's.
// Reference: the contract in ../index.ts. Without a clock that runs out and without interest, wait() returns at once.

import { land } from "../component/memory";
import * as w2 from "../preview2/imports";
import { writeToStderr } from "../preview2/output";
import { readablePollable, writablePollable } from "./exchange";
import { FOREVER, READ, WRITE } from "../readiness";

export { read, write } from "./exchange";

/** The handle of the exchange. */
export const EXCHANGE: i32 = 0;

// Up to three pollables, the indexes of those that are ready, and a result.
const pollables: usize = WASI == 4 ? memory.data(16, 4) : 0;
const indexes: usize = WASI == 4 ? memory.data(16, 4) : 0;
const result: usize = WASI == 4 ? memory.data(16, 8) : 0;
let interest: i32 = 0;
let pending: i32 = 0; // what next() reports
export let ready: i32 = 0;

export function watch(events: i32): void {
  interest = events;
}

/** Whether something can come of waiting. */
export function isWatched(): bool {
  return interest != 0;
}

/** That something is ready is a hint, so a poll that would not wait is spared. */
export function wait(timeoutNs: i64): void {
  pending = interest;
  if (!timeoutNs || (!interest && timeoutNs == FOREVER)) return;
  pending = 0;
  const reading = interest & READ ? readablePollable() : 0;
  const writing = interest & WRITE ? writablePollable() : 0;
  const timer = timeoutNs == FOREVER ? 0 : w2.subscribeDuration(timeoutNs);
  let count = 0;
  if (reading) store<i32>(pollables + (usize(count++) << 2), reading);
  if (writing) store<i32>(pollables + (usize(count++) << 2), writing);
  if (timer) store<i32>(pollables + (usize(count++) << 2), timer);
  if (!count) return;
  land(indexes, 16);
  w2.poll(pollables, count, result);
  land(0, 0);
  if (timer) w2.dropPollable(timer);
  for (let i = 0; i < load<i32>(result, 4); i++) {
    const pollable = load<i32>(pollables + (load<usize>(indexes + (usize(i) << 2)) << 2));
    if (pollable == reading) pending |= READ;
    else if (pollable == writing) pending |= WRITE;
  }
}

export function next(): i32 {
  ready = pending;
  pending = 0;
  return ready ? EXCHANGE : -1;
}

export function now(): i64 {
  return w2.monotonicNow();
}

export function unixSeconds(): i64 {
  w2.wallNow(result);
  return load<i64>(result);
}

export function log(source: usize, size: i32): void {
  while (size > 0) {
    const n = writeToStderr(source, size);
    if (n <= 0) return;
    source += usize(n);
    size -= n;
  }
}
