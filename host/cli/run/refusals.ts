/**
 * What `waterspout run` cannot do where it runs: Bun and Deno are not Node in everything.
 *
 * Invariant: it is refused in one sentence before anything is started.
 */
import { WATCHER, whyNoTLS, whyNotShared } from "../../core/engine.js";
import { UsageError } from "../../core/errors.js";
import { isComponent, whyNotInComponent } from "../../core/runtimename.js";
import type { Plan } from "./plan.js";
import type { RunSettings } from "./settings.js";

/** Throws UsageError for what cannot be done. `given`: flags. */
export function refuseImpossible(
  { runtime, workers, tls }: Plan,
  { watch, reloadable }: Pick<RunSettings, "watch" | "reloadable">,
  file: string,
): void {
  const reasons = [
    runtime === "node" ? null : whyNotShared(`the runtime ${runtime}`),
    (watch || reloadable) && isComponent(runtime)
      ? whyNotInComponent(runtime, `no --${watch ? "watch" : "reloadable"}, which needs two processes on a port`)
      : null,
    workers > 1 && isComponent(runtime) ? whyNotInComponent(runtime, `one worker, not ${workers}`) : null,
    workers > 1 ? whyNotShared("--workers") : null,
    reloadable ? whyNotShared("--reloadable") : null,
    watch ? whyNotWatched(file) : null,
    tls ? whyNoTLS("TLS") : null,
  ];
  const why = reasons.find((reason) => reason !== null);
  if (why !== undefined) throw new UsageError(why);
}

function whyNotWatched(file: string): string | null {
  const why = whyNotShared("--watch");
  return why === null || WATCHER === null ? why : `${why}; ${WATCHER} ${process.argv[1]} run ${file} does it`;
}

/** Whether an application that asks for it is loaded again; where that is not possible it is served all the same. */
export function canReload({ autoreload, runtime }: Plan): boolean {
  if (!autoreload) return false;
  const what = "loading the application again";
  const why = isComponent(runtime) ? whyNotInComponent(runtime, `no ${what}`) : whyNotShared(what);
  if (why !== null) process.stderr.write(`waterspout: warning: ${why}\n`);
  return why === null;
}
