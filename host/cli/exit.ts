/** The end of the command after an error: one line on stderr, more on a terminal, and an exit code for scripts. */
import { isUsageError } from "../core/errors.js";
import { errorLine, manyLines, oneLine } from "../core/log.js";

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** Writes `error` to stderr as one line and exits. */
export function exitWith(error: unknown): never {
  process.stderr.write(`waterspout: ${complaint(error)}\n`);
  const { details = "" } = (error ?? {}) as { details?: string };
  if (process.stderr.isTTY && details !== "") process.stderr.write(`\n${manyLines(details)}\n\n`);
  process.exit(isUsageError(error) ? EXIT_USAGE : EXIT_FAILED);
}

/** The message alone, for errors made for users; with the place in the code for a TypeError or what is no Error. */
function complaint(error: unknown): string {
  return error instanceof Error && error.constructor !== TypeError ? oneLine(error.message) : errorLine(error);
}
