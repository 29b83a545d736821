/**
 * Whether a file of an application is an ES module, by what it says. package.json's `type` decides that only when it is
 * "module": `npm init -y` writes "commonjs", and people write `import` and `export` all the same.
 *
 * Invariant: packages are left to Node, and a name in `.mjs`, `.mts`, `.cjs` or `.cts` says what the file is.
 * Reference: Node's own detection of syntax (from 22.7 on), which does not look where package.json has a `type`.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Files that have to be translated. */
export const TYPESCRIPT = /\.(?:[cm]?ts|[jt]sx)$/;

const OF_AN_APPLICATION = /^file:(?!.*\/node_modules\/).*\.(?:([cm])?[jt]s|[jt]sx)$/;
/** At the beginning of a line, but not `import()`, `import x = require("x")` or `export =`. */
const MODULE = /^[ \t]*(?:import\b(?![ \t]*\(|[ \t]+(?:type[ \t]+)?\w+[ \t]*=[^=])|export\b(?![ \t]*=))/m;
/** What only an ES module may have; `await` counts where a line begins with it, or with what takes its value. */
const MODULE_ONLY = /\bimport\.meta\b|^(?:(?:export[ \t]+)?(?:const|let|var)\b[^\n]*=[ \t]*|for[ \t]+)?await\b/m;
/** Beside `import` in TypeScript these are written for a compiler to CommonJS. */
const COMMONJS = /\brequire\s*\(|\bmodule\.exports\b|\b__(?:dir|file)name\b|^[ \t]*export[ \t]*=/m;

/** "module" or "commonjs"; null where Node decides. */
export function formatOf(url: string): "module" | "commonjs" | null {
  const match = OF_AN_APPLICATION.exec(url);
  if (match === null) return null;
  if (match[1] !== undefined) return match[1] === "m" ? "module" : "commonjs";
  return isInModulePackage(new URL(".", url).href) || isModule(textOf(url), /\.tsx?$/.test(url))
    ? "module"
    : "commonjs";
}

function isModule(text: string, isTypeScript: boolean): boolean {
  return MODULE_ONLY.test(text) || (MODULE.test(text) && !(isTypeScript && COMMONJS.test(text)));
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

/** "" when it cannot be read; whoever loads the file reports that. */
function textOf(url: string): string {
  try {
    return readFileSync(fileURLToPath(url), "utf8");
  } catch {
    return "";
  }
}
