/**
 * The last errors that a server has reported to its logger, for the live page.
 *
 * Invariant: at most RECENT_ERRORS_MAX are kept, and of each at most RECENT_ERROR_CHARS_MAX characters on one line: a
 * peer may be the cause of any number of them.
 */
import { RECENT_ERROR_CHARS_MAX, RECENT_ERRORS_MAX } from "./limits.js";
import { type Logger, logLine } from "./log.js";

/** One line of the log. */
export interface RecentError {
  /** When, in milliseconds since 1970. */
  readonly time: number;
  /** What was logged, on one line. */
  readonly text: string;
}

export class RecentErrors {
  #errors: RecentError[] = [];

  /** The newest first. */
  get list(): readonly RecentError[] {
    return this.#errors;
  }

  /** `settings` with a logger in front of theirs, whose errors are also kept here. */
  watch<Settings extends { readonly logger: Logger }>(settings: Settings): Settings {
    const { logger } = settings;
    const watched: Logger = {
      debug: (...line) => logger.debug(...line),
      info: (...line) => logger.info(...line),
      warn: (...line) => logger.warn(...line),
      error: (...line) => {
        const text = logLine(...line).slice(0, RECENT_ERROR_CHARS_MAX);
        this.#errors = newest([{ time: Date.now(), text }, ...this.#errors]);
        logger.error(...line);
      },
    };
    return { ...settings, logger: watched };
  }
}

/** Those that are kept of `errors`, the newest first. */
export function newest(errors: readonly RecentError[]): RecentError[] {
  return errors.toSorted((one, other) => other.time - one.time).slice(0, RECENT_ERRORS_MAX);
}
