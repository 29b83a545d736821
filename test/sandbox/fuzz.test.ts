// A few runs of each fuzzer that needs no real socket, always the same ones, so that they stay what `make fuzz` starts
// with seeds of its own; and that they find what is broken.
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import { ROOT } from "../e2e/support/ways.js";
import { BareFuzz } from "../fuzz/bare.js";
import { CoreFuzz } from "../fuzz/core.js";
import { FormFuzz } from "../fuzz/forms.js";
import { FrameFuzz } from "../fuzz/frames.js";
import { PathFuzz } from "../fuzz/paths.js";
import { Random } from "../fuzz/random.js";
import { Broken, ScriptedWasi } from "../fuzz/scriptedwasi.js";

const RUNS = 120;
const module = (name: string) => new WebAssembly.Module(readFileSync(path.join(ROOT, "build", name)));
const core = module("core.wasm");

describe.each([
  new CoreFuzz(core, "http"),
  new CoreFuzz(core, "streams"),
  new FrameFuzz(core),
  new BareFuzz(module("web.wasm")),
  new FormFuzz(),
  new PathFuzz(),
])("$name", (fuzzer) => {
  afterAll(() => ("end" in fuzzer ? fuzzer.end() : undefined));

  test(`${RUNS} runs find nothing, and do something`, { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      await fuzzer.run(new Random(seed)).catch((error: Error) => {
        throw new Error(`seed 1, run ${seed - 1}: ${error.message}`, { cause: error });
      });
    }
    expect(fuzzer.connections).toBeGreaterThan(RUNS);
    expect(fuzzer.answers).toBeGreaterThan(RUNS / 2);
  });
});

test("the scripted WASI says what no module may do", () => {
  const wasi = new ScriptedWasi(core, new Random(1));
  wasi.turn();
  const { buffer } = wasi.memory;
  new Uint8Array(buffer).fill(0xff);
  expect(() => {
    for (let i = 0; i < 10; i++) wasi.turn();
  }).toThrow(Broken);
});
