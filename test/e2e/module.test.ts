// The one module: what it may do is what it imports, and it is the same file, byte for byte, on every host.
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";

import { commandLine, workersOf } from "./support/processes.js";
import { eventually, NODE, ROOT, start, WASMTIME } from "./support/ways.js";

const CORE = path.join(ROOT, "build/core.wasm");
const APPLICATIONS = ["demo.wasm", "echo.wasm"];

/** The list of imports is the list of rights: poll, the sockets that were handed over, the channel, a clock, an end. */
const RIGHTS = [
  "clock_time_get",
  "fd_close",
  "fd_fdstat_get",
  "fd_read",
  "fd_write",
  "poll_oneoff",
  "proc_exit",
  "sock_accept",
  "sock_recv",
  "sock_send",
  "sock_shutdown",
];

test("core.wasm imports exactly its rights, all of WASI preview1", () => {
  const imports = WebAssembly.Module.imports(compile(CORE));
  expect(new Set(imports.map((wanted) => wanted.module))).toEqual(new Set(["wasi_snapshot_preview1"]));
  expect(imports.map((wanted) => wanted.name).sort()).toEqual(RIGHTS);
  expect(new Set(imports.map((wanted) => wanted.kind))).toEqual(new Set(["function"]));
});

test.each(APPLICATIONS)("%s has no right that core.wasm has not", (file) => {
  const imports = WebAssembly.Module.imports(compile(path.join(ROOT, "build", file)));
  for (const { module, name } of imports) {
    expect(module).toBe("wasi_snapshot_preview1");
    expect(RIGHTS).toContain(name);
  }
});

test.each([
  ["core.wasm", []],
  ...APPLICATIONS.map((file): [string, string[]] => [file, ["function drain", "function supervised"]]),
])("%s exports its start, turn, its memory and %j, nothing else", (file, more) => {
  const exports = WebAssembly.Module.exports(compile(path.join(ROOT, "build", file)));
  const found = exports.map(({ name, kind }) => `${kind} ${name}`).sort();
  const always = ["function _initialize", "function _start", "function turn", "memory memory"];
  expect(found).toEqual([...always, ...more].sort());
});

test("core.wasm fits into 64 KiB", () => {
  expect(readFileSync(CORE).length).toBeLessThanOrEqual(64 * 1024);
});

test("both hosts load the same bytes", async () => {
  // In Node: the bytes themselves, noted down by a hook at the moment when they are given to the engine.
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const hook = pathToFileURL(path.join(ROOT, "test/e2e/apps/wasm-recorder.mjs")).href;
  const inNode = await start(NODE, "examples/hello.ts", [], {
    env: { NODE_OPTIONS: `--import=${hook}`, WASM_RECORDER_FOLDER: folder },
  });
  await inNode.get("/").finally(() => inNode.stop());
  const loaded = readdirSync(folder)
    .map((name) => readFileSync(path.join(folder, name)))
    .filter((bytes) => importsSockets(bytes));

  // Under wasmtime: the file that stands on its command line.
  const inWasmtime = await start(WASMTIME, "examples/hello.ts");
  await eventually("a worker", () => workersOf(inWasmtime.pid).length === 1);
  const worker = workersOf(inWasmtime.pid)[0];
  const files = commandLine(worker.pid).filter((argument) => argument.endsWith(".wasm"));
  await inWasmtime.get("/").finally(() => inWasmtime.stop());

  const expected = sha256(readFileSync(CORE));
  expect(loaded.map(sha256)).toEqual([expected]);
  expect(files.map((file) => sha256(readFileSync(path.resolve(ROOT, file))))).toEqual([expected]);
});

function compile(file: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(file));
}

function importsSockets(bytes: Buffer): boolean {
  return WebAssembly.Module.imports(new WebAssembly.Module(bytes)).some(({ name }) => name === "sock_accept");
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
