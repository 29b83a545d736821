/** What an application can tell a command that watches its files: Tornado's `autoreload.watch`. */
import { resolve } from "node:path";
import { taskId } from "./inheritance.js";

/** A process for which this is set tells its parent which modules it loads: Node does that for its own `--watch`. */
export const MODULES_VARIABLE = "WATCH_REPORT_DEPENDENCIES";

/** Read at once: it is taken out of the environment when the application has been loaded. */
const isWatched = taskId() !== null && process.env[MODULES_VARIABLE] !== undefined;

/** Has a file watched that is read and not imported, such as a template. Without `waterspout run --watch` it does nothing. */
export function watchFile(path: string): void {
  if (isWatched) process.send?.({ "watch:require": [resolve(path)] });
}
