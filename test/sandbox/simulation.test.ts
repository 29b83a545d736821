// Whole servers in this process, with workers that are killed and reloads at any step: each from a seed that a failure
// names. The seeds here are always the same; `make fuzz` takes others.
//
//   SIM_RUNS=100000 SIM_SEED=1 npx vitest run test/sandbox/simulation.test.ts -t reloads
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

import { ROOT } from "../e2e/support/ways.js";
import { Random } from "../fuzz/random.js";
import { ReloadSimulation } from "../fuzz/simreload.js";
import { ServerSimulation } from "../fuzz/simulation.js";

const SEED = Number(process.env.SIM_SEED ?? 1);
const runs = (usual: number): number => Number(process.env.SIM_RUNS ?? usual);
const core = new WebAssembly.Module(readFileSync(path.join(ROOT, "build/core.wasm")));

async function play(simulation: ServerSimulation | ReloadSimulation, count: number): Promise<void> {
  for (let seed = SEED; seed < SEED + count; seed++) {
    await simulation.run(new Random(seed)).catch((error: Error) => {
      throw new Error(`SIM_SEED=${seed} SIM_RUNS=1: ${error.message}`, { cause: error });
    });
  }
}

const SERVERS = runs(250);
test(`${SERVERS} servers from seed ${SEED} on`, { timeout: 120_000 + SERVERS * 200 }, async () => {
  const simulation = new ServerSimulation(core);
  await play(simulation, SERVERS);
  if (SERVERS < 100) return; // one server is shown again
  expect(simulation.answers).toBeGreaterThan(SERVERS);
  expect(simulation.kills).toBeGreaterThan(SERVERS / 10);
  expect(simulation.frozen).toBeGreaterThan(SERVERS / 20);
  expect(simulation.lost).toBeGreaterThan(SERVERS / 100);
  expect(simulation.messages).toBeGreaterThan(SERVERS / 10);
  expect(simulation.shed).toBeGreaterThan(SERVERS / 100);
  expect(simulation.relayed).toBeGreaterThan(SERVERS / 10);
});

const COMMANDS = runs(50);
test(`${COMMANDS} commands with reloads from seed ${SEED} on`, { timeout: 120_000 + COMMANDS * 500 }, async () => {
  const simulation = new ReloadSimulation(core);
  await play(simulation, COMMANDS);
  if (COMMANDS < 50) return;
  expect(simulation.answers).toBeGreaterThan(COMMANDS);
  expect(simulation.kills).toBeGreaterThan(COMMANDS / 10);
  expect(simulation.reloads).toBeGreaterThan(COMMANDS);
  expect(simulation.failures).toBeGreaterThan(COMMANDS / 10);
  expect(simulation.reconnects).toBeGreaterThan(0);
});
