/**
 * The settings of `waterspout run`, from flags, the environment and a file of settings. APP's exports stand between
 * flags and environment: flags win over them (`over`), they win over the environment and the file (`under`).
 *
 * Invariant: every value is checked before APP is loaded.
 */
import { dirname, resolve } from "node:path";
import { LOOPBACK } from "../../core/address.js";
import { UsageError } from "../../core/errors.js";
import { MEMORY_FORMS, memoryIn } from "../../core/memorybudget.js";
import type { RuntimeName } from "../../core/runtimename.js";
import type { AccessLogForm } from "../../http/accesslog.js";
import { isDebugDefault } from "../../http/settings.js";
import { expectedPlace } from "../../net/bind.js";
import { componentKindOf } from "../../runtime/componentkind.js";
import { type Grants, grantsFrom } from "../../runtime/grants.js";
import { definedOptions, type OuterOptions, type ServerOptions } from "../../server/options.js";
import { checkValues, fileSource, readSettingsFile, settingsPath } from "../../settings/file.js";
import { checked, environment, flagOf, type Setting, type Source, settingFrom } from "../../settings/settings.js";
import type { SSLOptions } from "../../tls/contexts.js";
import type { Values } from "../command.js";
import { RUN_SETTINGS } from "./options.js";

const PORT = 8888;

type Name = keyof typeof RUN_SETTINGS;

/** Where a server is to listen. */
export interface Place {
  readonly port: number;
  readonly address: string;
}

export interface RunSettings {
  readonly file: string;
  /** The file of settings, or where it would be. */
  readonly settingsPath: string;
  /** The application's own part of that file. */
  readonly application: unknown;
  readonly outer: OuterOptions;
  /** What a .wasm application is given. */
  readonly grants: Grants;
  /** The folder of files in front of an application with `fetch`. */
  readonly staticFolder: string | undefined;
  /** How much memory each process may take, as it was given; undefined: it was not. */
  readonly memory: string | undefined;
  readonly watch: boolean;
  readonly debug: boolean;
  /** A process of its own is to hold the port, so that APP can be loaded again. */
  readonly reloadable: boolean;
  readonly json: boolean;
  readonly open: boolean;
  /** Flags say where to listen. */
  readonly isPlaceFixed: boolean;
  /** Where to listen, if APP exports this. Throws UsageError. */
  place(exported: Partial<Record<"port" | "hostname", unknown>>): Place;
}

/** Throws UsageError. */
export function readRunSettings(file: string, values: Values): RunSettings {
  const named = (values.config as string | undefined) ?? (process.env.WATERSPOUT_CONFIG || undefined);
  const path = settingsPath(file, named);
  const { application, ...stored } = readSettingsFile(path, named !== undefined)?.values ?? {};
  checkValues(stored, RUN_SETTINGS, path);
  const said: Sources = { flags: flagSource(values), file: fileSource(stored, path) };
  const over = certificates(said.flags, "") ?? {};
  const under = certificates(said.file, dirname(path)) ?? {};
  const first = (name: Name) => valueFrom(name, [said.flags]);
  // A flag hides errors of the other sources; but servers of the application's own read accessLog from them, too.
  const isOpen = (name: Name) => name === "accessLog" || said.flags(name, RUN_SETTINGS[name]) === undefined;
  const then = (name: Name) => (isOpen(name) ? valueFrom(name, [environment, said.file]) : undefined);
  return {
    file,
    settingsPath: path,
    application,
    grants: grantsFrom(values.dir as readonly string[] | undefined, values.env as readonly string[] | undefined),
    staticFolder: values.static as string | undefined,
    memory: [said.flags, environment, said.file].map(memoryFrom).find((text) => text !== undefined),
    watch: values.watch === true,
    debug: values.debug === true || isDebugDefault(),
    json: values.json === true,
    open: values.open === true,
    outer: {
      over: {
        ...over,
        ...options(first),
        ...inspectFrom(said.flags, [said.flags, said.file]),
        ...componentRuntime(file, first("runtime")),
      },
      under: { runtime: "node", ...under, ...options(then), ...inspectFrom(said.file, [said.file]) },
    },
    reloadable: values.reloadable === true,
    isPlaceFixed: values.port !== undefined && values.address !== undefined,
    place: (exported) => placeFrom(said, exported, file),
  };
}

