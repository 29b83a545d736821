/**
 * Loads the file of `waterspout run APP`. A module's default export is a TCPServer subclass, a server, an Application,
 * an HTTP handler or an object with `fetch`; a `.wasm` file is an application by itself. A module without one has a
 * server of Node's listen, or exports what builds of frameworks do.
 *
 * Invariant: a mistake of the user is a UsageError; a failure while loading is any other error.
 */
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isUsageError, OptionError, UsageError } from "../../core/errors.js";
import { START_TIMEOUT_MS } from "../../core/limits.js";
import { isComponent } from "../../core/runtimename.js";
import { type Middleware, middlewareListener, type NodeListener, nodeListenerOf } from "../../nodehttp/listener.js";
import { NodeProgram } from "../../nodehttp/program.js";
import { handleOf } from "../../nodehttp/server.js";
import { componentKindOf } from "../../runtime/componentkind.js";
import { NO_GRANTS } from "../../runtime/grants.js";
import { type FetchHandler, fetchCallback, type ServeOptions } from "../../server/fetchserver.js";
import { HTTPServer, type RequestCallback, type RequestListener } from "../../server/httpserver.js";
import { mergedOptions, type OuterOptions, type ServerOptions } from "../../server/options.js";
import { SERVER_BRAND, type Server } from "../../server/server.js";
import { WasmApplication } from "../../server/wasmserver.js";
import { isWebSocketClass } from "../../web/websockethandler.js";
import { enableLoader, requestedFiles } from "./loading/loader.js";
import { loadError } from "./loading/loaderror.js";
import { isServerBuild, serverBuildHandler } from "./reactrouter.js";
import type { RunSettings } from "./settings.js";

/** What the command can serve. */
export type Application = Server | WasmApplication;

type Exports = Readonly<Record<string, unknown>>;

const WASM_MAGIC = Buffer.from([0, 0x61, 0x73, 0x6d]);
const SCRIPTS = [".ts", ".js", ".mts", ".mjs", ".cts", ".cjs", ".tsx", ".jsx"];

/** An application that was loaded. */
export interface Loaded {
  readonly application: Application;
  /** Where its module says that it is to be served; not checked yet. */
  readonly port?: unknown;
  readonly hostname?: unknown;
  /** Whether its module asks to be loaded again when its files change. */
  readonly autoreload?: boolean;
  /** To be called when it listens. */
  readonly opened?: () => void;
}

const NO_STATIC = "--static is for applications with fetch; others serve files themselves";

type LoadSettings = Pick<RunSettings, "file" | "outer"> & Partial<Pick<RunSettings, "grants" | "staticFolder">>;

/** Loads `file`. A .wasm application is given `grants`; files of `staticFolder` are served in front of a `fetch`. */
export async function loadApplication({
  file,
  outer,
  grants = NO_GRANTS,
  staticFolder,
}: LoadSettings): Promise<Loaded> {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  const extension = extname(file);
  if (extension === ".wasm") {
    if (staticFolder !== undefined) throw new UsageError(NO_STATIC);
    const options = mergedOptions(outer);
    const { runtime = "node" } = options;
    if (isComponent(runtime) && componentKindOf(file) === null) {
      throw new UsageError(`${file} is no component: the runtimes node and wasmtime serve it, not ${runtime}`);
    }
    if (options.sslOptions !== undefined && runtime !== "node") {
      throw new UsageError("a .wasm application has TLS with the runtime node only; put a proxy in front of wasmtime");
    }
    if (!(await beginningOf(file, WASM_MAGIC.length)).equals(WASM_MAGIC)) {
      throw new UsageError(`${file} is no WebAssembly module`);
    }
    return { application: new WasmApplication(resolve(file), options, grants) };
  }
  if (!SCRIPTS.includes(extension)) {
    throw new UsageError(`${file} is no application: it must end in ${SCRIPTS.join(", ")} or .wasm`);
  }
  if (grants.folders.length > 0) throw new UsageError("--dir is for .wasm applications; others read files themselves");
  if (grants.variables.length > 0) throw new UsageError("--env is for .wasm applications; others have the command's");
  const program = new NodeProgram();
  const exported = await importModule(file);
  const value = exported.default;
  const fetched = await fetchOf(file, exported, program);
  if (fetched === null && staticFolder !== undefined) throw new UsageError(NO_STATIC);
  const application =
    fetched === null
      ? (makeServer(file, value, outer) ?? namedServer(exported, program, outer))
      : await fetchServer(fetched, outer, staticFolder);
  if (application === null) return programOf(file, value, program, outer);
  program.release();
  if (isServeOptions(value)) return { application, port: value.port, hostname: value.hostname };
  return { application, autoreload: isListener(value) && autoreloads(value) };
}

/** An application that has a server of Node's listen, now or later. */
async function programOf(file: string, value: unknown, program: NodeProgram, outer: OuterOptions): Promise<Loaded> {
  const isNothing = value === undefined || (isObject(value) && Object.keys(value).length === 0);
  if (isNothing && !program.listens) await program.wait(START_TIMEOUT_MS);
  const lent = program.serve(file);
  if (lent === null) {
    throw new UsageError(
      `${file} has no handler: its default export must be a TCPServer, an HTTPServer, an Application, a function, ` +
        "an object with fetch or an application of Node's kind, or it must have a server of node:http listen",
    );
  }
  const { server, ...place } = lent;
  server.configure(outer.over, outer.under);
  return { application: server, ...place };
}

