/**
 * Whether a file of an application is an ES module, by what it says. package.json's `type` decides that only when it is
 * "module": `npm init -y` writes "commonjs", and people write `import` and `export` all the same.
 *
 * Invariant: packages are left to Node, and a name in `.mjs`, `.mts`, `.cjs` or `.cts` says what the file is.
 * Reference: Node's own detection of syntax (from 22.7 on), which does not look where package.json has a `type`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PACKAGE_FOLDER } from "../../../core/paths.js";

/** What a hook of Node's makes of an import: the module's address and format. */
export interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
}

/** Files that have to be translated. */
export const TYPESCRIPT = /\.(?:[cm]?ts|[jt]sx)$/;

const SCRIPT = /\.([cm]?)[jt]s(x?)$/;
/** Beside `import` in TypeScript these are written for a compiler to CommonJS. */
const COMMONJS = ["require(", "module.exports", "export =", "__dirname", "__filename"];

/** "module" or "commonjs"; null where Node decides. */
export function formatOf(url: string): "module" | "commonjs" | null {
  const match = SCRIPT.exec(url);
  if (match === null || !url.startsWith("file:") || url.includes("/node_modules/")) return null;
  if (match[1] !== "") return match[1] === "m" ? "module" : "commonjs";
  return isInModulePackage(new URL(".", url).href) || isModule(textOf(url), TYPESCRIPT.test(url))
    ? "module"
    : "commonjs";
}

/** Whether an application's file is loaded as an ES module. */
export function isModuleFile(file: string): boolean {
  return formatOf(pathToFileURL(file).href) === "module";
}

/** What may load further files, besides the names in `import` and `export`. */
const LOADS = /\bimport\s*\(|\brequire\b|\bWorker\b|node:module/;

/** Whether Node by itself loads an application as our hooks would: JavaScript that imports only `node:` and us. */
export function isPlain(file: string): boolean {
  const { href } = pathToFileURL(file);
  const text = textOf(href);
  if (TYPESCRIPT.test(href) || LOADS.test(text)) return false;
  const names = [...text.matchAll(/\b(?:from|import)\s*["']([^"']*)["']/g)].map(([, name]) => name as string);
  if (!names.every((name) => name === "waterspout" || name.startsWith("node:"))) return false;
  return formatOf(href) === "commonjs" || /\.mjs$/.test(href) || isInModulePackage(new URL(".", href).href);
}

function isModule(text: string, isTypeScript: boolean): boolean {
  const lines = text.split("\n");
  if (text.includes("import.meta") || lines.some(awaits)) return true;
  if (!lines.some(importsOrExports)) return false;
  return !isTypeScript || !COMMONJS.some((word) => text.includes(word));
}

/** Whether the line begins a statement of the module that waits: one inside of a function is indented. */
function awaits(line: string): boolean {
  if (/^(?:for )?await\b/.test(line)) return true;
  return /^(?:export )?(?:const|let|var) /.test(line) && line.includes("= await ");
}

/** Not `import("x")`, `import x = require("x")` or `export =`. */
function importsOrExports(line: string): boolean {
  const [, word, next] = /^\s*(import|export)\b\s*(\S?)/.exec(line) ?? [];
  if (word === undefined || next === "=") return false;
  return word === "export" || (next !== "(" && !line.includes("= require("));
}

const OWN_FILES = pathToFileURL(join(PACKAGE_FOLDER, "dist", "/")).href;

/** Whether a module is one of this package, in which nothing is to be translated. */
export function isOwn(url: string): boolean {
  return url.startsWith(OWN_FILES) && url.endsWith(".js");
}

const modulePackages = new Map<string, boolean>();

/** Whether the nearest package.json, from this folder up, has the type "module". */
function isInModulePackage(folder: string): boolean {
  let is = modulePackages.get(folder);
  if (is === undefined) {
    const above = new URL("..", folder).href;
    const text = textOf(`${folder}package.json`);
    is = text === "" ? above !== folder && isInModulePackage(above) : typeIn(text) === "module";
    modulePackages.set(folder, is);
  }
  return is;
}

function typeIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { type?: unknown } | null)?.type;
  } catch {
    return null; // Node reports it
  }
}

/** "" when it cannot be read; the loader reports that. */
function textOf(url: string): string {
  try {
    return readFileSync(fileURLToPath(url), "utf8");
  } catch {
    return "";
  }
}
