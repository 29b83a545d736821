/**
 * The user's own AssemblyScript compiler, run inside this process with the flags that an application needs.
 *
 * Invariants: the flags are those of this package's asconfig.json, so there is one list of them; an asconfig.json in
 * the project may add flags but not remove any. Nothing is written to disk: the caller gets the output.
 * Reference: assemblyscript/asc, `main(argv, options)`.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { COMPILER_OPTIONS_FILE } from "../../core/paths.js";
import { compileWasmOnce } from "../../nodeinternals/wasmtiers.js";
import type { InstalledPackage } from "../packages.js";
import { exporting, TARGETS, type Target } from "./targets.js";

/** A message of the compiler. */
export interface Diagnostic {
  severity: "info" | "warning" | "error";
  /** As TypeScript numbers them, or above 99 and below 1000: the compiler's own. */
  code: number;
  message: string;
  /** Relative to the project's folder, or `~lib/…` for a file of a package; null: no place in particular. */
  file: string | null;
  line: number;
  column: number;
}

/** The output of the compiler. */
export interface Compilation {
  /** By path: the module, and with `debug` its source map. Empty after an error. */
  files: Map<string, Uint8Array | string>;
  diagnostics: Diagnostic[];
  /**
   * What went wrong when no diagnostic says so, for example an unknown option in the project's asconfig.json; else
   * null.
   */
  failure: string | null;
  /** The packages of which there were sources among what was compiled. */
  packages: Set<string>;
}

/** What to compile. */
export interface Job {
  /** The folder that paths in messages are relative to, and whose node_modules packages come from. */
  base: string;
  /** Path of the source. */
  source: string;
  /** Path of the module. */
  out: string;
  /** With names, assertions and a source map, and not optimised. */
  debug: boolean;
  target: Target;
}

/** The part of asc's interface that is used. */
interface Asc {
  main(args: string[], options: object): Promise<{ error: Error | null }>;
  /** The standard library, by paths without `.ts`. */
  libraryFiles: Record<string, string>;
}

interface RawDiagnostic {
  message: string;
  code: number;
  category: number;
  range: { start: number; source: { normalizedPath: string } | null } | null;
}

const SEVERITIES = ["info", "info", "warning", "error"] as const;

/** Compiles. The compiler's messages also go to `stderr` at once, with colours on a terminal only. */
export async function compile(
  compiler: InstalledPackage,
  job: Job,
  stderr: { write(text: string): unknown; isTTY?: boolean },
): Promise<Compilation> {
  compileWasmOnce(); // asc is one, and is done before V8's better code of it would have paid
  const { main, libraryFiles } = (await import(pathToFileURL(join(compiler.folder, "dist", "asc.js")).href)) as Asc;
  const compilation: Compilation = { files: new Map(), diagnostics: [], failure: null, packages: new Set() };
  const where = [job.source, "--baseDir", job.base, "--outFile", job.out];
  const plain = stderr.isTTY === true ? [] : ["--noColors"]; // else asc has its own mind: colours where CI is set
  // This package's own file is where the flags come from already.
  const config = join(job.base, "asconfig.json") === COMPILER_OPTIONS_FILE ? ["--config", "none"] : [];
  const { error } = await main([...where, ...plain, ...config, ...flags(job.debug, job.target)], {
    transforms: [
      { afterParse: (parser: Parser) => notePackages(parser, libraryFiles, compilation.packages) },
      ...(job.target.component === null ? [] : [exporting(job.target.component)]),
    ],
    stdout: stderr,
    stderr,
    writeFile(name: string, content: Uint8Array | string, base: string) {
      compilation.files.set(resolve(base, name), content);
      return true;
    },
    reportDiagnostic: (raw: RawDiagnostic) => compilation.diagnostics.push(placed(raw, job.base)),
  });
  if (error !== null && !compilation.diagnostics.some(({ severity }) => severity === "error"))
    compilation.failure = error.message;
  return compilation;
}

/** The part of the compiler's inside that is used. */
interface Parser {
  sources: { normalizedPath: string }[];
}

function notePackages({ sources }: Parser, libraryFiles: Asc["libraryFiles"], packages: Set<string>): void {
  for (const { normalizedPath } of sources) {
    const [, path, name] = /^~lib\/(((?:@[^/]+\/)?[^/]+)\/.+)\.ts$/.exec(normalizedPath) ?? [];
    if (path !== undefined && !Object.hasOwn(libraryFiles, path)) packages.add(name as string);
  }
}

interface CompilerOptions {
  options: { enable: string[] };
  targets: {
    release: { optimizeLevel: number; noAssert: boolean; runtime: string; exportStart: string; use: string[] };
  };
}

/**
 * The command line's flags for an application. The platform is the target's; without assertions in a module there is
 * nothing to abort for but our own bugs.
 */
export function flags(debug: boolean, target: Target = TARGETS.preview1): string[] {
  const { options, targets } = JSON.parse(readFileSync(COMPILER_OPTIONS_FILE, "utf8")) as CompilerOptions;
  const { optimizeLevel, noAssert, runtime, exportStart, use } = targets.release;
  return [
    ...["--runtime", runtime, "--exportStart", exportStart],
    ...options.enable.flatMap((feature) => ["--enable", feature]),
    ...use.flatMap((alias) => ["--use", alias.replace(/^WASI=.*/, `WASI=${target.platform}`)]),
    ...(debug ? ["--target", "debug", "--debug", "--sourceMap"] : [`-O${optimizeLevel}`]),
    ...(noAssert && !debug ? ["--noAssert"] : []),
  ];
}

function placed(raw: RawDiagnostic, base: string): Diagnostic {
  const { message, code, category, range } = raw;
  const file = range?.source?.normalizedPath ?? null;
  const before = file === null ? [""] : linesBefore(resolve(base, file), range?.start ?? 0);
  const column = (before.at(-1) as string).length + 1;
  return { severity: SEVERITIES[category] ?? "error", code, message, file, line: before.length, column };
}

/** The first line for a file of a package, whose path only the compiler can resolve. */
function linesBefore(file: string, offset: number): string[] {
  try {
    return readFileSync(file, "utf8").slice(0, offset).split("\n");
  } catch {
    return [""];
  }
}
