// examples/README.md lists every example with a command that exists, docs/README.md every document; the workflow runs CI.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

import { ROOT } from "../e2e/support/ways.js";
import { documentNamed, read, rowsBelow } from "./documents.js";

const rows = rowsBelow("examples/README.md", "# Examples");

test("every example has its row", () => {
  const listed = rows.map((row) => /^\[(.+)\]\(\1\)$/.exec(row.example)?.[1]);
  const there = ["", "sandboxed/"].flatMap((folder) =>
    readdirSync(path.join(ROOT, "examples", folder))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => folder + name),
  );
  expect(listed.sort()).toEqual(there.sort());
});

test.each(rows)("$example is run by its command", (row) => {
  const name = /^\[(.+?)\]/.exec(row.example)?.[1] ?? "";
  const app =
    /(?:APP=|tsx |build )(\S+)`$/.exec(row["run it with"])?.[1] ?? /^APP \?= (.+)$/m.exec(read("Makefile"))?.[1];
  const source = app?.replace(/^build\/(\w+)\.wasm$/, "examples/sandboxed/$1.ts");
  expect(source).toBe(`examples/${name}`);
  expect(existsSync(path.join(ROOT, source as string))).toBe(true);
  if (app?.startsWith("build/")) expect(read("Makefile")).toMatch(new RegExp(`^\\w+ := ${app}$`, "m"));
});

test("the reading order has every document", () => {
  const { prose } = documentNamed("docs/README.md");
  const others = readdirSync(path.join(ROOT, "docs")).filter((name) => name.endsWith(".md") && name !== "README.md");
  for (const name of others) expect(prose).toContain(`[${name}](${name})`);
});

test("the workflow runs what CI runs, on the oldest Node that is supported; later ones are pinned", () => {
  const workflow = read(".github/workflows/ci.yml");
  expect(workflow).toContain("run: bash .ci/run\n");
  const oldest = /node-version: (\d+)$/m.exec(workflow)?.[1];
  expect(JSON.parse(read("package.json")).engines.node).toBe(`>=${oldest}`);
  const pinned: Record<string, string> = JSON.parse(read("scripts/nodes/package.json")).optionalDependencies;
  const versions = Object.keys(pinned).filter((name) => name.endsWith("-linux-x64"));
  const later = versions.map((name) => /^node(\d+)-/.exec(name)![1]!);
  for (const node of later) expect(pinned[`node${node}-linux-x64`]).toMatch(new RegExp(`@${node}\\.\\d+\\.\\d+$`));
  expect(read("README.md")).toContain(`runs on ${oldest}, ${later.slice(0, -1).join(", ")} and ${later.at(-1)}`);
  const ci = read(".ci/run");
  const inCI = [...ci.matchAll(/NODE=(\d+)/g), ...ci.matchAll(/for node in ([\d ]+);/g)].flatMap(([, list]) =>
    list!.split(" "),
  );
  expect([...new Set(inCI)].sort()).toEqual(later);
});
