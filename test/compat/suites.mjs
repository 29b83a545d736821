/**
 * The suites of others that `make compat` runs: whose checkout each needs, how one of its files is run and how the
 * outcome is read.
 *
 * Invariant: each file runs in a process of its own, so one that hangs costs its own tests only.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";

/** Node's tests say in a comment which flags they need. */
const FLAGS = /^\/\/ Flags: (.*)$/m;
const TSX = import.meta.resolve("tsx"); // for tests in ES modules that say so nowhere
const MAKES_A_SERVER = /\bcreateServer\b|\bnew Server\b|http\.Server\(/;
const XML_CASE = /<testcase classname="([^"]*)" name="([^"]*)"[^>]*>(?:<(failure|skipped))?/g;
const TAP_LINE = /^ *(not )?ok \d+ - (.*?)( # (?:SKIP|TODO).*)?\n(?: *---\n *duration_ms: .*\n *type: '(\w+)')?/gm;

/** A file of Node's own tests is one test. */
const PROGRAM = {
  command: (folder, file) => {
    const flags = FLAGS.exec(readFileSync(path.join(folder, file), "utf8"))?.[1]?.split(/\s+/) ?? [];
    return [...flags.filter((flag) => flag.startsWith("--")), file];
  },
  read: (_text, file, code) => ({ [path.basename(file).replace(/^test-http-|\.m?js$/g, "")]: code === 0 }),
};

const mocha = (...args) => ({
  command: (_folder, file, output) => [
    ...["node_modules/mocha/lib/cli/cli.js", ...args, "--exit", "--check-leaks", "--timeout", "20000"],
    ...["--reporter", "json", "--reporter-option", `output=${output}`, file],
  ],
  read: (text) => {
    const { passes, failures } = JSON.parse(text);
    const outcomes = passes.map(({ fullTitle }) => [fullTitle, true]);
    return Object.fromEntries([...outcomes, ...failures.map(({ fullTitle }) => [fullTitle, false])]);
  },
});

/** For versions of mocha whose reporter `json` writes no file. */
const mochaXML = (...args) => ({
  command: (_folder, file, output) => [
    ...["node_modules/mocha/lib/cli/cli.js", ...args, "--exit", "--timeout", "20000"],
    ...["--reporter", "xunit", "--reporter-option", `output=${output}`, file],
  ],
  read: (text) =>
    Object.fromEntries(
      [...text.matchAll(XML_CASE)]
        .filter(([, , , child]) => child !== "skipped")
        .map(([, suite, name, child]) => [plain(`${suite} ${name}`), child === undefined]),
    ),
});

const plain = (text) =>
  text
    .replaceAll("&#x27;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&#x3C;", "<")
    .replaceAll("&#x3E;", ">")
    .replaceAll("&#x60;", "`")
    .replaceAll("&amp;", "&");

const NODE_TEST = {
  command: (_folder, file, output) => ["--test-reporter=tap", `--test-reporter-destination=${output}`, file],
  read: (text, file) =>
    Object.fromEntries(
      [...text.matchAll(TAP_LINE)]
        .filter(([, , , isSkipped, type]) => isSkipped === undefined && type !== "suite")
        .map(([, isFailed, name]) => [`${path.basename(file)}: ${name}`, isFailed === undefined]),
    ),
};

/** One line for each test on stdout, of the colours that `NO_COLOR` does not take away. */
const NODEUNIT = {
  isPrinted: true,
  command: (_folder, file) => ["node_modules/nodeunit/bin/nodeunit", "--reporter", "default", file],
  read: (text, file) =>
    Object.fromEntries(
      [...text.matchAll(/(✔|✖) ([^\n]*)/g)].map(([, mark, name]) => [
        `${path.basename(file)}: ${plainText(name)}`,
        mark === "✔",
      ]),
    ),
};

/** It prints how many tests pass, and the names of those that do not. */
const UVU = {
  isPrinted: true,
  command: (_folder, file) => ["--import", TSX, file],
  read: (text, file) => {
    const failed = [...text.matchAll(/FAIL {2}([^\n]*)/g)].map(([, name]) => [`${file}: ${plainText(name)}`, false]);
    const passed = Number(/Passed: +(\d+)/.exec(text)?.[1] ?? 0);
    return Object.fromEntries([
      ...Array.from({ length: passed }, (_, at) => [`${file}: ${at + 1} of its tests`, true]),
      ...failed,
    ]);
  },
};

const plainText = (text) => stripVTControlCharacters(text).trim();

const VITEST = {
  command: (_folder, file, output) => [
    ...["node_modules/vitest/vitest.mjs", "run", "--reporter=json", `--outputFile=${output}`, file],
  ],
  read: (text) =>
    Object.fromEntries(
      JSON.parse(text)
        .testResults.flatMap(({ assertionResults }) => assertionResults)
        .filter(({ status }) => status === "passed" || status === "failed")
        .map(({ fullName, status }) => [fullName, status === "passed"]),
    ),
};

/** `of`: the repository whose checkout `folder` is. `files`: which of `under` are run. `limitMs`: for one of them. */
export const SUITES = [
  {
    name: "Node's own `test/parallel/test-http-*` that make a server",
    title: "Node's own tests",
    of: "nodejs/node",
    under: "test/parallel",
    files: /^test-http-.*\.m?js$/,
    has: MAKES_A_SERVER,
    way: PROGRAM,
    limitMs: 15_000,
  },
  {
    name: "Express",
    of: "expressjs/express",
    under: "test",
    files: /^(acceptance\/)?[^/]*\.js$/,
    way: mocha("--require", "test/support/env"),
  },
  { name: "Koa", of: "koajs/koa", under: "__tests__", files: /\.test\.js$/, way: NODE_TEST },
  { name: "Fastify", of: "fastify/fastify", under: "test", files: /\.test\.m?js$/, way: NODE_TEST },
  { name: "body-parser", of: "expressjs/body-parser", under: "test", files: /^[^/]*\.js$/, way: mocha() },
  {
    name: "express-session",
    of: "expressjs/session",
    under: "test",
    files: /^[^/]*\.js$/,
    way: mocha("--require", "test/support/env"),
  },
  { name: "finalhandler", of: "pillarjs/finalhandler", under: "test", files: /^[^/]*\.js$/, way: mocha() },
  { name: "morgan", of: "expressjs/morgan", under: "test", files: /^[^/]*\.js$/, way: mocha() },
  {
    name: "http-proxy-middleware",
    of: "chimurai/http-proxy-middleware",
    under: "test",
    files: /\.spec\.ts$/,
    way: VITEST,
  },
  { name: "ws", of: "websockets/ws", under: "test", files: /\.test\.js$/, way: mochaXML() },
  { name: "connect", of: "senchalabs/connect", under: "test", files: /^[^/]*\.js$/, way: mocha() },
  { name: "compression", of: "expressjs/compression", under: "test", files: /^[^/]*\.js$/, way: mocha() },
  { name: "send", of: "pillarjs/send", under: "test", files: /^[^/]*\.js$/, way: mocha() },
  { name: "serve-static", of: "expressjs/serve-static", under: "test", files: /^[^/]*\.js$/, way: mocha() },
  { name: "multer", of: "expressjs/multer", under: "test", files: /^[^_/]*\.js$/, way: mocha() },
  { name: "@hono/node-server", of: "honojs/node-server", under: "test", files: /\.test\.ts$/, way: VITEST },
  {
    name: "polka",
    of: "lukeed/polka",
    under: "packages",
    files: /^(polka|send|url|redirect)\/test\/index\.js$/,
    way: UVU,
  },
  { name: "restify", of: "restify/node-restify", under: "test", files: /^[^/]*\.test\.js$/, way: NODEUNIT },
  { name: "supertest", of: "ladjs/supertest", under: "test", files: /^[^/]*\.js$/, way: mocha("--require", "should") },
  {
    name: "superagent",
    of: "ladjs/superagent",
    under: "test",
    files: /^(node\/)?[^/]*\.js$/,
    way: mochaXML("--require", "should"),
  },
  {
    name: "passport",
    of: "jaredhanson/passport",
    under: "test",
    files: /\.test\.js$/,
    way: mochaXML("--require", "test/bootstrap/node"),
  },
].map((suite) => ({ limitMs: 180_000, has: /(?:)/, folder: path.basename(suite.of), title: suite.name, ...suite }));

/** The files of a suite whose checkout is `folder`. */
export function filesOf({ under, files, has }, folder) {
  return readdirSync(path.join(folder, under), { recursive: true })
    .filter((name) => files.test(name) && has.test(readFileSync(path.join(folder, under, name), "utf8")))
    .map((name) => path.join(under, name))
    .sort();
}
