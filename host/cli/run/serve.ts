/**
 * Serves an application in this process, or by child processes that run the same command (rollingrestart.ts).
 *
 * Invariant: a child process first sends its plan to its parent, and serves only on sockets that it has inherited for
 * that plan; otherwise it exits, and the parent starts it again with such sockets.
 */
import { UsageError } from "../../core/errors.js";
import { STOP_GRACE_MS } from "../../core/limits.js";
import { MEMORY_VARIABLE, shareMemory } from "../../core/memorybudget.js";
import { CORE_FILE } from "../../core/paths.js";
import { nameProgram } from "../../core/program.js";
import { deferred } from "../../core/promises.js";
import { DEBUG_VARIABLE } from "../../http/settings.js";
import { answerReports, hasAnswered } from "../../inspect/group.js";
import { isInherited } from "../../net/bind.js";
import { taskId } from "../../net/inheritedsockets.js";
import { MODULES_VARIABLE, reportModules } from "../../nodeinternals/modulereports.js";
import { runtimeNamed } from "../../runtime/index.js";
import { checkSettings, presetSettings, settingsHelp } from "../../settings/define.js";
import { onSignals, SIGNALS } from "../../workers/fork.js";
import { onRetire } from "../../workers/processgroup.js";
import { waitAsSpare } from "../../workers/spare.js";
import type { Values } from "../command.js";
import { EXIT_FAILED, exitWith } from "../exit.js";
import { reportOutcome } from "../reload/outcome.js";
import { announce } from "./announce.js";
import { type Application, type Loaded, loadApplication } from "./app.js";
import { raiseHeapGrowth } from "./heapgrowth.js";
import { enableLoader } from "./loading/loader.js";
import { type Plan, planFrom, type Serving, servingOf, type WorkerMessage } from "./plan.js";
import { canReload, refuseImpossible } from "./refusals.js";
import { ServiceManager } from "./servicemanager.js";
import { type RunSettings, readRunSettings } from "./settings.js";

/** Serves `file`. `passedOn`: flags of the application's own settings. */
export async function serve(file: string, values: Values, passedOn: readonly string[]): Promise<void> {
  await waitAsSpare(async () => {
    enableLoader(file);
    await runtimeNamed("node").prepare(CORE_FILE);
  });
  const settings = readRunSettings(file, values);
  nameProgram(file);
  if (settings.memory !== undefined) process.env[MEMORY_VARIABLE] = settings.memory;
  presetSettings(passedOn, settings.settingsPath, settings.application);
  if (taskId() !== null) return serveAsWorker(settings);
  const manager = new ServiceManager();
  presetAccessLog(settings);
  if (settings.debug) process.env[DEBUG_VARIABLE] = "1";
  if (passedOn.includes("--help")) return printSettings(settings);
  const guess = planFrom(settings, null);
  refuseImpossible(guess, settings, file);
  if (settings.watch || settings.reloadable || needsProcesses(guess)) {
    return supervise(settings, guess, settings.watch, manager);
  }
  const loaded = await load(settings);
  const plan = planFrom(settings, loaded);
  refuseImpossible(plan, { watch: false, reloadable: false }, file);
  const reloads = canReload(plan);
  if (reloads || needsProcesses(plan)) return supervise(settings, plan, reloads, manager);
  const { application } = loaded;
  reloadOnHangUp(application);
  const serving = await listen(loaded, plan, manager);
  if (serving === null) return;
  announce(serving, settings);
  manager.ready(serving.url);
  manager.watch(async () => hasAnswered(await application.report()));
}

/** Whether it takes several processes of Node; wasmtime's workers are children of one. */
function needsProcesses({ runtime, workers }: Plan): boolean {
  return runtime === "node" && workers > 1;
}

/** The access log of servers without an option of their own, in this process and its children. */
function presetAccessLog({ outer }: RunSettings): void {
  const { accessLog } = outer.under;
  process.env.WATERSPOUT_ACCESS_LOG =
    typeof accessLog === "string" ? accessLog : process.stderr.isTTY ? "text" : "json";
}

/** Prints the application's own settings, which are known once it has been loaded. */
async function printSettings(settings: RunSettings): Promise<void> {
  await loadApplication(settings);
  process.stdout.write(settingsHelp());
  process.exit(0);
}

