/** Where the package's own files are, whether this runs from host/ or from dist/host/. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isComponent, type RuntimeName } from "./runtimename.js";

function findPackageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("waterspout's package.json is missing");
    folder = parent;
  }
  return folder;
}

/** Where package.json is. */
export const PACKAGE_FOLDER = findPackageFolder();

export const PACKAGE_FILE = join(PACKAGE_FOLDER, "package.json");
/** The sandbox that the runtimes node and wasmtime load. */
export const CORE_FILE = join(PACKAGE_FOLDER, "build", "core.wasm");
/** The folder of the wasmtimes that `make` installs; there is none in the package. */
export const TOOLS_FOLDER = join(PACKAGE_FOLDER, "build", "tools");
/** The hooks that load an application's modules where they need a thread (cli/run/loading/loader.ts). */
export const LOADER_HOOKS_FILE = join(PACKAGE_FOLDER, "dist", "host", "cli", "run", "loading", "hooksthread.js");
/** The files of the live page that a browser gets (inspect/assets.ts). */
export const INSPECT_PAGE_FOLDER = join(PACKAGE_FOLDER, "host", "inspect", "page");
/** The options that AssemblyScript applications are compiled with, as the sandbox is. */
export const COMPILER_OPTIONS_FILE = join(PACKAGE_FOLDER, "asconfig.json");
/** What `waterspout new` makes projects of: one folder a template. */
export const TEMPLATES_FOLDER = join(PACKAGE_FOLDER, "templates");
/** There is one in a clone, and none in the package. */
export const MAKEFILE = join(PACKAGE_FOLDER, "Makefile");
/** The folder of the script that downloads a wasmtime, and of the versions and checksums. */
export const SCRIPTS_FOLDER = join(PACKAGE_FOLDER, "scripts");

/** The sandbox that `runtime` loads. */
export function coreFileOf(runtime: RuntimeName): string {
  return isComponent(runtime) ? join(PACKAGE_FOLDER, "build", `core.${runtime}.wasm`) : CORE_FILE;
}

/** The package's version. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE_FILE, "utf8")) as { version: string }).version;
}
