// What this module has done since it began, as a table of numbers: each is counted in one place, where it happens.
// Invariants: counting is an addition to static memory, once an operation and never once a byte; nothing is ever
// allocated for it; this file knows no other but its numbers' size. Reference: docs/protocol.md, STATS, whose payload
// the table is.

/** Open connections. */
export const CONNECTIONS_NOW: i32 = 0;
/** Connections that were accepted. */
export const CONNECTIONS_EVER: i32 = 1;
/** Connections that were closed before a handler saw them: their PROXY protocol header was wrong or did not come. */
export const CONNECTIONS_REFUSED: i32 = 2;
/** Times that accepting rested because there were no descriptors. */
export const ACCEPT_RESTS: i32 = 3;
/** Bytes that peers sent and this module has read. */
export const BYTES_IN: i32 = 4;
/** Bytes that have left for peers. */
export const BYTES_OUT: i32 = 5;
/** HTTP requests whose answer is not complete. */
export const REQUESTS_NOW: i32 = 6;
/** HTTP requests whose head was in order. */
export const REQUESTS_EVER: i32 = 7;
/**
 * HTTP requests that were answered with an error without, or against, their handler: malformed, too large, too slow.
 */
export const REQUESTS_REFUSED: i32 = 8;
/** Turns of the loop. */
export const TURNS: i32 = 9;
/** Nanoseconds in turns, from the events to the end; waiting does not count. */
export const TURN_NS: i32 = 10;
/** The longest turn, in nanoseconds. */
export const TURN_NS_MAX: i32 = 11;
/** Handles that a turn tried because they were, or might have been, ready. */
export const HANDLES_TRIED: i32 = 12;
/** Calls of poll_oneoff. */
export const POLLS: i32 = 13;
/** Connections that were read without a poll, and how many of those had nothing. */
export const PROBES: i32 = 14;
export const PROBES_MISSED: i32 = 15;
/** Bytes in buffers, and of the module's whole memory, which never shrinks: set when the table is asked for. */
export const BUFFER_BYTES: i32 = 16;
export const MEMORY_BYTES: i32 = 17;

/** Open connections that are hot, so that each poll asks about them; set when the table is asked for. */
export const CONNECTIONS_HOT: i32 = 18;

/** How many turns took how long: at most 1,024 ns, at most twice that, and so on; the last of these has no bound. */
export const TURN_TIMES: i32 = 19;
export const TURN_TIMES_COUNT: i32 = 20;
/** Refused requests by their reason, in the order of http/refusal.ts; the last of these is for others. */
export const REFUSALS: i32 = 39;
export const REFUSALS_COUNT: i32 = 39;

/** Numbers in the table. */
export const STATS: i32 = 78;

const table: usize = memory.data(STATS * 8, 8);
const SHORTEST_TURN_BITS: i64 = 10;

// @ts-ignore: decorator
@inline function place(stat: i32): usize {
  return table + (usize(stat) << 3);
}

/** Adds to a number. */
// @ts-ignore: decorator
@inline export function count(stat: i32, amount: i64 = 1): void {
  store<i64>(place(stat), load<i64>(place(stat)) + amount);
}

/** Raises a number that holds the most. */
// @ts-ignore: decorator
@inline export function countMost(stat: i32, value: i64): void {
  if (value > load<i64>(place(stat))) store<i64>(place(stat), value);
}

/** Counts a turn that took `spentNs`. */
export function countTurn(spentNs: i64): void {
  count(TURNS);
  count(TURN_NS, spentNs);
  countMost(TURN_NS_MAX, spentNs);
  const bits = 64 - clz<i64>(max<i64>(spentNs, 1) - 1) - SHORTEST_TURN_BITS;
  count(TURN_TIMES + i32(min<i64>(max<i64>(bits, 0), TURN_TIMES_COUNT - 1)));
}

/** Counts a refused request by its code in http/refusal.ts, which is -2 or less. */
export function countRefusal(code: i32): void {
  count(REQUESTS_REFUSED);
  count(REFUSALS + i32(min<u32>(u32(-2 - code), REFUSALS_COUNT - 1)));
}

/** One of the numbers, by its name here. */
export function stat(name: i32): i64 {
  return load<i64>(place(name));
}

/** Copies the table to `target`, STATS × 8 bytes, with what is true now of memory and of connections. */
export function writeStats(target: usize, bytesInUse: usize, hot: i32): void {
  store<i64>(place(CONNECTIONS_HOT), hot);
  store<i64>(place(BUFFER_BYTES), i64(bytesInUse));
  store<i64>(place(MEMORY_BYTES), i64(memory.size()) << 16);
  memory.copy(target, table, usize(STATS) << 3);
}
