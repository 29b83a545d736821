/** `console`: lines for the log, which is the stderr of the runtime. */
import { format } from "./inspect.js";
import { log } from "./queue.js";

const write = (...given: unknown[]): void => log(format(given));

export const console = {
  log: write,
  info: write,
  debug: write,
  warn: write,
  error: write,
  dir: (value: unknown): void => write(value),
  trace: (...given: unknown[]): void => write(...given, `\n${new Error().stack ?? ""}`),
  assert: (holds: unknown, ...given: unknown[]): void => {
    if (!holds) write("Assertion failed", ...given);
  },
};
