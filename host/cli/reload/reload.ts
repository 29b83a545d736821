/**
 * Asks a running server to load its application again, and waits for what it says.
 *
 * Invariant: no process gets SIGHUP that does not handle it, for that would end it.
 * Reference: proc(5), /proc/PID/status: Uid, SigCgt.
 */
import { readFileSync } from "node:fs";
import { UsageError } from "../../core/errors.js";
import { RELOAD_WAIT_MS } from "../../core/limits.js";
import { within } from "../../core/promises.js";
import { EXIT_FAILED } from "../exit.js";
import { awaitOutcome } from "./outcome.js";

/** Returns the exit code. It waits for `waitMs` at most. */
export async function reloadProcess(pid: number, waitMs: number = RELOAD_WAIT_MS): Promise<number> {
  const waiting = await awaitOutcome(pid, ownerOf(pid));
  try {
    process.kill(pid, "SIGHUP");
    const outcome = await within(waiting.outcome, waitMs);
    if (outcome?.failure === null) return 0;
    const late = `process ${pid} has not said within ${waitMs / 1000} s what became of it`;
    const why = outcome === null ? late : outcome.failure;
    process.stderr.write(`waterspout: not reloaded: ${why}\n`);
    return EXIT_FAILED;
  } finally {
    waiting.close();
  }
}

/** The user of process `pid`. Throws UsageError unless it is there and handles SIGHUP. */
function ownerOf(pid: number): number {
  try {
    process.kill(pid, 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === "EPERM" ? `process ${pid} is another user's` : `there is no process ${pid}`);
  }
  const status = statusOf(pid);
  if (status === null) return process.getuid?.() ?? 0; // no Linux: it cannot be seen
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  if ((caught & 1n) === 0n) throw new UsageError(`process ${pid} cannot reload: start it with --reloadable`);
  return Number(/^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

function statusOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return null;
  }
}
