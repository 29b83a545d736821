/**
 * A component of an application in TypeScript or JavaScript: its modules are bundled with the platform that they expect
 * (edge/), compiled together with an engine of JavaScript, and plugged into the core.
 *
 * Invariant: an application that needs what a component does not have, such as a module of Node, is refused with file
 * and line.
 * Reference: esbuild, `build`; componentize-qjs, `componentize`.
 */
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { PACKAGE_FOLDER } from "../../core/paths.js";
import { findPackage, type InstalledPackage } from "../packages.js";
import type { Diagnostic } from "./compiler.js";
import { type Composed, compose, isClient } from "./compose.js";
import { partsFor } from "./platformparts.js";
import { placesOf } from "./sourceplaces.js";

/** The core that a handler is plugged into, and what stands in the place of what the handler does not export. */
const CORE_FILE = join(PACKAGE_FOLDER, "build", "edge.component-async.wasm");
/** One that can connect to other servers. */
const CLIENT_CORE_FILE = join(PACKAGE_FOLDER, "build", "edgeclient.component-async.wasm");
const ABSENT_FILE = join(PACKAGE_FOLDER, "build", "absent.component.wasm");
const EDGE_FOLDER = join(PACKAGE_FOLDER, "dist", "edge");
/** What is there of this package, and of Node's modules: their files in EDGE_FOLDER. */
const MODULES: ReadonlyMap<string, string> = new Map([
  ["waterspout", "waterspout.js"],
  ["node:buffer", "node/buffer.js"],
  ["node:crypto", "node/crypto.js"],
  ["node:timers/promises", "node/timers/promises.js"],
]);
/** The global `fetch`: a part of the platform for applications that name it. */
const FETCH_FILE = join(EDGE_FOLDER, "fetchglobal.js");
const FETCH_PART = "fetch.js";
const WIT_FILE = join(PACKAGE_FOLDER, "wit", "waterspout.wit");
/** Of the compiler's numbers for messages; they have none here. */
const NO_CODE = 0;

/** The packages that make a component. */
export interface EdgeTools {
  /** The engine, and what puts modules into it. */
  engine: InstalledPackage;
  bundler: InstalledPackage;
}

/** What esbuild calls the module that has no file. */
const ENTRY = "<stdin>";
const NODE_MODULES = "node_modules/";
/** Where esbuild would write, at `base`; so the sources of its map are named from there. */
const OUT_FILE = "application.js";

/** Those that jco and this package have brought. Throws when there are none. */
export function edgeTools(jco: InstalledPackage): EdgeTools {
  const engine = findPackage("componentize-qjs", jco.folder);
  if (engine === null) throw new Error(`build needs componentize-qjs, which comes with ${jco.folder}`);
  const loader = findPackage("tsx", PACKAGE_FOLDER);
  const bundler = findPackage("esbuild", loader?.folder ?? PACKAGE_FOLDER);
  if (bundler === null) throw new Error("build needs esbuild, which comes with tsx: npm install waterspout");
  return { engine, bundler };
}

/** Whether `source` is an application for a handler's component: AssemblyScript ones name `_start`. */
export function isEdgeApplication(source: string): boolean {
  const text = readFileSync(source, "utf8");
  return !/\b_start\b/.test(text) && /^export\s+default\b|\bas\s+default\b/m.test(text);
}

/** What has come of the sources. */
export interface EdgeComponent {
  /** Null when there are errors. */
  made: Composed | null;
  diagnostics: Diagnostic[];
  /** The packages of which there were sources among them. */
  packages: Set<string>;
}

