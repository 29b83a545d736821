// The fuzzers' guide: it finds a fault behind four bytes that random input does not come upon, in the host's code and in
// a module, because each byte that is right is a branch that none has reached before.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { Coverage, nameModule, watchInstance } from "../fuzz/coverage.js";
import { Choices, type Found, Guide } from "../fuzz/guide.js";
import { HOST_BRANCHES_MAX, HostBranches } from "../fuzz/instrumenthost.js";
import { instrumentWasm } from "../fuzz/instrumentwasm.js";
import { Random } from "../fuzz/random.js";

const MAGIC = Buffer.from("PRI*");
const RUNS = 60_000;

type Parse = (bytes: Buffer) => void;

/** So many runs until the fault is found; null: it is not. */
async function runsUntilFound(guide: Guide, parse: Parse): Promise<number | null> {
  for (let seed = 0; seed < RUNS; seed++) {
    try {
      await guide.run(seed, (random) => parse(random.bytes(6)));
    } catch (error) {
      expect((error as Found).choices.made.slice(0, 4).map((choice) => choice % 256)).toEqual([...MAGIC]);
      return seed;
    }
  }
  return null;
}

function isFoundBlindly(parse: Parse): boolean {
  for (let seed = 0; seed < RUNS; seed++) {
    try {
      parse(new Random(seed).bytes(6));
    } catch {
      return true;
    }
  }
  return false;
}

/** TypeScript with the fault in it. */
function hostParser(): Parse {
  Object.assign(globalThis, { branches: new Uint8Array(HOST_BRANCHES_MAX) });
  onTestFinished(() => void Reflect.deleteProperty(globalThis, "branches"));
  const test = [...MAGIC].map((byte, at) => `bytes[${at}] === ${byte}`).join(" && ");
  const source = `const parse = (bytes: Buffer): void => { if (${test}) throw new Error("planted"); };`;
  return new Function(`${new HostBranches().instrument(source, "planted.ts")}\nreturn parse;`)() as Parse;
}

/** A module with the fault in it. */
function wasmParser(): Parse {
  const lines = (at: number): string[] =>
    at === MAGIC.length
      ? ["(unreachable)"]
      : [
          "(if",
          ...["(i32.eq", ` (i32.load8_u offset=${at}`, "  (i32.const 0)", " )", ` (i32.const ${MAGIC[at]})`, ")"].map(
            (line) => ` ${line}`,
          ),
          " (then",
          ...lines(at + 1).map((line) => `  ${line}`),
          " )",
          ")",
        ];
  const body = lines(0)
    .map((line) => `  ${line}`)
    .join("\n");
  const text = `(module\n (memory (export "memory") 1)\n (export "parse" (func $parse))\n (func $parse\n${body}\n )\n)`;
  const module = nameModule(new WebAssembly.Module(instrumentWasm({ text })), "planted");
  const instance = new WebAssembly.Instance(module);
  watchInstance(module, instance);
  const { memory, parse } = instance.exports as { memory: WebAssembly.Memory; parse: () => void };
  return (bytes) => {
    new Uint8Array(memory.buffer).set(bytes);
    parse();
  };
}

test.each([
  ["TypeScript", hostParser],
  ["a module", wasmParser],
])("a fault in %s behind four bytes is found with the guide, and not without", async (_where, make) => {
  const parse = make();
  expect(isFoundBlindly(parse)).toBe(false);
  const coverage = new Coverage();
  expect(await runsUntilFound(new Guide(coverage, null, 1), parse)).not.toBeNull();
  expect(coverage.summary).toMatch(/^(host|planted) [345]$/);
});

test("what reached something new is tried first the next time, and goes when it adds nothing", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-guide-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const parse = hostParser();
  await runsUntilFound(new Guide(new Coverage(), folder, 1), parse);
  const kept = readdirSync(folder).length;
  expect(kept).toBeGreaterThan(2);
  const again = new Guide(new Coverage(), folder, 2);
  for (let run = 0; run < kept; run++) await again.run(run, (random) => parse(random.bytes(6)));
  expect(again.kept.length + again.removed).toBe(kept);
  expect(again.found).toBe(0);
  expect(readdirSync(folder)).toHaveLength(again.kept.length);
});

test("choices that were written are the same run again", () => {
  const first = new Choices(7, [1, 2, 3]);
  const bytes = first.bytes(5000);
  expect(Choices.read(first.bytes32).bytes(5000)).toEqual(bytes);
});
