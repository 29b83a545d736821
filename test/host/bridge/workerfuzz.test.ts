// Frames of a worker that an attacker controls: many lives of such a worker, from a seed that a failure names.
//
//   FUZZ_RUNS=100000 FUZZ_SEED=1 npx vitest run --project host test/host/bridge/workerfuzz.test.ts
import v8 from "node:v8";
import vm from "node:vm";
import { expect, test } from "vitest";

import { Random } from "../../fuzz/random.js";
import { WorkerFuzz } from "../../fuzz/worker.js";

const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9);

test(`${RUNS} lives of a hostile worker from seed ${SEED} on`, { timeout: 60_000 + RUNS * 100 }, async () => {
  const fuzz = new WorkerFuzz();
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    await fuzz.run(new Random(seed)).catch((error: Error) => {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1: ${error.message}`, { cause: error });
    });
  }
  if (RUNS < 100) return; // one life is shown again
  expect(fuzz.connections).toBeGreaterThan(RUNS);
  expect(fuzz.answers).toBeGreaterThan(RUNS / 10);
  expect(fuzz.refusals).toBeGreaterThan(RUNS / 10);
  expect(fuzz.refusals).toBeLessThan(RUNS);
  expect(fuzz.messages).toBeGreaterThan(RUNS / 10);
  expect(fuzz.reads).toBeGreaterThan(RUNS / 10);
  await expect.poll(() => bridgesAlive(fuzz), { timeout: 10_000 }).toBeLessThan(10);
});

v8.setFlagsFromString("--expose-gc");
const collectGarbage = vm.runInNewContext("gc") as () => void;

/** Bridges that the collector has left. What a bridge had begun holds it until that ends. */
function bridgesAlive({ bridges }: WorkerFuzz): number {
  collectGarbage();
  return bridges.filter((bridge) => bridge.deref() !== undefined).length;
}
