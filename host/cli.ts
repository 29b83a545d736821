#!/usr/bin/env node
/**
 * The command `waterspout`. Invariants: stdout gets one line, when it serves; every error is one line on stderr; it exits
 * with 0 after an orderly stop, 1 when something failed, 2 when it was used wrongly, 128 + n when a second signal n forced it.
 */
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { hostAndPort } from "./address.js";
import { loadApplication, packageVersion, UsageError } from "./app.js";
import { errorLine, oneLine } from "./log.js";
import { LOOPBACK } from "./netutil.js";
import type { RuntimeName, ServerOptions } from "./options.js";
import { PACKAGE_FILE } from "./paths.js";
import { freePort, isWorkerProcess, onStopMessage, reportServing, Workers } from "./processes.js";

const HELP = `Usage: waterspout run APP [options]

Serves APP: a .ts or .js module whose default export is a TCPServer subclass, a server or
an HTTP handler, or a .wasm application.

Options:
  --port PORT        port to listen on, 0 for a free one (default 8888)
  --address ADDRESS  address or host name to listen on, "" for all (default ${LOOPBACK})
  --runtime NAME     node: the sandbox runs in this process; wasmtime: in processes of
                     its own (default: $WATERSPOUT_RUNTIME, else node)
  --workers N        number of processes that share the port (default 1)
  --help             this text
  --version          the version
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const WORKERS_MAX = 64;

interface Command {
  file: string;
  port: number;
  address: string;
  runtime: RuntimeName;
  workers: number;
}

function parse(args: string[]): Command | "help" | "version" {
  const { values, positionals } = parseOptions(args);
  if (values.help === true) return "help";
  if (values.version === true) return "version";
  const [command, file, ...rest] = positionals;
  if (command !== "run")
    throw new UsageError(`${command === undefined ? "no command" : `no command ${command}`}; try --help`);
  if (file === undefined) throw new UsageError("run needs a file to serve; try --help");
  if (rest.length > 0) throw new UsageError(`run takes one file, not also ${rest.join(" ")}`);
  return {
    file,
    port: wholeNumber("port", values.port ?? "8888", 0, 65535),
    address: values.address ?? LOOPBACK,
    runtime: runtimeName(values.runtime ?? (process.env.WATERSPOUT_RUNTIME || "node")),
    workers: wholeNumber("workers", values.workers ?? "1", 1, WORKERS_MAX),
  };
}

function parseOptions(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = { port: text, address: text, runtime: text, workers: text, help: flag, version: flag };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0] as string);
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : -1;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
}

function runtimeName(name: string): RuntimeName {
  if (name === "node" || name === "wasmtime") return name;
  throw new UsageError(`--runtime must be node or wasmtime, not ${JSON.stringify(name)}`);
}

async function serve(command: Command): Promise<void> {
  const options: ServerOptions = { runtime: command.runtime };
  if (command.runtime === "wasmtime") options.workers = command.workers;
  const application = await loadApplication(command.file, options);
  const stop = () => void application.stop().then(() => process.exit(0), exitWith);
  if (isWorkerProcess) onStopMessage(stop);
  else onSignals(stop, () => {});
  await application.listen(command.port, command.address);
  application.closed.catch(() => process.exit(EXIT_FAILED));
  const [address] = application.addresses;
  if (address === undefined) return; // it has been stopped meanwhile
  const url = `${application.scheme}://${hostAndPort(address)}${application.scheme === "http" ? "/" : ""}`;
  announce(`Waterspout serves ${url} (${command.runtime})`);
}

function announce(line: string): void {
  if (isWorkerProcess) reportServing(line);
  else process.stdout.write(`${line}\n`);
}

/** Watches over worker processes that run the same command for one each. */
async function serveInProcesses(command: Command): Promise<void> {
  const port = command.port === 0 ? await freePort(command.address) : command.port;
  const args = ["run", command.file, "--port", String(port), "--address", command.address, "--runtime", "node"];
  const workers = new Workers(command.workers, args, {
    serving: announce,
    warn: (text) => process.stderr.write(`waterspout: warning: ${text}\n`),
    ended: (status) => process.exit(status),
  });
  onSignals(
    () => workers.stop(),
    () => workers.kill(),
  );
}

/** The first signal stops in order, the second at once. */
function onSignals(stop: () => void, kill: () => void): void {
  let stopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping) {
        kill();
        process.exit(128 + constants.signals[signal]);
      }
      stopping = true;
      stop();
    });
  }
}

function exitWith(error: unknown): void {
  const isUsage = error instanceof UsageError;
  const text = error instanceof Error && error.constructor !== TypeError ? oneLine(error.message) : errorLine(error);
  process.stderr.write(`waterspout: ${text}\n`);
  process.exit(isUsage ? EXIT_USAGE : EXIT_FAILED);
}

async function main(): Promise<void> {
  const command = parse(process.argv.slice(2));
  if (command === "help") process.stdout.write(HELP);
  else if (command === "version") process.stdout.write(`${packageVersion(PACKAGE_FILE)}\n`);
  else if (command.runtime === "node" && command.workers > 1 && !isWorkerProcess) await serveInProcesses(command);
  else await serve(command);
}

main().catch(exitWith);
