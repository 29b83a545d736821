/**
 * What `waterspout run` does: serves in this process, or has it done by processes that run the same command
 * (cli/run/rollingrestart.ts).
 *
 * Invariant: such a process tells first what it wants to be bound, and serves when it has inherited just that.
 */

import { UsageError } from "../../core/errors.js";
import { answerReports } from "../../inspect/group.js";
import { isInherited } from "../../net/bind.js";
import { taskId } from "../../net/inheritedsockets.js";
import { MODULES_VARIABLE, reportModules } from "../../nodeinternals/modulereports.js";
import { checkSettings, presetSettings, settingsHelp } from "../../settings/define.js";
import { onSignals } from "../../workers/fork.js";
import type { Values } from "../command.js";
import { EXIT_FAILED, endWith } from "../exit.js";
import { type Application, type Loaded, loadApplication } from "./app.js";
import { letSmallHeapGrow } from "./heapgrowth.js";
import { type Plan, planFrom, type Serving, servingLine, servingOf, type WorkerMessage } from "./plan.js";
import { type RunSettings, readRunSettings } from "./settings.js";

/** Serves `file`; `passedOn` are flags of the application's own settings. */
export async function serve(file: string, values: Values, passedOn: readonly string[]): Promise<void> {
  const settings = readRunSettings(file, values);
  presetSettings(passedOn, settings.settingsPath, settings.application);
  if (taskId() !== null) return serveAsWorker(settings);
  presetAccessLog(settings);
  if (passedOn.includes("--help")) return printSettings(settings);
  const guess = planFrom(settings, null);
  if (settings.watch || isForSeveral(guess)) return supervise(settings, guess, settings.watch);
  const loaded = await load(settings);
  const plan = planFrom(settings, loaded);
  if (plan.autoreload || isForSeveral(plan)) return supervise(settings, plan, plan.autoreload);
  const serving = await listen(loaded.application, plan);
  if (serving !== null) process.stdout.write(servingLine(serving, settings.json));
}

/** wasmtime's workers are below one process of Node; Node's are processes of their own. */
function isForSeveral({ runtime, workers }: Plan): boolean {
  return runtime === "node" && workers > 1;
}

/** What servers take that are told nothing else, in this process and in those that it starts. */
function presetAccessLog({ layers }: RunSettings): void {
  const { accessLog } = layers.under;
  process.env.WATERSPOUT_ACCESS_LOG =
    typeof accessLog === "string" ? accessLog : process.stderr.isTTY ? "text" : "json";
}

/** The application's own settings are known when it has been loaded. */
async function printSettings({ file, layers }: RunSettings): Promise<void> {
  await loadApplication(file, layers);
  process.stdout.write(settingsHelp());
  process.exit(0);
}

async function load({ file, layers, folders }: RunSettings): Promise<Loaded> {
  const loaded = await loadApplication(file, layers, folders);
  const [other] = checkSettings();
  if (other === undefined) return loaded;
  throw new UsageError(`the application takes settings such as --name=value, not ${JSON.stringify(other)}`);
}

/** Resolves when it serves; with null when it has been stopped before. */
async function listen(application: Application, plan: Plan): Promise<Serving | null> {
  letSmallHeapGrow();
  onSignals(() => void application.stop().then(() => process.exit(0), endWith));
  reloadOnHangUp(application);
  await application.listen(plan.port, plan.address);
  application.closed.catch(() => process.exit(EXIT_FAILED));
  const [address] = application.addresses;
  return address === undefined ? null : servingOf(application, address, plan);
}

/** SIGHUP means new certificates; where there are none it ends the process, as ever. */
function reloadOnHangUp({ options: { tls, logger } }: Application): void {
  if (tls === null) return;
  process.on("SIGHUP", () => {
    try {
      tls.reload();
    } catch (error) {
      logger.error(`the certificates stay as they are: ${(error as Error).message}`);
    }
  });
}

// --- below another process ---

async function supervise(settings: RunSettings, plan: Plan, watch: boolean): Promise<void> {
  const { Generations } = await import("./rollingrestart.js");
  process.exit(await new Generations(settings, plan, watch).run());
}

/**
 * The process above shows what this one counts; a port of one's own for that would be in the way of the next
 * generation.
 */
async function serveAsWorker(settings: RunSettings): Promise<void> {
  const isWatched = process.env[MODULES_VARIABLE] !== undefined;
  if (isWatched) await reportModules();
  const loaded = await load(settings);
  const plan = planFrom(settings, loaded);
  await tell({ plan });
  const { application } = loaded;
  const canBeServed = isInherited(plan.port, plan.address, plan.runtime) && (isWatched || !plan.autoreload);
  if (!canBeServed) process.exit(0); // and is started again with what it wants
  application.configure({ inspect: false });
  answerReports(application);
  const serving = await listen(application, plan);
  if (serving !== null) await tell({ serving });
}

function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}
