// Our parser, llhttp and h11 on the same bytes: the corpus, and requests that a generator makes of it. Every
// disagreement has to be explained by a row of test/corpus/disagreements.md.
//
// `make test` runs the same requests each time. WATERSPOUT_FUZZ_SECONDS=600 runs new ones for so long, from a seed that
// is printed; WATERSPOUT_FUZZ_SEED=7 begins with that one.
import { afterAll, expect, test } from "vitest";

import { corpus } from "../corpus/corpus.js";
import { Generator } from "./differential/generator.js";
import { H11 } from "./differential/h11.js";
import { Llhttp } from "./differential/llhttp.js";
import { ourOutcome } from "./differential/ours.js";
import { disagreement, type Outcome } from "./differential/outcome.js";
import { type Name, readRules } from "./differential/rules.js";
import { Parser } from "./parser.js";

const SECONDS = Number(process.env.WATERSPOUT_FUZZ_SECONDS ?? 0);
const SEED = Number(process.env.WATERSPOUT_FUZZ_SEED ?? (SECONDS ? Date.now() % 1_000_000 : 1));
const REQUESTS = 30_000;
const BATCH = 1000;
/** Longer requests of the corpus are about limits, and slow to mutate. */
const SEED_BYTES_MAX = 2000;

const parser = Parser.load(true);
const llhttp = new Llhttp();
const h11 = new H11();
const rules = readRules();
afterAll(() => h11.close());

test("the corpus", () => compare(corpus.map(({ request }) => request)));

test(`generated requests, seed ${SEED}`, { timeout: SECONDS * 1000 + 60_000 }, async () => {
  if (SECONDS) console.log(`WATERSPOUT_FUZZ_SEED=${SEED}`);
  const seeds = corpus.map(({ request }) => request).filter((request) => request.length <= SEED_BYTES_MAX);
  const generator = new Generator(SEED, seeds);
  const until = performance.now() + SECONDS * 1000;
  for (let i = 0; i < REQUESTS || performance.now() < until; i += BATCH) {
    await compare(Array.from({ length: BATCH }, () => generator.next()));
  }
});

test("every row of disagreements.md explains something", () => {
  expect(rules.filter((rule) => !rule.used).map((rule) => rule.row)).toEqual([]);
});

async function compare(requests: Buffer[]): Promise<void> {
  const theirs = await h11.run(requests);
  requests.forEach((request, i) => {
    const ours = ourOutcome(parser, request);
    hold("llhttp", request, ours, llhttp.run(request));
    hold("h11", request, ours, theirs[i]);
  });
}

/** Fails when the two disagree and no rule says why. */
function hold(name: Name, request: Buffer, ours: Outcome, theirs: Outcome): void {
  const found = disagreement(ours, theirs);
  if (found === null) return;
  const text = request.toString("latin1");
  const rule = rules.find((one) => one.explains(name, found, text));
  if (rule) rule.used++;
  else throw new Error(`we: ${found.we}; ${name}: ${found.they}; of ${JSON.stringify(text)}`);
}
