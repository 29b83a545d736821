/**
 * Which modules a program loads: a child for which `WATCH_REPORT_DEPENDENCIES` is set tells its parent. That is how
 * `node --watch` knows what to watch. The fallback reports the same from a hook of `module.registerHooks`.
 */
import nodeModule from "node:module";
import { isSwitchedOff, nodeInternal } from "./internal.js";

const NAME = "WATCH_REPORT_DEPENDENCIES";

/** A process for which this is set tells its parent which modules it loads. Node does not know the second name. */
export const MODULES_VARIABLE = isSwitchedOff(NAME) ? "WATERSPOUT_REPORT_MODULES" : NAME;

const IMPORTED = "watch:import";
const REQUIRED = "watch:require";
/** A module without a file and without imports: loading it does nothing but report it. */
const EMPTY_MODULE = "data:text/javascript,";

let isReported = false;

export const moduleReports = nodeInternal(
  NAME,
  "before Node 22.15 `--watch` looks at the application's own file and its settings, not at the modules it loads",
  () => isReported,
);

/** Has this process report its modules. Node looks at the variable for each module, so it has to stay. */
export async function reportModules(): Promise<void> {
  isReported = await isReportedByNode();
  if (!moduleReports.isThere()) reportByHook();
  hideFromChildren(MODULES_VARIABLE);
}

/** Tells the parent, if it wants to know, that this process has read the file `path`. */
export function reportFile(path: string): void {
  if (process.env[MODULES_VARIABLE] !== undefined) process.send?.({ [REQUIRED]: [path] });
}

/** The same of a module that this process is about to load. */
export function reportModule(url: string): void {
  if (process.env[MODULES_VARIABLE] !== undefined) process.send?.({ [IMPORTED]: [url] });
}

/** The modules that a child's message reports, as paths or URLs; null when it is another message. */
export function modulesOf(message: unknown): readonly unknown[] | null {
  if (typeof message !== "object" || message === null) return null;
  const { [IMPORTED]: imported, [REQUIRED]: required } = message as Record<string, unknown>;
  const modules = imported ?? required;
  return Array.isArray(modules) ? modules : null;
}

/** Loads an empty module and looks whether Node reports it. */
async function isReportedByNode(): Promise<boolean> {
  const { send } = process;
  if (send === undefined) return false;
  let isSeen = false;
  process.send = (message: unknown, ...rest: unknown[]) => {
    if (modulesOf(message) === null) return Reflect.apply(send, process, [message, ...rest]);
    isSeen = true;
    return true;
  };
  await import(EMPTY_MODULE);
  process.send = send;
  return isSeen;
}

type Load = (url: string, context: unknown) => unknown;
type RegisterHooks = (hooks: { load(url: string, context: unknown, next: Load): unknown }) => void;

function reportByHook(): void {
  // From Node 22.15 on.
  const { registerHooks } = nodeModule as unknown as { registerHooks?: RegisterHooks };
  registerHooks?.({
    load(url, context, next) {
      process.send?.({ [IMPORTED]: [url] });
      return next(url, context);
    },
  });
}

/**
 * What the application starts copies this environment, and would report its modules to the application: for it the
 * variable is not there.
 */
function hideFromChildren(variable: string): void {
  process.env = new Proxy(process.env, {
    ownKeys: (env) => Reflect.ownKeys(env).filter((name) => name !== variable),
  });
}