/** What was read, and what of it stands in what was written. */
interface Metafile {
  inputs: Record<string, unknown>;
  outputs: Record<string, { inputs: Record<string, unknown> }>;
}
/** The part of esbuild's interface that is used. */
interface Esbuild {
  build(options: object): Promise<{ outputFiles: { path: string; text: string }[]; metafile: Metafile }>;
}
interface Message {
  text: string;
  location: { file: string; line: number; column: number } | null;
}
interface Import {
  path: string;
  importer: string;
  resolveDir: string;
  kind: string;
  pluginData: unknown;
}
type Resolved = { path: string; sideEffects?: boolean } | { errors: { text: string }[] } | null;
interface Plugins {
  onResolve(options: { filter: RegExp }, callback: (asked: Import) => Resolved | Promise<Resolved>): void;
  resolve(path: string, asked: Omit<Import, "path">): Promise<{ path: string }>;
}
interface Engine {
  componentize(options: object): Promise<{ component: Uint8Array }>;
}

/** Makes the component of `source`. Throws an Error when its modules cannot be loaded in the engine. */
export async function makeEdgeComponent(tools: EdgeTools, source: string, base: string): Promise<EdgeComponent> {
  const { build } = await load<Esbuild>(tools.bundler);
  const bundle = (parts: readonly string[]): ReturnType<Esbuild["build"]> =>
    build({
      stdin: { contents: entryOf(source, parts), resolveDir: dirname(resolve(source)) },
      absWorkingDir: resolve(base),
      bundle: true,
      write: false,
      outfile: OUT_FILE,
      sourcemap: "external",
      sourcesContent: false,
      metafile: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["worker"],
      target: "es2023",
      logLevel: "silent",
      external: ["waterspout:*"],
      define: { "process.env.NODE_ENV": '"production"' },
      inject: [FETCH_FILE],
      plugins: [{ name: "component", setup: resolveForeign }],
    });
  try {
    let { outputFiles, metafile } = await bundle([]);
    const files = Object.keys(metafile.inputs).filter((path) => path !== ENTRY);
    const parts = partsFor(
      files.map((file) => resolve(base, file)),
      EDGE_FOLDER,
    );
    const fetches = Object.values(metafile.outputs).some(({ inputs }) =>
      Object.keys(inputs).some((file) => resolve(base, file) === join(EDGE_FOLDER, FETCH_PART)),
    );
    if (fetches) parts.push(FETCH_PART);
    if (parts.length > 0) ({ outputFiles, metafile } = await bundle(parts));
    const packages = new Set(Object.keys(metafile.inputs).flatMap((path) => packageOf(path) ?? []));
    const [script = "", map = "{}"] = [".js", ".js.map"].map(
      (end) => outputFiles.find(({ path }) => path.endsWith(OUT_FILE.replace(".js", end)))?.text,
    );
    const world = fetches ? "client" : "server";
    const handler = await componentize(
      tools.engine,
      world,
      script + placesOf(script, map, (file) => !isOfPlatform(file)),
    );
    return { made: plug(handler), diagnostics: [], packages };
  } catch (error) {
    const { errors } = error as { errors?: Message[] };
    if (!Array.isArray(errors)) throw error;
    return { made: null, diagnostics: errors.map((message) => placed(message, base)), packages: new Set() };
  }
}

/** Puts the core below a handler. */
export function plug(handler: Uint8Array): Composed {
  const core = readFileSync(isClient(handler) ? CLIENT_CORE_FILE : CORE_FILE);
  return compose(core, handler, readFileSync(ABSENT_FILE));
}

/** Whether a source is a module of the platform, and so none of the application's. */
function isOfPlatform(file: string): boolean {
  return file.includes(OWN_MODULES) || file === ENTRY;
}

/** The module that puts the platform in front of the application. */
function entryOf(source: string, parts: readonly string[]): string {
  const platform = ["main.js", ...parts].map((file) => JSON.stringify(join(EDGE_FOLDER, file)));
  return [
    `import { partsOf } from ${platform[0]};`,
    ...platform.slice(1).map((file) => `import ${file};`),
    `import * as application from ${JSON.stringify(resolve(source))};`,
    "export const { handler, streams, websockets } = partsOf(application);",
    ...(parts.includes(FETCH_PART)
      ? [`export { outgoing } from ${JSON.stringify(join(EDGE_FOLDER, FETCH_PART))};`]
      : []),
  ].join("\n");
}

