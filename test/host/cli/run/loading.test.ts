// The language of an application, feature by feature. It is the same on every Node and in every folder: the Node that
// runs the tests loads each application in a process of its own kind of package.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { isPlain } from "../../../../host/cli/run/loading/moduleformat.js";
import { ROOT } from "../../../e2e/support/ways.js";

const HANDLER = "export default (request) => request.respond(200, {}, answer);\n";
const TYPED = "export default (request: any): void => request.respond(200, {}, answer);\n";

/** Each application answers "yes". Its own file is the last. */
const FEATURES: Record<string, Record<string, string>> = {
  // First: then nothing has been translated yet.
  ".ts imported by .js": {
    "part.ts": 'enum Word { Yes = "yes" }\nexport const answer: string = Word.Yes;\n',
    "app.js": `import { answer } from "./part.ts";\n${HANDLER}`,
  },
  "export in .ts": { "app.ts": `const answer: string = "yes";\n${TYPED}` },
  "export in .js": { "app.js": `const answer = "yes";\n${HANDLER}` },
  "await at the top in .ts": { "app.ts": `const answer: string = await Promise.resolve("yes");\n${TYPED}` },
  "await at the top in .js": { "app.js": `const answer = await Promise.resolve("yes");\n${HANDLER}` },
  "enum, namespace and parameter properties": {
    "app.ts": `enum Word { Yes = "yes" }
namespace Words { export const first = Word.Yes; }
class Said { constructor(readonly word: string) {} }
const answer = new Said(Words.first).word;
${TYPED}`,
  },
  decorators: {
    "app.ts": `function yes(_method: unknown, _context: ClassMethodDecoratorContext): any { return () => "yes"; }
class Said { @yes say(): string { return "no"; } }
const answer = new Said().say();
${TYPED}`,
  },
  using: { "app.ts": `let answer = "no";\n{ using end = { [Symbol.dispose]() { answer = "yes"; } }; }\n${TYPED}` },
  "imports without an extension, by .js, by .ts and of a folder: one module": {
    "part/words.ts": 'export const yes: string = "yes";\nexport const made = {};\n',
    "part/index.ts": 'export { made } from "./words.js";\n',
    "app.ts": `import { made as one, yes } from "./part/words";
import { made as two } from "./part/words.js";
import { made as three } from "./part/words.ts";
import { made as four } from "./part";
const answer = one === two && two === three && three === four ? yes : "no";
${TYPED}`,
  },
  "types imported without `type`": {
    "app.ts": `import { HTTPServer, HTTPServerRequest } from "waterspout";
const answer = typeof HTTPServer === "function" ? "yes" : "no";
export default (request: HTTPServerRequest) => request.respond(200, {}, answer);
`,
  },
  "an import of JSON": {
    "words.json": '{"yes":"yes"}',
    "app.ts": `import { yes } from "./words.json";\nconst answer = yes;\n${TYPED}`,
  },
  "import()": {
    "part.ts": 'export const answer: string = "yes";\n',
    "app.ts": 'export default async (request: any) => request.respond(200, {}, (await import("./part")).answer);\n',
  },
  "import.meta": { "app.ts": `const answer = import.meta.url.endsWith("app.ts") ? "yes" : "no";\n${TYPED}` },
  ".mts": {
    "part.mts": 'export const answer: string = "yes";\n',
    "app.mts": `import { answer } from "./part.mjs";\n${TYPED}`,
  },
  ".mjs": { "app.mjs": `const answer = await "yes";\n${HANDLER}` },
  ".cts": {
    "app.cts": 'const answer: string = "yes";\nmodule.exports = (request: any) => request.respond(200, {}, answer);\n',
  },
  ".cts with import and export": {
    "app.cts": `import { join } from "node:path";\nconst answer: string = join("yes");\n${TYPED}`,
  },
  ".cjs": { "app.cjs": 'module.exports = (request) => request.respond(200, {}, "yes");\n' },
  ".tsx": {
    "app.tsx": `const React = { createElement: (...all: unknown[]) => all.at(-1) };\nconst answer = (<b>yes</b>) as any;\n${TYPED}`,
  },
  ".jsx": {
    "app.jsx": `const React = { createElement: (...all) => all.at(-1) };\nconst answer = <b>yes</b>;\n${HANDLER}`,
  },
  "a package that awaits at the top": {
    "node_modules/words/package.json": '{"name":"words","type":"module","exports":"./index.js"}',
    "node_modules/words/index.js": 'export const answer = await "yes";\n',
    "app.ts": `import { answer } from "words";\n${TYPED}`,
  },
  "one copy of this package for all files": {
    "part.ts": 'export { HTTPServer } from "waterspout";\n',
    "app.ts": `import { HTTPServer } from "waterspout";
import { HTTPServer as Other } from "./part";
const answer = HTTPServer === Other ? "yes" : "no";
${TYPED}`,
  },
};
/** In a folder whose package.json says "module" Node itself says that these are not there. */
const COMMONJS: typeof FEATURES = {
  "require in .js": {
    "app.js":
      'const { join } = require("node:path");\nmodule.exports = (request) => request.respond(200, {}, join("yes"));\n',
  },
  "__dirname beside import": {
    "app.ts": `import { basename } from "node:path";\nconst answer = basename(__dirname) === "" ? "no" : "yes";\n${TYPED}`,
  },
  "import = and export =": {
    "app.ts": `import path = require("node:path");\nexport = (request: any) => request.respond(200, {}, path.join("yes"));\n`,
  },
};

