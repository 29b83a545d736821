/**
 * What stands in front of a server's sockets by its options: TLS, or a check of who connects. Without either there is
 * nothing.
 */
import type { BlockList } from "node:net";
import type { ListeningSocket } from "../core/address.js";
import type { RuntimeName } from "../core/runtimename.js";
import type { TLSContexts } from "../tls/contexts.js";
import { type GuardedSockets, runtimeNamed } from "./index.js";

/** Puts `options.tls` and `options.trusted` in front of `sockets`; use what it resolves with in their place. */
export async function guardSockets(
  sockets: readonly ListeningSocket[],
  scheme: "http" | "tcp",
  options: { readonly tls: TLSContexts | null; readonly trusted: BlockList | null; readonly runtime: RuntimeName },
): Promise<GuardedSockets> {
  const { tls, trusted, runtime } = options;
  if (tls === null && trusted === null) return { sockets, peers: null, drained: async () => {} };
  return await runtimeNamed(runtime).guard(sockets, { tls, trusted, scheme });
}