async function load(settings: RunSettings): Promise<Loaded> {
  const loaded = await loadApplication(settings);
  const [other] = checkSettings();
  if (other === undefined) return loaded;
  throw new UsageError(`the application takes settings such as --name=value, not ${JSON.stringify(other)}`);
}

/** Resolves when it serves; with null when it was stopped before that. */
async function listen(
  { application, opened }: Loaded,
  plan: Plan,
  manager: ServiceManager | null = null,
): Promise<Serving | null> {
  raiseHeapGrowth();
  // A program of its own that hears signals, too, has something to do before its end.
  const endsItself = opened !== undefined && SIGNALS.some((name) => process.listenerCount(name) > 0);
  onSignals((name) => {
    manager?.stopping();
    if (name === "SIGINT") sayWhatIsWaitedFor(application);
    application.stop().then(endsItself ? letEnd : () => process.exit(0), exitWith);
  });
  await application.listen(plan.port, plan.address);
  application.closed.catch(() => process.exit(EXIT_FAILED));
  opened?.();
  const [address] = application.addresses;
  return address === undefined ? null : servingOf(application, address, plan);
}

/** Lets the program end by itself, or ends it when that takes long. */
function letEnd(): void {
  process.channel?.unref();
  setTimeout(() => process.exit(0), STOP_GRACE_MS).unref();
}

/** Says to the user who has pressed ^C why the command does not end at once. */
function sayWhatIsWaitedFor(application: Application): void {
  if (!("stats" in application)) return;
  application.stats().then(
    ({ requestsNow, connectionsNow }) => {
      const [count, what] = application.scheme === "http" ? [requestsNow, "request"] : [connectionsNow, "connection"];
      if (count === 0) return;
      const seconds = STOP_GRACE_MS / 1000;
      const many = `${count} ${what}${count === 1 ? "" : "s"}`;
      process.stderr.write(`waterspout: waits up to ${seconds} s for ${many} in flight; a second ^C ends it at once\n`);
    },
    () => {}, // it has ended
  );
}

/**
 * In a process without workers, SIGHUP loads the certificates again, and nothing else; without TLS the signal ends the
 * process as usual.
 */
function reloadOnHangUp({ options: { tls, logger } }: Application): void {
  if (tls === null) return;
  process.on("SIGHUP", () => {
    try {
      tls.reload();
      reportOutcome(null);
    } catch (error) {
      const why = `the certificates stay as they are: ${(error as Error).message}`;
      logger.error(why);
      reportOutcome(why);
    }
  });
}

// --- below another process ---

async function supervise(settings: RunSettings, plan: Plan, watch: boolean, manager: ServiceManager): Promise<void> {
  const { RollingRestart } = await import("./rollingrestart.js");
  process.exit(await new RollingRestart(settings, plan, watch, manager).run());
}

/** Serves as a child process. Its parent has the admin server: a port of its own would collide with its successor's. */
async function serveAsWorker(settings: RunSettings): Promise<void> {
  const isWatched = process.env[MODULES_VARIABLE] !== undefined;
  if (isWatched) await reportModules();
  // Before it loads: an application that listens for messages, too, would have this one pass unheard.
  const retired = deferred();
  onRetire(retired.resolve);
  const loaded = await load(settings).catch(async (error) => {
    await tell({}); // then what was reported before has left, too: the files to watch for a better version
    throw error;
  });
  const plan = planFrom(settings, loaded);
  await tell({ plan });
  const { application } = loaded;
  const canBeServed = isInherited(plan.port, plan.address, plan.runtime) && (isWatched || !plan.autoreload);
  if (!canBeServed) process.exit(0); // its parent starts it again with the sockets of its plan
  if (plan.runtime === "node") shareMemory(plan.workers);
  application.configure({ inspect: false }); // its bounds are found out again, too
  answerReports(application);
  void retired.promise.then(() => {
    application.retire(() => void tell({ quiet: true })).then(() => process.exit(0), exitWith);
  });
  const serving = await listen(loaded, plan);
  if (serving !== null) await tell({ serving });
}

function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}
