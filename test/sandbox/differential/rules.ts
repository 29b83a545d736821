// test/corpus/disagreements.md as rules.
import { readFileSync } from "node:fs";
import path from "node:path";

import { ROOT } from "../../e2e/support/ways.js";
import type { Disagreement } from "./outcome.js";

export type Name = "llhttp" | "h11";

export interface Rule {
  row: string;
  used: number;
  explains(name: Name, found: Disagreement, request: string): boolean;
}

const WAITS = ["needs head", "needs body", "nothing"];

/** Makes of a row's cells a test of what the two parsers do. */
type Reader = (cells: string[]) => (name: Name, found: Disagreement) => boolean;

const theyRefuse =
  (ours: string[]): Reader =>
  ([who, reasons]) =>
  (name, { we, they }) =>
    who === name && ours.includes(we) && reasons.split(", ").some((reason) => they.startsWith(`refused ${reason}`));

const READERS: Record<string, Reader> = {
  "We refuse, they do not":
    ([codes, who, what]) =>
    (name, { we, they }) =>
      codes.split(", ").some((code) => we === `refused ${code}`) &&
      (who === "both" || who === name) &&
      (WAITS.includes(they) || (what === "accepts" && they === "message")),
  "They refuse, we accept": theyRefuse(["message"]),
  "They refuse before we do": theyRefuse(WAITS),
  "Both accept, and differ in whether the connection goes on":
    ([who, what]) =>
    (name, { we, they }) =>
      who === name && we === "message keepAlive" && they === `message ${what === "keeps"}`,
  "One waits, the other has seen nothing":
    ([who, what]) =>
    (name, { we, they }) =>
      who === name && we === "needs head" && they === what,
};

export function readRules(): Rule[] {
  const text = readFileSync(path.join(ROOT, "test/corpus/disagreements.md"), "utf8");
  const [, ...sections] = text.split("\n## ");
  return sections.flatMap((section) => {
    const reader = READERS[section.slice(0, section.indexOf("\n"))];
    const rows = section.split("\n").filter((line) => line.startsWith("| "));
    return rows.slice(1).map((row) => ruleOf(reader, row));
  });
}

function ruleOf(reader: Reader, row: string): Rule {
  const cells = row
    .slice(1, -1)
    .split(/ (?=\|)/)
    .map((cell) => cell.replace(/^\|?\s*/, "").trim());
  const when = new RegExp(/^`(.*)`$/.exec(cells.at(-2)!)?.[1] ?? "", "is");
  const fits = reader(cells);
  return { row, used: 0, explains: (name, found, request) => fits(name, found) && when.test(request) };
}
