/**
 * Lines for the log that peers may bring about, such as those of a failed handler.
 * Invariant: at most `LINES_PER_SECOND` a second; each further one is counted, and the next line says how many they were.
 */
import { monotonicMs } from "./clock.js";
import { log } from "./queue.js";

export const LINES_PER_SECOND = 100;
const SECOND_MS = 1000;

let sinceMs = Number.NEGATIVE_INFINITY;
let written = 0;
let skipped = 0;

export function report(line: string): void {
  const now = monotonicMs();
  if (now - sinceMs >= SECOND_MS) {
    sinceMs = now;
    written = 0;
  }
  if (written === LINES_PER_SECOND) {
    skipped++;
    return;
  }
  written++;
  log(skipped === 0 ? line : `${line}; ${skipped} more lines before it were not logged`);
  skipped = 0;
}
