// Generated requests, given to our parser, to llhttp and to h11: they have to agree, or to disagree for a known reason.
import { Comparison, SEEDS } from "../sandbox/differential/comparison.js";
import { Generator } from "../sandbox/differential/generator.js";
import { Parser } from "../sandbox/parser.js";
import { countsBranches, nameModule, watchInstance } from "./coverage.js";
import { instrumentWasm } from "./instrumentwasm.js";
import type { Random } from "./random.js";

const REQUESTS = 20;

export class ParserFuzz {
  readonly name = "parser, llhttp and h11";
  /** Requests that were compared. */
  connections = 0;
  answers = 0;
  #comparison: Comparison | null = null;

  async run(random: Random): Promise<void> {
    this.#comparison ??= new Comparison(countsBranches() ? instrumentedParser() : Parser.load(true));
    const generator = new Generator(0, SEEDS, (limit) => random.below(limit));
    await this.#comparison.compare(Array.from({ length: REQUESTS }, () => generator.next()));
    this.connections += REQUESTS;
    this.answers += REQUESTS;
  }

  async end(): Promise<void> {
    this.#comparison?.close();
  }
}

function instrumentedParser(): Parser {
  return Parser.load(true, (file) => {
    const module = nameModule(new WebAssembly.Module(instrumentWasm({ file })), "parser");
    const instance = new WebAssembly.Instance(module);
    watchInstance(module, instance);
    return instance;
  });
}
