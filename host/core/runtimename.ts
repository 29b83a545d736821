/**
 * The ways to run a sandbox from TypeScript.
 *
 * Invariant: a name that is none of them is refused wherever it is given.
 */
import { choice } from "./check.js";

/**
 * How the sandbox runs: `"node"` in this process, `"wasmtime"` in worker processes, `"component-async"` and
 * `"component"` in one process of wasmtime, as a component of WASI 0.3 or 0.2.
 */
export type RuntimeName = "node" | "wasmtime" | "component-async" | "component";

/** The runtimes that are components. */
export type ComponentName = "component-async" | "component";

/** All of them, the default first. */
export const RUNTIMES: readonly RuntimeName[] = ["node", "wasmtime", "component-async", "component"];

/** The runtime that is meant: `option`, else WATERSPOUT_RUNTIME, else node. Throws OptionError when it is none. */
export function resolveRuntime(option: RuntimeName | undefined): RuntimeName {
  return choice("runtime", option ?? (process.env.WATERSPOUT_RUNTIME || "node"), RUNTIMES);
}

/** Whether a component opens the port. It has one address, and no other process shares or takes over its listener. */
export function isComponent(runtime: RuntimeName): runtime is ComponentName {
  return runtime === "component-async" || runtime === "component";
}

/** Why `what` is not there with `runtime`, and which runtimes have it. */
export function whyNotInComponent(runtime: RuntimeName, what: string): string {
  return `the runtime ${runtime} has ${what}: take the runtime node or wasmtime for that`;
}