const folder = mkdtempSync(path.join(tmpdir(), "loading-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['"type": "commonjs", as npm init writes it', { type: "commonjs" }, { ...FEATURES, ...COMMONJS }],
  ["no type", { type: undefined }, { ...FEATURES, ...COMMONJS }],
  ['"type": "module"', { type: "module" }, FEATURES],
])("%s", (_name, manifest, features) => {
  const place = path.join(folder, manifest.type ?? "none");
  const fileOf = (feature: string): string => {
    const names = Object.keys(features[feature]!);
    return path.join(place, String(Object.keys(features).indexOf(feature)), names.at(-1)!);
  };
  let answers: Record<string, string>;

  beforeAll(async () => {
    for (const [feature, files] of Object.entries(features)) {
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(path.dirname(fileOf(feature)), name);
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
    writeFileSync(path.join(place, "package.json"), JSON.stringify(manifest));
    mkdirSync(path.join(place, "node_modules"));
    symlinkSync(ROOT, path.join(place, "node_modules/waterspout"));
    const program = path.join(import.meta.dirname, "loadall.mjs");
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...Object.keys(features).map(fileOf)]);
    answers = JSON.parse(stdout);
  });

  test.each(Object.keys(features))("%s", (feature) => {
    expect(answers[fileOf(feature)]).toBe("yes");
  });
});

// A Node without `module.registerHooks` runs the hooks in a thread, which a small application need not wait for.
describe.each([true, false])("an application that Node loads by itself, in a package of modules: %s", (isModules) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "waterspout-plain-"));
    writeFileSync(path.join(folder, "package.json"), JSON.stringify(isModules ? { type: "module" } : {}));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ["app.js", HANDLER, isModules],
    ["app.mjs", HANDLER, true],
    ["app.js", `import fs from "node:fs";\nimport {\n  Application,\n} from "waterspout";\n${HANDLER}`, isModules],
    ["app.cjs", "module.exports = () => {};\n", true],
    ["app.js", "exports.default = () => {};\n", true],
    ["app.ts", HANDLER, false],
    ["app.mjs", `import "./part.js";\n${HANDLER}`, false],
    ["app.mjs", `import part from'express';\n${HANDLER}`, false],
    ["app.mjs", `export * from "../part.js";\n${HANDLER}`, false],
    ["app.mjs", `const part = await import("./part.js");\n${HANDLER}`, false],
    ["app.mjs", `import { createRequire } from "node:module";\n${HANDLER}`, false],
    ["app.mjs", `new Worker(new URL("part.ts", import.meta.url));\n${HANDLER}`, false],
    ["app.cjs", 'require("./part");\n', false],
  ])("%s: %j: %s", (name, text, expected) => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    expect(isPlain(file)).toBe(expected);
  });
});

test("the files of what translates an application are compiled as they are", async () => {
  const loader = path.join(ROOT, "dist/host/cli/run/loading/loader.js");
  const program = `
import { readFileSync } from "node:fs";
import { Module } from "node:module";
const { _compile: compile } = Module.prototype;
const files = { asTheyAre: 0, changed: [] };
Module.prototype._compile = function (text, file, ...rest) {
  if (readFileSync(file, "utf8").trimEnd() === text.trimEnd()) files.asTheyAre++;
  else files.changed.push(file);
  return compile.call(this, text, file, ...rest);
};
const { enableLoader } = await import(${JSON.stringify(loader)});
enableLoader("app.ts");
console.log(JSON.stringify(files));
`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  const { asTheyAre, changed } = JSON.parse(stdout);
  expect(changed).toEqual([]);
  expect(asTheyAre).toBeGreaterThan(0);
});

test("this package's files are not translated, and node:tls is not loaded before it is used", async () => {
  const own = path.join(ROOT, "dist/host/index.js");
  const file = path.join(folder, "own.ts");
  writeFileSync(file, `import ${JSON.stringify(own)};\n`);
  const program = `
import { findSourceMap } from "node:module";
const { enableLoader } = await import(${JSON.stringify(path.join(ROOT, "dist/host/cli/run/loading/loader.js"))});
enableLoader("app.ts");
await import(${JSON.stringify(file)});
const isTLSLoaded = process.moduleLoadList.includes("NativeModule tls");
console.log(findSourceMap(${JSON.stringify(own)}).payload.sources.length > 1, isTLSLoaded);
`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  expect(stdout).toBe("true false\n");
});
