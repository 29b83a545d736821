/**
 * This package's own package.json, and packages that are installed where a project or this package would find them.
 * Invariant: nothing is loaded; only package.json files are read.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PACKAGE_FILE, PACKAGE_FOLDER } from "../core/paths.js";

/** The part of this package's package.json that commands use. */
export interface Manifest {
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  /** Ranges of versions by name. All of these packages are optional. */
  peerDependencies: Record<string, string>;
}

/** This package's own manifest. */
export function manifest(): Manifest {
  return readJSON(PACKAGE_FILE) as unknown as Manifest;
}

/** A package that was found. */
export interface InstalledPackage {
  version: string;
  folder: string;
}

/** The package that a file in `folder` would import as `name`, else the one that this package would, else null. */
export function findPackage(name: string, folder: string): InstalledPackage | null {
  for (const start of [resolve(folder), PACKAGE_FOLDER]) {
    for (let at = start; ; at = dirname(at)) {
      const found = join(at, "node_modules", name);
      const file = join(found, "package.json");
      if (existsSync(file)) return { version: versionIn(file), folder: found };
      if (dirname(at) === at) break;
    }
  }
  return null;
}

/**
 * Whether `range` allows `version`. Only caret ranges are known, `^0.28.0`, because this package's package.json has no
 * others: the same up to and including the first number that is not 0, and not older.
 */
export function satisfies(version: string, range: string): boolean {
  const [wanted, found] = [numbersOf(range.replace(/^\^/, "")), numbersOf(version)];
  if (wanted === null || found === null) return false;
  const fixed = wanted.findIndex((number) => number !== 0);
  const differs = wanted.findIndex((number, at) => number !== found[at]);
  return differs < 0 || (differs > fixed && (found[differs] as number) > (wanted[differs] as number));
}

/** Null for anything but a released version. */
function numbersOf(version: string): number[] | null {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version);
  return match === null ? null : match.slice(1).map(Number);
}

/** `"unreadable"`, which no range allows, when the file cannot be read. */
function versionIn(file: string): string {
  try {
    return String(readJSON(file).version);
  } catch {
    return "unreadable";
  }
}

function readJSON(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
}
