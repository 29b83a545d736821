/** `waterspout build FILE`: its options and its report. builder.ts compiles, and is loaded only then. */
import { existsSync, statSync } from "node:fs";
import { UsageError } from "../../core/errors.js";
import type { Command, Option, Values } from "../command.js";
import { commandHelp } from "../help.js";
import type { BuildReport } from "./builder.js";
import { TARGETS, type Target, type TargetName } from "./targets.js";

const usage = "FILE [options]";

const options = {
  target: {
    type: "string",
    value: "TARGET",
    choices: Object.keys(TARGETS),
    help:
      "preview1 for Node and wasmtime 36 (default); component, of WASI 0.2, component-async, of WASI 0.3, http or " +
      "http-async, of wasi:http 0.2 or 0.3, for a runtime alone: needs @bytecodealliance/jco",
  },
  out: {
    type: "string",
    value: "FILE",
    help: "the module (default: FILE with .wasm instead of .ts, or .component.wasm)",
  },
  artifacts: {
    type: "string",
    value: "FOLDER",
    help: "write what is published as well: an OCI image layout, an SBOM, the WIT of a component, checksums",
  },
  debug: { type: "boolean", help: "with the names of functions, assertions and a source map, and not optimised" },
  json: { type: "boolean", help: "the report as one JSON document on stdout" },
} satisfies Record<string, Option>;

const ABOUT =
  "Compiles FILE, an application in AssemblyScript, with the project's own assemblyscript and the flags that an " +
  "application needs. An asconfig.json in the project's folder may add options of its own. For component-async FILE " +
  "may be in TypeScript, a module whose default export is a function, an Application or an object with fetch, or a " +
  "handler that is a component already.";

export const build: Command = {
  name: "build",
  summary: "compile an application",
  usage,
  help: commandHelp({ name: "build", usage, options }, ABOUT),
  argument: { value: "FILE" },
  options,
  async run(values, positionals) {
    const source = sourceOf(positionals);
    const target = targetOf(values.target as string | undefined);
    const out = outOf(source, target, values.out as string | undefined);
    const { buildApplication } = await import("./builder.js");
    const report = await buildApplication(source, out, values.debug === true, target, folderOf(values.artifacts));
    if (values.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
    if (report.error !== null) {
      process.stderr.write(`waterspout: ${report.error}\n`);
      return 1;
    }
    if (values.json !== true) process.stdout.write(textOf(report));
    return 0;
  },
};

function sourceOf([file, ...rest]: readonly string[]): string {
  if (file === undefined) throw new UsageError("build needs a file to compile; try waterspout build --help");
  if (rest.length > 0) throw new UsageError(`build takes one file, not also ${rest.join(" ")}`);
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  if (!/\.(?:ts|wasm)$/.test(file)) throw new UsageError(`${file} is no AssemblyScript: it must end in .ts`);
  return file;
}

function targetOf(name = "preview1"): Target {
  if (!Object.hasOwn(TARGETS, name)) {
    throw new UsageError(`--target must be ${Object.keys(TARGETS).join(", ")}, not ${JSON.stringify(name)}`);
  }
  return TARGETS[name as TargetName];
}

function outOf(source: string, { suffix }: Target, given: string | undefined): string {
  const out = given ?? source.replace(/\.(?:ts|wasm)$/, suffix);
  if (!out.endsWith(".wasm")) throw new UsageError(`--out must end in .wasm, not ${JSON.stringify(out)}`);
  if (existsSync(out) && statSync(out).isDirectory()) throw new UsageError(`${out} is a folder`);
  return out;
}

function folderOf(given: Values[string]): string | null {
  if (typeof given !== "string") return null;
  if (given === "" || (existsSync(given) && !statSync(given).isDirectory()))
    throw new UsageError(`--artifacts must be a folder, not ${JSON.stringify(given)}`);
  return given;
}

function textOf(report: BuildReport): string {
  const { file } = report;
  const { component } = TARGETS[report.target];
  if (component !== null) {
    const { before, behind, wasmtime } = component.serve;
    return (
      `${file}: ${report.bytes.toLocaleString("en")} bytes\n` +
      `imports: ${report.imports.length} functions\n` +
      `serve it with: ${before} ${file}${behind} (wasmtime ${wasmtime})\n` +
      `or supervised: npx waterspout run ${file}\n`
    );
  }
  const ways = { node: "--runtime node", wasmtime: "--runtime wasmtime", bare: "wasmtime alone" };
  const served = report.runtimes.map((name) => ways[name as keyof typeof ways]).join(", ");
  return (
    `${file}: ${report.bytes.toLocaleString("en")} bytes\n` +
    `imports: ${report.imports.length}, all of them known\n` +
    `serve it with: npx waterspout run ${file} (${served})\n`
  );
}
