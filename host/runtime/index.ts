/**
 * The choice of a runtime: runtime/node/worker.ts runs the sandbox inside this process, runtime/wasmtime/worker.ts in
 * child processes, runtime/wasmtime/components.ts as a component in one. Nothing else knows how; what they have in
 * common is in worker.ts.
 */
import type { ListeningSocket } from "../core/address.js";
import { isComponent, type RuntimeName } from "../core/runtimename.js";
import { nodeRuntime } from "./node/worker.js";
import type { RuntimeSettings } from "./settings.js";
import { componentRuntime, portOf } from "./wasmtime/components.js";
import { wasmtimeRuntime } from "./wasmtime/worker.js";
import type { GuardedSockets, Runtime } from "./worker.js";

export type { GuardedSockets, Runtime, Worker, WorkerEvents } from "./worker.js";

const RUNTIMES: Readonly<Record<RuntimeName, Runtime>> = {
  node: nodeRuntime,
  wasmtime: wasmtimeRuntime,
  "component-async": componentRuntime("component-async"),
  component: componentRuntime("component"),
};

/** The runtime of that name. */
export function runtimeNamed(name: RuntimeName): Runtime {
  return RUNTIMES[name];
}

/**
 * Puts TLS or the check of trusted proxies in front of `sockets`; without either there is nothing in front. Use what it
 * resolves with in their place. Rejects with OptionError when the runtime takes fewer sockets.
 */
export async function guardSockets(
  sockets: readonly ListeningSocket[],
  scheme: "http" | "tcp",
  { tls, trusted, runtime }: Pick<RuntimeSettings, "tls" | "trusted" | "runtime">,
): Promise<GuardedSockets> {
  if (isComponent(runtime)) portOf(runtime, sockets);
  if (tls === null && trusted === null) return { sockets, peers: null, drained: async () => {} };
  return await runtimeNamed(runtime).guard(sockets, { tls, trusted, scheme });
}
