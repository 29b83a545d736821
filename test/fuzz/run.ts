// `make fuzz`: all fuzzers in turn until the time is over, and what they did. A failure names the seeds that show it
// again.
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { ROOT } from "../e2e/support/ways.js";
import { BareFuzz } from "./bare.js";
import { CoreFuzz } from "./core.js";
import { Coverage } from "./coverage.js";
import { FormFuzz } from "./forms.js";
import { FrameFuzz } from "./frames.js";
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
`;
/** Runs in a row of one fuzzer; the first of them begins with a fresh module. */
const RUNS_IN_ROW = 40;

interface Fuzzer {
  readonly name: string;
  readonly connections: number;
  readonly answers: number;
  run(random: Random): Promise<void>;
  end?(): Promise<void>;
}

function fuzzers(): Fuzzer[] {
  const module = (name: string) => new WebAssembly.Module(readFileSync(path.join(ROOT, "build", name)));
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
const runsMax = values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs);
const end =
  performance.now() +
  (runsMax === Number.POSITIVE_INFINITY ? Number(values.minutes) * 60_000 : Number.POSITIVE_INFINITY);
const runs = new Map(all.map(({ name }) => [name, 0]));
const failures: string[] = [];
let seed = Number(values.seed);
console.log(`fuzz: seed ${seed}`);
const coverage = new Coverage();
await coverage.start();
const beganMs = performance.now();

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

while (performance.now() < end && [...runs.values()].some((count) => count < runsMax)) {
  for (const fuzzer of all) await row(fuzzer, seed);
  seed += RUNS_IN_ROW;
  if (process.stdout.isTTY)
    process.stdout.write(`\r${[...runs].map(([name, count]) => `${name} ${count}`).join(", ")} `);
}
for (const fuzzer of all) await fuzzer.end?.();

console.log(process.stdout.isTTY ? "\n" : "");
for (const { name, connections, answers } of all) {
  console.log(`${name}: ${runs.get(name)} runs, ${connections} connections or inputs, ${answers} answers or results`);
}
const executions = [...runs.values()].reduce((sum, count) => sum + count, 0);
const inputs = all.reduce((sum, { connections }) => sum + connections, 0);
const seconds = Math.ceil((performance.now() - beganMs) / 1000);
console.log(`functions called: ${(await coverage.summary(ROOT)).join(", ")}`);
console.log(`${executions} runs, ${inputs} connections or inputs in ${seconds} s, from seed ${values.seed} on`);
console.log(failures.length === 0 && rejections === 0 ? "nothing was found" : failures.join("\n"));
process.exit(failures.length === 0 && rejections === 0 ? 0 : 1);
