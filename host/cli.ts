#!/usr/bin/env node
/**
 * The command `waterspout`. Invariants: stdout gets one line, when it serves; every error is one line on stderr; it exits
 * with 0 after an orderly stop, 1 when something failed, 2 when it was used wrongly, 128 + n when a second signal n forced it.
 */
import { parseArgs } from "node:util";
import { type Address, hostAndPort } from "./address.js";
import { type Application, loadApplication, packageVersion, UsageError } from "./app.js";
import { taskId } from "./inheritance.js";
import { RESTARTS_MAX } from "./limits.js";
import { errorLine, oneLine } from "./log.js";
import { bindSockets, LOOPBACK } from "./netutil.js";
import type { RuntimeName, ServerOptions } from "./options.js";
import { PACKAGE_FILE } from "./paths.js";
import { forwardSignals, onSignals } from "./processes.js";
import { ProcessGroup } from "./processgroup.js";
import type { SSLOptions } from "./tls.js";

const HELP = `Usage: waterspout run APP [options]

Serves APP: a .ts or .js module whose default export is a TCPServer subclass, a server, an
Application, an HTTP handler or an object with fetch, or a .wasm application.

Options:
  --port PORT        port to listen on, 0 for a free one (default 8888)
  --address ADDRESS  address or host name to listen on, "" for all (default ${LOOPBACK})
  --runtime NAME     node: the sandbox runs in this process; wasmtime: in processes of
                     its own (default: $WATERSPOUT_RUNTIME, else node)
  --workers N        number of processes that share the port (default 1)
  --certfile FILE    speak TLS with this certificate (PEM); SIGHUP reads the files again
  --keyfile FILE     its private key (default: the file of the certificate)
  --access-log FORM  one line a request on stderr: text, json, or off (default: what APP
                     says, else $WATERSPOUT_ACCESS_LOG, else text on a terminal and json
                     elsewhere)
  --help             this text
  --version          the version
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const WORKERS_MAX = 64;

interface Command {
  file: string;
  port: number;
  address: string;
  runtime: RuntimeName;
  workers: number;
  tls: SSLOptions | null;
  /** Null: the application decides. */
  accessLog: AccessLogForm | null;
}

const ACCESS_LOG_FORMS = ["text", "json", "off"] as const;
type AccessLogForm = (typeof ACCESS_LOG_FORMS)[number];

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
    tls: certificateFiles(values.certfile, values.keyfile),
    accessLog: accessLogForm("--access-log", values["access-log"]),
  };
}

function parseOptions(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const files = { certfile: text, keyfile: text };
  const serving = { port: text, address: text, runtime: text, workers: text, "access-log": text, ...files };
  const options = { ...serving, help: flag, version: flag };
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

function certificateFiles(certfile: string | undefined, keyfile: string | undefined): SSLOptions | null {
  if (certfile === undefined && keyfile !== undefined) throw new UsageError("--keyfile needs --certfile");
  return certfile === undefined ? null : { certfile, keyfile };
}

function accessLogForm(name: string, text: string | undefined): AccessLogForm | null {
  if (text === undefined) return null;
  const form = ACCESS_LOG_FORMS.find((each) => each === text);
  if (form === undefined) throw new UsageError(`${name} must be text, json or off, not ${JSON.stringify(text)}`);
  return form;
}

/** What servers take that are told nothing else, in this process and in those that it starts. */
function presetAccessLog(): void {
  const { env } = process;
  env.WATERSPOUT_ACCESS_LOG ||= process.stderr.isTTY ? "text" : "json";
  accessLogForm("WATERSPOUT_ACCESS_LOG", env.WATERSPOUT_ACCESS_LOG);
}

async function serve(command: Command): Promise<void> {
  const options: ServerOptions = { runtime: command.runtime };
  if (command.runtime === "wasmtime") options.workers = command.workers;
  if (command.tls !== null) options.sslOptions = command.tls;
  if (command.accessLog !== null) options.accessLog = command.accessLog;
  const application = await loadApplication(command.file, options);
  onSignals(() => void application.stop().then(() => process.exit(0), exitWith));
  reloadOnHangUp(application);
  await application.listen(command.port, command.address);
  application.closed.catch(() => process.exit(EXIT_FAILED));
  const [address] = application.addresses;
  if (address === undefined) return; // it has been stopped meanwhile
  announce(`Waterspout serves ${urlOf(application, address)} (${command.runtime})`);
}

function urlOf({ scheme, options }: Application, address: Address): string {
  const http = scheme === "http";
  const name = options.tls === null ? scheme : http ? "https" : "tls";
  return `${name}://${hostAndPort(address)}${http ? "/" : ""}`;
}

/** SIGHUP means new certificates; where there are none it ends the process, as ever. */
function reloadOnHangUp({ options: { tls, logger } }: Application): void {
  if (tls === null) return;
  process.on("SIGHUP", () => {
    try {
      tls.reload();
    } catch (error) {
      logger.error(`the certificates stay as they are: ${(error as Error).message}`);
    }
  });
}

/** What a worker process sends when it serves. */
interface Serving {
  /** The line that says where. */
  serving: string;
}

function announce(line: string): void {
  if (taskId() !== null) process.send?.({ serving: line } satisfies Serving);
  else process.stdout.write(`${line}\n`);
}

/** Watches over worker processes that run the same command and share its port. */
async function serveInProcesses(command: Command): Promise<void> {
  await bindSockets(command.port, command.address, { runtime: command.runtime });
  const serving = new Set<number>();
  const group = new ProcessGroup({
    count: command.workers,
    first: 1, // alone: what is wrong with the application is then said once
    restartsMax: RESTARTS_MAX,
    warn: (text) => process.stderr.write(`waterspout: warning: ${text}\n`),
    message: (id, value) => {
      const before = serving.size;
      serving.add(id);
      if (before === 0) group.startRest();
      if (before < command.workers && serving.size === command.workers) announce((value as Serving).serving);
    },
    restarts: () => serving.size === command.workers,
  });
  forwardSignals(group);
  if (command.tls !== null) process.on("SIGHUP", () => group.tell("SIGHUP"));
  process.exit(await group.ended);
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
  else {
    presetAccessLog();
    if (command.runtime === "node" && command.workers > 1 && taskId() === null) await serveInProcesses(command);
    else await serve(command);
  }
}

main().catch(exitWith);
