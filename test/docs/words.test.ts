// Comments, documents and titles of tests name the actor: the client, peer, handler, worker or host. These words hide it,
// or say in a picture what happens.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const WORDS = /\b(nobody|somebody|whoever|told|untold|books?|bury|buried|rests|wish(?:es|ed)?)\b/i;
const TITLE = /\b(?:test|describe)\b.*\("|^\s*\]\)\("/;

const files = ["assembly", "docs", "examples", "host", "protocol", "templates", "test"]
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`))
  .concat(readdirSync(".").filter((name) => name.endsWith(".md")))
  .filter((file) => /\.(ts|js|mjs|json|md)$/.test(file) && !file.includes("node_modules"));

test("comments, documents and titles say who does what", () => {
  const found = files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, i) => (counts(file, line) && WORDS.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(files.length).toBeGreaterThan(500);
  expect(found, "name the client, peer, handler, worker or host").toEqual([]);
});

/** Of tests only titles count: a body, a name or an answer may hold any word. */
function counts(file: string, line: string): boolean {
  return !file.startsWith("test/") || TITLE.test(line);
}
