// Whole servers in this process, with workers that are killed at any step: each from a seed that a failure names.
//
//   SIM_RUNS=1000000 SIM_SEED=1 npx vitest run test/sandbox/simulation.test.ts
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

import { ROOT } from "../e2e/support/ways.js";
import { Random } from "../fuzz/random.js";
import { ServerSimulation } from "../fuzz/simulation.js";

const RUNS = Number(process.env.SIM_RUNS ?? 500);
const SEED = Number(process.env.SIM_SEED ?? Date.now() % 1e9);

test(`${RUNS} servers from seed ${SEED} on`, { timeout: 120_000 + RUNS * 100 }, async () => {
  const simulation = new ServerSimulation(new WebAssembly.Module(readFileSync(path.join(ROOT, "build/core.wasm"))));
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    await simulation.run(new Random(seed)).catch((error: Error) => {
      throw new Error(`SIM_SEED=${seed} SIM_RUNS=1: ${error.message}`, { cause: error });
    });
  }
  if (RUNS < 100) return; // one server is shown again
  expect(simulation.answers).toBeGreaterThan(RUNS);
  expect(simulation.kills).toBeGreaterThan(RUNS / 10);
  expect(simulation.lost).toBeGreaterThan(RUNS / 100);
  expect(simulation.messages).toBeGreaterThan(RUNS / 10);
  expect(simulation.shed).toBeGreaterThan(RUNS / 100);
});