/** What a component has of this package and of Node; what a bundler could take and a component has not. */
function resolveForeign(plugins: Plugins): void {
  const wayTo = waysTo(plugins);
  const refuse = (text: string, { importer }: Import): Resolved => ({ errors: [{ text: text + wayTo(importer) }] });
  plugins.onResolve({ filter: /^[a-z]/ }, (asked) => {
    const { path } = asked;
    const name = builtinModules.includes(path) ? `node:${path}` : path;
    const file = MODULES.get(name);
    if (file !== undefined) return { path: join(EDGE_FOLDER, file) };
    if (name.startsWith("node:")) return refuse(`a component has no module ${name}`, asked);
    return name.startsWith("waterspout/") ? refuse(`a component has nothing of ${name}`, asked) : null;
  });
  plugins.onResolve({ filter: /^\.\/fetch\.js$/ }, ({ importer }) =>
    importer === FETCH_FILE ? { path: join(EDGE_FOLDER, FETCH_PART), sideEffects: false } : null,
  );
  plugins.onResolve({ filter: /\.node$/ }, (asked) =>
    refuse(`a component has no native modules: ${asked.path}`, asked),
  );
}

/** Notes which file imports each first. What it gives says by way of which files the application comes to one. */
function waysTo({ onResolve, resolve: find }: Plugins): (file: string) => string {
  const importers = new Map<string, string>();
  onResolve({ filter: /^/ }, async ({ path, ...asked }) => {
    if (asked.pluginData === importers) return null; // it is asked for here
    const found = await find(path, { ...asked, pluginData: importers });
    if (!importers.has(found.path)) importers.set(found.path, asked.importer);
    return null;
  });
  return (file) => {
    const way: string[] = [];
    for (
      let at: string | undefined = file;
      at !== undefined && at !== ENTRY && !way.includes(at);
      at = importers.get(at)
    ) {
      way.unshift(at);
    }
    const [application = "", ...between] = way.map((each) => relative(dirname(way[0] ?? ""), each));
    return between.length === 0 ? "" : `, which ${application} imports by way of ${between.join(", ")}`;
  };
}

async function componentize(engine: InstalledPackage, world: string, jsSource: string): Promise<Uint8Array> {
  const { componentize } = await load<Engine>(engine);
  try {
    // Without its imports of WASI: a handler has nothing but what waterspout.wit gives it.
    const { component } = await componentize({ witPath: WIT_FILE, world, jsSource, stubWasi: true });
    return component;
  } catch (error) {
    throw new Error(`the application cannot be loaded: ${(error as Error).message.replaceAll(/\s+/g, " ").trim()}`);
  }
}

async function load<Interface>({ folder }: InstalledPackage): Promise<Interface> {
  const { main } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { main: string };
  const loaded = (await import(pathToFileURL(join(folder, main)).href)) as { default?: Interface };
  return loaded.default ?? (loaded as Interface);
}

function packageOf(path: string): string | null {
  const at = path.lastIndexOf(NODE_MODULES);
  if (at < 0) return null;
  const [first = "", second = ""] = path.slice(at + NODE_MODULES.length).split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** esbuild's words for a name that one of MODULES does not have. */
const NO_EXPORT = /^No matching export in "([^"]*)" for import "([^"]*)"$/;
const OWN_MODULES = "dist/edge/";

function placed({ text: given, location }: Message, base: string): Diagnostic {
  const text = given.replace(NO_EXPORT, (words: string, file: string, name: string) => {
    const at = file.lastIndexOf(OWN_MODULES);
    const module = file.slice(at + OWN_MODULES.length, -".js".length);
    return at < 0 ? words : `a component has no ${name} of the module ${module}`;
  });
  const file = location === null ? null : relative(base, resolve(base, location.file));
  return {
    severity: "error",
    code: NO_CODE,
    message: text,
    file,
    line: location?.line ?? 0,
    column: (location?.column ?? 0) + 1,
  };
}
