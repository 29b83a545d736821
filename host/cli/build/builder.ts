/**
 * Compiles an AssemblyScript source into a module that can be served.
 *
 * Invariant: a module is written whole, and only when a runtime can serve it; after an error the previous one is still
 * there.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Inspection, inspectModule } from "../inspectmodule.js";
import { findPackage, type InstalledPackage, manifest, satisfies } from "../packages.js";
import { compile, type Diagnostic } from "./compiler.js";

/** The result; `--json` prints it. */
export interface BuildReport {
  ok: boolean;
  /** Path of the module; null when there is none. */
  file: string | null;
  bytes: number;
  /** Of AssemblyScript. */
  compiler: string;
  debug: boolean;
  imports: string[];
  /** The ways to run it: `"node"`, `"wasmtime"`, `"bare"`. */
  runtimes: string[];
  diagnostics: Diagnostic[];
  /** Why there is no module; null when there is one. */
  error: string | null;
}

/** Compiles `source` into `out`. Throws without a usable compiler; errors in the source are in the report. */
export async function buildApplication(source: string, out: string, debug: boolean): Promise<BuildReport> {
  const base = projectFolder(source);
  const compiler = compilerOf(base);
  process.stderr.write(`waterspout: compiles ${source} with assemblyscript ${compiler.version}\n`);
  const job = { base, source: resolve(source), out: resolve(out), debug };
  const { files, diagnostics, failure } = await compile(compiler, job, process.stderr);
  const empty = { file: null, bytes: 0, imports: [], runtimes: [] };
  const report = { ...empty, ok: false, compiler: compiler.version, debug, diagnostics };
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) return { ...report, error: `${source} ${countOf(errors)}` };
  const bytes = files.get(job.out);
  if (!(bytes instanceof Uint8Array)) return { ...report, error: `the compiler failed: ${failure ?? "no module"}` };
  const inspection = inspectModule(bytes);
  const problem = problemOf(inspection);
  if (problem !== null) return { ...report, imports: inspection.imports, error: `${source} ${problem}` };
  for (const [path, content] of files) writeWhole(path, content);
  const runtimes = inspection.wasmtimeOnly.length === 0 ? ["node", "wasmtime", "bare"] : ["wasmtime", "bare"];
  return { ...report, ok: true, file: out, bytes: bytes.length, imports: inspection.imports, runtimes, error: null };
}

/** The nearest folder with a package.json, from which packages are found; without one, the file's own folder. */
function projectFolder(source: string): string {
  const own = dirname(resolve(source));
  for (let at = own; ; at = dirname(at)) {
    if (existsSync(resolve(at, "package.json"))) return at;
    if (dirname(at) === at) return own;
  }
}

function compilerOf(base: string): InstalledPackage {
  const { peerDependencies, devDependencies } = manifest();
  const range = peerDependencies.assemblyscript as string;
  const hint = `npm install --save-dev assemblyscript@${devDependencies.assemblyscript}`;
  const found = findPackage("assemblyscript", base);
  if (found === null) throw new Error(`build needs the AssemblyScript compiler: ${hint}`);
  if (satisfies(found.version, range)) return found;
  throw new Error(`build needs assemblyscript ${range}, and ${found.folder} is ${found.version}: ${hint}`);
}

function countOf(errors: Diagnostic[]): string {
  const count = errors.length === 1 ? "has an error" : `has ${errors.length} errors`;
  const isMissing = errors.some(({ message }) => message.includes("~lib/waterspout/assembly"));
  return isMissing ? `${count}: the project has no package waterspout; npm install waterspout` : count;
}

/** Why no runtime can serve it; null when one can. */
function problemOf({ unknown, missingExports }: Inspection): string | null {
  if (unknown.length > 0) return `imports what no runtime has: ${unknown.join(", ")}`;
  if (missingExports.length === 0) return null;
  return 'cannot be served: it must say export { _start, turn } from "waterspout/assembly"';
}

/** A reader gets the old file or the new one, never a part. */
function writeWhole(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
