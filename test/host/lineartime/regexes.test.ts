// No regular expression takes more than linear time, whatever text it is given. `recheck` proves it by its automaton
// for every literal, and for those that a module makes of texts when it is loaded.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test, vi } from "vitest";

process.env.RECHECK_BACKEND = "pure"; // in this process: no Java, no thread
const { checkSync } = await import("recheck");

const FOLDERS = ["host", "examples", "templates"];

/** Made of what an application gives: its author answers for the time that it takes. */
const OF_APPLICATIONS = ["host/stream/baseiostream.ts", "host/web/pathpattern.ts"];
/** It reads the pattern of a route, once. */
const OF_PATTERNS = /^\/\\\(\(\\\?<\(\\w\+\)>\)\?/;

interface Found {
  place: string;
  text: string;
}

/** All literals, and all that is made of texts when the program runs. */
function expressions(): { literals: Found[]; made: string[] } {
  const literals: Found[] = [];
  const made: string[] = [];
  for (const folder of FOLDERS) {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.[cm]?[jt]s$/.test(name),
    );
    for (const file of files.map((name) => join(folder, name))) {
      const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
      const visit = (node: ts.Node): void => {
        if (ts.isRegularExpressionLiteral(node)) {
          const { line } = source.getLineAndCharacterOfPosition(node.getStart());
          literals.push({ place: `${file}:${line + 1}`, text: node.text });
        }
        if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "RegExp") {
          made.push(file);
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
  }
  return { literals, made };
}

const { literals, made } = expressions();

/** Those that a module, and what it imports, has made once it is loaded. */
async function madeBy(file: string): Promise<RegExp[]> {
  vi.resetModules();
  const found: RegExp[] = [];
  const { RegExp: Native } = globalThis;
  globalThis.RegExp = new Proxy(Native, {
    construct: (target, args) => {
      const regex = Reflect.construct(target, args) as RegExp;
      found.push(regex);
      return regex;
    },
  });
  try {
    await import(/* @vite-ignore */ `../../../${file.replace(/\.ts$/, ".js")}`);
  } finally {
    globalThis.RegExp = Native;
  }
  return found;
}

function complexityOf(text: string): string {
  const end = text.lastIndexOf("/");
  const answer = checkSync(text.slice(1, end), text.slice(end + 1), { checker: "automaton", timeout: null });
  return answer.status === "vulnerable" ? `vulnerable: ${answer.complexity.summary}` : answer.status;
}

test("every literal takes linear time", { timeout: 120_000 }, () => {
  expect(literals.length).toBeGreaterThan(50);
  const slow = literals
    .filter(({ text }) => !OF_PATTERNS.test(text))
    .map((found) => ({ ...found, complexity: complexityOf(found.text) }))
    .filter(({ complexity }) => complexity !== "safe");
  expect(slow).toEqual([]);
});

test("what is looked at finds what it is to find", () => {
  expect(complexityOf(String.raw`/^[\t ]+|[\t ]+$/g`)).toBe("vulnerable: 2nd degree polynomial");
});

test("those that are made of texts take linear time, too", { timeout: 120_000 }, async () => {
  expect(made).toEqual(expect.arrayContaining(OF_APPLICATIONS));
  for (const file of new Set(made.filter((name) => !OF_APPLICATIONS.includes(name)))) {
    const regexes = await madeBy(file);
    expect(regexes.length, file).toBeGreaterThanOrEqual(made.filter((name) => name === file).length);
    for (const regex of regexes) expect(complexityOf(String(regex)), `${file}: ${regex}`).toBe("safe");
  }
});
