// Readiness over WASI 0.3: one set that all streams are in tells of those that are ready, one by one, and of the time.
//
// Invariants: what is watched and not known to be ready is pending with the host, at the latest when the component
// waits; nothing here walks over connections. Waiting itself is the runtime's: loop/componentasync.ts returns to it.

import * as w from "./imports";
import { armRead, armWrite, arrived, left, noteOutcome, waitableSet } from "./connections";
import {
  READ,
  WRITE,
  armLater,
  isAnyDue,
  isHeldBack,
  markReady,
  nextDue,
  nextToArm,
  ownerOf,
  putAside,
  slotOf,
  turnToDue,
} from "./slots";
import { FOREVER } from "../readiness";

/** Events that are taken in one turn; the rest come with the next. */
const EVENTS_PER_TURN: i32 = 1024;

const event: usize = memory.data(8, 4);
let timer: i32 = 0;
let timerAt: i64 = 0;
let current: i32 = -1;
/** What the handle of the last next() is ready for. */
export let ready: i32 = 0;

/** Asks the host to tell of all that is watched; what is ready already is due. */
function armAll(): void {
  for (let handle = nextToArm(); handle >= 0; handle = nextToArm()) {
    const slot = slotOf(handle);
    const wanted = slot.interest & ~slot.pending;
    if (wanted & READ) {
      if (isHeldBack(slot)) putAside(handle);
      else if (slot.ready & READ) markReady(handle, READ);
      else armRead(handle, slot);
    }
    if (wanted & WRITE) armWrite(handle, slot);
  }
}

/** Takes what the host has to tell, without waiting. */
export function wait(): void {
  armAll();
  for (let i = 0; i < EVENTS_PER_TURN; i++) {
    const kind = w.pollSet(waitableSet(), event);
    if (kind == w.EVENT_NONE) break;
    take(kind, load<i32>(event), load<i32>(event, 4));
  }
  turnToDue();
}

/** An event: `waitable` has come to `result`. */
export function take(kind: i32, waitable: i32, result: i32): void {
  if (kind == w.EVENT_STREAM_READ) arrived(ownerOf(waitable), result);
  else if (kind == w.EVENT_STREAM_WRITE) left(ownerOf(waitable), result);
  else if (kind == w.EVENT_FUTURE_READ) {
    const handle = ownerOf(waitable);
    w.join(waitable, 0);
    noteOutcome(handle);
    markReady(handle, READ);
  } else if (kind == w.EVENT_SUBTASK && result >= w.SUBTASK_RETURNED) {
    w.join(waitable, 0);
    w.dropSubtask(waitable);
    if (waitable == timer) timer = 0;
    else left(ownerOf(waitable), 0);
  }
}

/** The next handle to try, -1: none is left. */
export function next(): i32 {
  if (current >= 0 && slotOf(current).interest) armLater(current); // it has been tried, and is watched on
  for (current = nextDue(); current >= 0; current = nextDue()) {
    const slot = slotOf(current);
    ready = slot.ready & slot.interest;
    if (ready & READ && isHeldBack(slot)) {
      putAside(current);
      ready &= ~READ;
    }
    slot.ready &= ~u8(ready);
    if (ready) return current;
  }
  return -1;
}

export function sleepNs(): i64 {
  armAll();
  return isAnyDue() ? 0 : FOREVER;
}

/**
 * The set tells of the time `ns` after `now` at the latest, when the turn began: how long that has taken makes nothing
 * late. An earlier timer stays: then there is a turn for nothing. False: the time is over already, and the set will not
 * tell.
 */
export function setTimer(now: i64, ns: i64): bool {
  if (ns == FOREVER) return true;
  const at = now + ns;
  if (timer) {
    if (timerAt <= at) return true;
    w.join(timer, 0);
    w.cancelSubtask(timer);
    w.dropSubtask(timer);
  }
  timer = w.waitUntil(at) >>> 4;
  timerAt = at;
  if (timer) w.join(timer, waitableSet());
  return timer != 0;
}
