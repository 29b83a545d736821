/**
 * `make compat`: runs suites of others on Node's own server, then with `waterspout/register` on each runtime, and
 * writes the results into docs/compat.md.
 *
 * Invariant: what does not pass on Node's own server says nothing of ours, and is left out of our count.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { RUNTIMES, writeResults } from "./results.mjs";
import { filesOf, SUITES } from "./suites.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
const REGISTER = pathToFileURL(path.join(ROOT, "dist/host/nodehttp/register.js"));
const oursOn = (runtime) => ({
  NODE_OPTIONS: `--import ${REGISTER}`,
  WATERSPOUT_RUNTIME: runtime,
  WATERSPOUT_WASMTIME: process.env.WATERSPOUT_WASMTIME ?? path.join(ROOT, "build/tools/wasmtime"),
});
const USAGE = `usage: make compat SUITES=DIR [NODE=24] [ARGS="…"]
  SUITES        a folder with checkouts: ${SUITES.map(({ folder }) => folder).join(", ")}
  --suite TEXT  only suites whose folder has TEXT
  --file TEXT   only files whose path has TEXT
  --runtime R   ${RUNTIMES.join(" or ")}; may be given again; default: both
  --jobs N      files at a time; default: one for each core
  --write       writes the results of suites that ran as a whole into docs/compat.md
`;

const { values: flags } = parseArgs({
  options: {
    suites: { type: "string", default: "" },
    suite: { type: "string", default: "" },
    file: { type: "string", default: "" },
    runtime: { type: "string", multiple: true, default: [...RUNTIMES] },
    jobs: { type: "string", default: String(os.availableParallelism()) },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** Runs one file. Resolves with its tests, by name: whether each has passed. */
function runFile({ way, limitMs }, folder, file, env, job) {
  const scratch = mkdtempSync(path.join(os.tmpdir(), "waterspout-compat-"));
  const output = path.join(scratch, "results");
  const child = spawn(process.execPath, way.command(folder, file, output), {
    cwd: folder,
    detached: true, // a group of its own, which ends as a whole
    env: { ...process.env, ...env, TEST_THREAD_ID: String(job), NO_COLOR: "1" },
    stdio: ["ignore", way.isPrinted ? openSync(output, "w") : "ignore", "ignore"],
  });
  const endGroup = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody of the group is left.
    }
  };
  const timer = setTimeout(endGroup, limitMs);
  return new Promise((resolve) => {
    child.once("exit", (code) => {
      clearTimeout(timer);
      endGroup();
      const text = existsSync(output) ? readFileSync(output, "utf8") : "";
      rmSync(scratch, { recursive: true });
      resolve(readOutcome(way, text, file, code));
    });
  });
}

/** A file that was ended before it wrote anything has no test that passes. */
function readOutcome(way, text, file, code) {
  try {
    return way.read(text, file, code);
  } catch {
    return {};
  }
}

/** Runs all files, some at a time. Resolves with all tests by name. */
async function runAll(suite, folder, files, env, whose) {
  const outcomes = {};
  const waiting = [...files];
  let done = 0;
  const work = async (_, job) => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      Object.assign(outcomes, await runFile(suite, folder, file, env, job));
      done++;
      if (process.stderr.isTTY) process.stderr.write(`\r${suite.name}, ${whose}: ${done} of ${files.length} files `);
    }
  };
  await Promise.all(Array.from({ length: Number(flags.jobs) }, work));
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  return outcomes;
}

const passedOf = (outcomes) => Object.keys(outcomes).filter((name) => outcomes[name]);

async function runSuite(suite) {
  const folder = path.resolve(flags.suites, suite.folder);
  if (!existsSync(path.join(folder, suite.under))) {
    process.stdout.write(`${suite.name}: not run: ${folder} is no checkout of ${suite.of}\n`);
    return null;
  }
  const needsPackages = suite.folder !== "node" && !existsSync(path.join(folder, "node_modules"));
  if (needsPackages) {
    process.stdout.write(`${suite.name}: not run: its packages are missing; run \`npm install\` in ${folder}\n`);
    return null;
  }
  const files = filesOf(suite, folder).filter((file) => file.includes(flags.file));
  const theirs = await runAll(suite, folder, files, {}, "Node's server");
  const counted = passedOf(theirs);
  const all = Object.keys(theirs).length;
  process.stdout.write(`${suite.name}: ${counted.length} of ${all} pass on Node's server\n`);
  const failed = {};
  for (const runtime of flags.runtime) {
    const ours = await runAll(suite, folder, files, oursOn(runtime), runtime);
    const names = counted.filter((name) => ours[name] !== true);
    process.stdout.write(`  ${counted.length - names.length} of those on createServer, runtime ${runtime}\n`);
    process.stdout.write(names.map((name) => `  fails: ${name}\n`).join(""));
    failed[runtime] = names;
  }
  return { folder: suite.folder, version: versionOf(folder), all, counted: counted.length, failed };
}

/** Node's own tests have no package. */
function versionOf(folder) {
  const file = path.join(folder, "package.json");
  const { version } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  return version === undefined ? "" : ` ${version}`;
}

if (flags.help || flags.suites === "") {
  process.stdout.write(USAGE);
} else {
  for (const suite of SUITES.filter(({ folder }) => folder.includes(flags.suite))) {
    const result = await runSuite(suite);
    if (flags.write && result !== null && flags.file === "") writeResults(result);
  }
}
