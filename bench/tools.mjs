// The programs that the bench needs beside the product, and where each comes from.
// Invariant: nothing is installed outside build/; a tool that cannot be had throws Unavailable with a sentence that
// says what to do, and only the figures that need it are left out.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const BENCH_DIRECTORY = join(ROOT, "build/bench");
const DEBIAN_DIRECTORY = join(BENCH_DIRECTORY, "debian");
const TORNADO_DIRECTORY = join(BENCH_DIRECTORY, "tornado");
const INSTALL_MS = 300_000;

export class Unavailable extends Error {}

const benchPackages = once(installPackages);
/** Each tool is { command, env, version }, found or installed when it is first asked for. */
export const nginx = once(() => debianProgram("nginx", "usr/sbin/nginx", ["nginx"], /nginx\/\S+/));
export const nginxStream = once(findNginxStream);
export const haproxy = once(() => {
  const packages = ["haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"];
  return debianProgram("haproxy", "usr/sbin/haproxy", packages, /HAProxy version [\d.]+/);
});
export const wrk = once(() => debianProgram("wrk", "usr/bin/wrk", ["wrk", "libluajit-5.1-2"], /^wrk \S+/m));
export const tornado = once(findTornado);
export const wasmtime = once(() => findWasmtime("wasmtime"));
/** One that runs components of WASI 0.3 and keeps instances of wasi:http. */
export const wasmtimeAsync = once(() => findWasmtime("wasmtime-async"));
export const wasiHttp = once(() => rustComponent("wasihttp", "wasi"));
export const wasiHttpAsync = once(() => rustComponent("wasihttpasync", "wasip3"));
export const wasiTransfers = once(() => rustComponent("wasitransfers", "wasi"));
export const httparse = once(() => rustProgram("httparse", "heads", "httparse"));
export const hyper = once(() => rustProgram("hyper", "hello", "hyper"));
/** A hello without WebAssembly, upon what wasmtime's sockets are made of. */
export const tokioThreads = once(() => rustProgram("tokiothreads", "tokiothreads", "tokio"));
/** The load at a fixed rate. */
export const openLoop = once(() => rustProgram("openloop", "openloop", "hdrhistogram"));
export const go = once(findGo);
export const bun = once(() => findEngine("bun", "bin/bun", /^\d\S+/, "Bun"));
export const deno = once(() => findEngine("deno", "deno", /^deno \d\S+/, "Deno"));
/**
 * What the project's own package.json pins: undici has llhttp's WebAssembly build, ws is the websocket peer, others are
 * frameworks.
 */
export const npmPeers = once(() => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return {
    version: ["undici", "ws", "hono", "@hono/node-server", "h3", "srvx", "express", "fastify", "pg"]
      .map((name) => `${name} ${devDependencies[name] ?? dependencies[name]}`)
      .join(", "),
  };
});
/** The library that draws charts, of bench/npm; a promise of the module. */
export const echarts = once(() => import(join(benchPackages(), "echarts/index.js")));
export const node = once(() => ({ command: process.execPath, env: {}, version: `Node ${process.versions.node}` }));

/** An installed program, or else Debian's package unpacked into build/: no root, and no service is started. */
function debianProgram(name, path, packages, versionPattern) {
  const installed = { command: name, env: {} };
  const unpacked = { command: join(DEBIAN_DIRECTORY, path), env: { LD_LIBRARY_PATH: unpackedLibraries() } };
  for (const tool of [installed, unpacked]) {
    const version = versionOf(tool, ["-v"], versionPattern);
    if (version !== null) return { ...tool, version };
  }
  if (!downloadPackages(packages)) {
    throw new Unavailable(`${name} is not installed and cannot be downloaded; install Debian's package "${name}"`);
  }
  unpacked.env.LD_LIBRARY_PATH = unpackedLibraries();
  const version = versionOf(unpacked, ["-v"], versionPattern);
  if (version !== null) return { ...unpacked, version };
  throw new Unavailable(`${name} was downloaded but does not run here; install Debian's package "${name}"`);
}

function downloadPackages(packages) {
  mkdirSync(DEBIAN_DIRECTORY, { recursive: true });
  const download = () => run("apt-get", ["download", ...packages], { cwd: DEBIAN_DIRECTORY }).ok;
  const updateAndDownload = () => process.getuid() === 0 && run("apt-get", ["update"]).ok && download();
  if (!download() && !updateAndDownload()) return false;
  const archives = readdirSync(DEBIAN_DIRECTORY).filter((file) => file.endsWith(".deb"));
  return archives.every((file) => run("dpkg", ["-x", file, "."], { cwd: DEBIAN_DIRECTORY }).ok);
}

function unpackedLibraries() {
  const directory = join(DEBIAN_DIRECTORY, "usr/lib");
  if (!existsSync(directory)) return "";
  const triplets = readdirSync(directory).filter((name) => name.includes("-linux-gnu"));
  return triplets.map((name) => join(directory, name)).join(":");
}

