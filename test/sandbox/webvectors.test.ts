// Path patterns, ranges and lists of entity tags: each row of test/corpus/web.md, by the functions of host/web in Node
// and by those of assembly/web, compiled as they ship.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { HTTPInputError } from "../../host/core/errors.js";
import { namesEtag } from "../../host/web/etags.js";
import { Pattern } from "../../host/web/pathpattern.js";
import { parseRange } from "../../host/web/ranges.js";

interface Vectors {
  memory: WebAssembly.Memory;
  _initialize(): void;
  block(): number;
  answerBytes(): number;
  path(patternSize: number, pathSize: number): void;
  range(fieldSize: number, size: number): void;
  etag(fieldSize: number, tagSize: number): void;
}

const [, ...sections] = readFileSync("test/corpus/web.md", "utf8").split("\n## ");

/** The rows of a section's table, of three spans each; `\xe9` is a byte. */
function rows(heading: string): [string, string, string][] {
  const section = sections.find((text) => text.startsWith(heading)) as string;
  return [...section.matchAll(/^\| `(.*?)` \| `(.*?)` \| `(.*?)` \|$/gm)].map(([, ...cells]) =>
    cells.map((cell) =>
      cell.replaceAll(/\\x([0-9a-f]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16))),
    ),
  ) as [string, string, string][];
}

let sandbox: Vectors;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  const file = join(folder, "vectors.wasm");
  execFileSync("node_modules/.bin/asc", ["test/assembly/apps/vectors.ts", "--outFile", file]);
  const module = new WebAssembly.Module(readFileSync(file));
  rmSync(folder, { recursive: true });
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
  sandbox = new WebAssembly.Instance(module, imports).exports as unknown as Vectors;
  sandbox._initialize();
}, 60_000);

/** What a function of the sandbox says of two texts, or of a text and a number. */
function ask(name: "path" | "range" | "etag", first: string, second: string | number): string {
  const block = sandbox.block();
  const text = typeof second === "string" ? second : "";
  Buffer.from(sandbox.memory.buffer, block).write(first + text, "latin1");
  sandbox[name](first.length, typeof second === "number" ? second : second.length);
  return Buffer.from(sandbox.memory.buffer, block, sandbox.answerBytes()).toString("utf8");
}

describe.each(rows("Path patterns"))("the pattern %s of the path %s: %s", (pattern, path, answer) => {
  test("in Node", () => expect(pathInNode(pattern, path)).toBe(answer));
  test("in the sandbox", () => expect(ask("path", pattern, path)).toBe(answer));
});

function pathInNode(pattern: string, path: string): string {
  try {
    const found = new Pattern(pattern).match(path);
    if (found === null) return "no";
    return found.flatMap((groups) => Object.values(groups as object).map((value) => `[${value}]`)).join("");
  } catch (error) {
    if (error instanceof HTTPInputError) return "400";
    throw error;
  }
}

describe.each(rows("Ranges"))("the range %s of %s bytes: %s", (field, size, answer) => {
  test("in Node", () => {
    const range = parseRange(field, Number(size));
    expect(range === null ? "all" : range === "unsatisfiable" ? "416" : `${range.start}-${range.end - 1}`).toBe(answer);
  });
  test("in the sandbox", () => expect(ask("range", field, Number(size))).toBe(answer));
});

describe.each(rows("Lists of entity tags"))("the list %s and the tag %s: %s", (list, tag, answer) => {
  test("in Node", () => {
    const strongly = namesEtag(list, tag || null, "strong");
    const weakly = namesEtag(list, tag || null);
    expect(strongly ? (weakly ? "strongly" : "strongly only") : weakly ? "weakly" : "no").toBe(answer);
  });
  test("in the sandbox", () => expect(ask("etag", list, tag)).toBe(answer));
});
