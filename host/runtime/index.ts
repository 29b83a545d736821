/**
 * The choice of a runtime: runtime/node/worker.ts runs the sandbox inside this process, runtime/wasmtime/worker.ts in
 * child processes. Nothing else knows how; what they have in common is in worker.ts.
 */
import type { RuntimeName } from "../core/runtimename.js";
import { nodeRuntime } from "./node/worker.js";
import { wasmtimeRuntime } from "./wasmtime/worker.js";
import type { Runtime } from "./worker.js";

export type { GuardedSockets, Runtime, Worker, WorkerEvents } from "./worker.js";

/** The runtime of that name. */
export function runtimeNamed(name: RuntimeName): Runtime {
  return name === "wasmtime" ? wasmtimeRuntime : nodeRuntime;
}