async function beginningOf(file: string, bytes: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function importModule(file: string): Promise<Exports> {
  try {
    enableLoader(file);
    const exported = (await import(pathToFileURL(resolve(file)).href)) as Exports;
    const value = exported.default;
    // A module that was compiled to CommonJS has its exports one level deeper.
    return isObject(value) && "__esModule" in value ? (value as Exports) : exported;
  } catch (error) {
    if (isUsageError(error)) throw error; // a setting that cannot be
    throw loadError(file, requestedFiles, error);
  }
}

/** The server of a default export; null: it is none. */
function makeServer(file: string, value: unknown, outer: OuterOptions): Server | null {
  const options = mergedOptions(outer);
  if (typeof value === "function") {
    if (isWebSocketClass(value)) return new HTTPServer((request) => value.serve(request), options);
    if (!isServerClass(value))
      return nodeServer(file, value, options) ?? new HTTPServer(value as RequestCallback, options);
    const server = new (value as new (options: ServerOptions) => Server)(options);
    server.configure(outer.over, outer.under);
    return server;
  }
  if (isObject(value)) {
    if (isServerClass(value.constructor)) {
      (value as Server).configure(outer.over, outer.under);
      return value as Server;
    }
    if (isListener(value)) return new HTTPServer(value, mergedOptions(outer, value.serverOptions));
    return nodeServer(file, value, options);
  }
  return null;
}

/** What builds of frameworks export when they do not listen by themselves. */
function namedServer(exported: Exports, { listens }: NodeProgram, outer: OuterOptions): Server | null {
  if (listens) return null;
  const handler = ["handler", "listener", "middleware"]
    .map((name) => exported[name])
    .find((each) => each !== undefined);
  return typeof handler === "function"
    ? listenerServer(middlewareListener(handler as Middleware), mergedOptions(outer))
    : null;
}

/** For handlers and applications of Node's kind; null for anything else. */
function nodeServer(file: string, value: unknown, options: ServerOptions): Server | null {
  try {
    const listener = nodeListenerOf(value);
    return listener === null ? null : listenerServer(listener, options);
  } catch (error) {
    throw error instanceof OptionError ? new UsageError(`${file}: ${error.message}`) : error;
  }
}

function listenerServer(listener: NodeListener, options: ServerOptions): Server {
  return new HTTPServer({ handle: handleOf(listener), asNode: true }, options);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

interface Listener extends RequestListener {
  readonly serverOptions?: ServerOptions;
  readonly settings?: { readonly debug?: boolean; readonly autoreload?: boolean };
}

/** An Application or a router, of this copy of the package or of another. */
function isListener(value: unknown): value is Listener {
  if (!isObject(value)) return false;
  return ["handle", "findHandler"].some((name) => typeof (value as Record<string, unknown>)[name] === "function");
}

/** As in Tornado: `debug` means this, too, unless `autoreload` says otherwise. */
function autoreloads({ settings }: Listener): boolean {
  return settings?.autoreload ?? settings?.debug ?? false;
}

/** What many frameworks call an application. */
function hasFetch(value: object): value is { fetch: FetchHandler } {
  return "fetch" in value && typeof value.fetch === "function";
}

/** What `serve` takes: a plain object, whose other properties are options. A framework's application has its own. */
function isServeOptions(value: unknown): value is ServeOptions {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype && hasFetch(value);
}

/** An application of the web platform's kind. */
interface Fetched {
  readonly fetch: FetchHandler;
  readonly overrideGlobalObjects?: boolean | undefined;
  /** A server's options, those that it has. */
  readonly options?: ServerOptions;
  /** The folder of its build's files. */
  readonly folder?: string;
}

/** The application of the web platform's kind that a module exports; null: it exports none. */
async function fetchOf(file: string, exported: Exports, { listens }: NodeProgram): Promise<Fetched | null> {
  const { default: value, fetch } = exported;
  // Applications of Elysia have a `handle`, too.
  if (isObject(value) && hasFetch(value) && !isServerClass(value.constructor)) {
    const handler: FetchHandler = (request, info) => value.fetch(request, info);
    if (!isServeOptions(value)) return { fetch: handler };
    return { fetch: handler, overrideGlobalObjects: value.overrideGlobalObjects, options: value };
  }
  if (value !== undefined || listens) return null;
  if (typeof fetch === "function") return { fetch: fetch as FetchHandler };
  if (!isServerBuild(exported)) return null;
  return { fetch: await serverBuildHandler(file, exported), folder: exported.assetsBuildDirectory };
}

async function fetchServer(
  { fetch, overrideGlobalObjects, options, folder }: Fetched,
  outer: OuterOptions,
  staticFolder = folder,
): Promise<Server> {
  const handler = fetchCallback(fetch, { overrideGlobalObjects });
  const served =
    staticFolder === undefined ? handler : (await import("./buildfiles.js")).withFiles(staticFolder, handler);
  return new HTTPServer(served, mergedOptions(outer, options));
}

/** Also true for a class of another copy of this package. */
function isServerClass(value: unknown): boolean {
  return typeof value === "function" && (value as { [SERVER_BRAND]?: unknown })[SERVER_BRAND] === true;
}
