// Facts that documents state and code decides.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

import { CLI, ROOT } from "../e2e/support/ways.js";
import rooms from "../rooms.json" with { type: "json" };
import { constantsOf, documentNamed, documents, read, rowsBelow, serverOptions } from "./documents.js";

test("the published list of rights is the list of core.wasm's imports", () => {
  const module = new WebAssembly.Module(readFileSync(path.join(ROOT, "build/core.wasm")));
  const imports = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
  const published = rowsBelow("docs/threat-model.md", "## The list of rights").map((row) => row.import);
  expect(published.map((name) => `wasi_snapshot_preview1.${name.replaceAll("`", "")}`).sort()).toEqual(imports.sort());
});

test("every dependency has its reason in ARCHITECTURE.md", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json"));
  const { prose } = documentNamed("ARCHITECTURE.md");
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) expect(prose).toContain(`\`${name}\``);
});

const DECISIONS = documents.filter(({ file }) => /^docs\/decisions\/\d/.test(file));

test.each(DECISIONS)("figures in $file are those of the constants behind them", ({ prose }) => {
  const files = ["assembly/wasi/poller.ts", "assembly/core/limits.ts", "assembly/core/sharedlimits.ts"];
  const constants = new Map(files.flatMap((file) => [...constantsOf(file)]));
  const quoted = [...prose.matchAll(/([\d,]+)( ms)?\s\(`([A-Z_]+)`\)/g)];
  expect(quoted.length).toBe([...prose.matchAll(/\(`[A-Z]+_[A-Z_]+`\)/g)].length);
  for (const [text, figure, , name] of quoted) {
    const value = Number(figure.replaceAll(",", "")) * (name.endsWith("_NS") ? 1e6 : 1);
    expect(constants.get(name), text).toBe(value);
  }
});

test("every decision is in the index, and says what the others say", () => {
  const index = documentNamed("docs/decisions/README.md").prose;
  expect(DECISIONS.length).toBeGreaterThan(0);
  for (const [at, { file, prose }] of DECISIONS.sort((a, b) => (a.file < b.file ? -1 : 1)).entries()) {
    const name = file.slice("docs/decisions/".length);
    const number = String(at + 1).padStart(4, "0");
    const title = /^# (\d{4}): (.+)$/m.exec(prose);
    expect([name.slice(0, 4), title?.[1]], file).toEqual([number, number]);
    expect(index, file).toContain(`\n| [${number}](${name}) | ${title?.[2]} |`);
    expect([...prose.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      "Context",
      "Decision",
      "What it costs",
      "Alternatives",
    ]);
  }
});

test.each(["assembly", "host"] as const)("ARCHITECTURE.md lists the rooms of %s as test/rooms.json does", (side) => {
  const { prose } = documentNamed("ARCHITECTURE.md");
  const table = prose.slice(prose.indexOf(`\n\`${side}/\`, from the ground up`)).split("\n\n")[1];
  const listed = table.split("\n").slice(2);
  const rows = Object.entries(rooms[side]).map(([room, may]) => [`\`${room}/\``, may.join(", ") || "nothing"]);
  expect(listed.map((line) => [0, 2].map((at) => line.slice(2, -2).split(" | ")[at]))).toEqual(rows);
});

test("docs/deployment.md lists the options of a server", () => {
  const listed = rowsBelow("docs/deployment.md", "## A server inside a Node program").flatMap((row) =>
    [...row.option.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(listed.sort()).toEqual(serverOptions().sort());
});

test("docs/command-line.md shows the command as it is", () => {
  const usage =
    documentNamed("docs/command-line.md").blocks.find(({ text }) => text.startsWith("waterspout run APP"))?.text ?? "";
  const help = execFileSync(process.execPath, [CLI, "run", "--help"], { encoding: "utf8" });
  const named = (text: string): string[] => [...new Set(text.match(/--[a-z]+/g))].sort();
  expect([...named(usage), "--help"].sort()).toEqual(named(help));
});

test("the targets that documents name are targets of the Makefile", () => {
  const targets = [...read("Makefile").matchAll(/^([a-z]+):.*##/gm)].map(([, name]) => name);
  for (const { file, prose } of documents) {
    for (const [, name] of prose.matchAll(/`make (?:-s )?([a-z]+)`/g)) expect(targets, file).toContain(name);
  }
});

test("npm's scripts are targets of the Makefile", () => {
  const targets = [...read("Makefile").matchAll(/^([a-z]+):.*##/gm)].map(([, name]) => name);
  const { scripts } = JSON.parse(read("package.json"));
  expect(Object.keys(scripts)).toEqual(["build", "check", "dev", "docs", "test"]);
  for (const script of Object.values<string>(scripts)) expect(targets).toContain(/^make ([a-z]+)/.exec(script)?.[1]);
});

test("docs/speed.md has one place for the figures, and README.md repeats none but those", () => {
  const { prose } = documentNamed("docs/speed.md");
  expect(prose.match(/<!-- \/?bench -->/g)).toEqual(["<!-- bench -->", "<!-- /bench -->"]);
  const [, speed] = documentNamed("README.md").prose.split("\n## Speed\n");
  const figures = speed!.split("\n## ")[0]!.match(/\d+,\d{3}/g) ?? [];
  expect(figures.length).toBeGreaterThan(4);
  for (const figure of figures) expect(prose).toContain(figure);
});

test("CHANGELOG.md tells of the version in package.json", () => {
  expect(read("CHANGELOG.md")).toContain(`\n## ${JSON.parse(read("package.json")).version} – `);
});
