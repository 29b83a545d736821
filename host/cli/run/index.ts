/** `waterspout run APP` and `waterspout dev APP`: their options. serve.ts serves, and is loaded only then. */
import { UsageError } from "../../core/errors.js";
import { ACCESS_LOG_FORMS } from "../../http/accesslog.js";
import type { Command, Option, Values } from "../command.js";
import { commandHelp } from "../help.js";

const options = {
  port: {
    type: "string",
    short: "p",
    value: "PORT",
    help: "port to listen on, 0 for a free one (default: $PORT, else 8888)",
  },
  address: {
    type: "string",
    short: "H",
    alias: "host",
    value: "ADDRESS",
    help: 'address or host name to listen on, "" for all (default: $HOST, else 127.0.0.1)',
  },
  runtime: {
    type: "string",
    value: "NAME",
    choices: ["node", "wasmtime"],
    help:
      "node: the sandbox runs in this process; wasmtime: in processes of its own " +
      "(default: $WATERSPOUT_RUNTIME, else node)",
  },
  workers: {
    type: "string",
    value: "N",
    help: "number of processes that share the port (default: $WATERSPOUT_WORKERS, else 1)",
  },
  dir: {
    type: "string",
    multiple: true,
    value: "HOST::GUEST",
    help: "a folder that a .wasm application may read, and what it calls it; can be given several times",
  },
  watch: { type: "boolean", help: "load APP again when its files change, without closing the port" },
  open: { type: "boolean", help: "open the page in the browser, when on a terminal and not in CI" },
  certfile: {
    type: "string",
    value: "FILE",
    help: "speak TLS with this certificate (PEM); SIGHUP reads the files again",
  },
  keyfile: { type: "string", value: "FILE", help: "its private key (default: the file of the certificate)" },
  "access-log": {
    type: "string",
    value: "FORM",
    choices: ACCESS_LOG_FORMS,
    help:
      "one line a request on stderr: text, json, or off " +
      "(default: what APP says, else $WATERSPOUT_ACCESS_LOG, else text on a terminal and json elsewhere)",
  },
  inspect: {
    type: "string",
    value: "PORT",
    bare: "8889",
    help: "a live page, metrics and health, on this port of 127.0.0.1 (8889 without a PORT, 0 for a free one)",
  },
  memory: {
    type: "string",
    value: "SIZE",
    help:
      "what each process may take, such as 256M: its bounds are parts of that " +
      "(default: $WATERSPOUT_MEMORY, else what the system lets it have)",
  },
  config: {
    type: "string",
    value: "FILE",
    help: "settings in JSON (default: $WATERSPOUT_CONFIG, else waterspout.config.json beside APP)",
  },
  json: { type: "boolean", help: "say where it serves as one JSON object" },
} satisfies Record<string, Option>;

/** `dev` is `run --watch`. */
const { watch: _, ...devOptions } = options;

const usage = "APP [options] [-- SETTINGS]";
const about =
  "Serves APP: a module in TypeScript or JavaScript whose default export is a TCPServer subclass, a server, an " +
  "Application, an HTTP handler or an object with fetch, or a .wasm application.";

const more = `What is after "--" are settings of APP's own: waterspout run APP -- --help lists them.
A flag wins over what APP exports, that over the environment, that over the file of
settings.`;

export const run: Command = {
  name: "run",
  summary: "serve an application",
  usage,
  argument: { value: "APP" },
  options,
  help: commandHelp({ name: "run", usage, options }, about, more),
  passesOn: true,
  run: (values, words, passedOn) => serveFile("run", values, words, passedOn),
};

export const dev: Command = {
  name: "dev",
  summary: "serve an application, and load it again when its files change",
  usage,
  argument: { value: "APP" },
  options: devOptions,
  help: commandHelp(
    { name: "dev", usage, options: devOptions },
    "Is run with --watch: serves APP and loads it again when its files change, without closing the port.",
  ),
  passesOn: true,
  run: (values, words, passedOn) => serveFile("dev", { ...values, watch: true }, words, passedOn),
};

async function serveFile(
  command: string,
  values: Values,
  [file, ...rest]: readonly string[],
  passedOn: readonly string[],
): Promise<undefined> {
  if (file === undefined) throw new UsageError(`${command} needs a file to serve; try waterspout ${command} --help`);
  if (rest.length > 0) throw new UsageError(`${command} takes one file, not also ${rest.join(" ")}`);
  const { serve } = await import("./serve.js");
  await serve(file, values, passedOn);
}
