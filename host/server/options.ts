/**
 * The options of a server. Each room declares, checks and completes the options that it needs; here they are put
 * together.
 *
 * Invariant: behind `resolveOptions` every value is within its range, and each room sees its own part only.
 */

import { type BridgeOptions, type BridgeSettings, resolveBridge } from "../bridge/settings.js";
import { LOOPBACK } from "../core/address.js";
import { PORT_MAX, wholeNumber } from "../core/check.js";
import { OptionError } from "../core/errors.js";
import { type HTTPOptions, type HTTPSettings, resolveHTTP } from "../http/settings.js";
import { taskId } from "../net/inheritedsockets.js";
import { type RuntimeOptions, type RuntimeSettings, resolveRuntimeSettings } from "../runtime/settings.js";
import { resolveServerStream, type ServerStreamOptions, type StreamSettings } from "../stream/settings.js";

/** Options of every server. A limit or time that is not given takes the sandbox's default (docs/limits.md). */
export interface ServerOptions extends RuntimeOptions, BridgeOptions, ServerStreamOptions, HTTPOptions {
  /**
   * A live page, metrics and health of the server on a port of its own: `true` for http://127.0.0.1:8889/, or where.
   * Its URL is written to stderr, or to `logger.info`. Default: false.
   */
  inspect?: boolean | InspectOptions | undefined;
}

/** The admin server: a port of its own, with a live page, metrics and health. */
export interface InspectOptions {
  /** Its port, 0 for a free one. Default 8889. */
  port?: number | undefined;
  /** The address that it listens on. Default 127.0.0.1; every client that can connect sees it. */
  address?: string | undefined;
}

/** Where the admin server listens. */
export interface InspectSettings {
  /** Its port; 0: a free one. */
  readonly port: number;
  /** The address that it listens on. */
  readonly address: string;
}

/** The same as ServerOptions, complete and checked. */
export interface ServerSettings extends RuntimeSettings, BridgeSettings, StreamSettings, HTTPSettings {
  /** Null: there is no admin server. */
  readonly inspect: InspectSettings | null;
}

/** The admin server's port unless configured: next to the one that the command serves on. */
export const INSPECT_PORT = 8889;
const INSPECT_ADDRESS = LOOPBACK;

/** Checks `options` and fills in the defaults. Throws OptionError that names the option. */
export function resolveOptions(options: ServerOptions): ServerSettings {
  const runtime = resolveRuntimeSettings(options, options.proxyProtocol ?? false);
  const bridge = resolveBridge(options, runtime.workers);
  // WASI preview1 has no addresses. With TLS this process accepts; with the PROXY protocol a header has the address.
  const anonymous = runtime.runtime === "wasmtime" && runtime.tls === null && !bridge.proxyProtocol;
  return {
    ...runtime,
    ...bridge,
    ...resolveServerStream(options),
    ...resolveHTTP(options, bridge.logger, anonymous),
    inspect: resolveInspect(options.inspect),
  };
}

/**
 * What `inspect` asks for, null for nothing. Throws OptionError. A process of `forkProcesses` takes the port of its own
 * number.
 */
export function resolveInspect(option: boolean | InspectOptions | undefined): InspectSettings | null {
  if (option === undefined || option === false) return null;
  if (option !== true && (typeof option !== "object" || option === null)) {
    throw new OptionError(`inspect must be true, false or { port, address }, not ${String(option)}`);
  }
  const { port = INSPECT_PORT, address = INSPECT_ADDRESS } = option === true ? {} : option;
  const shift = port === 0 ? 0 : (taskId() ?? 0);
  wholeNumber("inspect.port", port, 0, PORT_MAX - shift);
  if (typeof address !== "string") throw new OptionError(`inspect.address must be an address, not ${String(address)}`);
  return { port: port + shift, address };
}

/** Options from outside of an application: `over` replace the application's own, which replace those of `under`. */
export interface OuterOptions {
  readonly over: ServerOptions;
  readonly under: ServerOptions;
}

/** The options of an application whose own are `own`. */
export function mergedOptions({ over, under }: OuterOptions, own: ServerOptions = {}): ServerOptions {
  return { ...under, ...definedOptions(own), ...over };
}

/** Without those that are undefined, which must not hide the value of another source. */
export function definedOptions(options: ServerOptions): ServerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
