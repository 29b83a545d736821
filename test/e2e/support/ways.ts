// The ways to run Waterspout, as a user would start each of them, and a server started in one of them.
//
// A server that `start` gives out is listening. It ends with `stop` and takes everything with it: its clients, its
// workers, its port. `stop` is a test too: a server that does not end by itself, leaves a worker behind or prints more
// than it should fails.
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RuntimeName } from "waterspout";

import { Client, DEADLINE_MS } from "./client.js";
import { isAlive, type ProcessId, processTree } from "./processes.js";
import type { Response } from "./response.js";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const CLI = path.join(ROOT, "dist/host/cli/main.js");

type Component = "component" | "component-async" | "http" | "http-async";

export interface Way {
  name: string;
  /** `bare` is wasmtime alone: no Node anywhere. */
  runtime: RuntimeName | "bare";
  /** The application that keeps the demo's contract this way. */
  demo: string;
  /** Of a bare one: it is a component, of WASI 0.2, WASI 0.3, or wasi:http 0.2 or 0.3. */
  component?: Component;
  /** The command that runs JavaScript there, if not this Node. */
  engine?: readonly string[];
  /** The binary that runs it, if not the one that the project uses for such. */
  wasmtime?: string;
}

export const NODE: Way = { name: "node", runtime: "node", demo: "examples/demo.ts" };
export const WASMTIME: Way = { name: "wasmtime", runtime: "wasmtime", demo: "examples/demo.ts" };
export const SANDBOXED_NODE: Way = { name: "sandboxed, in node", runtime: "node", demo: "build/demo.wasm" };
export const SANDBOXED_WASMTIME: Way = { name: "sandboxed, in workers", runtime: "wasmtime", demo: "build/demo.wasm" };
export const SANDBOXED_BARE: Way = { name: "sandboxed, wasmtime alone", runtime: "bare", demo: "build/demo.wasm" };
export const COMPONENT: Way = {
  name: "component, wasmtime 36 alone",
  runtime: "bare",
  demo: "build/demo.component.wasm",
  component: "component",
};
export const COMPONENT_LATER: Way = {
  name: "component, a later wasmtime alone",
  runtime: "bare",
  demo: "build/demo.component.wasm",
  component: "component",
  get wasmtime() {
    return wasmtime("wasmtime-async");
  },
};
export const COMPONENT_ASYNC: Way = {
  name: "component-async, a later wasmtime alone",
  runtime: "bare",
  demo: "build/demo.component-async.wasm",
  component: "component-async",
};
/** The runtime has the connections, parses requests and frames answers. */
export const HTTP: Way = {
  name: "http, wasmtime serve",
  runtime: "bare",
  demo: "build/demo.http.wasm",
  component: "http",
};
export const HTTP_ASYNC: Way = {
  name: "http-async, a later wasmtime serve",
  runtime: "bare",
  demo: "build/demo.http-async.wasm",
  component: "http-async",
};
/** TypeScript above a component, which has the connections and knows its peers. */
export const BRIDGED_ASYNC: Way = { name: "component-async", runtime: "component-async", demo: "examples/demo.ts" };
export const BRIDGED: Way = { name: "component", runtime: "component", demo: "examples/demo.ts" };
/** Applications in AssemblyScript. */
export const SANDBOXED_WAYS: readonly Way[] = [SANDBOXED_NODE, SANDBOXED_WASMTIME, SANDBOXED_BARE];
/** Every way to run, in both languages. */
export const WAYS: readonly Way[] = [NODE, WASMTIME, ...SANDBOXED_WAYS];

/** A component on one of the wasmtimes between the two that the project uses. */
export function onWasmtime(version: 46 | 48, way: Way): Way {
  return {
    ...way,
    name: `${way.component}, wasmtime ${version} alone`,
    get wasmtime() {
      return wasmtime(`wasmtime-${version}`);
    },
  };
}

export interface Options {
  env?: Record<string, string>;
  /** Which of waterspout's commands serves; default: run. */
  command?: "run" | "dev";
  /** A command that runs the server, such as one that lowers a limit first: `[...wrap, server, ...args]`. */
  wrap?: string[];
  /** Descriptors that it inherits, from 3 on. */
  fds?: number[];
  /** How long it may take until it serves; default: DEADLINE_MS. */
  serveMs?: number;
  /** How long a command that `run` runs may take; default: DEADLINE_MS. */
  endMs?: number;
  /** Gets the server as soon as its process runs, before it serves. */
  launched?: (server: Server) => void;
  /** Where a bare one listens; default: 127.0.0.1. */
  host?: string;
  /** What stands behind a bare one's own arguments. */
  behind?: string[];
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** More than the ten seconds that a server may take to let its last requests finish. */
const STOP_MS_MAX = 14_000;

export class Server {
  readonly output = { stdout: "", stderr: "" };
  readonly exited: Promise<Exit>;
  exit: Exit | null = null;
  url = "";
  port = 0;
  private clients: Client[] = [];