/** nginx with `module`, the path of its stream module: a package of its own, of the same version. */
function findNginxStream() {
  const tool = nginx();
  const path = "usr/lib/nginx/modules/ngx_stream_module.so";
  const find = () => [join("/", path), join(DEBIAN_DIRECTORY, path)].find((file) => loads(tool, file));
  const module = find() ?? (downloadPackages(["libnginx-mod-stream"]) ? find() : undefined);
  if (module !== undefined) return { ...tool, module };
  throw new Unavailable(`${tool.version} has no stream module; install Debian's package "libnginx-mod-stream"`);
}

function loads({ command, env }, module) {
  if (!existsSync(module)) return false;
  mkdirSync(BENCH_DIRECTORY, { recursive: true });
  const file = join(BENCH_DIRECTORY, "nginx-module.conf");
  writeFileSync(file, `load_module ${module};\npid nginx-module.pid;\nevents {}\n`);
  return run(command, ["-t", "-q", "-p", BENCH_DIRECTORY, "-c", file, "-e", "stderr"], {
    env: { ...process.env, ...env },
  }).ok;
}

/** The pinned Tornado in a virtual environment of its own. */
function findTornado() {
  const requirements = join(ROOT, "bench/peers/requirements.txt");
  const pinned = /^tornado==(\S+)/m.exec(readFileSync(requirements, "utf8"))[1];
  const python = { command: join(TORNADO_DIRECTORY, "bin/python"), env: {} };
  const question = ["-c", "import sys, tornado; print(f'Tornado {tornado.version}, Python {sys.version.split()[0]}')"];
  const answer = () => versionOf(python, question, /Tornado .*/);

  if (!answer()?.startsWith(`Tornado ${pinned},`)) {
    const created = run("python3", ["-m", "venv", "--clear", TORNADO_DIRECTORY]);
    if (!created.ok) throw new Unavailable(`Tornado needs Python 3 with its venv module: ${created.lastLine}`);
    const options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--require-hashes"];
    const installed = run(python.command, ["-m", "pip", "install", ...options, "-r", requirements]);
    if (!installed.ok) throw new Unavailable(`Tornado ${pinned} cannot be installed: ${installed.lastLine}`);
  }
  const version = answer();
  if (version === null) throw new Unavailable("Tornado was installed but does not run here");
  return { ...python, version };
}

/**
 * An application of bench/sandboxed, compiled with the flags of the project's own and this one of AssemblyScript's
 * runtimes.
 */
export function compiled(name, runtime) {
  const module = join(BENCH_DIRECTORY, `${name}.wasm`);
  const parameters = [`bench/sandboxed/${name}.ts`, "--runtime", runtime, "--outFile", module];
  const made = run(join(ROOT, "node_modules/.bin/asc"), parameters, { cwd: ROOT });
  if (!made.ok) throw new Error(`bench/sandboxed/${name}.ts does not compile: ${made.lastLine}`);
  return module;
}

const TRANSFERS = "bench/sandboxed/transfers.ts";
const WORKER = "bench/handlers/worker.ts";
/** Applications as components, made by the project's command. */
export const transfersAsync = once(() => component(TRANSFERS, "component-async"));
export const transfersHttp = once(() => component(TRANSFERS, "http"));
export const edgeWorker = once(() => component(WORKER, "component-async"));
/** The least that a hello over WASI 0.3 takes. */
export const leastAsync = once(() => {
  const out = join(BENCH_DIRECTORY, "least.wasm");
  const made = run(process.execPath, [join(ROOT, "bench/peers/least.mjs"), out]);
  if (!made.ok) throw new Error(`bench/sandboxed/least.ts is no component: ${made.lastLine}`);
  return out;
});

function component(source, target) {
  const file = join(BENCH_DIRECTORY, `${basename(source, ".ts")}.${target}.wasm`);
  const parameters = ["build", source, "--target", target, "--out", file];
  const made = run(process.execPath, [join(ROOT, "dist/host/cli/main.js"), ...parameters], { cwd: ROOT });
  if (!made.ok) throw new Error(`${source} is no ${target}: ${made.lastLine}`);
  return file;
}

/** WORKER as a component of wasi:http, with StarlingMonkey. */
export const starlingMonkey = once(() => {
  const out = join(BENCH_DIRECTORY, "starlingmonkey.wasm");
  const program = join(ROOT, "bench/peers/starlingmonkey.mjs");
  const made = run(process.execPath, [program, benchPackages(), join(ROOT, WORKER), out]);
  if (!made.ok) throw new Unavailable(`StarlingMonkey does not take ${WORKER}: ${made.lastLine}`);
  return out;
});

/**
 * A folder of bench/ in Rust, built: `folder` has what came of it. What it depends on has exact versions; cargo checks
 * their sums. `main`: the dependency whose version is the tool's. `needs`: what is said when it cannot be built.
 */
