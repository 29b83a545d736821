/**
 * SIGHUP, which has two meanings: a terminal is gone, and its programs end; or an operator wants a server to load its
 * application again.
 *
 * Reference: signal(7), tty(4): without a terminal, /dev/tty cannot be opened.
 */
import { closeSync, openSync } from "node:fs";

/** Calls `end` when the terminal that this program was started from is gone, otherwise `reload`. */
export function onHangUp(reload: () => void, end: () => void): void {
  const hadTerminal = process.stdin.isTTY === true;
  process.on("SIGHUP", () => (hadTerminal && !hasTerminal() ? end() : reload()));
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
