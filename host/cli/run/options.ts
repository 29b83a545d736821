/**
 * The options of `waterspout run`, each described once: for its help and completion, for its flag, for the environment
 * and for the file of settings.
 */

import { MEMORY_VARIABLE } from "../../core/memorybudget.js";
import { RUNTIMES } from "../../core/runtimename.js";
import { ACCESS_LOG_FORMS } from "../../http/accesslog.js";
import { WORKERS_MAX } from "../../runtime/settings.js";
import { flagOf, type Setting } from "../../settings/settings.js";
import type { Option } from "../command.js";

/** A setting, and what its flag has beside it. */
type FlaggedSetting = Setting & Pick<Option, "value" | "short" | "alias" | "bare">;

/** Those that the file of settings may have, too, beside `application`, the application's own part. */
export const RUN_SETTINGS = {
  port: {
    type: "integer",
    min: 0,
    max: 65535,
    env: "PORT",
    short: "p",
    value: "PORT",
    help: "port to listen on, 0 for a free one (default: $PORT, else 8888)",
  },
  address: {
    type: "string",
    env: "HOST",
    short: "H",
    alias: "host",
    value: "ADDRESS",
    help: 'address or host name to listen on, "" for all (default: $HOST, else 127.0.0.1)',
  },
  runtime: {
    type: "string",
    choices: RUNTIMES,
    env: "WATERSPOUT_RUNTIME",
    value: "NAME",
    help:
      "node: the sandbox runs in this process; wasmtime: in processes of its own; component-async, component: " +
      "in one, as a component of WASI 0.3 or 0.2, which knows its peers " +
      "(default: $WATERSPOUT_RUNTIME, else node)",
  },
  workers: {
    type: "integer",
    min: 1,
    max: WORKERS_MAX,
    env: "WATERSPOUT_WORKERS",
    value: "N",
    help: "number of processes that share the port (default: $WATERSPOUT_WORKERS, else 1)",
  },
  certfile: {
    type: "string",
    value: "FILE",
    help: "speak TLS with this certificate (PEM); SIGHUP reads the files again",
  },
  keyfile: { type: "string", value: "FILE", help: "its private key (default: the file of the certificate)" },
  accessLog: {
    type: "string",
    choices: ACCESS_LOG_FORMS,
    env: "WATERSPOUT_ACCESS_LOG",
    value: "FORM",
    help:
      "one line a request on stderr: text, json, or off " +
      "(default: what APP says, else $WATERSPOUT_ACCESS_LOG, else text on a terminal and json elsewhere)",
  },
  inspect: {
    type: "integer",
    min: 0,
    max: 65535,
    value: "PORT",
    bare: "8889",
    help: "a live page, metrics and health, on this port (8889 without a PORT, 0 for a free one)",
  },
  inspectAddress: {
    type: "string",
    value: "ADDRESS",
    help: "their address, for probes of other machines; without --inspect on port 8889 (default: 127.0.0.1)",
  },
  memory: {
    type: "string",
    env: MEMORY_VARIABLE,
    value: "SIZE",
    help:
      "what each process may take, such as 256M: its bounds are parts of that " +
      "(default: $WATERSPOUT_MEMORY, else what the system lets it have)",
  },
} as const satisfies Record<string, FlaggedSetting>;

export const RUN_OPTIONS: Readonly<Record<string, Option>> = {
  ...Object.fromEntries(Object.entries<FlaggedSetting>(RUN_SETTINGS).map(optionOf)),
  watch: { type: "boolean", help: "load APP again when its files change, without closing the port" },
  debug: {
    type: "boolean",
    help: "the answer to a request that fails says where in the source, and why ($WATERSPOUT_DEBUG=1)",
  },
  reloadable: {
    type: "boolean",
    help:
      "a process of its own holds the port, so that SIGHUP or waterspout reload loads APP again; --watch, and " +
      "--workers of the runtime node, do so, too",
  },
  open: { type: "boolean", help: "open the page in the browser, when on a terminal and not in CI" },
  dir: {
    type: "string",
    multiple: true,
    value: "HOST::GUEST",
    help: "a folder that a .wasm application may read, and what it calls it; can be given several times",
  },
  static: {
    type: "string",
    value: "FOLDER",
    help: "serve the files of this folder, such as dist/client of a build, in front of an APP with fetch",
  },
  env: {
    type: "string",
    multiple: true,
    value: "NAME=VALUE",
    help: "a variable of the environment of a .wasm application, which has no other; can be given several times",
  },
  config: {
    type: "string",
    value: "FILE",
    help: "settings in JSON (default: $WATERSPOUT_CONFIG, else waterspout.config.json beside APP)",
  },
  json: { type: "boolean", help: "say where it serves as one JSON object" },
};

/** `waterspout dev` is `run` with these. */
export const DEV_FLAGS = { watch: true, debug: true };

export const DEV_OPTIONS: Readonly<Record<string, Option>> = Object.fromEntries(
  Object.entries(RUN_OPTIONS).filter(([name]) => !(name in DEV_FLAGS)),
);

/** A flag is a text until its setting reads it. */
function optionOf([name, setting]: [string, FlaggedSetting]): [string, Option] {
  return [flagOf(name), { ...setting, type: "string" }];
}
