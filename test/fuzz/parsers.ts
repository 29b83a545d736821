// Generated requests, given to our parser, to llhttp and to h11: they have to agree, or to disagree for a known reason.
import { Comparison, SEEDS } from "../sandbox/differential/comparison.js";
import { Generator } from "../sandbox/differential/generator.js";
import type { Random } from "./random.js";

const REQUESTS = 200;

export class ParserFuzz {
  readonly name = "parser, llhttp and h11";
  /** Requests that were compared. */
  connections = 0;
  answers = 0;
  #comparison: Comparison | null = null;

  async run(random: Random): Promise<void> {
    this.#comparison ??= new Comparison();
    const generator = new Generator(random.below(1 << 30), SEEDS);
    await this.#comparison.compare(Array.from({ length: REQUESTS }, () => generator.next()));
    this.connections += REQUESTS;
    this.answers += REQUESTS;
  }

  async end(): Promise<void> {
    this.#comparison?.close();
  }
}
