// The platform of a component of wasi:http 0.3: no sockets, but exchanges, whose handles are theirs. Reading one reads
// the request's body, writing it writes the answer's. Clock, date and log are those of preview3.
// Invariant: what is watched and not known to be ready is pending with the runtime when a task waits: tasks.ts.
// Reference: the contract in ../index.ts; ../preview3/events.ts.

import { FOREVER } from "../readiness";
import { READ, WRITE, armLater, isAnyDue, markReady, nextDue, nextToArm, slotOf, turnToDue } from "../preview3/slots";
import { armRead } from "./exchange";

export { read, write } from "./exchange";
export { now } from "./tasks";
export { log, unixSeconds } from "../preview3/index";
export { watch } from "../preview3/slots";

let current: i32 = -1;
export let ready: i32 = 0;

/** Asks the runtime to tell of all that is watched; what is ready already is due. */
function armAll(): void {
  for (let handle = nextToArm(); handle >= 0; handle = nextToArm()) {
    const slot = slotOf(handle);
    const wanted = slot.interest & ~slot.pending;
    if (wanted & READ) {
      if (slot.ready & READ) markReady(handle, READ);
      else armRead(handle, slot);
    }
    if (wanted & WRITE) markReady(handle, WRITE); // of a pending write, its end tells
  }
}

/** Waiting is the runtime's. */
export function wait(): void {
  armAll();
  turnToDue();
}

export function next(): i32 {
  if (current >= 0 && slotOf(current).interest) armLater(current); // it has been tried, and is watched on
  current = nextDue();
  if (current < 0) return -1;
  const slot = slotOf(current);
  ready = slot.ready & slot.interest;
  slot.ready &= ~u8(ready);
  return current;
}

export function sleepNs(): i64 {
  armAll();
  return isAnyDue() ? 0 : FOREVER;
}
