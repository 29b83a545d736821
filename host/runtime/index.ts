/**
 * The choice of a runtime: node.ts runs the sandbox inside this process, wasmtime.ts in child processes. Nothing else knows
 * how; what they have in common is in worker.ts.
 */
import type { RuntimeName } from "../options.js";
import { nodeRuntime } from "./node.js";
import { wasmtimeRuntime } from "./wasmtime.js";
import type { Runtime } from "./worker.js";

export type { GuardedSockets, Runtime, Worker, WorkerEvents } from "./worker.js";

/** The runtime of that name. */
export function runtimeNamed(name: RuntimeName): Runtime {
  return name === "wasmtime" ? wasmtimeRuntime : nodeRuntime;
}
