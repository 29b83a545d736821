// The one module: what it may do is what it imports, and it is the same file, byte for byte, on every host.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";

import { Versioned } from "../losses/server.js";
import { commandLine, workersOf } from "./support/processes.js";
import { eventually, NODE, ROOT, start, WASMTIME, wasmtime } from "./support/ways.js";

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

  // Under wasmtime: what it is told to compile, once for all workers. They run that and no other file.
  const commands = path.join(folder, "commands");
  const recorder = path.join(folder, "wasmtime");
  writeFileSync(recorder, `#!/bin/sh\necho "$@" >>${commands}\nexec ${wasmtime()} "$@"\n`, { mode: 0o755 });
  const temporary = path.join(folder, "temporary");
  mkdirSync(temporary);
  const env = { WATERSPOUT_WASMTIME: recorder, TMPDIR: temporary };
  const inWasmtime = await start(WASMTIME, "examples/hello.ts", ["--workers", "2"], { env });
  onTestFinished(() => inWasmtime.stop());
  const [worker] = workersOf(inWasmtime.pid);
  process.kill(worker.pid, "SIGKILL");
  await inWasmtime.complaint(/SIGKILL; it is started again/);
  const said = (command: string): string[] =>
    readFileSync(commands, "utf8")
      .split("\n")
      .filter((line) => line.startsWith(command));
  await eventually("another one is started", () => said("run").length === 3);
  await inWasmtime.get("/");
  const runs = said("run").map((line) => line.split(" ").slice(-1));
  expect(runs).toEqual(Array(3).fill(["/dev/fd/4"]));
  const code = readlinkSync(`/proc/${workersOf(inWasmtime.pid)[0].pid}/fd/4`);
  expect(code).toMatch(/\(deleted\)$/);
  expect(readdirSync(temporary).filter((name) => name.startsWith("waterspout"))).toEqual([]);

  const [file, ...more] = said("compile").map((line) => line.split(" ").at(-1)!);
  expect(more).toEqual([]);
  const expected = sha256(readFileSync(CORE));
  expect(loaded.map(sha256)).toEqual([expected]);
  expect(sha256(readFileSync(path.resolve(ROOT, file)))).toEqual(expected);
});

test("where compiled code cannot be kept, each worker compiles the module itself", async () => {
  const app = new Versioned(); // in JavaScript: a TypeScript loader would need the folder, too
  onTestFinished(() => app.remove());
  const server = await app.serve(WASMTIME, [], { env: { TMPDIR: "/dev/null" } });
  onTestFinished(() => server.stop());
  expect((await server.get("/")).status).toBe(200);
  expect(commandLine(workersOf(server.pid)[0].pid).at(-1)).toMatch(/core\.wasm$/);
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
