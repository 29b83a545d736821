// What this module has done since it began, as a table of numbers. Each is counted in one place, where it happens.
// Invariants: counting is one addition to static memory, per operation and never per byte; nothing is allocated for it.
// Reference: docs/protocol.md, STATS, whose payload is the table.

import {
  BUFFER_BYTES,
  CONNECTIONS_HOT,
  MEMORY_BYTES,
  REFUSALS,
  REFUSALS_COUNT,
  REQUESTS_REFUSED,
  STATS,
  TURN_NS,
  TURN_NS_MAX,
  TURN_TIMES,
  TURN_TIMES_COUNT,
  TURNS,
} from "./statnumbers";

export * from "./statnumbers";

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

/** Counts a refused request by its code in protocol/http/refusal.ts, which is -2 or less. */
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
