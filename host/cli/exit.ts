/** How the command ends when something went wrong: one line, and what a script can tell by the exit code. */
import { isUsageError } from "../core/errors.js";
import { errorLine, oneLine } from "../core/log.js";

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** Says what `error` is on stderr and ends this process. */
export function endWith(error: unknown): never {
  process.stderr.write(`waterspout: ${complaint(error)}\n`);
  process.exit(isUsageError(error) ? EXIT_USAGE : EXIT_FAILED);
}

/** An error that was made to be read is its message; any other tells where it came from, too. */
function complaint(error: unknown): string {
  return error instanceof Error && error.constructor !== TypeError ? oneLine(error.message) : errorLine(error);
}
