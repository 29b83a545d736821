/**
 * A new project from a template: the files of a folder of templates/, with names and versions filled in.
 *
 * Invariants: no file is overwritten, and a folder that is not empty is refused; versions are those that this package
 * was built and tested with. A template's `gitignore` becomes `.gitignore`, a name that npm would not pack.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { UsageError } from "../../core/errors.js";
import { PACKAGE_FOLDER, TEMPLATES_FOLDER } from "../../core/paths.js";
import { manifest } from "../packages.js";

/** The project that was made. */
export interface Project {
  /** Absolute. */
  folder: string;
  /** What package.json calls it. */
  name: string;
  template: string;
  /** Relative to the folder. */
  files: string[];
}

/** Makes a project in `folder`. Throws UsageError unless that is new or empty. */
export function createProject(folder: string, template: string): Project {
  if (existsSync(folder)) refuseUnlessEmpty(folder);
  mkdirSync(folder, { recursive: true });
  const target = realpathSync(folder);
  const source = join(TEMPLATES_FOLDER, template);
  const name = packageName(basename(target));
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(join(source, file)).isFile())
    .sort();
  const written = files.map((file) => {
    const path = join(dirname(file), basename(file).replace(/^gitignore$/, ".gitignore"));
    mkdirSync(dirname(join(target, path)), { recursive: true });
    const text = fill(readFileSync(join(source, file), "utf8"), name, target);
    writeFileSync(join(target, path), text, { flag: "wx" });
    return path;
  });
  return { folder: target, name, template, files: written };
}

function refuseUnlessEmpty(folder: string): void {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
    throw new UsageError(`${folder} is a file; a project needs a folder of its own`);
  }
  if (entries.length > 0) throw new UsageError(`${folder} is not empty; a project needs a folder of its own`);
}

/** `text` as a package name that npm accepts. */
function packageName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "")
    .slice(0, NAME_CHARS_MAX);
  let end = name.length;
  while (name[end - 1] === "-") end--;
  return name.slice(0, end) || "app";
}

/** The longest name that npm accepts. */
const NAME_CHARS_MAX = 214;

/** `{{name}}` and `{{version PACKAGE}}`. */
function fill(text: string, name: string, target: string): string {
  return text.replace(/\{\{(name|version (\S+))\}\}/g, (_, what: string, wanted?: string) =>
    what === "name" ? name : versionOf(wanted as string, target),
  );
}

function versionOf(name: string, target: string): string {
  if (name === "waterspout") return ownSource(target);
  const { dependencies, devDependencies } = manifest();
  const version = dependencies[name] ?? devDependencies[name];
  if (version === undefined) throw new Error(`a template wants ${name}, of which this package knows no version`);
  return version;
}

/** How a project in `target` depends on this package: by version, or by the path of a clone or of a packed file. */
function ownSource(target: string): string {
  const modules = dirname(PACKAGE_FOLDER);
  if (basename(modules) !== "node_modules") return `file:${relative(target, PACKAGE_FOLDER)}`;
  const packed = packedFile(modules);
  return packed === null ? manifest().version : `file:${relative(target, packed)}`;
}

/** The packed file that npm installed this package from; null when it came from a registry. */
function packedFile(modules: string): string | null {
  const lock = join(modules, ".package-lock.json");
  if (!existsSync(lock)) return null;
  const { packages } = JSON.parse(readFileSync(lock, "utf8")) as { packages: Record<string, { resolved?: string }> };
  const source = packages[`node_modules/${basename(PACKAGE_FOLDER)}`]?.resolved;
  return source?.startsWith("file:") ? resolve(dirname(modules), source.slice("file:".length)) : null;
}
