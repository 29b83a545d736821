/**
 * From a file to something that serves: what `waterspout run APP` loads.
 *
 * A module's default export is a TCPServer subclass, a server, an Application, an HTTP handler or an object with
 * `fetch`; a `.wasm` file is an application by itself.
 * Invariant: what the user got wrong is a UsageError; what went wrong while loading is any other error.
 */
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { WaterspoutError } from "./errors.js";
import { type FetchHandler, fetchCallback } from "./fetch.js";
import { HTTPServer, type RequestCallback, type RequestListener } from "./httpserver.js";
import { errorLine } from "./log.js";
import type { ServerOptions } from "./options.js";
import { SERVER_BRAND, type Server } from "./server.js";
import { WasmApplication } from "./wasmapp.js";
import { isWebSocketClass } from "./websocket.js";

/** The command was used in a way that cannot work. */
export class UsageError extends WaterspoutError {
  constructor(message: string) {
    super("USAGE", message);
  }
}

/** What the command serves. */
export type Application = Server | WasmApplication;

interface Exports {
  default?: unknown;
}

const WASM_MAGIC = Buffer.from([0, 0x61, 0x73, 0x6d]);
const SCRIPTS = [".ts", ".mts", ".js", ".mjs"];

/** Loads `file`; `options` win over those that a module gives its server. */
export async function loadApplication(file: string, options: ServerOptions): Promise<Application> {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  const extension = extname(file);
  if (extension === ".wasm") {
    if (options.sslOptions !== undefined && options.runtime === "wasmtime") {
      throw new UsageError("a .wasm application has TLS with the runtime node only; put a proxy in front of wasmtime");
    }
    if (!(await isWebAssembly(file))) throw new UsageError(`${file} is no WebAssembly module`);
    return new WasmApplication(resolve(file), options);
  }
  if (!SCRIPTS.includes(extension)) {
    throw new UsageError(`${file} is no application: it must end in ${SCRIPTS.join(", ")} or .wasm`);
  }
  return makeServer(file, await importDefault(file, extension), options);
}

async function isWebAssembly(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(WASM_MAGIC.length), 0, WASM_MAGIC.length, 0);
    return bytesRead === WASM_MAGIC.length && buffer.equals(WASM_MAGIC);
  } finally {
    await handle.close();
  }
}

async function importDefault(file: string, extension: string): Promise<unknown> {
  try {
    if (extension.endsWith("ts") && !stripsTypes()) await enableTypeScript();
    const { default: value } = (await import(pathToFileURL(resolve(file)).href)) as Exports;
    // What is compiled to CommonJS has its exports one level deeper.
    return typeof value === "object" && value !== null && "__esModule" in value ? (value as Exports).default : value;
  } catch (error) {
    throw new Error(`cannot load ${file}: ${errorLine(error)}`, { cause: error });
  }
}

/** Node from 22.18 on runs TypeScript itself. */
function stripsTypes(): boolean {
  const { features } = process as { features: { typescript?: false | "strip" | "transform" } };
  return Boolean(features.typescript);
}

/** For files of either kind: without `"type": "module"` in its package.json Node takes a `.ts` file for CommonJS. */
async function enableTypeScript(): Promise<void> {
  const [esm, commonjs] = await Promise.all([import("tsx/esm/api"), import("tsx/cjs/api")]);
  commonjs.register();
  esm.register();
}

function makeServer(file: string, value: unknown, options: ServerOptions): Server {
  if (typeof value === "function") {
    if (isWebSocketClass(value)) return new HTTPServer((request) => value.serve(request), options);
    if (!isServerClass(value)) return new HTTPServer(value as RequestCallback, options);
    const server = new (value as new (options: ServerOptions) => Server)(options);
    server.configure(options);
    return server;
  }
  if (typeof value === "object" && value !== null) {
    if (isServerClass(value.constructor)) {
      (value as Server).configure(options);
      return value as Server;
    }
    if (isListener(value)) return new HTTPServer(value, { ...value.serverOptions, ...options });
    if (hasFetch(value))
      return new HTTPServer(
        fetchCallback((request) => value.fetch(request)),
        options,
      );
  }
  throw new UsageError(
    `${file} has no handler: its default export must be a TCPServer, an HTTPServer, an Application, a function or an object with fetch`,
  );
}

/** An Application or a router, of this copy of the package or of another. */
function isListener(value: object): value is RequestListener & { serverOptions?: ServerOptions } {
  return "handle" in value && typeof value.handle === "function";
}

/** What many frameworks call an application. */
function hasFetch(value: object): value is { fetch: FetchHandler } {
  return "fetch" in value && typeof value.fetch === "function";
}

/** Also true for a class of another copy of this package. */
function isServerClass(value: unknown): boolean {
  return typeof value === "function" && (value as { [SERVER_BRAND]?: unknown })[SERVER_BRAND] === true;
}

/** The package's version. */
export function packageVersion(file: string): string {
  return (createRequire(import.meta.url)(file) as { version: string }).version;
}
