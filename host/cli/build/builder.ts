/**
 * Compiles an AssemblyScript source into a module that can be served.
 *
 * Invariant: a module is written whole, and only when a runtime can serve it; after an error the previous one is still
 * there.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Inspection, inspectCore, inspectModule } from "../inspectmodule.js";
import { findPackage, type InstalledPackage, manifest, satisfies } from "../packages.js";
import { compile, type Diagnostic } from "./compiler.js";
import { handlerProblemOf } from "./compose.js";
import { edgeTools, isEdgeApplication, makeEdgeComponent, plug } from "./edge.js";
import type { Component, Target, TargetName } from "./targets.js";

const EDGE_TARGET = "--target component-async";
/** What such a component asks of its runtime beside the others. */
const RANDOM_WIT = "wit/random.wit";

/** The result; `--json` prints it. */
export interface BuildReport {
  ok: boolean;
  /** Path of the module; null when there is none. */
  file: string | null;
  bytes: number;
  /** Its version; empty when nothing was compiled. */
  compiler: string;
  debug: boolean;
  target: TargetName;
  imports: string[];
  /** The ways in which it can be served; a target that is a component: by a runtime alone that takes such. */
  runtimes: string[];
  diagnostics: Diagnostic[];
  /** What was written to be published; empty when that was not asked for. */
  artifacts: string[];
  /** Why there is no module; null when there is one. */
  error: string | null;
}

/**
 * Compiles `source` into `out`; with a folder for `artifacts` writes those, too. Throws where no compiler is installed
 * that will do; errors in the source are in the report.
 */
export async function buildApplication(
  source: string,
  out: string,
  debug: boolean,
  target: Target,
  artifacts: string | null,
): Promise<BuildReport> {
  const base = projectFolder(source);
  if (source.endsWith(".wasm")) return plugHandler(source, out, target, artifacts);
  if (isEdgeApplication(source)) return buildEdge({ base, source, out, debug, target, artifacts });
  const compiler = toolOf("assemblyscript", base, "the AssemblyScript compiler");
  const jco = target.component === null ? null : toolOf("@bytecodealliance/jco", base, "jco for a component");
  process.stderr.write(`waterspout: compiles ${source} with assemblyscript ${compiler.version}\n`);
  const job = { base, source: resolve(source), out: resolve(out), debug, target };
  const { files, diagnostics, failure, packages } = await compile(compiler, job, process.stderr);
  const empty = { file: null, bytes: 0, imports: [], runtimes: [], artifacts: [] };
  const report = { ...empty, ok: false, compiler: compiler.version, debug, target: target.name, diagnostics };
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) return { ...report, error: `${source} ${countOf(errors)}` };
  const bytes = files.get(job.out);
  if (!(bytes instanceof Uint8Array)) return { ...report, error: `the compiler failed: ${failure ?? "no module"}` };
  const made = await finish(bytes, target, jco);
  if (made.problem !== null) return { ...report, imports: made.imports, error: `${source} ${made.problem}` };
  for (const [path, content] of files) writeWhole(path, path === job.out ? made.bytes : content);
  const { imports, runtimes } = made;
  const done = { ...report, ok: true, file: out, bytes: made.bytes.length, imports, runtimes, error: null };
  if (artifacts === null) return done;
  const { publish } = await import("./publish.js");
  const tools = { compiler, jco, packages: [...packages].sort() };
  return { ...done, artifacts: await publish(artifacts, { ...job, ...made }, tools) };
}

interface EdgeJob {
  base: string;
  source: string;
  out: string;
  debug: boolean;
  target: Target;
  artifacts: string | null;
}

/** The same for an application in TypeScript, which becomes a component of two. */
async function buildEdge({ base, source, out, debug, target, artifacts }: EdgeJob): Promise<BuildReport> {
  if (target.name !== "component-async") {
    throw new Error(`${source} has a default export, so it is no AssemblyScript: build it with ${EDGE_TARGET}`);
  }
  const jco = toolOf("@bytecodealliance/jco", base, "jco for a component");
  const tools = edgeTools(jco);
  process.stderr.write(`waterspout: compiles ${source} with componentize-qjs ${tools.engine.version}\n`);
  const { made, diagnostics, packages } = await makeEdgeComponent(tools, source, base);
  for (const { message, file, line, column } of diagnostics) {
    process.stderr.write(`ERROR: ${message}\n${file === null ? "" : `   in ${file}(${line},${column})\n`}`);
  }
  const compiler = tools.engine.version;
  const empty = { file: null, bytes: 0, imports: [], runtimes: [], artifacts: [] };
  const report = { ...empty, ok: false, compiler, debug, target: target.name, diagnostics };
  if (made === null) return { ...report, error: `${source} ${countOf(diagnostics)}` };
  const { bytes, imports } = made;
  writeWhole(resolve(out), bytes);
  const done = { ...report, ok: true, file: out, bytes: bytes.length, imports, runtimes: [target.name], error: null };
  if (artifacts === null) return done;
  const { publish } = await import("./publish.js");
  const component = { ...(target.component as Component), wit: [...(target.component as Component).wit, RANDOM_WIT] };
  const built = { base, source: resolve(source), out: resolve(out), target: { ...target, component }, bytes, imports };
  const used = { compiler: tools.engine, jco, packages: [...packages].sort() };
  return { ...done, artifacts: await publish(artifacts, built, used) };
}

