/**
 * What an application can tell a command that watches its files: Tornado's `autoreload.watch`.
 *
 * Reference: `node --watch`, which has its child report the modules that it loads.
 */
import { resolve } from "node:path";
import { taskId } from "../net/inheritedsockets.js";
import { reportFile } from "../nodeinternals/modulereports.js";

/**
 * Has a file watched that is read and not imported, such as a template. Without `waterspout run --watch` it does
 * nothing.
 */
export function watchFile(path: string): void {
  if (taskId() !== null) reportFile(resolve(path));
}
