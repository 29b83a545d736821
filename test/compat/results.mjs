/**
 * Writes what `make compat` has found into docs/compat.md: a table of all suites, and what fails with its reason.
 *
 * Invariant: a test that fails is there by its name; one whose reason is not in reasons.mjs is said to be unexplained.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { REASONS } from "./reasons.mjs";

const MARK = "<!-- What follows is written by `make compat`. -->\n";
const UNEXPLAINED = "not looked into";

const number = (count) => count.toLocaleString("en-US");

/** The names that fail, by reason; of several reasons the first that names it. */
function byReason({ folder, failed }) {
  const rows = (REASONS[folder] ?? []).map(({ why, tests }) => ({
    why,
    names: failed.filter((name) => tests.includes(name)),
  }));
  const explained = new Set(rows.flatMap(({ names }) => names));
  rows.push({ why: UNEXPLAINED, names: failed.filter((name) => !explained.has(name)) });
  return rows.filter(({ names }) => names.length > 0);
}

function section(result) {
  const rows = byReason(result).map(
    ({ why, names }) => `| ${names.map((name) => `\`${name}\``).join(", ")} | ${why} |`,
  );
  if (rows.length === 0) return "";
  return `\n## ${result.title}: what does not pass\n\n| test | why |\n|---|---|\n${rows.join("\n")}\n`;
}

/** Writes `results` of a Node of version `version` behind the mark in `file`. */
export function writeResults(file, results, version) {
  const [before] = readFileSync(file, "utf8").split(MARK);
  const when = new Date().toLocaleDateString("en-US", { month: "long", year: "numeric" });
  const rows = results.map(
    ({ name, version, all, counted, failed }) =>
      `| ${name}${version} | ${number(all)} | ${number(counted)} | ${number(counted - failed.length)} |`,
  );
  const table = [
    `Node ${version}, runtime \`${process.env.WATERSPOUT_RUNTIME ?? "node"}\`, ${when}.\n`,
    "| suite | its tests | pass on Node's server | and of those on `createServer` |",
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
  writeFileSync(file, `${before}${MARK}\n${table}\n${results.map(section).join("")}`);
}