/** A handler in another language, which is a component already: it has the core put below it. */
function plugHandler(source: string, out: string, target: Target, artifacts: string | null): BuildReport {
  if (target.name !== "component-async") throw new Error(`${source} is compiled: build it with ${EDGE_TARGET}`);
  if (artifacts !== null) throw new Error(`--artifacts needs a source: ${source} does not say what it is made of`);
  const handler = readFileSync(source);
  const problem = handlerProblemOf(handler);
  const empty = { compiler: "", debug: false, target: target.name, diagnostics: [], artifacts: [] };
  if (problem !== null) {
    return { ...empty, ok: false, file: null, bytes: 0, imports: [], runtimes: [], error: `${source} ${problem}` };
  }
  const { bytes, imports } = plug(handler);
  writeWhole(resolve(out), bytes);
  return { ...empty, ok: true, file: out, bytes: bytes.length, imports, runtimes: [target.name], error: null };
}

/** What has come of the compiled module. */
interface Made {
  bytes: Uint8Array;
  imports: string[];
  runtimes: string[];
  /** Why no runtime can serve it; null: one can. */
  problem: string | null;
}

async function finish(bytes: Uint8Array, { name, component }: Target, jco: InstalledPackage | null): Promise<Made> {
  if (component === null || jco === null) {
    const inspection = inspectModule(bytes);
    const runtimes = inspection.wasmtimeOnly.length === 0 ? ["node", "wasmtime", "bare"] : ["wasmtime", "bare"];
    return { bytes, imports: inspection.imports, runtimes, problem: problemOf(inspection) };
  }
  const { imports, exported } = inspectCore(bytes);
  const problem = componentProblemOf(imports, exported, component);
  if (problem !== null) return { bytes, imports, runtimes: [], problem };
  const { wrap } = await import("./component.js");
  return { bytes: await wrap(jco, bytes, component, imports), imports, runtimes: [name], problem };
}

/** The nearest folder with a package.json, from which packages are found; without one, the file's own folder. */
function projectFolder(source: string): string {
  const own = dirname(resolve(source));
  for (let at = own; ; at = dirname(at)) {
    if (existsSync(resolve(at, "package.json"))) return at;
    if (dirname(at) === at) return own;
  }
}

/** An optional package in a version that will do. Throws, with the command that installs it. */
function toolOf(name: string, base: string, what: string): InstalledPackage {
  const { peerDependencies, devDependencies } = manifest();
  const range = peerDependencies[name] as string;
  const hint = `npm install --save-dev ${name}@${devDependencies[name]}`;
  const found = findPackage(name, base);
  if (found === null) throw new Error(`build needs ${what}: ${hint}`);
  if (satisfies(found.version, range)) return found;
  throw new Error(`build needs ${name} ${range}, and ${found.folder} is ${found.version}: ${hint}`);
}

function countOf(errors: Diagnostic[]): string {
  const count = errors.length === 1 ? "has an error" : `has ${errors.length} errors`;
  const isMissing = errors.some(({ message }) => message.startsWith("File '~lib/waterspout/"));
  return isMissing ? `${count}: the project has no package waterspout; npm install waterspout` : count;
}

const NOT_SERVED = 'cannot be served: it must say export { _start, turn } from "waterspout/assembly"';

/** Why no runtime can serve it; null: one can. */
function problemOf({ unknown, missingExports }: Inspection): string | null {
  if (unknown.length > 0) return `imports what no runtime has: ${unknown.join(", ")}`;
  return missingExports.length === 0 ? null : NOT_SERVED;
}

function componentProblemOf(imports: string[], exported: string[], { exports }: Component): string | null {
  const foreign = imports.filter((name) => /^(wasi_|env\.)/.test(name));
  if (foreign.length > 0) return `imports what a component does not have: ${foreign.join(", ")}`;
  return Object.values(exports).every((name) => exported.includes(name)) ? null : NOT_SERVED;
}

/** A reader gets the old file or the new one, never a part. */
function writeWhole(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
