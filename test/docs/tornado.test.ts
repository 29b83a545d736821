// docs/tornado.md is a promise for each row: the test that it names is there.
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

import { ROOT } from "../e2e/support/ways.js";
import { documentNamed, read } from "./documents.js";

const FILE = "docs/tornado.md";
const rows = documentNamed(FILE)
  .prose.split("\n")
  .filter((line) => /^\| (?!---)/.test(line) && !/\| shown by \|$/.test(line))
  .map((line) =>
    line
      .slice(2, -1)
      .split(/ \|(?: |$)/)
      .map((cell) => cell.trim()),
  );

test("the article's rows are all there, in their order", () => {
  const ids = rows.map(([id]) => id).filter((id) => /^S\d\d/.test(id));
  const numbers = Array.from({ length: 37 }, (_, index) => `S${String(index + 1).padStart(2, "0")}`);
  expect(ids).toEqual(numbers.flatMap((id) => (id === "S06" ? [id, "S06b"] : [id])));
});

test.each(rows.map((cells) => ({ row: cells[0], shown: cells.at(-1) as string })))("$row", ({ shown }) => {
  const named = [...shown.matchAll(/`(test\/[\w./-]+)` "((?:[^"\\]|\\.)+)"/g)];
  expect(shown.split("; `").length, "each is a file and a title").toBe(shown.trim() === "" ? 1 : named.length);
  for (const [, file, title] of named) {
    expect(existsSync(path.join(ROOT, file)), file).toBe(true);
    const titles = [...read(file).matchAll(/\b(?:test|describe)\b[^\n]*|^\s*(["`]).*\1,$|\]\)\(\s*["`].*/gm)].join(
      "\n",
    );
    expect(titles, `${file} has no test "${title}"`).toContain(`"${title}`);
  }
});

test("only rows that say why have no test", () => {
  const without = rows.filter((cells) => cells.at(-1)?.trim() === "").map(([row]) => row);
  expect(without).toEqual([
    "S21",
    "`run_in_executor`, `set_default_executor`",
    "`linkify`, `recursive_unicode`, `parse_qs_bytes`",
  ]);
});
