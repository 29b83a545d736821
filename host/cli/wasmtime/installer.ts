/** Downloads wasmtime into the user's cache, by the script that also serves `make`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { SCRIPTS_FOLDER } from "../../core/paths.js";
import { cachedFile, findWasmtime, type WasmtimeRuntime } from "../../runtime/wasmtime/binary.js";
import { EXIT_FAILED } from "../exit.js";

/**
 * Prints the path of a wasmtime for `runtime`: of one that is there, unless `force`. Returns the exit code; the script
 * says what fails.
 */
export async function install(runtime: WasmtimeRuntime, force: boolean): Promise<number> {
  const found = force ? null : await findWasmtime(runtime).catch(() => null);
  if (found !== null) {
    process.stderr.write(`waterspout: wasmtime ${found.version} is there, ${found.why}; --force downloads one\n`);
    process.stdout.write(`${found.file}\n`);
    return 0;
  }
  const script = join(SCRIPTS_FOLDER, "install-wasmtime.sh");
  const which = runtime === "component-async" ? "async" : "36";
  const { status, error } = spawnSync("sh", [script, which, cachedFile(runtime)], { stdio: "inherit" });
  if (error !== undefined) throw new Error(`wasmtime is installed by a script: ${error.message}`);
  return status === 0 ? 0 : EXIT_FAILED;
}
