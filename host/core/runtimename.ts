/**
 * The two ways to run a sandbox from TypeScript.
 *
 * Invariant: a name that is none of them is refused wherever it is given.
 */
import { choice } from "./check.js";

/** How the sandbox runs: `"node"` in this process, `"wasmtime"` in worker processes. */
export type RuntimeName = "node" | "wasmtime";

/** The runtime that is meant: `option`, else WATERSPOUT_RUNTIME, else node. Throws OptionError when it is none. */
export function resolveRuntime(option: RuntimeName | undefined): RuntimeName {
  return choice("runtime", option ?? (process.env.WATERSPOUT_RUNTIME || "node"), ["node", "wasmtime"]);
}
