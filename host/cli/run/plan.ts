/** How an application is to be served, and what a child process reports to its parent. */
import { type Address, hostAndPort } from "../../core/address.js";
import type { RuntimeName } from "../../core/runtimename.js";
import { type InspectSettings, mergedOptions, resolveInspect } from "../../server/options.js";
import type { Application, Loaded } from "./app.js";
import type { RunSettings } from "./settings.js";

/** How an application is to be served. */
export interface Plan {
  readonly port: number;
  readonly address: string;
  readonly runtime: RuntimeName;
  readonly workers: number;
  /** It is loaded again when its files change. */
  readonly autoreload: boolean;
  readonly tls: boolean;
  readonly inspect: InspectSettings | null;
}

/** Where it is served. `--json` prints this and the pid. */
export interface Serving {
  readonly url: string;
  readonly runtime: RuntimeName;
  readonly workers: number;
  readonly address: string;
  readonly port: number;
}

/** A message of a child process to its parent: first its plan, then where it serves, then that it accepts no more. */
export interface WorkerMessage {
  readonly plan?: Plan;
  readonly serving?: Serving;
  readonly quiet?: true;
}

/** The plan by the settings and the loaded application; `loaded` is null before it is. Throws UsageError. */
export function planFrom(settings: RunSettings, loaded: Loaded | null): Plan {
  const place = settings.place(loaded ?? {});
  if (loaded !== null) {
    const { runtime, workers, tls, inspect } = loaded.application.options;
    return { ...place, runtime, workers, autoreload: loaded.autoreload === true, tls: tls !== null, inspect };
  }
  const { runtime = "node", workers = 1, sslOptions, inspect } = mergedOptions(settings.outer);
  const tls = sslOptions !== undefined;
  return { ...place, runtime, workers, autoreload: false, tls, inspect: resolveInspect(inspect) };
}

/** Where an application that listens is served. */
export function servingOf({ scheme, options }: Application, address: Address, { runtime, workers }: Plan): Serving {
  const http = scheme === "http";
  const name = options.tls === null ? scheme : http ? "https" : "tls";
  const url = `${name}://${hostAndPort(address)}${http ? "/" : ""}`;
  return { url, runtime, workers, address: address.address, port: address.port };
}
