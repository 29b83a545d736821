// A function fits on a screen, and so does a block of tests, nearly. AssemblyScript parses as TypeScript, so one parser reads all.
// A block that holds other blocks, and a suite (a function that holds blocks), may be longer: it is a list of them.
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";

const FUNCTION_LINES_MAX = 70;
const BLOCK_LINES_MAX = 100;

type Kind = "function" | "block" | "test";

interface Part {
  kind: Kind;
  place: string;
  lines: number;
  /** It holds blocks or, outside of any block, tests. */
  holds: Set<Kind>;
}

const files = ["assembly", "bench", "examples", "host", "protocol", "scripts", "templates", "test"]
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`))
  .filter((file) => /\.(ts|mjs)$/.test(file) && !file.endsWith(".d.ts"));
const parts = files.flatMap(partsOf);

test("all files are read", () => {
  expect(parts.filter(({ kind }) => kind === "function").length).toBeGreaterThan(4000);
  expect(parts.filter(({ kind }) => kind === "block").length).toBeGreaterThan(300);
});

test(`no function is longer than ${FUNCTION_LINES_MAX} lines`, () => {
  const isLong = ({ kind, lines, holds }: Part) => kind === "function" && lines > FUNCTION_LINES_MAX && !holds.size;
  expect(parts.filter(isLong).map(named), "cut them where the subject changes").toEqual([]);
});

test(`no block of tests is longer than ${BLOCK_LINES_MAX} lines`, () => {
  const isLong = ({ kind, lines, holds }: Part) =>
    lines > BLOCK_LINES_MAX && !holds.has("block") && (kind === "block" || (kind === "function" && holds.has("test")));
  expect(parts.filter(isLong).map(named), "cut them by subject, with a describe of its own for each").toEqual([]);
});

function named({ place, lines }: Part): string {
  return `${place}: ${lines} lines`;
}

function partsOf(file: string): Part[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const found: Part[] = [];
  const visit = (node: ts.Node, around: Part | undefined): void => {
    const kind = kindOf(node);
    let part = around;
    if (kind !== undefined) {
      around?.holds.add(kind);
      const [start, end] = [line(node.getStart()), line(node.getEnd())];
      part = { kind, place: `${file}:${start}`, lines: end - start + 1, holds: new Set() };
      found.push(part);
    }
    ts.forEachChild(node, (child) => visit(child, part));
    if (kind === "function") for (const held of part!.holds) if (held !== "function") around?.holds.add(held);
    part?.holds.delete("function");
  };
  visit(source, undefined);
  return found;
}

/** What a node is; undefined: part of something else. The function that a block or a test is given is part of that. */
function kindOf(node: ts.Node): Kind | undefined {
  if (ts.isCallExpression(node)) {
    const called = calledName(node);
    if (ts.isCallExpression(node.parent) && node.parent.expression === node) return undefined; // describe.each(…)
    return called === "describe" ? "block" : called === "test" ? "test" : undefined;
  }
  if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return undefined;
  const isGiven = ts.isCallExpression(node.parent) && calledName(node.parent) === "describe";
  return isGiven ? undefined : "function";
}

/** `describe` of `describe.each(rows)("title", …)`. */
function calledName(node: ts.CallExpression): string | undefined {
  let name: ts.Expression = node.expression;
  while (ts.isCallExpression(name) || ts.isPropertyAccessExpression(name) || ts.isTaggedTemplateExpression(name))
    name = ts.isTaggedTemplateExpression(name) ? name.tag : name.expression;
  return ts.isIdentifier(name) ? name.text : undefined;
}
