/**
 * What `make compat` has found: results.json has it, and docs/compat.md a table of all suites and what fails with its
 * reason.
 *
 * Invariant: a test that fails is there by its name; one whose reason is not in reasons.mjs is said to be unexplained.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { REASONS, WASMTIME_REASONS } from "./reasons.mjs";
import { SUITES } from "./suites.mjs";

const RESULTS = path.join(import.meta.dirname, "results.json");
const DOCUMENT = path.join(import.meta.dirname, "../../docs/compat.md");
const MARK = "<!-- What follows is written by `make compat`. -->\n";
const UNEXPLAINED = "not looked into";

/** Where a suite is run. */
export const RUNTIMES = ["node", "wasmtime"];

/** More tests with one reason are counted, not listed. */
const LISTED_MAX = 40;

const list = (names) => names.map((name) => (name.includes("`") ? `\`\` ${name} \`\`` : `\`${name}\``)).join(", ");
const number = (count) => count.toLocaleString("en-US");

/** The names that fail, by reason. A reason without tests is for all that are left. */
function byReason(reasons, failed) {
  let left = failed;
  return [...reasons, { why: UNEXPLAINED }]
    .map(({ why, tests = left }) => {
      const names = left.filter((name) => tests.includes(name));
      left = left.filter((name) => !tests.includes(name));
      return { why, names };
    })
    .filter(({ names }) => names.length > 0);
}

function section(heading, reasons, failed) {
  if (failed.length === 0) return "";
  const rows = byReason(reasons, failed).map(
    ({ why, names }) => `| ${names.length > LISTED_MAX ? `${names.length} tests` : list(names)} | ${why} |`,
  );
  return `\n## ${heading}\n\n| test | why |\n|---|---|\n${rows.join("\n")}\n`;
}

function sections({ folder, title }, { node = [], wasmtime = [] }) {
  const reasons = REASONS[folder] ?? [];
  return (
    section(`${title}: what does not pass`, reasons, node) +
    section(
      `${title}: what does not pass with the runtime \`wasmtime\` alone`,
      WASMTIME_REASONS[folder] ?? [],
      wasmtime.filter((name) => !node.includes(name)),
    )
  );
}

function row({ name }, { version, all, counted, failed }) {
  const passed = RUNTIMES.map((runtime) => (failed[runtime] ? number(counted - failed[runtime].length) : "not run"));
  return `| ${name}${version} | ${number(all)} | ${number(counted)} | ${passed.join(" | ")} |`;
}

function render({ node, when, suites }) {
  const all = SUITES.filter(({ folder }) => folder in suites);
  const table = [
    `Node ${node}, ${when}.\n`,
    "| suite | its tests | pass on Node's server | and of those on `createServer`, runtime `node` | runtime `wasmtime` |",
    "|---|---|---|---|---|",
    ...all.map((suite) => row(suite, suites[suite.folder])),
  ].join("\n");
  return `${MARK}\n${table}\n${all.map((suite) => sections(suite, suites[suite.folder].failed)).join("")}`;
}

/** Takes the result of a suite in place of the one before. What ran on another version of Node is dropped. */
export function writeResults({ folder, ...result }) {
  const before = JSON.parse(readFileSync(RESULTS, "utf8"));
  const node = process.versions.node;
  const suites = before.node === node ? before.suites : {};
  const failed = { ...suites[folder]?.failed, ...result.failed };
  const when = new Date().toLocaleDateString("en-US", { month: "long", year: "numeric" });
  const results = { node, when, suites: { ...suites, [folder]: { ...result, failed } } };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  const [text] = readFileSync(DOCUMENT, "utf8").split(MARK);
  writeFileSync(DOCUMENT, `${text}${render(results)}`);
}
