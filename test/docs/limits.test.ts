// docs/limits.md and the constants that it lists: the same names, the same values, and ways of changing them that
// exist.
import { expect, test } from "vitest";

import { constantsOf, read, rowsBelow, serverOptions } from "./documents.js";

const UNITS: Record<string, number> = {
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  ms: 1,
  s: 1000,
  min: 60_000,
};

const tables = [
  ["assembly/core/sharedlimits.ts", "## Both: `protocol/protocol.json`"],
  ["assembly/core/limits.ts", "## The sandbox: `assembly/core/limits.ts`"],
  ["host/core/limits.ts", "## The host: `host/core/limits.ts`"],
] as const;

test.each(tables)("every constant of %s is listed with its value", (file, heading) => {
  const rows = rowsBelow("docs/limits.md", heading);
  const listed = rows.map((row) => [unquoted(row.name), amountOf(row)]);
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(constantsOf(file)));
  expect(listed.length, "a row stands twice").toBe(constantsOf(file).size);
});

test.each(rowsBelow("docs/limits.md", "## Other files"))("$name of $file is what it is", (row) => {
  expect(constantsOf(unquoted(row.file)).get(unquoted(row.name))).toBe(amountOf(row));
});

test("every bound of the parser is listed", () => {
  const listed = rowsBelow("docs/limits.md", "## Other files").map((row) => `${row.file} ${row.name}`);
  for (const file of [
    "chunked",
    "date",
    "framing",
    "head",
    "headstate",
    "phrases",
    "refusal",
    "requestline",
    "target",
  ]) {
    for (const name of constantsOf(`assembly/protocol/http/${file}.ts`).keys()) {
      if (name.endsWith("_MAX")) expect(listed).toContain(`\`assembly/protocol/http/${file}.ts\` \`${name}\``);
    }
  }
});

test("what a limit is said to be changed with exists", () => {
  const options = serverOptions();
  const parameters = ["http/parameters", "server/tcpserver", "stream/iostream"].map((name) =>
    read(`assembly/${name}.ts`),
  );
  for (const [, heading] of tables) {
    for (const row of rowsBelow("docs/limits.md", heading)) {
      const how = row["how to change it"];
      expect(how, row.name).toMatch(/^(fixed$|option |argument |field )/);
      if (how === "fixed" || how.startsWith("argument")) continue;
      const name = /`(\w+)`/.exec(how)?.[1];
      if (how.startsWith("field")) {
        const fields = ["client/tcpclient", "http/clientconnection"].map((file) => read(`assembly/${file}.ts`));
        expect(fields.join(), how).toMatch(new RegExp(`^  ${name}: `, "m"));
        continue;
      }
      expect(options, how).toContain(name);
      if (how.includes("parameter")) expect(parameters.join(), how).toMatch(new RegExp(`^  ${name}: `, "m"));
    }
  }
});

test.each(rowsBelow("docs/limits.md", "## What ends a connection"))("$state", (row) => {
  const limits = [...row["what ends it"].matchAll(/`(\w+)`/g)].map(([, name]) => name);
  const constants = ["limits", "sharedlimits"].flatMap((file) => [...constantsOf(`assembly/core/${file}.ts`).keys()]);
  for (const name of limits) expect(constants).toContain(name);
  const shown = [...row["shown by"].matchAll(/`(test\/[\w./-]+)` "([^"]+)"/g)];
  expect(shown.length, "each is a file and a title").toBe(row["shown by"].split("; `").length);
  for (const [, file, title] of shown) expect(read(file), file).toContain(`test("${title}"`);
});

function unquoted(cell: string): string {
  return cell.replaceAll("`", "");
}

/** What "64" and "KiB a read" say; a unit that is no measure counts ones. The unit has to fit the constant's name. */
function amountOf(row: Record<string, string>): number {
  const unit = row.unit.split(" ")[0];
  const isTime = ["ms", "s", "min"].includes(unit);
  expect(/_MS(_|$)/.test(unquoted(row.name)) || row.name.includes("_MAX_MS"), `${row.name}: ${unit}`).toBe(isTime);
  if (row.name.includes("_BYTES")) expect(UNITS, row.name).toHaveProperty(unit);
  return Number(row.default.replaceAll(",", "")) * (UNITS[unit] ?? 1);
}
