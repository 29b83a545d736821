/** Where the package's own files are, whether this runs from host/ or from dist/host/. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findPackageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("waterspout's package.json is missing");
    folder = parent;
  }
  return folder;
}

const packageFolder = findPackageFolder();

export const PACKAGE_FILE = join(packageFolder, "package.json");
/** The sandbox that both runtimes load. */
export const CORE_FILE = join(packageFolder, "build", "core.wasm");
/** The wasmtime that `make wasmtime` installs. */
export const WASMTIME_FILE = join(packageFolder, "build", "tools", "wasmtime");
