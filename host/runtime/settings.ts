/**
 * How a server's sandbox is run, in how many processes, and what stands between its sockets and the sandbox.
 */
import type { BlockList } from "node:net";
import { wholeNumber } from "../core/check.js";
import { OptionError } from "../core/errors.js";
import { isComponent, type RuntimeName, resolveRuntime, whyNotInComponent } from "../core/runtimename.js";
import { trustedPeers } from "../core/trustedpeers.js";
import { type SSLOptions, TLSContexts } from "../tls/contexts.js";

/** Options of every server that its runtime knows. */
export interface RuntimeOptions {
  /**
   * Where the sandbox runs: `"node"`, inside this process; `"wasmtime"`, in child processes that own the sockets;
   * `"component-async"` or `"component"`, in one such process, as a component of WASI 0.3 or 0.2. Default:
   * `$WATERSPOUT_RUNTIME`, else `"node"`.
   */
  runtime?: RuntimeName | undefined;
  /** Number of wasmtime processes, 1 to 64; of a component there is one. Default 1. */
  workers?: number | undefined;
  /**
   * With `proxyProtocol`: the addresses, or networks like `"10.0.0.0/8"`, that connections are taken from; others are
   * closed unread. Default: the loopback ones. Only for the runtime `"node"`: in the others the sandbox accepts.
   */
  trustedProxies?: readonly string[] | undefined;
  /** Connections speak TLS: with this certificate, its key, and what else there is to say about it. */
  sslOptions?: SSLOptions | undefined;
}

/** What stands in front of a server's sockets. */
export interface GuardSettings {
  /** Null: connections do not speak TLS. */
  readonly tls: TLSContexts | null;
  /** Peers that may connect; null: all, as far as is known here. */
  readonly trusted: BlockList | null;
}

/** The same, complete and checked. */
export interface RuntimeSettings extends GuardSettings {
  /** Where the sandbox runs. */
  readonly runtime: RuntimeName;
  /** How many processes of wasmtime there are. */
  readonly workers: number;
}

/** Processes of wasmtime, or of Node with the command's `--workers`. */
export const WORKERS_MAX = 64;

/** Checks `options` and fills in the defaults. Throws OptionError and TLSConfigError. */
export function resolveRuntimeSettings(options: RuntimeOptions, proxyProtocol: boolean): RuntimeSettings {
  const runtime = resolveRuntime(options.runtime);
  const { workers = 1 } = options;
  if (isComponent(runtime) && workers !== 1) {
    throw new OptionError(whyNotInComponent(runtime, `one worker, not ${String(workers)}`));
  }
  return {
    runtime,
    workers: wholeNumber("workers", workers, 1, WORKERS_MAX),
    trusted: trusted(options, runtime, proxyProtocol),
    tls: tls(options, proxyProtocol),
  };
}

function trusted({ trustedProxies }: RuntimeOptions, runtime: RuntimeName, proxyProtocol: boolean): BlockList | null {
  if (trustedProxies !== undefined && !proxyProtocol) throw new OptionError("trustedProxies needs proxyProtocol");
  if (trustedProxies !== undefined && runtime !== "node") {
    throw new OptionError(
      `trustedProxies cannot be held to with the runtime ${runtime}, which does not tell who connects`,
    );
  }
  return proxyProtocol && runtime === "node" ? trustedPeers("trustedProxies", trustedProxies) : null;
}

function tls({ sslOptions }: RuntimeOptions, proxyProtocol: boolean): TLSContexts | null {
  if (sslOptions === undefined) return null;
  if (proxyProtocol) throw new OptionError("sslOptions and proxyProtocol cannot be used together");
  return new TLSContexts(sslOptions);
}
