// `make fuzz`: all fuzzers in turn until the time is over, and what they did. A failure names the seeds that show it
// again.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { ROOT } from "../e2e/support/ways.js";
import { BareFuzz } from "./bare.js";
import { CoreFuzz } from "./core.js";
import { Coverage, countsBranches, nameModule } from "./coverage.js";
import { FormFuzz } from "./forms.js";
import { FrameFuzz } from "./frames.js";
import { Choices, type Found, Guide } from "./guide.js";
import { instrumentWasm } from "./instrumentwasm.js";
import { ParserFuzz } from "./parsers.js";
import { PathFuzz } from "./paths.js";
import { Random } from "./random.js";
import { ReloadSimulation } from "./simreload.js";
import { ServerSimulation } from "./simulation.js";
import { SocketFuzz } from "./sockets.js";
import { WorkerFuzz } from "./worker.js";

const HELP = `node --import tsx test/fuzz/run.ts [--minutes 1] [--seed N] [--runs N] [--only NAME]

  --minutes  how long, shared by all fuzzers
  --seed     the first seed; each run takes the next. Default: the time
  --runs     so many runs of each fuzzer, however long they take
  --only     the fuzzers whose name holds this
  --input    runs the one fuzzer of --only with the choices of this file, which a failure has named
  --corpus   the folder of what was kept. Default: build/fuzz/corpus
`;
/** Runs in a row of one fuzzer; the first of them begins with a fresh module. */
const RUNS_IN_ROW = 40;

interface Fuzzer {
  readonly name: string;
  readonly connections: number;
  readonly answers: number;
  run(random: Random): Promise<void>;
  end?(): Promise<void>;
  /** The next run begins afresh. */
  reset?(): void;
}

function fuzzers(): Fuzzer[] {
  const module = (name: string) => {
    const file = path.join(ROOT, "build", name);
    if (!countsBranches()) return new WebAssembly.Module(readFileSync(file));
    return nameModule(new WebAssembly.Module(instrumentWasm({ file })), name);
  };
  const core = module("core.wasm");
  return [
    new CoreFuzz(core, "http"),
    new CoreFuzz(core, "streams"),
    new FrameFuzz(core),
    new ServerSimulation(core),
    new ReloadSimulation(core),
    new WorkerFuzz(),
    new BareFuzz(module("web.wasm")),
    new ParserFuzz(),
    new FormFuzz(),
    new PathFuzz(),
    new SocketFuzz("node"),
    new SocketFuzz("wasmtime"),
  ];
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    runs: { type: "string" },
    only: { type: "string", default: "" },
    input: { type: "string" },
    corpus: { type: "string", default: path.join(ROOT, "build/fuzz/corpus") },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

let rejections = 0;
process.on("unhandledRejection", (error) => {
  rejections++;
  console.error("an unhandled rejection:", error);
});

const all = fuzzers().filter(({ name }) => name.includes(values.only));
if (all.length === 0) {
  console.error(
    `fuzz: no fuzzer's name has "${values.only}"; there are ${fuzzers()
      .map(({ name }) => name)
      .join(", ")}`,
  );
  process.exit(2);
}
const runsMax = values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs);
const end =
  performance.now() +
  (runsMax === Number.POSITIVE_INFINITY ? Number(values.minutes) * 60_000 : Number.POSITIVE_INFINITY);
const runs = new Map(all.map(({ name }) => [name, 0]));
const failures: string[] = [];
let seed = Number(values.seed);
console.log(`fuzz: seed ${seed}`);
const guides = new Map(all.map((fuzzer) => [fuzzer, guideOf(fuzzer)]));
const beganMs = performance.now();

function slug({ name }: Fuzzer): string {
  return name.replaceAll(/\W+/g, "-");
}

/** Null for what runs in processes of its own, whose branches are not seen. */
function guideOf(fuzzer: Fuzzer): { guide: Guide; coverage: Coverage } | null {
  if (!countsBranches() || fuzzer instanceof SocketFuzz) return null;
  const coverage = new Coverage();
  return { guide: new Guide(coverage, path.join(values.corpus, slug(fuzzer)), seed), coverage };
}

/** Runs in a row that are guided by what others have reached; ends at the first that fails. */
async function guidedRow(fuzzer: Fuzzer, first: number): Promise<void> {
  const guide = guides.get(fuzzer)?.guide;
  for (let index = 0; index < RUNS_IN_ROW && performance.now() < end && guide !== undefined; index++) {
    if ((runs.get(fuzzer.name) as number) >= runsMax) return;
    runs.set(fuzzer.name, (runs.get(fuzzer.name) as number) + 1);
    fuzzer.reset?.();
    try {
      await guide.run(first + index, (random) => fuzzer.run(random));
    } catch (error) {
      const file = path.join(ROOT, "build/fuzz", `found-${slug(fuzzer)}-${first + index}`);
      writeFileSync(file, (error as Found).choices.bytes32);
      failures.push(`${fuzzer.name}: ${(error as Error).message}; again: --only '${fuzzer.name}' --input ${file}`);
      console.error(failures.at(-1), ((error as Error).cause as Error).stack);
      return;
    }
  }
}

/** Runs of one fuzzer in a row; ends at the first that fails. */
async function row(fuzzer: Fuzzer, first: number): Promise<void> {
  for (let index = 0; index < RUNS_IN_ROW && performance.now() < end; index++) {
    if ((runs.get(fuzzer.name) as number) >= runsMax) return;
    runs.set(fuzzer.name, (runs.get(fuzzer.name) as number) + 1);
    try {
      await fuzzer.run(new Random(first + index));
    } catch (error) {
      const again = `--only '${fuzzer.name}' --seed ${first} --runs ${index + 1}`;
      failures.push(`${fuzzer.name}: ${(error as Error).message}; again: ${again}`);
      console.error(failures.at(-1), (error as Error).stack);
      return;
    }
  }
}

mkdirSync(path.join(ROOT, "build/fuzz"), { recursive: true });
if (values.input !== undefined) {
  await (all[0] as Fuzzer).run(Choices.read(readFileSync(values.input)));
  console.log("nothing was found");
  process.exit(0);
}
while (performance.now() < end && [...runs.values()].some((count) => count < runsMax)) {
  for (const fuzzer of all) {
    await row(fuzzer, seed);
    await guidedRow(fuzzer, seed);
  }
  seed += RUNS_IN_ROW;
  if (process.stdout.isTTY)
    process.stdout.write(`\r${[...runs].map(([name, count]) => `${name} ${count}`).join(", ")} `);
}
for (const fuzzer of all) await fuzzer.end?.();

console.log(process.stdout.isTTY ? "\n" : "");
for (const fuzzer of all) {
  const { name, connections, answers } = fuzzer;
  console.log(`${name}: ${runs.get(name)} runs, ${connections} connections or inputs, ${answers} answers or results`);
  const guided = guides.get(fuzzer);
  if (guided === null || guided === undefined) continue;
  const { guide, coverage } = guided;
  console.log(`  branches: ${coverage.summary}; kept ${guide.kept.length}, of which ${guide.found} are new`);
}
const executions = [...runs.values()].reduce((sum, count) => sum + count, 0);
const inputs = all.reduce((sum, { connections }) => sum + connections, 0);
const seconds = Math.ceil((performance.now() - beganMs) / 1000);
console.log(`${executions} runs, ${inputs} connections or inputs in ${seconds} s, from seed ${values.seed} on`);
console.log(failures.length === 0 && rejections === 0 ? "nothing was found" : failures.join("\n"));
process.exit(failures.length === 0 && rejections === 0 ? 0 : 1);
