// Guided by coverage: what a fuzzer does is a row of choices; a row that reaches a branch which none has reached before
// is kept, and others are made of it.
//
// Invariants: a row of choices with its seed gives the same run, from a fresh start; what was kept is a file, and is
// tried first the next time; one that adds nothing any more is removed.
// Reference: Padhye et al., Semantic Fuzzing with Zest (the choices of a generator as the input that is mutated).
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import type { Coverage } from "./coverage.js";
import { Random } from "./random.js";

/** Choices of one run that are kept; those behind them follow from the seed. */
const CHOICES_MAX = 4000;
const KEPT_MAX = 2000;

/** Numbers from a row of choices, and from a seed behind it. */
export class Choices extends Random {
  readonly made: number[] = [];
  /** What comes behind the choices that are kept, whichever they were. */
  readonly #rest: Random;

  constructor(
    readonly seed: number,
    readonly given: readonly number[] = [],
  ) {
    super(seed);
    this.#rest = new Random(~seed);
  }

  protected override next(): number {
    const at = this.made.length;
    if (at >= CHOICES_MAX) return this.#rest.below(2 ** 32);
    const choice = this.given[at] ?? super.next();
    this.made.push(choice);
    return choice;
  }

  get bytes32(): Buffer {
    return Buffer.from(Uint32Array.of(this.seed, ...this.made).buffer);
  }

  static read(bytes: Buffer): Choices {
    const [seed = 0, ...given] = new Uint32Array(new Uint8Array(bytes).buffer);
    return new Choices(seed, given);
  }
}

export class Guide {
  /** Rows of choices that have reached something new. */
  readonly kept: Choices[] = [];
  /** How many of them came in this run, and how many were there before and are of no use any more. */
  found = 0;
  removed = 0;
  readonly #coverage: Coverage;
  readonly #folder: string | null;
  readonly #random: Random;
  /** Files that were not tried yet. */
  #files: string[] = [];

  /** `folder`: where rows are kept; null: nowhere. */
  constructor(coverage: Coverage, folder: string | null, seed: number) {
    this.#coverage = coverage;
    this.#folder = folder;
    this.#random = new Random(seed);
    if (folder === null) return;
    mkdirSync(folder, { recursive: true });
    this.#files = readdirSync(folder).sort();
  }

  /** Runs once, with a kept row, a new one made of kept ones, or one from `seed`. Throws what `run` throws. */
  async run(seed: number, run: (random: Random) => void | Promise<void>): Promise<void> {
    const file = this.#files.pop();
    const choices =
      file === undefined ? this.#next(seed) : Choices.read(readFileSync(path.join(this.#folder ?? "", file)));
    this.#coverage.clear();
    try {
      await run(choices);
    } catch (error) {
      throw new Found(choices, { cause: error });
    }
    const isNew = this.#coverage.take();
    if (isNew) this.kept.push(new Choices(choices.seed, choices.made));
    if (isNew && file === undefined) this.#write(choices);
    if (!isNew && file !== undefined) this.#forget(file);
  }

  #write(choices: Choices): void {
    this.found++;
    if (this.#folder === null || this.kept.length > KEPT_MAX) return;
    const bytes = choices.bytes32;
    writeFileSync(path.join(this.#folder, createHash("sha256").update(bytes).digest("hex").slice(0, 16)), bytes);
  }

  #forget(file: string): void {
    this.removed++;
    rmSync(path.join(this.#folder ?? "", file));
  }

  #next(seed: number): Choices {
    const random = this.#random;
    if (this.kept.length === 0 || random.once(4)) return new Choices(seed);
    // Those that came last are tried more often.
    const at = Math.max(random.below(this.kept.length), random.below(this.kept.length));
    return new Choices(seed, mutated((this.kept[at] as Choices).given, random, random.pick(this.kept).given));
  }
}

/** What a run with these choices has thrown. */
export class Found extends Error {
  constructor(
    readonly choices: Choices,
    options: { cause: unknown },
  ) {
    super((options.cause as Error).message, options);
  }
}

function mutated(choices: readonly number[], random: Random, others: readonly number[]): number[] {
  const made = [...choices];
  for (let count = 1 + random.below(random.pick([1, 4])); count > 0; count--) {
    const at = random.below(made.length + 1);
    const size = 1 + random.below(random.pick([2, 20]));
    switch (random.below(6)) {
      case 0:
        made.splice(at, size);
        break;
      case 1:
        made.splice(at, 0, ...made.slice(at, at + size));
        break;
      case 2: // what follows is new
        made.length = at;
        break;
      case 3:
        made.splice(at, Number.POSITIVE_INFINITY, ...others.slice(random.below(others.length + 1)));
        break;
      default:
        if (at < made.length) made[at] = random.once(2) ? random.below(2 ** 32) : random.below(256);
    }
  }
  return made.slice(0, CHOICES_MAX);
}
