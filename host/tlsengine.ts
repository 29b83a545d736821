/**
 * TLS in the middle of a connection (`startTls`): what may be asked for, and the handshake over any Duplex.
 *
 * Invariants: options are read and checked before anything is sent; a handshake that fails, takes too long or is given up has
 * closed its Duplex; at most HANDSHAKES_MAX are under way, and who comes beyond that is refused.
 * Reference: Tornado's `IOStream.start_tls`; RFC 3207 (SMTP), RFC 2595 (IMAP); node:tls, whose server takes any Duplex.
 */
import type { Duplex } from "node:stream";
import { type ConnectionOptions, createServer, type Server, type TLSSocket } from "node:tls";
import { type ClientSSLOptions, handshake, readSSLOptions } from "./clientsockets.js";
import { OptionError, TimeoutError, TLSHandshakeError } from "./errors.js";
import { HANDSHAKE_TIMEOUT_MS, HANDSHAKES_MAX } from "./limits.js";
import { noteTLS, refuses, type SSLOptions, serverSettings, TLSContexts } from "./tls.js";

/** What `startTls` is to do. */
export interface StartTLSOptions {
  /** Whether this side is TLS's server, which shows its certificate. Default false, as in Tornado: the client. */
  serverSide?: boolean | undefined;
  /** For the server a certificate, its key, and the rest; `TLSContexts` holds files that were read before. For the client who the peer has to be. */
  sslOptions?: SSLOptions | ClientSSLOptions | TLSContexts | undefined;
  /** Milliseconds for the handshake. Default: `handshakeTimeoutMs` of a server's `sslOptions`, else 10 seconds. */
  timeoutMs?: number | undefined;
}

/** The same, read and checked. */
export interface TLSPlan {
  readonly timeoutMs: number;
  start(duplex: Duplex, signal: AbortSignal): Promise<TLSSocket>;
}

const TIMEOUT_MS_MAX = 600_000;
/** Servers of node:tls that are kept for the next handshake. */
const IDLE_SERVERS_MAX = 64;

/** Throws OptionError for options that cannot work, TLSConfigError for a file that is missing or wrong. */
export function planTLS(options: StartTLSOptions): TLSPlan {
  const { sslOptions = {} } = options;
  if (options.serverSide === true) {
    const contexts = sslOptions instanceof TLSContexts ? sslOptions : new TLSContexts(sslOptions as SSLOptions);
    const server = serverOf(contexts);
    return {
      timeoutMs: checkedTimeout(options.timeoutMs ?? contexts.handshakeTimeoutMs),
      start: (duplex, signal) => server.accept(duplex, signal),
    };
  }
  if (sslOptions instanceof TLSContexts) throw new OptionError("TLSContexts are for serverSide: true");
  const client = sslOptions as ClientSSLOptions;
  if (client.serverName === undefined && client.certReqs !== "none") {
    throw new OptionError('startTls needs sslOptions.serverName, whose certificate is verified, or certReqs "none"');
  }
  const settings = readSSLOptions(client.serverName ?? "", client);
  return {
    timeoutMs: checkedTimeout(options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS),
    start: (duplex, signal) => connect(duplex, settings, client.serverName ?? "", signal),
  };
}

function checkedTimeout(ms: number): number {
  if (Number.isInteger(ms) && ms >= 1 && ms <= TIMEOUT_MS_MAX) return ms;
  throw new OptionError(`timeoutMs must be a whole number from 1 to ${TIMEOUT_MS_MAX}, not ${String(ms)}`);
}

let underWay = 0;

/**
 * Agrees on TLS over `duplex`. Rejects with TLSHandshakeError, with TimeoutError, or with the reason of `signal`; then the Duplex
 * is destroyed.
 */
export async function startTLS(duplex: Duplex, plan: TLSPlan, signal: AbortSignal): Promise<TLSSocket> {
  const limit = new AbortController();
  const forward = (): void => limit.abort(signal.reason);
  const late = (): void => limit.abort(new TimeoutError(`the TLS handshake took longer than ${plan.timeoutMs} ms`));
  const timer = setTimeout(late, plan.timeoutMs);
  signal.addEventListener("abort", forward);
  if (signal.aborted) forward();
  underWay++;
  duplex.allowHalfOpen = false; // a peer that ends its side in the middle of its handshake has given up
  try {
    if (underWay > HANDSHAKES_MAX) throw new TLSHandshakeError("too many are under way");
    limit.signal.throwIfAborted();
    const socket = await plan.start(duplex, limit.signal);
    duplex.allowHalfOpen = true;
    socket.allowHalfOpen = true;
    return socket;
  } catch (error) {
    duplex.destroy();
    throw error;
  } finally {
    underWay--;
    clearTimeout(timer);
    signal.removeEventListener("abort", forward);
  }
}

async function connect(
  duplex: Duplex,
  settings: ConnectionOptions,
  serverName: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  try {
    return (await handshake(duplex, settings, serverName, signal)) as TLSSocket;
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = (error as Error).cause as Error;
    throw new TLSHandshakeError(cause.message, { cause });
  }
}

// --- the server's side ---

/** The handshakes with one set of certificates. A server of node:tls is used by one at a time: it does not tell which connection a secured one was. */
class HandshakeServer {
  readonly #contexts: TLSContexts;
  #idle: Server[] = [];

  constructor(contexts: TLSContexts) {
    this.#contexts = contexts;
    contexts.watch(() => {
      this.#idle = [];
    });
  }

  accept(duplex: Duplex, signal: AbortSignal): Promise<TLSSocket> {
    const { certReqs } = this.#contexts;
    const idle = this.#idle;
    // The time is measured by startTLS.
    const settings = { ...serverSettings(this.#contexts, "tcp"), handshakeTimeout: 2 * TIMEOUT_MS_MAX };
    const server = idle.pop() ?? createServer(settings);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        signal.removeEventListener("abort", abort);
        server.removeAllListeners("secureConnection").removeAllListeners("tlsClientError");
      };
      const fail = (error: unknown): void => {
        settle(); // the server is not used again: it may still have something to say about this one
        server.on("tlsClientError", () => {});
        reject(error);
      };
      const abort = (): void => fail(signal.reason);
      signal.addEventListener("abort", abort);
      server.once("tlsClientError", (cause) => fail(new TLSHandshakeError(cause.message, { cause })));
      server.once("secureConnection", (socket) => {
        socket.on("error", () => {}); // until the stream listens
        noteTLS(socket, certReqs);
        if (refuses(socket, certReqs)) return fail(new TLSHandshakeError("the peer's certificate does not verify"));
        settle();
        if (idle === this.#idle && idle.length < IDLE_SERVERS_MAX) idle.push(server);
        resolve(socket);
      });
      server.emit("connection", duplex);
    });
  }
}

const servers = new WeakMap<TLSContexts, HandshakeServer>();

function serverOf(contexts: TLSContexts): HandshakeServer {
  let server = servers.get(contexts);
  if (server === undefined) {
    server = new HandshakeServer(contexts);
    servers.set(contexts, server);
  }
  return server;
}
