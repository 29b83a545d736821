// Our parser, llhttp and h11 on the same bytes: the corpus, and requests that a generator makes of it. Every
// disagreement has to be explained by a row of test/corpus/disagreements.md.
//
// `make test` runs the same requests each time. WATERSPOUT_FUZZ_SECONDS=600 runs new ones for so long, from a seed that
// is printed; WATERSPOUT_FUZZ_SEED=7 begins with that one.
import { afterAll, expect, test } from "vitest";

import { corpus } from "../corpus/corpus.js";
import { Comparison, SEEDS } from "./differential/comparison.js";
import { Generator } from "./differential/generator.js";

const SECONDS = Number(process.env.WATERSPOUT_FUZZ_SECONDS ?? 0);
const SEED = Number(process.env.WATERSPOUT_FUZZ_SEED ?? (SECONDS ? Date.now() % 1_000_000 : 1));
const REQUESTS = 30_000;
const BATCH = 1000;

const comparison = new Comparison();
afterAll(() => comparison.close());

test("the corpus", () => comparison.compare(corpus.map(({ request }) => request)));

test(`generated requests, seed ${SEED}`, { timeout: SECONDS * 1000 + 60_000 }, async () => {
  if (SECONDS) console.log(`WATERSPOUT_FUZZ_SEED=${SEED}`);
  const generator = new Generator(SEED, SEEDS);
  const until = performance.now() + SECONDS * 1000;
  for (let i = 0; i < REQUESTS || performance.now() < until; i += BATCH) {
    await comparison.compare(Array.from({ length: BATCH }, () => generator.next()));
  }
});

test("every row of disagreements.md explains something", () => {
  expect(comparison.rules.filter((rule) => !rule.used).map((rule) => rule.row)).toEqual([]);
});