  constructor(
    readonly way: Way,
    readonly process: ChildProcess,
  ) {
    process.stdout!.setEncoding("utf8").on("data", (text) => (this.output.stdout += text));
    process.stderr!.setEncoding("utf8").on("data", (text) => (this.output.stderr += text));
    this.exited = new Promise((resolve, reject) => {
      process.once("error", reject);
      process.once("close", (code, signal) => resolve((this.exit = { code, signal })));
    });
    this.exited.catch(() => {}); // code that waits for it sees the error
  }

  get pid(): number {
    return this.process.pid!;
  }

  async connect(options?: { silent?: boolean }): Promise<Client> {
    const client = await Client.connect(this.port, options).catch((error: Error) => {
      const state = this.exit ? `the server has ended with ${JSON.stringify(this.exit)}` : "the server runs";
      throw new Error(`${error.message}; ${state}; stderr: ${this.output.stderr}`);
    });
    this.clients.push(client);
    return client;
  }

  /** One request on a connection of its own. */
  async request(bytes: string, method = bytes.slice(0, bytes.indexOf(" "))): Promise<Response> {
    const client = await this.connect();
    const response = await client.send(bytes).readResponse(method);
    client.close();
    return response;
  }

  get(target: string): Promise<Response> {
    return this.request(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  }

  /** Waits for text on stderr; answers the line that holds it. */
  async complaint(pattern: RegExp): Promise<string> {
    const find = (): string | undefined => this.output.stderr.split("\n").find((line) => pattern.test(line));
    await eventually(`${pattern} on stderr`, () => find() !== undefined).catch((error: Error) => {
      throw new Error(`${error.message}; it says: ${this.output.stderr}`);
    });
    return find()!;
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Ends it in an orderly way. Throws when that did not work, and leaves nothing behind in any case. */
  async stop(): Promise<void> {
    for (const client of this.clients) client.reset();
    const tree = processTree(this.pid);
    const asked = this.exit === null;
    if (asked) this.signal("SIGTERM");
    await Promise.race([this.exited, sleep(STOP_MS_MAX, undefined, { ref: false })]);
    const inTime = this.exit !== null;
    const left = await leftOver(tree);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    await this.exited;
    running.delete(this);
    if (!inTime) throw new Error(`did not stop within ${STOP_MS_MAX} ms of SIGTERM; stderr: ${this.output.stderr}`);
    if (left.length) throw new Error(`left ${left.length} processes behind`);
    if (this.way.runtime === "bare") return;
    if (asked && this.exit!.code !== 0)
      throw new Error(`ended with ${JSON.stringify(this.exit)}: ${this.output.stderr}`);
    if (!/^[^\n]+\n$/.test(this.output.stdout)) throw new Error(`stdout should be one line: ${this.output.stdout}`);
  }
}

/** Starts an application and waits until it serves. */
export async function start(way: Way, app = way.demo, args: string[] = [], options: Options = {}): Promise<Server> {
  return way.runtime === "bare" ? startBare(way, app, args, options) : startCommand(way, app, args, options);
}

/** Runs the command to its end: for everything that must fail. */
export async function run(args: string[], options: Options = {}): Promise<Exit & { stdout: string; stderr: string }> {
  const server = launch(NODE, [process.execPath, CLI, ...args], options);
  await Promise.race([server.exited, sleep(options.endMs ?? DEADLINE_MS, undefined, { ref: false })]);
  if (!server.exit) {
    await server.stop();
    throw new Error(`should have ended: waterspout ${args.join(" ")}\n${server.output.stdout}${server.output.stderr}`);
  }
  running.delete(server);
  return { ...server.exit, ...server.output };
}

const wasmtimePaths = new Map<string, string>();
/** The binary that the project uses; where there is none, make says why in one sentence. */
export function wasmtime(target: "wasmtime" | "wasmtime-46" | "wasmtime-48" | "wasmtime-async" = "wasmtime"): string {
  const known = wasmtimePaths.get(target);
  if (known !== undefined) return known;
  const path = execFileSync("make", ["-s", target], { cwd: ROOT, encoding: "utf8" }).trim();
  wasmtimePaths.set(target, path);
  return path;
}

/** Asks again and again, without a wait for luck, until it is so. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  ms = DEADLINE_MS,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(10);
  }
}

// --- how each is started ---

async function startCommand(way: Way, app: string, args: string[], options: Options): Promise<Server> {
  const command = [
    ...(way.engine ?? [process.execPath]),
    CLI,
    options.command ?? "run",
    app,
    "--port",
    "0",
    "--runtime",
    way.runtime,
    ...args,
  ];
  const server = launch(way, command, options);
  await serving(server, () => server.output.stdout.includes("\n"), options.serveMs);
  const line = server.output.stdout.trimEnd();
  const match = /^Waterspout serves (\w+:\/\/\S+?:(\d+)\/?) \(([\w-]+)\)$/.exec(line);
  if (!match || match[3] !== way.runtime) {
    await server.stop();
    throw new Error(`not the promised line: ${line}`);
  }
  server.url = match[1];
  server.port = Number(match[2]);
  return server;
}

/** The command that serves `app` there; `args` are wasmtime's. */
export function bareCommand(way: Way, app: string, host: string, port: number, args: string[]): string[] {
  const { component, wasmtime: binary = wasmtimeOf(component) } = way;
  if (component === undefined) {
    return [binary, "run", "-S", "preview2=n", "-S", `tcplisten=${host}:${port}`, ...args, app];
  }
  if (app.startsWith("build/")) makeComponents();
  if (isHTTP(way)) return [binary, "serve", "-S", "cli=y", "--addr", `${host}:${port}`, ...args, app];
  const compiled = app.endsWith(".cwasm") ? ["--allow-precompiled"] : [];
  return [
    ...componentCommand(component, [...compiled, ...args], way.wasmtime),
    app,
    "--address",
    host,
    "--port",
    String(port),
  ];
}

/** A component of wasi:http: its connections are the runtime's. */
export function isHTTP({ component }: Way): boolean {
  return component === "http" || component === "http-async";
}

/** The command that runs a component of WASI 0.2 or 0.3, up to its file. */
export function componentCommand(component: Component, args: string[] = [], binary = wasmtimeOf(component)): string[] {
  return [binary, "run", "-S", "inherit-network=y", ...args];
}

function wasmtimeOf(component: Component | undefined): string {
  return wasmtime(component?.endsWith("-async") ? "wasmtime-async" : "wasmtime");
}

let areComponentsMade = false;
/** `make build` does without them, for they take their time. */
export function makeComponents(): void {
  if (!areComponentsMade)
    execFileSync("make", ["-s", "components"], { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
  areComponentsMade = true;
}

/** wasmtime prints nothing and cannot choose a port: a free one is looked up, and another if it is taken by then. */
async function startBare(way: Way, app: string, args: string[], options: Options): Promise<Server> {
  const { host = "127.0.0.1", behind = [] } = options;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = launch(way, [...bareCommand(way, app, host, port, args), ...behind], options);
    server.port = port;
    server.url = `http://127.0.0.1:${port}/`;
    try {
      await serving(server, () => accepts(port, host), options.serveMs);
      return server;
    } catch (error) {
      const taken = /address (already|is) in use|os error 98/i.test(server.output.stderr);
      if (!taken || attempt === 5) throw error;
    }
  }
}

const running = new Set<Server>();
// The last resort, when a test run is cut short: a worker has a process group of its own and would outlive it.
process.on("exit", () => {
  for (const server of running) for (const { pid } of processTree(server.pid)) process.kill(pid, "SIGKILL");
});

function launch(way: Way, command: string[], { env, wrap = [], fds = [], launched }: Options): Server {
  const [file, ...args] = [...wrap, ...command];
  if (way.runtime !== "bare" && !existsSync(CLI)) throw new Error(`${CLI} is missing: run "make build" first`);
  const stdio: StdioOptions = ["ignore", "pipe", "pipe", ...fds];
  const child = spawn(file, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio });
  const server = new Server(way, child);
  running.add(server);
  launched?.(server);
  return server;
}

/**
 * Waits until `ready` says so; a server that ends before it, or never gets there, is an error that shows what it said.
 */
async function serving(server: Server, ready: () => boolean | Promise<boolean>, ms = DEADLINE_MS): Promise<void> {
  try {
    await eventually("serving", async () => server.exit !== null || (await ready()), ms);
    if (server.exit) throw new Error(`ended with ${JSON.stringify(server.exit)}`);
  } catch (error) {
    const tree = processTree(server.pid);
    if (!server.exit) server.signal("SIGKILL");
    for (const { pid } of await leftOver(tree)) process.kill(pid, "SIGKILL");
    running.delete(server);
    throw new Error(`${server.way.name}: ${(error as Error).message}\n${server.output.stdout}${server.output.stderr}`);
  }
}

/** A worker ends when its channel closes; give it a moment, then name those that did not. */
async function leftOver(tree: ProcessId[]): Promise<ProcessId[]> {
  await eventually("workers gone", () => !tree.some(isAlive), 5000).catch(() => {});
  return tree.filter(isAlive);
}

export async function accepts(port: number, host = "127.0.0.1"): Promise<boolean> {
  try {
    (await Client.connect(port, { host })).close();
    return true;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
