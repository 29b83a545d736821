// Where wasmtime is kept, whose compiled code a worker gets, and the pipe to a wasmtime worker that does not read for a
// while; the worker is a script that sends back what it receives.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";

import { FrameReader } from "../../../host/bridge/framereader.js";
import { FRAME_WRITE } from "../../../host/bridge/frames.js";
import { FrameWriter } from "../../../host/bridge/framewriter.js";
import { cacheFolder } from "../../../host/core/cachefolder.js";
import { START_TIMEOUT_MS } from "../../../host/core/limits.js";
import { precompile, startOf } from "../../../host/runtime/wasmtime/precompiled.js";
import { wasmtimeRuntime } from "../../../host/runtime/wasmtime/worker.js";

const PIECE = 65_536;
const FIRST = 32;
const ALL = 48;

/** Has `script` run in the place of wasmtime until the test is over. */
async function standIn(folder: string, script: string): Promise<void> {
  const file = join(folder, "wasmtime");
  writeFileSync(
    file,
    `#!/bin/sh\n[ "$1" = --version ] && exec echo "wasmtime 36.0.0"\n[ "$1" = compile ] && exit 1\n${script}\n`,
  );
  chmodSync(file, 0o755);
  vi.stubEnv("WATERSPOUT_WASMTIME", file);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  await wasmtimeRuntime.prepare("no module");
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a worker that has closed its stdout and does not end is killed, and said to have ended", async () => {
  await standIn(mkdtempSync(join(tmpdir(), "waterspout-")), "exec >&-\nexec sleep 600");
  const ended = await new Promise<Error | null>((resolve) => {
    wasmtimeRuntime.start("no module", [], { gather() {}, receive() {}, log() {}, ended: resolve });
  });
  expect(ended?.message).toBe("it closed its stdout and did not end");
});

test.each([
  ["exit 0", null],
  ["exit 70", "it exited with status 70"],
])("a worker that ends by itself tells how: %s", async (script, message) => {
  await standIn(mkdtempSync(join(tmpdir(), "waterspout-")), `exec >&-\nsleep 0.1\n${script}`);
  const ended = await new Promise<Error | null>((resolve) => {
    wasmtimeRuntime.start("no module", [], { gather() {}, receive() {}, log() {}, ended: resolve });
  });
  expect(ended?.message ?? null).toBe(message);
});

test("frames for a worker that does not read wait in order, are not overwritten, and leave when it reads", async () => {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  const go = join(folder, "go");
  await standIn(folder, `while [ ! -e '${go}' ]; do sleep 0.02; done\nexec cat`);

  const writer = new FrameWriter();
  const heard: number[] = [];
  const reader = new FrameReader({
    frame(_type, id, chunk, start, end) {
      if (chunk.subarray(start, end).equals(Buffer.alloc(PIECE, id))) heard.push(id);
    },
  });
  const write = (from: number, to: number): void => {
    for (let id = from; id <= to; id++) writer.bytes(FRAME_WRITE, id, Buffer.alloc(PIECE, id), 0, PIECE);
  };
  await new Promise<void>((resolve, reject) => {
    const worker = wasmtimeRuntime.start("no module", [], {
      gather: () => worker.send(writer),
      receive(chunk) {
        reader.push(chunk);
        if (heard.length === ALL) resolve();
      },
      log: () => {},
      ended: () => reject(new Error("it has ended")),
    });
    onTestFinished(() => worker.kill());
    write(1, FIRST);
    worker.send(writer);
    expect(writer.waiting).toBe(0);
    write(FIRST + 1, ALL);
    worker.send(writer);
    expect(writer.waiting).toBe((ALL - FIRST) * (PIECE + 8));
    writeFileSync(go, "");
  });
  expect(heard).toEqual(Array.from({ length: ALL }, (_, index) => index + 1));
});

test("the folder in the user's cache, on each system", () => {
  const none = {};
  expect(cacheFolder("linux", none, "/home/me")).toBe("/home/me/.cache/waterspout");
  expect(cacheFolder("linux", { XDG_CACHE_HOME: "/cache" }, "/home/me")).toBe("/cache/waterspout");
  expect(cacheFolder("linux", { XDG_CACHE_HOME: "relative" }, "/home/me")).toBe("/home/me/.cache/waterspout");
  expect(cacheFolder("darwin", { XDG_CACHE_HOME: "/cache" }, "/Users/me")).toBe("/Users/me/Library/Caches/waterspout");
  expect(cacheFolder("win32", { LOCALAPPDATA: "/local" }, "/me")).toBe("/local/waterspout/Cache");
  expect(cacheFolder("win32", none, "/me")).toBe("/me/AppData/Local/waterspout/Cache");
});

test("what a wasmtime has compiled is not given to another one in its place", async () => {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const wasmtime = join(folder, "wasmtime");
  writeFileSync(wasmtime, '#!/bin/sh\n: > "$7"\n', { mode: 0o755 }); // what stands behind -o
  await precompile(wasmtime, "a.wasm", Buffer.alloc(1));
  expect(startOf(wasmtime, "a.wasm", 3)).toMatchObject({ fds: [expect.any(Number)] });
  utimesSync(wasmtime, 1, 1);
  expect(startOf(wasmtime, "a.wasm", 3)).toEqual({ args: ["a.wasm"], fds: [] });
});

test("a wasmtime that does not end compiling is killed, and workers are given the module itself", async () => {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const began = join(folder, "began");
  const hanging = join(folder, "wasmtime");
  writeFileSync(hanging, `#!/bin/sh\necho $$ >${began}.new && mv ${began}.new ${began}\nexec sleep 600\n`);
  chmodSync(hanging, 0o755);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const turn = () => new Promise((done) => setImmediate(done));
  const compiling = precompile(hanging, "a.wasm", Buffer.from("a"));
  while (!existsSync(began)) await turn();
  vi.advanceTimersByTime(START_TIMEOUT_MS);
  await compiling;
  expect(startOf(hanging, "a.wasm", 4)).toEqual({ args: ["a.wasm"], fds: [] });
  while (isAlive(Number(readFileSync(began, "utf8")))) await turn();
});