function rustBuild(name, main, needs, options = []) {
  const manifest = join(ROOT, "bench", name, "Cargo.toml");
  const folder = join(BENCH_DIRECTORY, name);
  const line = readFileSync(manifest, "utf8")
    .split("\n")
    .find((text) => text.startsWith(`${main} = `));
  const version = /"=([^"]+)"/.exec(line)[1];
  const parameters = ["--manifest-path", manifest, "--target-dir", folder, ...options];
  const made = run("cargo", ["build", "--release", "--quiet", ...parameters]);
  if (!made.ok) {
    const cause = /the `[\w-]+` target may not be installed/.exec(made.text)?.[0] ?? made.lastLine;
    throw new Unavailable(`bench/${name} needs ${needs}, and the network once: ${cause}`);
  }
  return { folder, version };
}

function rustProgram(name, binary, main) {
  const { folder, version } = rustBuild(name, main, "Rust's cargo");
  return { command: join(folder, "release", binary), env: {}, version: `${main} ${version}` };
}

function rustComponent(name, main) {
  const target = "wasm32-wasip2";
  const needs = `Rust's cargo, "rustup target add ${target}"`;
  const { folder, version } = rustBuild(name, main, needs, ["--target", target]);
  const command = join(folder, target, `release/${name}.wasm`);
  return { command, env: {}, version: `${main} for Rust ${version}` };
}

/** The server of bench/gohttp. */
function findGo() {
  const command = join(BENCH_DIRECTORY, "gohttp");
  const made = run("go", ["build", "-o", command, "main.go"], { cwd: join(ROOT, "bench/gohttp") });
  if (!made.ok) throw new Unavailable(`Go's server needs go: ${made.lastLine}`);
  return { command, env: {}, version: versionOf({ command: "go", env: {} }, ["version"], /go\d\S+/) };
}

/** Another engine of JavaScript, of the versions that the project's tests use. */
function findEngine(name, file, pattern, title) {
  const engines = "build/tools/engines/node_modules";
  const made = run("make", ["-s", `${engines}/.package-lock.json`], { cwd: ROOT });
  if (!made.ok) throw new Unavailable(`${title} cannot be had: ${made.lastLine}`);
  const command = join(ROOT, engines, `${name}-${process.platform}-${process.arch}`, file);
  const version = versionOf({ command, env: {} }, ["--version"], pattern);
  if (version === null) throw new Unavailable(`${title} does not run on this machine`);
  return { command, env: {}, version: version.startsWith(name) ? version : `${name} ${version}` };
}

/** Where the packages are that bench/npm names: below build/, since nothing else needs them. */
function installPackages() {
  const folder = join(BENCH_DIRECTORY, "npm");
  mkdirSync(folder, { recursive: true });
  for (const file of ["bench/npm/package.json", "bench/npm/package-lock.json", ".npmrc"]) {
    copyFileSync(join(ROOT, file), join(folder, basename(file)));
  }
  const made = run("npm", ["ci", "--prefix", folder]);
  if (!made.ok) throw new Unavailable(`the packages of bench/npm cannot be had: ${made.lastLine}`);
  return join(folder, "node_modules");
}

const precompiledFiles = new Set();
/** Machine code of a module or component, by this wasmtime, so that it is not compiled at the start. */
export function precompiled({ command, version }, file) {
  const out = join(BENCH_DIRECTORY, `${basename(file, ".wasm")}.cwasm`);
  if (precompiledFiles.has(out)) return out;
  precompiledFiles.add(out);
  mkdirSync(BENCH_DIRECTORY, { recursive: true });
  const made = run(command, ["compile", "-o", out, file]);
  if (!made.ok) throw new Error(`${version} does not compile ${file}: ${made.lastLine}`);
  return out;
}

/** A wasmtime that the project uses, by the make target that finds it. */
function findWasmtime(target) {
  const made = run("make", ["-s", target], { cwd: ROOT });
  if (!made.ok) throw new Unavailable(`${target} cannot be had: ${made.lastLine}`);
  const tool = { command: made.lastLine, env: {} };
  const version = versionOf(tool, ["--version"], /wasmtime \S+/);
  if (version === null) throw new Unavailable(`${tool.command} does not run`);
  return { ...tool, version };
}

function versionOf({ command, env }, parameters, pattern) {
  const result = spawnSync(command, parameters, { encoding: "utf8", env: { ...process.env, ...env } });
  return pattern.exec(`${result.stdout}${result.stderr}`)?.[0] ?? null; // the exit code says nothing: wrk -v has 1
}

function run(command, parameters, options = {}) {
  const result = spawnSync(command, parameters, { encoding: "utf8", timeout: INSTALL_MS, ...options });
  const text = `${result.stdout ?? ""}\n${result.stderr ?? ""}`.trim();
  const lastLine = result.error?.message ?? text.split("\n").at(-1);
  return { ok: result.status === 0, text, lastLine };
}

/** The first outcome, value or error, is kept. */
function once(find) {
  let outcome;
  return () => {
    if (outcome === undefined) {
      try {
        outcome = { value: find() };
      } catch (error) {
        outcome = { error };
      }
    }
    if (outcome.error) throw outcome.error;
    return outcome.value;
  };
}
