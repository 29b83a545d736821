// What is said of an application that cannot be loaded: one line that names the file and the place in it, and below it,
// on a terminal, the code or the whole stack.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

interface Said {
  message: string;
  details: string;
}

/** Writes the files, loads the last, and answers what is said; `DIR` stands for their folder. */
async function said(files: Record<string, string>): Promise<Said> {
  const folder = mkdtempSync(path.join(tmpdir(), "loaderror-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  const file = path.join(folder, Object.keys(files).at(-1)!);
  const program = path.join(import.meta.dirname, "loadall.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [program, file]);
  const { message, details } = JSON.parse(stdout)[file] as Said;
  return { message: message.replaceAll(folder, "DIR"), details: details.replaceAll(folder, "DIR") };
}

const BROKEN = "const one = 1;\nexport const two = ;\n";
const FRAME = "export const two = ;\n                   ^";

test("TypeScript that is none: file, line, column, and the line itself", async () => {
  const { message, details } = await said({
    "part.ts": BROKEN,
    "app.ts": 'import { two } from "./part";\nexport default two;\n',
  });
  expect(message).toBe('cannot load DIR/app.ts: SyntaxError: Unexpected ";" (at DIR/part.ts:2:20)');
  expect(details).toBe(FRAME);
});

test("the same in JavaScript, of which Node gives a program no place", async () => {
  const { message, details } = await said({ "app.js": BROKEN });
  expect(message).toBe("cannot load DIR/app.js: SyntaxError: Unexpected token ';' (at DIR/app.js:2:20)");
  expect(details).toBe(FRAME);
});

test("a name that a file does not export", async () => {
  const { message } = await said({
    "part.mjs": "export const a = 1;\n",
    "app.mjs": 'import { b } from "./part.mjs";\nexport default b;\n',
  });
  expect(message).toMatch(/^cannot load DIR\/app\.mjs: SyntaxError: .*'b' \(at DIR\/app\.mjs:1:10\)$/);
});

test.each([
  ["app.ts", 'import "@words/many/part";\n', "@words/many"],
  ["app.mjs", 'import "words";\n', "words"],
  ["app.cjs", 'require("words/part");\n', "words"],
])(
  "a package that is not there, in %s: its name, who imports it, and how to install it",
  async (name, text, wanted) => {
    const { message } = await said({ [name]: text });
    const who = `which DIR/${name} imports`;
    expect(message).toBe(`cannot load DIR/${name}: there is no package ${wanted}, ${who}; npm install ${wanted}`);
  },
);

test("a file that is not there: its name, and who imports it", async () => {
  const { message } = await said({ "app.ts": 'import "./nowhere.ts";\n' });
  expect(message).toBe("cannot load DIR/app.ts: Cannot find module 'DIR/nowhere.ts' imported from DIR/app.ts");
});

test("what a module throws: the application's own frame, then the whole stack with its causes", async () => {
  const { message, details } = await said({
    "node_modules/words/index.js":
      'module.exports = () => { throw new Error("no words", { cause: new TypeError("the root") }); };\n',
    "part.ts": 'import words from "words";\nexport function say(): never {\n  return words();\n}\n',
    "app.ts": 'import { say } from "./part";\nexport default say();\n',
  });
  const place = "(at say (DIR/part.ts:3:10))";
  expect(message).toBe(`cannot load DIR/app.ts: Error: no words ${place}; caused by TypeError: the root ${place}`);
  expect(details).toMatch(/^Error: no words\n +at .*words\/index\.js:1/);
  expect(details).toMatch(/\[cause\]: TypeError: the root\n/);
});
