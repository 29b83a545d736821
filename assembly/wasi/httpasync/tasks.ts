// The tasks of wasi:http 0.3: the runtime calls one for each request, and calls it again for each event of its set. An
// answer can only be returned in its own task, so a task whose exchange another one has brought on is woken.
//
// Invariants: while tasks wait, the set of one of them tells of the time; a task ends when nothing of its exchange is
// left; the runtime begins none while there is no room for one. A timer costs a fifth of a small request, so it is kept
// when what it was for is done, and passed on.
// Reference: CanonicalABI.md, canon lift with callback, backpressure.

import { FOREVER } from "../readiness";
import {
  EVENT_FUTURE_READ,
  EVENT_STREAM_READ,
  EVENT_STREAM_WRITE,
  EVENT_SUBTASK,
  SUBTASK_RETURNED,
  cancelSubtask,
  dropSubtask,
  join,
  monotonicNow,
  waitFor,
} from "../preview3/imports";
import { CONNECTION, closeSlot, slotOf } from "../preview3/slots";
import {
  arrived,
  begin,
  bodyEnded,
  current,
  exchangeOf,
  futureWritten,
  isFull,
  isOver,
  left,
  returnAnswer,
  setCurrent,
} from "./exchange";
import * as w from "./imports";

// What a task answers.
const EXIT: i32 = 0;
const YIELD: i32 = 1;
const WAIT: i32 = 2;

let timer: i32 = 0;
let timerAt: i64 = 0;
let timerOf: i32 = -1; // the handle in whose set it is, -1: it is in none
let isRefusing: bool = false; // the runtime begins no more tasks
let most: i32 = 0; // handles so far
let calledAt: i64 = 0;

/** When the runtime has called: the time does not go on within a call, which never waits. */
export function now(): i64 {
  return calledAt;
}

/** A task has begun, with `request`. Returns the handle of its exchange. */
export function enter(request: i32): i32 {
  calledAt = i64(monotonicNow());
  const handle = begin(request);
  most = max(most, handle + 1);
  w.setContext(handle);
  setCurrent(handle);
  if (isFull() && !isRefusing) {
    w.increaseBackpressure();
    isRefusing = true;
  }
  return handle;
}

/** A task is called with an event: `waitable` has come to `result`. Returns the handle of its exchange. */
export function enterAgain(kind: i32, waitable: i32, result: i32): i32 {
  calledAt = i64(monotonicNow());
  const handle = w.getContext();
  setCurrent(handle);
  if (kind == EVENT_STREAM_READ) arrived(handle, result);
  else if (kind == EVENT_STREAM_WRITE) left(handle, result);
  else if (kind == EVENT_FUTURE_READ) bodyEnded(handle);
  else if (kind == w.EVENT_FUTURE_WRITE) futureWritten(handle, waitable);
  else if (kind == EVENT_SUBTASK && result >= SUBTASK_RETURNED) {
    join(waitable, 0);
    dropSubtask(waitable);
    if (waitable == timer) timer = 0;
    else exchangeOf(handle).waker = 0;
  }
  return handle;
}

/** The exchange has been brought on: its own task is called if that has something to do. */
export function wakeTask(handle: i32): void {
  const exchange = exchangeOf(handle);
  if (handle != current && (exchange.response || isOver(exchange))) wake(handle);
}

function wake(handle: i32): void {
  const exchange = exchangeOf(handle);
  if (exchange.waker) return;
  exchange.waker = startWait(1);
  join(exchange.waker, exchange.set);
}

/** A wait for `ns`, or longer when so long has passed already. */
function startWait(ns: i64): i32 {
  let wait = 0;
  for (; !wait; ns <<= 1) wait = waitFor(ns) >>> 4;
  return wait;
}

/** What the running task answers, after a turn; the next turn is wanted in `rest` ns. */
export function leave(handle: i32, rest: i64): i32 {
  const exchange = exchangeOf(handle);
  if (exchange.response) returnAnswer(exchange);
  setCurrent(-1);
  if (isOver(exchange)) {
    close(handle);
    handOn(rest);
    return EXIT;
  }
  if (!rest) return YIELD;
  setTimer(handle, rest);
  return WAIT | (exchange.set << 4);
}

/** A task has ended: one of the others sees to the next turn. */
function handOn(rest: i64): void {
  for (let handle = 0; handle < most; handle++) {
    if (slotOf(handle).kind != CONNECTION) continue;
    if (rest) setTimer(handle, rest);
    else wake(handle);
    return;
  }
}

/** The set of a task tells of the time in `ns` at the latest. An earlier timer stays: a turn for nothing. */
function setTimer(handle: i32, ns: i64): void {
  if (ns == FOREVER) return;
  const at = calledAt + ns;
  if (timer && timerAt <= at) {
    if (timerOf >= 0) return;
    if (timerAt > calledAt) return moveTimer(handle); // wasmtime 49 tells a task that waits of no earlier event
  }
  if (timer) dropTask(timer);
  timer = startWait(ns);
  timerAt = at;
  moveTimer(handle);
}

/** The timer tells the task of `handle` now; -1: none. */
function moveTimer(handle: i32): void {
  timerOf = handle;
  join(timer, handle < 0 ? 0 : exchangeOf(handle).set);
}

function dropTask(subtask: i32): void {
  join(subtask, 0);
  cancelSubtask(subtask);
  dropSubtask(subtask);
}

function close(handle: i32): void {
  const exchange = exchangeOf(handle);
  if (exchange.waker) dropTask(exchange.waker);
  exchange.waker = 0;
  closeSlot(handle);
  if (timer && timerOf == handle) moveTimer(-1);
  if (isRefusing && !isFull()) {
    w.decreaseBackpressure();
    isRefusing = false;
  }
}

/** There is no server: the runtime answers. */
export function refuse(request: i32): i32 {
  w.dropRequest(request);
  w.returnFromHandle(1, w.ERROR_CONFIGURATION, 0, 0, 0, 0, 0, 0);
  return EXIT;
}
