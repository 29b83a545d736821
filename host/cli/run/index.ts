/** `waterspout run APP` and `waterspout dev APP`. serve.ts serves, and is loaded only then. */
import { existsSync } from "node:fs";
import { UsageError } from "../../core/errors.js";
import type { Command, Values } from "../command.js";
import { commandHelp } from "../help.js";
import { DEV_FLAGS, DEV_OPTIONS, RUN_OPTIONS } from "./options.js";

const usage = "APP [options] [-- SETTINGS]";
const about =
  "Serves APP: a module in TypeScript or JavaScript whose default export is a TCPServer subclass, a server, an " +
  "Application, an HTTP handler or an object with fetch, a program that has a server of node:http listen, or a .wasm " +
  "application.";

const more = `What is after "--" are settings of APP's own: waterspout run APP -- --help lists them.
A flag wins over what APP exports, that over the environment, that over the file of
settings.`;

export const run: Command = {
  name: "run",
  summary: "serve an application",
  usage,
  argument: { value: "APP" },
  options: RUN_OPTIONS,
  help: commandHelp({ name: "run", usage, options: RUN_OPTIONS }, about, more),
  passesOn: true,
  run: (values, words, passedOn) => serveFile("run", values, words, passedOn),
};

export const dev: Command = {
  name: "dev",
  summary: "serve an application, and load it again when its files change",
  usage,
  argument: { value: "APP" },
  options: DEV_OPTIONS,
  help: commandHelp(
    { name: "dev", usage, options: DEV_OPTIONS },
    "Is run with --watch and --debug: serves APP and loads it again when its files change, without closing the port; " +
      "the answer to a request that fails says where in the source, and why. An APP in AssemblyScript (.ts) is " +
      "compiled into build/, now and when a source changes.",
  ),
  passesOn: true,
  run: (values, words, passedOn) => serveFile("dev", { ...values, ...DEV_FLAGS }, words, passedOn),
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
  await serve(command === "dev" ? await moduleOf(file) : file, values, passedOn);
}

/** What is served in the place of `file`: of an application in AssemblyScript its module, which is kept up to date. */
async function moduleOf(file: string): Promise<string> {
  if (!existsSync(file)) return file; // serve() says so
  const { isAssemblyScript, keepBuilt } = await import("./rebuild.js");
  return isAssemblyScript(file) ? keepBuilt(file) : file;
}
