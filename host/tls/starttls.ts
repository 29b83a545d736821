/**
 * TLS in the middle of a connection (`startTls`): what may be asked for, and the handshake over any Duplex.
 *
 * Invariants: options are read and checked before anything is sent; a handshake that fails, takes too long or is given
 * up has closed its Duplex; how many are under way is bounded: at a server by places (tls/admission.ts), at a client by
 * HANDSHAKES_MAX. Reference: Tornado's `IOStream.start_tls`; RFC 3207 (SMTP), RFC 2595 (IMAP); node:tls, whose server
 * takes any Duplex.
 */
import type { Duplex } from "node:stream";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Address } from "../core/address.js";
import { wholeNumber } from "../core/check.js";
import { OptionError, TimeoutError, TLSHandshakeError } from "../core/errors.js";
import { HANDSHAKE_TIMEOUT_MS, HANDSHAKES_MAX } from "../core/limits.js";
import { Places } from "./admission.js";
import { type ClientSSLOptions, handshake, readSSLOptions } from "./client.js";
import { type SSLOptions, TLSContexts } from "./contexts.js";
import { ServerHandshake, TLSServer } from "./server.js";

/** What `startTls` is to do. */
export interface StartTLSOptions {
  /** Whether this side is TLS's server, which shows its certificate. Default false, as in Tornado: the client. */
  serverSide?: boolean | undefined;
  /**
   * For the server a certificate, its key, and the rest; `TLSContexts` holds files that were read before. For the
   * client what it checks the peer by.
   */
  sslOptions?: SSLOptions | ClientSSLOptions | TLSContexts | undefined;
  /** Milliseconds for the handshake. Default: `handshakeTimeoutMs` of a server's `sslOptions`, else 10 seconds. */
  timeoutMs?: number | undefined;
}

/** The same, read and checked. */
export interface TLSPlan {
  /** Milliseconds for the handshake. */
  readonly timeoutMs: number;
  /** Begins the handshake. Rejects when it fails or `signal` aborts; `duplex` is closed then. */
  start(duplex: Duplex, peer: Address | null, signal: AbortSignal): Promise<TLSSocket>;
}

const TIMEOUT_MS_MAX = 600_000;

/** Throws OptionError for options that cannot work, TLSConfigError for a file that is missing or wrong. */
export function planTLS(options: StartTLSOptions): TLSPlan {
  const { sslOptions = {} } = options;
  if (options.serverSide === true) {
    const contexts = sslOptions instanceof TLSContexts ? sslOptions : new TLSContexts(sslOptions as SSLOptions);
    const server = serverOf(contexts);
    return {
      timeoutMs: wholeNumber("timeoutMs", options.timeoutMs ?? contexts.handshakeTimeoutMs, 1, TIMEOUT_MS_MAX),
      start: (duplex, peer, signal) => accept(server, duplex, peer, signal),
    };
  }
  if (sslOptions instanceof TLSContexts) throw new OptionError("TLSContexts are for serverSide: true");
  const client = sslOptions as ClientSSLOptions;
  if (client.serverName === undefined && client.certReqs !== "none") {
    throw new OptionError('startTls needs sslOptions.serverName, whose certificate is verified, or certReqs "none"');
  }
  const settings = readSSLOptions(client.serverName ?? "", client);
  return {
    timeoutMs: wholeNumber("timeoutMs", options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS, 1, TIMEOUT_MS_MAX),
    start: (duplex, _peer, signal) => connect(duplex, settings, client.serverName ?? "", signal),
  };
}

/**
 * Agrees on TLS over `duplex`, whose other end is `peer`. Rejects with TLSHandshakeError, with TimeoutError, or with
 * the reason of `signal`; then the Duplex is destroyed.
 */
export async function startTLS(
  duplex: Duplex,
  plan: TLSPlan,
  peer: Address | null,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const limit = new AbortController();
  const forward = (): void => limit.abort(signal.reason);
  const late = (): void => limit.abort(new TimeoutError(`the TLS handshake took longer than ${plan.timeoutMs} ms`));
  const timer = setTimeout(late, plan.timeoutMs);
  signal.addEventListener("abort", forward);
  if (signal.aborted) forward();
  duplex.allowHalfOpen = false; // a peer that ends its side in the middle of its handshake has given up
  try {
    limit.signal.throwIfAborted();
    const socket = await plan.start(duplex, peer, limit.signal);
    duplex.allowHalfOpen = true;
    socket.allowHalfOpen = true;
    return socket;
  } catch (error) {
    duplex.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", forward);
  }
}

// --- the client's side ---

let connecting = 0;

async function connect(
  duplex: Duplex,
  settings: ConnectionOptions,
  serverName: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  if (connecting >= HANDSHAKES_MAX) throw new TLSHandshakeError("too many are under way");
  connecting++;
  try {
    return (await handshake(duplex, settings, serverName, signal)) as TLSSocket;
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = (error as Error).cause as Error;
    throw new TLSHandshakeError(cause.message, { cause });
  } finally {
    connecting--;
  }
}

// --- the server's side ---

const places = new Places();

function accept(server: TLSServer, duplex: Duplex, peer: Address | null, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const handshake = new ServerHandshake(duplex, peer, server, places, (result, release) => {
      signal.removeEventListener("abort", abort);
      release();
      if (result instanceof Error) reject(result);
      else resolve(result);
    });
    const abort = (): void => handshake.fail(signal.reason);
    signal.addEventListener("abort", abort);
  });
}

const servers = new WeakMap<TLSContexts, TLSServer>();

function serverOf(contexts: TLSContexts): TLSServer {
  const server = servers.get(contexts) ?? new TLSServer(contexts, "tcp");
  servers.set(contexts, server);
  return server;
}
