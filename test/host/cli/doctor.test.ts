// What `waterspout doctor` concludes from what it finds, also where this machine has none of it.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";

import {
  checkCore,
  checkLoopback,
  checkNode,
  checkPeer,
  checkWasmtime,
  judgeOpenFiles,
  PURPOSES,
} from "../../../host/cli/doctor/checks.js";
import { inspectModule } from "../../../host/cli/inspectmodule.js";
import { findPackage, manifest, satisfies } from "../../../host/cli/packages.js";
import { constantsOf } from "../../docs/documents.js";
import { ROOT } from "../../e2e/support/ways.js";

const CORE = path.join(ROOT, "build/core.wasm");
const folder = mkdtempSync(path.join(tmpdir(), "waterspout-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

function fileOf(name: string, content: string | Uint8Array, mode = 0o644): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

test("Node: the oldest that is supported, and one before", () => {
  expect(checkNode(manifest(), "20.0.0")).toMatchObject({ status: "ok", fix: null });
  expect(checkNode(manifest(), "19.9.0")).toMatchObject({ status: "fail", fix: "install Node 20 or later" });
});

describe("core.wasm", () => {
  function copied(name: string): string {
    const file = fileOf(name, "");
    copyFileSync(CORE, file);
    copyFileSync(`${CORE}.sha256`, `${file}.sha256`);
    return file;
  }

  test("as it was built", () => {
    expect(checkCore(copied("core.wasm"))).toMatchObject({ status: "ok", text: expect.stringMatching(/as built, 11/) });
  });

  test("not there, changed, without its checksum, with rights that no runtime gives", () => {
    expect(checkCore(path.join(folder, "none.wasm"))).toMatchObject({ status: "fail", fix: expect.anything() });
    const changed = copied("changed.wasm");
    writeFileSync(changed, "\0asm\x01\0\0\0");
    expect(checkCore(changed)).toMatchObject({ status: "fail", text: expect.stringContaining("and not") });
    const alone = fileOf("alone.wasm", "");
    copyFileSync(CORE, alone);
    expect(checkCore(alone)).toMatchObject({ status: "warn", text: expect.stringContaining("checksum is missing") });
  });
});

test("a module's imports: known, of wasmtime alone, of no runtime", () => {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const item = (module: string, field: string): number[] => [...name(module), ...name(field), 0, 0];
  const items = [
    item("wasi_snapshot_preview1", "fd_write"),
    item("wasi_snapshot_preview1", "random_get"),
    item("env", "abort"),
  ];
  const body = [items.length, ...items.flat()];
  const module = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, body.length, ...body]);
  expect(inspectModule(module)).toEqual({
    imports: ["wasi_snapshot_preview1.fd_write", "wasi_snapshot_preview1.random_get", "env.abort"],
    wasmtimeOnly: ["wasi_snapshot_preview1.random_get"],
    unknown: ["env.abort"],
    missingExports: ["_initialize", "_start", "memory", "turn"],
  });
});

describe("wasmtime", () => {
  const fake = (name: string, says: string): string => fileOf(name, `#!/bin/sh\necho "${says}"\n`, 0o755);

  test("the right one, and why it is that", async () => {
    const file = fake("right", "wasmtime 36.0.9 (abc 2026-01-01)");
    vi.stubEnv("WATERSPOUT_WASMTIME", file);
    expect(await checkWasmtime()).toMatchObject({
      status: "ok",
      text: `36.0.9, ${file}, named by WATERSPOUT_WASMTIME`,
    });
  });

  test("for components of WASI 0.3 a later one, which has its own name", async () => {
    const file = fake("later", "wasmtime 46.0.0 (abc 2026-06-01)");
    vi.stubEnv("WATERSPOUT_WASMTIME_ASYNC", file);
    const text = `46.0.0, ${file}, named by WATERSPOUT_WASMTIME_ASYNC`;
    expect(await checkWasmtime("component-async")).toMatchObject({ name: "wasmtime-async", status: "ok", text });
    vi.stubEnv("WATERSPOUT_WASMTIME_ASYNC", fake("earlier", "wasmtime 45.0.0"));
    expect(await checkWasmtime("component-async")).toMatchObject({
      status: "warn",
      text: expect.stringMatching(/^WATERSPOUT_WASMTIME_ASYNC must name a wasmtime 46 or later, and .* wasmtime 45/),
    });
  });

  test("none, or another version, where it is named", async () => {
    for (const file of [path.join(folder, "nowhere"), fake("newer", "wasmtime 47.0.0"), fake("other", "something")]) {
      vi.stubEnv("WATERSPOUT_WASMTIME", file);
      const { status, text, fix } = await checkWasmtime();
      expect({ status, fix }).toEqual({ status: "warn", fix: "unset it, or set it to another" });
      expect(text).toContain(file);
    }
  });
});

describe("an optional package", () => {
  const install = (version: string): void =>
    void fileOf("project/node_modules/some-peer/package.json", JSON.stringify({ name: "some-peer", version }));
  const check = () => checkPeer("some-peer", "^1.2.0", manifest(), path.join(folder, "project/deep/down"));

  test("not installed, of another version, right", () => {
    expect(check()).toMatchObject({ status: "warn", text: expect.stringMatching(/^not installed/) });
    fileOf("project/node_modules/some-peer/package.json", "no JSON");
    expect(check()).toMatchObject({ status: "warn", text: expect.stringMatching(/^unreadable/) });
    install("1.1.9");
    expect(check()).toMatchObject({ status: "warn", fix: "npm install some-peer@^1.2.0" });
    install("1.3.0");
    expect(check()).toMatchObject({ status: "ok", fix: null });
    expect(findPackage("some-peer", folder)).toBe(null);
  });

  test.each([
    ["0.28.0", "^0.28.0", true],
    ["0.28.20", "^0.28.0", true],
    ["0.27.9", "^0.28.0", false],
    ["0.29.0", "^0.28.0", false],
    ["1.28.0", "^0.28.0", false],
    ["15.1.0", "^15.1.0", true],
    ["15.2.3", "^15.1.0", true],
    ["15.0.9", "^15.1.0", false],
    ["16.1.0", "^15.1.0", false],
    ["15.2.0-rc.1", "^15.1.0", false],
  ])("%s for %s: %s", (version, range, fits) => {
    expect(satisfies(version, range)).toBe(fits);
  });

  test("what this package asks for is a caret range, and its own version fits", () => {
    const { peerDependencies, devDependencies } = manifest();
    expect(Object.keys(PURPOSES).sort()).toEqual(Object.keys(peerDependencies).sort());
    for (const [name, range] of Object.entries(peerDependencies)) {
      expect(range).toMatch(/^\^\d+\.\d+\.\d+$/);
      expect(satisfies(devDependencies[name] as string, range), name).toBe(true);
    }
  });
});

test("open files: enough, too few, no limit", () => {
  const needed = (constantsOf("assembly/core/sharedlimits.ts").get("CONNECTIONS_MAX") ?? 0) + 64;
  expect(judgeOpenFiles(needed).status).toBe("ok");
  expect(judgeOpenFiles(needed - 1)).toMatchObject({ status: "warn", fix: expect.stringContaining("ulimit -n") });
  expect(judgeOpenFiles(null).status).toBe("ok");
});

test("loopback: an address of this machine, and one that is not", async () => {
  expect(await checkLoopback("127.0.0.1")).toMatchObject({ status: "ok" });
  expect(await checkLoopback("192.0.2.1")).toMatchObject({ status: "fail" });
});
