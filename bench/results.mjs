// The runs that are kept, one of each Node: report, samples and charts in bench/results.
// Invariant: a run of some rows replaces those rows and leaves the others as they were, each with the date of its own.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "./chart.mjs";
import { echarts, ROOT } from "./tools.mjs";

const FOLDER = join(ROOT, "bench/results", `node${process.versions.node.split(".")[0]}`);
const SAMPLES = join(FOLDER, "samples.json");

/** [{ id, machine, versions, options, contenders, verdicts }] */
export function keptRows() {
  return existsSync(SAMPLES) ? JSON.parse(readFileSync(SAMPLES, "utf8")) : [];
}

export async function keep({ machine, versions, options, rows }, report) {
  mkdirSync(FOLDER, { recursive: true });
  const fresh = rows.map(({ id, contenders, verdicts }) => {
    const figures = contenders.map(({ key, title, samples, problem }) => ({ key, title, samples, problem }));
    return { id, machine, versions, options, contenders: figures, verdicts };
  });
  const others = keptRows().filter(({ id }) => !fresh.some((row) => row.id === id));
  writeFileSync(SAMPLES, `${JSON.stringify([...others, ...fresh], null, 1)}\n`);
  writeFileSync(join(FOLDER, "report.md"), report);
  const library = await echarts();
  for (const row of rows) {
    const svg = chart(library, row);
    if (svg !== null) writeFileSync(join(FOLDER, `${row.id}.svg`), svg);
  }
}
