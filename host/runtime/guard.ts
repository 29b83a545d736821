/**
 * What stands in front of a server's sockets by its options: TLS, or a check of who connects. Without either there is
 * nothing.
 */
import type { ListeningSocket } from "../core/address.js";
import type { ResolvedOptions } from "../server/options.js";
import { type GuardedSockets, runtimeNamed } from "./index.js";

/** Puts `options.tls` and `options.trusted` in front of `sockets`; use what it resolves with in their place. */
export async function guardSockets(
  sockets: readonly ListeningSocket[],
  scheme: "http" | "tcp",
  options: ResolvedOptions,
): Promise<GuardedSockets> {
  const { tls, trusted, runtime } = options;
  if (tls === null && trusted === null) return { sockets, peers: null, drained: async () => {} };
  return await runtimeNamed(runtime).guard(sockets, { tls, trusted, scheme });
}
