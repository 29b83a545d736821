// Limits that Node's server has as properties: what they are unless the program sets them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SANDBOX_DEFAULTS } from "../../../dist/host/nodehttp/options.js";

test("the defaults are the sandbox's", () => {
  const limits = readFileSync(new URL("../../../assembly/core/limits.ts", import.meta.url), "utf8");
  const of = (name: string) => Number(new RegExp(`const ${name}: i32 = (\\d+);`).exec(limits)?.[1]);
  expect(of("IDLE_TIMEOUT_MS")).toBe(SANDBOX_DEFAULTS.idleTimeoutMs);
  expect(of("HEADER_TIMEOUT_MS")).toBe(SANDBOX_DEFAULTS.headerTimeoutMs);
  expect(of("HEAD_BYTES_MAX")).toBe(SANDBOX_DEFAULTS.headBytesMax);
});
