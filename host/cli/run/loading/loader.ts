/**
 * Loads an application's modules: the same language on every Node. TypeScript is what `tsx` makes of it, all of it,
 * and not the part that Node (22.18 and later) runs by itself; whether a file is an ES module is decided by
 * `moduleformat.ts`.
 *
 * Invariant: `tsx` is loaded only for an application that has files which it must translate, and not in Bun and Deno,
 * which translate all of TypeScript themselves. It is not given this package's own files.
 */
import { readFileSync } from "node:fs";
import nodeModule, { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { IS_NODE } from "../../../core/engine.js";
import { LOADER_HOOKS_FILE } from "../../../core/paths.js";
import { reportModule } from "../../../nodeinternals/modulereports.js";
import { formatOf, isOwn, isPlain, type Resolved, TYPESCRIPT } from "./moduleformat.js";

type Resolve = (specifier: string, context: { readonly conditions: readonly string[] }) => Resolved;
type Load = (url: string, context: object) => object;
interface Hooks {
  resolve?(...args: [...Parameters<Resolve>, next: Resolve]): Resolved;
  load?(...args: [...Parameters<Load>, next: Load]): object;
}
type RegisterHooks = (hooks: Hooks) => void;

const require = createRequire(import.meta.url);
// From Node 22.15 on.
const { registerHooks } = nodeModule as unknown as { registerHooks?: RegisterHooks };
/** What an application asked for, packages left out; empty where hooks run in a thread of their own. */
export const requestedFiles: string[] = [];
let isEnabled = false;
let isTypeScriptEnabled = false;

/** From now on modules are loaded so. `file` is an application's first. */
export function enableLoader(file: string): void {
  if (!IS_NODE) return;
  if (TYPESCRIPT.test(file)) enableTypeScript();
  if (isEnabled || (registerHooks === undefined && isPlain(file))) return; // the thread takes 25 ms
  isEnabled = true;
  if (registerHooks === undefined) nodeModule.register(pathToFileURL(LOADER_HOOKS_FILE));
  else registerHooks({ resolve });
}

function resolve(specifier: string, context: { readonly conditions: readonly string[] }, next: Resolve): Resolved {
  const resolved = next(specifier, context);
  reportModule(resolved.url); // Node itself does it when the module has been read and is no broken one
  const format = formatOf(resolved.url);
  if (format !== null) requestedFiles.push(fileURLToPath(resolved.url));
  if (TYPESCRIPT.test(resolved.url)) enableTypeScript();
  // `require` gets what `tsx` or Node makes of the file.
  if (!context.conditions.includes("import")) return resolved;
  return { ...resolved, format: format ?? resolved.format };
}

function enableTypeScript(): void {
  if (isTypeScriptEnabled) return;
  isTypeScriptEnabled = true;
  // Both are loaded before one is registered: a registered `tsx` translates its own files, too, which takes 20 ms.
  const commonJS = require("tsx/cjs/api");
  const esModules = registerHooks === undefined ? null : require("tsx/esm/api");
  commonJS.register();
  if (esModules === null) process.setSourceMapsEnabled(true);
  else esModules.register();
  registerHooks?.({ load: loadOwn }); // the last one is asked first
}

/** `tsx` looks for what to translate in this package's files, too, and writes their source maps anew: 70 ms. */
function loadOwn(url: string, context: object, next: Load): object {
  if (!isOwn(url)) return next(url, context);
  return { format: "module", source: readFileSync(fileURLToPath(url)), shortCircuit: true };
}