/** The one runtime that serves a component; a flag that names another is an error. */
function componentRuntime(file: string, named: unknown): ServerOptions {
  const kind = componentKindOf(file);
  if (kind === null) return {};
  if (kind === "unknown") {
    const known = "wasi:cli/run nor a handler of wasi:http, of 0.2 or 0.3";
    throw new UsageError(`${file} is a component that cannot be served: it exports neither ${known}`);
  }
  if (named === undefined || named === kind.runtime) return { runtime: kind.runtime };
  throw new UsageError(`${file} is a component, which the runtime ${kind.runtime} serves, not ${named}`);
}

interface Sources {
  readonly flags: Source;
  readonly file: Source;
}

function valueFrom(name: Name, sources: readonly Source[]): unknown {
  return settingFrom(name, RUN_SETTINGS[name] as Setting, sources);
}

function flagSource(values: Values): Source {
  return (name) => {
    const flag = flagOf(name);
    const text = values[flag];
    return typeof text === "string" ? { texts: [text], origin: `--${flag}` } : undefined;
  };
}

function memoryFrom(source: Source): string | undefined {
  const said = source("memory", RUN_SETTINGS.memory);
  if (said === undefined) return undefined;
  const text = checked(RUN_SETTINGS.memory, said) as string;
  if (memoryIn(text) !== null) return text;
  throw new UsageError(`${said.origin} must be ${MEMORY_FORMS}, not ${JSON.stringify(text)}`);
}

function placeFrom(said: Sources, exported: { port?: unknown; hostname?: unknown }, file: string): Place {
  const fromExports: Source = (name) => {
    const key = name === "address" ? "hostname" : "port";
    const value = exported[key];
    return value === undefined ? undefined : { value, origin: `${file}: ${key}` };
  };
  const sources = [said.flags, fromExports, environment, said.file];
  const port = valueFrom("port", sources) as number | undefined;
  const address = valueFrom("address", sources) as string | undefined;
  const expected = address === undefined ? expectedPlace(port) : null;
  return {
    port: port ?? expected?.port ?? PORT,
    address: address ?? expected?.address ?? LOOPBACK,
  };
}

/** Paths in a file are relative to that file. */
function certificates(source: Source, folder: string): { sslOptions: SSLOptions } | null {
  const path = (name: "certfile" | "keyfile"): string | undefined => {
    const said = source(name, RUN_SETTINGS[name]);
    if (said === undefined) return undefined;
    const text = checked(RUN_SETTINGS[name], said) as string;
    return folder === "" ? text : resolve(folder, text);
  };
  const [certfile, keyfile] = [path("certfile"), path("keyfile")];
  if (certfile === undefined && keyfile !== undefined) {
    throw new UsageError(
      `${source("keyfile", RUN_SETTINGS.keyfile)?.origin} needs ${folder === "" ? "--" : ""}certfile`,
    );
  }
  return certfile === undefined ? null : { sslOptions: { certfile, keyfile } };
}

/** The admin server that `asking` asks for, by its port or its address; `sources` may have the other one. */
function inspectFrom(asking: Source, sources: readonly Source[]): ServerOptions {
  const names = ["inspect", "inspectAddress"] as const;
  if (names.every((name) => asking(name, RUN_SETTINGS[name]) === undefined)) return {};
  const [port, address] = names.map((name) => valueFrom(name, sources)) as [number | undefined, string | undefined];
  return { inspect: { port, address } };
}

/** The options that `value` has a value for. */
function options(value: (name: Name) => unknown): ServerOptions {
  const all: ServerOptions = {
    runtime: value("runtime") as RuntimeName | undefined,
    workers: value("workers") as number | undefined,
    accessLog: value("accessLog") as AccessLogForm | undefined,
  };
  return definedOptions(all);
}
