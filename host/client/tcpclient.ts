/**
 * Tornado's TCPClient: outgoing connections, with the same reads and writes as those that a server accepts.
 *
 * They do not go through the sandbox, which can neither look up a name nor connect: what the peer sends is read and
 * searched in this process. Invariant: when `connect` has rejected, nothing of its attempts is open any more.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type Address, familyOf, hostAndPort } from "../core/address.js";
import { PORT_MAX, UINT31_MAX, wholeNumber } from "../core/check.js";
import { ConnectError, type ConnectPhase, ConnectTimeoutError, OptionError } from "../core/errors.js";
import type { BaseIOStream } from "../stream/baseiostream.js";
import { NodeStream } from "../stream/nodestream.js";
import { resolveStream, type StreamOptions } from "../stream/settings.js";
import { type ClientSSLOptions, handshake, readSSLOptions } from "../tls/client.js";
import { socketConnector } from "./connector.js";
import { type Connector, connectToFirst } from "./happyeyeballs.js";

/** Options of `TCPClient.connect`. */
export interface ConnectOptions extends StreamOptions {
  /** Only addresses of this family. Default: that of `sourceAddress`, else both. */
  family?: "IPv4" | "IPv6" | undefined;
  /** The address of this machine to connect from. Default: the system's choice. */
  sourceAddress?: string | undefined;
  /** The port to connect from. Default: any. */
  sourcePort?: number | undefined;
  /**
   * Milliseconds for everything: the name, the connection and the TLS handshake. Default: no limit but the system's.
   */
  timeoutMs?: number | undefined;
  /** The connection speaks TLS. */
  sslOptions?: ClientSSLOptions | undefined;
  /** Gives up when it aborts; `connect` rejects with its reason. */
  signal?: AbortSignal | undefined;
}

/** Finds the addresses of a host name, the preferred one first. */
export type Resolver = (host: string) => Promise<readonly ResolvedAddress[]>;

/** One address of a host name. */
export interface ResolvedAddress {
  /** IPv4 or IPv6, as text. */
  address: string;
}

/** What a client does the work with; for tests, and for names that the system does not know. */
export interface TCPClientOptions {
  /** Default: the system's, as `dns.lookup`. */
  resolver?: Resolver | undefined;
  /** Connects to one address. Default: node:net. */
  connector?: Connector | undefined;
}

/**
 * Opens outgoing connections, with TLS where asked: Tornado's TCPClient. It keeps no state between calls of `connect`.
 */
export class TCPClient {
  readonly #resolver: Resolver;
  readonly #connector: Connector | undefined;

  constructor(options: TCPClientOptions = {}) {
    this.#resolver = options.resolver ?? ((host) => lookup(host, { all: true, order: "verbatim" }));
    this.#connector = options.connector;
  }

  /**
   * Connects to `port` of `host`, a name or an IP address. Of a name's addresses both families are tried, the second
   * 0.3 s after the first or when that has failed; the first connection is taken and the others are closed.
   *
   * Rejects with ConnectError when no address answers, the name is unknown or the handshake fails; with
   * ConnectTimeoutError, which names the phase, after `timeoutMs`; with the signal's reason when that aborts.
   */
  async connect(host: string, port: number, options: ConnectOptions = {}): Promise<BaseIOStream> {
    wholeNumber("port", port, 1, PORT_MAX);
    if (options.sourcePort !== undefined) wholeNumber("sourcePort", options.sourcePort, 0, PORT_MAX);
    const limits = resolveStream(options);
    const secure = options.sslOptions === undefined ? null : readSSLOptions(host, options.sslOptions);
    const limit = new TimeLimit(options);
    let connection: Duplex | null = null;
    try {
      limit.phase("resolving", `while resolving ${host}`);
      const addresses = await limit.race(this.#resolve(host, port, options));
      limit.phase("connecting", `while connecting to ${addresses.map(hostAndPort).join(", ")}`);
      const connector = this.#connector ?? socketConnector(options);
      connection = await connectToFirst(addresses, connector, limit.signal);
      if (secure === null) return new NodeStream(connection, limits);
      limit.phase("handshake", `in the TLS handshake with ${host}`);
      return new NodeStream(await handshake(connection, secure, host, limit.signal), limits);
    } catch (error) {
      connection?.destroy();
      throw error;
    } finally {
      limit.end();
    }
  }

  async #resolve(host: string, port: number, options: ConnectOptions): Promise<Address[]> {
    const { sourceAddress } = options;
    const family = options.family ?? (sourceAddress === undefined ? undefined : familyOf(sourceAddress));
    const found = isIP(host) === 0 ? await this.#lookUp(host) : [{ address: host }];
    const addresses = found.map(({ address }): Address => ({ address, port, family: familyOf(address) }));
    const wanted = addresses.filter((address) => family === undefined || address.family === family);
    if (wanted.length > 0) return wanted;
    throw new ConnectError("ENOTFOUND", `cannot connect to ${host}: it has no ${family ?? "IP"} address`);
  }

  async #lookUp(host: string): Promise<readonly { address: string }[]> {
    try {
      return await this.#resolver(host);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "ENOTFOUND";
      throw new ConnectError(code, `cannot resolve ${host} (${code})`, { cause: error });
    }
  }
}

/** The bounds of one connect: aborts its signal when the time is over or the caller's signal aborts. */
class TimeLimit {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | null = null;
  readonly #outer: AbortSignal | undefined;
  readonly #forward: () => void;
  #phase: ConnectPhase = "resolving";
  #doing = "";

  constructor({ timeoutMs, signal }: ConnectOptions) {
    if (timeoutMs !== undefined) {
      if (!(timeoutMs > 0 && timeoutMs <= UINT31_MAX))
        throw new OptionError("timeoutMs must be above 0 and below 2^31");
      this.#timer = setTimeout(() => {
        const message = `timed out after ${timeoutMs} ms ${this.#doing}`;
        this.#controller.abort(new ConnectTimeoutError(this.#phase, message));
      }, timeoutMs);
    }
    this.#outer = signal;
    this.#forward = () => this.#controller.abort(signal?.reason);
    if (signal?.aborted) this.#forward();
    else signal?.addEventListener("abort", this.#forward);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  phase(phase: ConnectPhase, doing: string): void {
    this.#phase = phase;
    this.#doing = doing;
  }

  /** `promise`, or the reason of the end of this limit if that is sooner. */
  race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason));
      promise.then(resolve, reject);
    });
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#forward);
  }
}
