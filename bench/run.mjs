// `make bench`: the product beside its peers, in one run.
// Usage: node bench/run.mjs --help

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gotWorse } from "./compare.mjs";
import { describeMachine } from "./machine.mjs";
import { measureRow } from "./measure.mjs";
import { endEverythingAtExit } from "./processes.mjs";
import { judge, renderReport } from "./report.mjs";
import { keep, keptRows } from "./results.mjs";
import { ROWS } from "./rows.mjs";
import {
  BENCH_DIRECTORY,
  bun,
  deno,
  go,
  haproxy,
  httparse,
  hyper,
  nginx,
  node,
  npmPeers,
  tornado,
  wasiHttp,
  wasiHttpAsync,
  wasmtime,
  wasmtimeAsync,
  wrk,
} from "./tools.mjs";

const HELP = `Usage: node bench/run.mjs [options]

  --rows a,b     only these rows: ${ROWS.map(({ id }) => id).join(", ")}
  --rounds N     rounds for each server (3)
  --seconds S    seconds of each measurement (5)
  --quick        1 round of 2 s: shows that it runs, not how fast
  --keep         keep report, samples and charts in bench/results, in place of those of the same Node
  --help         this text

The report is printed, and written to build/bench/report.md; it says which figures are worse than those that were kept
of the same Node. Exit code: 0 measured (also when a target is missed),
1 a server of the project's own failed, 2 wrong usage.
`;

function readOptions() {
  const number = (text, name) => {
    if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`--${name} takes a whole number from 1 to 9999, not "${text}"`);
    return Number(text);
  };
  const { values } = parseArgs({
    options: {
      rows: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const ids = values.rows?.split(",") ?? ROWS.map(({ id }) => id);
  const unknown = ids.find((id) => !ROWS.some((row) => row.id === id));
  if (unknown !== undefined) throw new Error(`there is no row "${unknown}"`);
  return {
    rows: ROWS.filter(({ id }) => ids.includes(id)),
    rounds: number(values.rounds ?? (values.quick ? "1" : "3"), "rounds"),
    seconds: number(values.seconds ?? (values.quick ? "2" : "5"), "seconds"),
    keep: values.keep,
    help: values.help,
  };
}

function versions() {
  return [
    node,
    wasmtime,
    wasmtimeAsync,
    wrk,
    nginx,
    haproxy,
    tornado,
    httparse,
    hyper,
    go,
    bun,
    deno,
    wasiHttp,
    wasiHttpAsync,
    npmPeers,
  ].flatMap((tool) => {
    try {
      return [tool().version];
    } catch {
      return []; // the rows that need it say why
    }
  });
}

async function main(options) {
  const progress = (text) => process.stderr.write(`${text}\n`);
  const machine = describeMachine();
  progress("finding or installing the peers");
  const found = versions();
  const rows = [];
  for (const row of options.rows) {
    progress(`${row.id}: ${row.title}`);
    const measured = await measureRow(row, { ...options, progress: (text) => progress(`  ${text}`) });
    for (const { title, problem } of measured.contenders) if (problem !== null) progress(`  ${title}: ${problem}`);
    rows.push({ ...measured, verdicts: judge(measured) });
  }

  const { rounds, seconds } = options;
  const run = { machine, versions: found, options: { rounds, seconds }, rows };
  const report = renderReport({ ...run, worse: gotWorse(rows, keptRows()) });
  mkdirSync(BENCH_DIRECTORY, { recursive: true });
  writeFileSync(join(BENCH_DIRECTORY, "report.md"), report);
  if (options.keep) await keep(run, report);
  process.stdout.write(report);

  const failed = rows
    .flatMap(({ contenders }) => contenders)
    .some((each) => each.product && each.problem && !each.unavailable);
  const missed = rows.flatMap(({ verdicts }) => verdicts).filter(({ met }) => met === false).length;
  if (missed > 0) progress(`targets not met: ${missed}`);
  if (failed) progress("a server of the project's own failed");
  return failed ? 1 : 0;
}

endEverythingAtExit();
let options;
try {
  if (process.platform !== "linux") throw new Error("it reads /proc and pins processes, so it needs Linux");
  options = readOptions();
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exit(2);
}
if (options.help) process.stdout.write(HELP);
else process.exitCode = await main(options);
