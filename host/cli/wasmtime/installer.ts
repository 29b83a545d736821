/** Downloads wasmtime into the user's cache, by the script that also serves `make`. */
import { spawnSync } from "node:child_process";
import { WASMTIME_INSTALLER_FILE } from "../../core/paths.js";
import { cachedFile, findWasmtime } from "../../runtime/wasmtime/binary.js";
import { EXIT_FAILED } from "../exit.js";

/**
 * Prints the path of a wasmtime: of one that is there, unless `force`. Returns the exit code; the script says what
 * fails.
 */
export async function install(force: boolean): Promise<number> {
  const found = force ? null : await findWasmtime().catch(() => null);
  if (found !== null) {
    process.stderr.write(`waterspout: wasmtime ${found.version} is there, ${found.why}; --force downloads one\n`);
    process.stdout.write(`${found.file}\n`);
    return 0;
  }
  const { status, error } = spawnSync("sh", [WASMTIME_INSTALLER_FILE, "36", cachedFile()], { stdio: "inherit" });
  if (error !== undefined) throw new Error(`wasmtime is installed by a script: ${error.message}`);
  return status === 0 ? 0 : EXIT_FAILED;
}
