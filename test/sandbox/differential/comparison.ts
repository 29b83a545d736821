// Our parser, llhttp and h11 on the same bytes.
//
// Invariant: every disagreement is explained by a row of test/corpus/disagreements.md; any other is thrown.
import { corpus } from "../../corpus/corpus.js";
import { Parser } from "../parser.js";
import { H11 } from "./h11.js";
import { Llhttp } from "./llhttp.js";
import { ourOutcome } from "./ours.js";
import { disagreement, type Outcome } from "./outcome.js";
import { type Name, readRules } from "./rules.js";

/** Longer requests of the corpus are about limits, and slow to mutate. */
const SEED_BYTES_MAX = 2000;

/** What the generator makes requests of. */
export const SEEDS = corpus.map(({ request }) => request).filter((request) => request.length <= SEED_BYTES_MAX);

export class Comparison {
  readonly rules = readRules();
  readonly #parser: Parser;
  readonly #llhttp = new Llhttp();
  readonly #h11 = new H11();

  constructor(parser: Parser = Parser.load(true)) {
    this.#parser = parser;
  }

  /** Gives each request to all three. */
  async compare(requests: Buffer[]): Promise<void> {
    const theirs = await this.#h11.run(requests);
    requests.forEach((request, i) => {
      const ours = ourOutcome(this.#parser, request);
      this.#hold("llhttp", request, ours, this.#llhttp.run(request));
      this.#hold("h11", request, ours, theirs[i]);
    });
  }

  /** Ends h11's process. */
  close(): void {
    this.#h11.close();
  }

  #hold(name: Name, request: Buffer, ours: Outcome, theirs: Outcome): void {
    const found = disagreement(ours, theirs);
    if (found === null) return;
    const text = request.toString("latin1");
    const rule = this.rules.find((one) => one.explains(name, found, text));
    if (rule) rule.used++;
    else throw new Error(`we: ${found.we}; ${name}: ${found.they}; of ${JSON.stringify(text)}`);
  }
}
