// docs/http.md: every requirement names tests that exist, or says plainly that it is not met.
import { expect, test } from "vitest";

import { corpus } from "../corpus/corpus.js";
import { read, rowsBelow } from "./documents.js";

const REQUIREMENTS = ["## RFC 9112: HTTP/1.1", "## RFC 9110: semantics"];
const OTHERS = ["## Choices", "## Where Tornado differs"];

const titles = new Map<string, Set<string>>();
for (const { file, title } of corpus) titles.set(file, (titles.get(file) ?? new Set()).add(title));

/** The titles of a test file, read from its text. */
function titlesOf(file: string): Set<string> {
  const found = titles.get(file);
  if (found) return found;
  const strings = read(file).matchAll(/(?:test|describe)(?:\.each[^"]*)?\(\s*"([^"]*)"|^\s*\]\)\("([^"]*)"/gm);
  const all = new Set([...strings].map(([, title, each]) => title ?? each));
  titles.set(file, all);
  return all;
}

test.each([...REQUIREMENTS, ...OTHERS])("the tests named below %s exist", (heading) => {
  const rows = rowsBelow("docs/http.md", heading);
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const cell = row.tests;
    const named = [...cell.matchAll(/`([^`]+)` "(.+?)"(?=;|$)/g)];
    expect(named.map(([text]) => text).join("; "), "the whole cell").toBe(cell);
    for (const [, file, title] of named) expect([...titlesOf(file)], `${file} has no "${title}"`).toContain(title);
    if (!named.length) expect(row.how, Object.values(row).join()).toContain("*not met*");
  }
});
