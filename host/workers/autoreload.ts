/**
 * More files for a command that watches an application's own: Tornado's `autoreload.watch`.
 *
 * Reference: `node --watch`, which has its child report the modules that it loads.
 */
import { resolve } from "node:path";
import { taskId } from "../net/inheritedsockets.js";

/** A process for which this is set tells its parent which modules it loads: Node does that for its own `--watch`. */
export const MODULES_VARIABLE = "WATCH_REPORT_DEPENDENCIES";

/**
 * Has a file watched that is read and not imported, such as a template. Without `waterspout run --watch` it does
 * nothing.
 */
export function watchFile(path: string): void {
  if (taskId() === null || process.env[MODULES_VARIABLE] === undefined) return;
  process.send?.({ "watch:require": [resolve(path)] });
}

/**
 * Node looks at the variable for each module, also for one that a handler imports later, so it stays. But what the
 * application starts copies this environment, and would report its modules to the application: for it the variable is
 * not there.
 */
export function hideFromChildren(variable: string): void {
  process.env = new Proxy(process.env, {
    ownKeys: (env) => Reflect.ownKeys(env).filter((name) => name !== variable),
  });
}
