// The loop's timers by themselves: bench/peers/timers.mjs arms many, and measures what one more costs and what it costs
// to fire.

import { IOLoop, Timeout } from "../../assembly/loop/ioloop";

export { turn } from "../../assembly/index";

const DELAY_MS_MIN: i32 = 1_000_000; // none of those that are only there fires meanwhile
let random: u32 = 1;
let ran: i32 = 0;

class Tick extends Timeout {
  run(): void {
    ran++;
  }
}

const spare = new Tick();

/** From 1,000 to 2,000 seconds: xorshift32. */
function delay(): i64 {
  random ^= random << 13;
  random ^= random >> 17;
  random ^= random << 5;
  return i64(DELAY_MS_MIN + i32(random % u32(DELAY_MS_MIN)));
}

/** Arms so many more. */
export function arm(count: i32): void {
  for (; count > 0; count--) IOLoop.current().callLater(delay(), new Tick());
}

/** Arms one and removes it, so many times. */
export function churn(times: i32): void {
  const loop = IOLoop.current();
  for (; times > 0; times--) {
    loop.callLater(delay(), spare);
    loop.removeTimeout(spare);
  }
}

/** Arms so many that are due at once: the next turn runs them. */
export function due(count: i32): void {
  for (; count > 0; count--) IOLoop.current().callLater(0, new Tick());
}

/** How many have run. */
export function fired(): i32 {
  return ran;
}
