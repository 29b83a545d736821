// Slow clients, with the sandbox in Node, in a worker process of wasmtime, and as an application of its own.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe } from "vitest";

import { slowSuite } from "./suites/slow.js";
import { NODE, ROOT, SANDBOXED_BARE, WASMTIME } from "./support/ways.js";

for (const way of [NODE, WASMTIME]) describe(way.name, () => slowSuite(way, () => "test/e2e/apps/slow.ts"));

describe(SANDBOXED_BARE.name, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  slowSuite(SANDBOXED_BARE, () => {
    const module = path.join(folder, "slow.wasm");
    const compiler = path.join(ROOT, "node_modules/.bin/asc");
    execFileSync(compiler, ["test/assembly/apps/slow.ts", "--outFile", module], { cwd: ROOT });
    return module;
  });
});
