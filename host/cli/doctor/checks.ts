/**
 * The checks of `waterspout doctor`. Each is a function that returns one line of its table.
 *
 * Invariants: a check looks at one thing, changes nothing and never throws; one that is not `ok` says what to do.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { LOOPBACK } from "../../core/address.js";
import { ENGINE } from "../../core/engine.js";
import { CONNECTIONS_MAX } from "../../core/limits.js";
import { CORE_FILE, PACKAGE_FOLDER } from "../../core/paths.js";
import { findWasmtime, type WasmtimeRuntime } from "../../runtime/wasmtime/binary.js";
import { inspectModule } from "../inspectmodule.js";
import { findPackage, type Manifest, manifest, satisfies } from "../packages.js";

/** `fail`: something needed is missing or wrong. `warn`: something optional is. */
export type Status = "ok" | "warn" | "fail";

/** A line of the table. */
export interface Check {
  name: string;
  status: Status;
  /** What was found, in one sentence. */
  text: string;
  /** What to do about it; null where there is nothing to do. */
  fix: string | null;
}

/** Open files of a process that are not connections. */
const FILES_RESERVED = 64;

/** What each optional package is for. */
export const PURPOSES: Readonly<Record<string, string>> = {
  "@bytecodealliance/jco": "builds components of AssemblyScript applications",
  "@opentelemetry/api": "makes spans and metrics of requests, for an SDK that is registered",
  assemblyscript: "compiles AssemblyScript applications",
  "prom-client": "collects the metrics that Prometheus reads",
};

/** All checks, in the order of the table. */
export async function allChecks(): Promise<Check[]> {
  const own = manifest();
  return [
    checkNode(own, process.versions.node, ENGINE),
    checkPackage(own),
    checkCore(CORE_FILE),
    await checkWasmtime(),
    await checkWasmtime("component-async"),
    ...Object.entries(own.peerDependencies).map(([name, range]) => checkPeer(name, range, own, process.cwd())),
    await checkLoopback(LOOPBACK),
    await checkLoopback("::1"),
    await checkOpenFiles(),
  ];
}

/** Whether this Node is one that the package supports. */
export function checkNode(own: Manifest, version: string, engine: string = `Node ${version}`): Check {
  const needed = Number(/\d+/.exec(own.engines.node)?.[0]);
  const text = engine.startsWith("Node") ? engine : `${engine}, which is like Node ${version}`;
  if (Number.parseInt(version, 10) >= needed) return ok("node", text);
  return { name: "node", status: "fail", text, fix: `install Node ${needed} or later` };
}

function checkPackage(own: Manifest): Check {
  return ok("waterspout", `${own.version}, in ${PACKAGE_FOLDER}`);
}

/** Whether core.wasm is the one that was built with this package, and imports only what the runtimes have. */
export function checkCore(file: string): Check {
  const name = "core.wasm";
  const fail = (text: string): Check => ({ name, status: "fail", text, fix: reinstallation() });
  if (!existsSync(file)) return fail(`there is no ${file}`);
  const bytes = readFileSync(file);
  const sum = createHash("sha256").update(bytes).digest("hex");
  const sumFile = `${file}.sha256`;
  const expected = existsSync(sumFile) ? readFileSync(sumFile, "utf8").split(" ")[0] : null;
  const found = `${bytes.length.toLocaleString("en")} bytes, SHA-256 ${sum.slice(0, 12)}…`;
  if (expected === null) return { ...fail(`${found}; its checksum is missing`), status: "warn" };
  if (sum !== expected) return fail(`${found}, and not ${expected?.slice(0, 12)}… as it was built`);
  try {
    const { imports, unknown, wasmtimeOnly } = inspectModule(bytes);
    const missing = [...unknown, ...wasmtimeOnly];
    if (missing.length > 0) return fail(`it imports ${missing.join(", ")}, which this version does not have`);
    return ok(name, `${found} as built, ${imports.length} imports`);
  } catch {
    return fail(`${file} is no WebAssembly module`);
  }
}

/** Which wasmtime `runtime` would use, and why; else how to get one. */
export async function checkWasmtime(runtime: WasmtimeRuntime = "wasmtime"): Promise<Check> {
  const name = runtime === "wasmtime" ? runtime : "wasmtime-async";
  try {
    const { version, file, why } = await findWasmtime(runtime);
    return ok(name, `${version}, ${file}, ${why}`);
  } catch (error) {
    const [text = "", installer] = (error as Error).message.split(': run "');
    const fix = installer === undefined ? "unset it, or set it to another" : `run ${installer.slice(0, -1)}`;
    return { name, status: "warn", text, fix };
  }
}

/** Whether an optional package is installed in a version that `range` allows. */
export function checkPeer(name: string, range: string, own: Manifest, folder: string): Check {
  const found = findPackage(name, folder);
  const purpose = PURPOSES[name] ?? "is optional";
  const fix = `npm install ${name}@${own.devDependencies[name] ?? range}`;
  if (found === null) return { name, status: "warn", text: `not installed; it ${purpose}`, fix };
  if (satisfies(found.version, range)) return ok(name, `${found.version}, in ${found.folder}`);
  return { name, status: "warn", text: `${found.version} in ${found.folder} is not ${range}; it ${purpose}`, fix };
}

/** Whether a port can be bound on a loopback address; for IPv6 it is a warning when not. */
export async function checkLoopback(address: string): Promise<Check> {
  const name = `loopback ${address}`;
  const server = createServer();
  try {
    await once(server.listen(0, address), "listening");
    return ok(name, "ports can be bound");
  } catch (error) {
    const text = `no port can be bound: ${(error as NodeJS.ErrnoException).code}`;
    if (address.includes(":")) return { name, status: "warn", text, fix: "use IPv4 addresses" };
    return {
      name,
      status: "fail",
      text,
      fix: "look at what confines this process: a container, a firewall, a sandbox",
    };
  } finally {
    server.close();
  }
}

async function checkOpenFiles(): Promise<Check> {
  return judgeOpenFiles(await openFilesLimit());
}

/** Whether a worker may open as many files as it takes connections. `limit` is null when it is not known. */
export function judgeOpenFiles(limit: number | null): Check {
  const name = "open files";
  if (limit === null) return ok(name, "no limit that is known");
  const wanted = CONNECTIONS_MAX.toLocaleString("en");
  const text = `at most ${limit.toLocaleString("en")}; a worker takes up to ${wanted} connections`;
  if (limit >= CONNECTIONS_MAX + FILES_RESERVED) return ok(name, text);
  const fix = "raise it (ulimit -n 65536, LimitNOFILE= of a unit), or set connectionsMax below it";
  return { name, status: "warn", text, fix };
}

/** The limit of a child process: Node has raised the limit of its own process. */
async function openFilesLimit(): Promise<number | null> {
  try {
    const { stdout } = await promisify(execFile)("sh", ["-c", "ulimit -n"]);
    return /^\d+\s*$/.test(stdout) ? Number(stdout) : null;
  } catch {
    return null;
  }
}

/** How to get a whole package. */
function reinstallation(): string {
  return basename(join(PACKAGE_FOLDER, "..")) === "node_modules" ? "npm install waterspout again" : "run make build";
}

function ok(name: string, text: string): Check {
  return { name, status: "ok", text, fix: null };
}
