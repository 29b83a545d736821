// Projects out of templates: what is written where, and what is refused.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TEMPLATES } from "../../../../host/cli/new/index.js";
import { createProject } from "../../../../host/cli/new/project.js";
import { manifest } from "../../../../host/cli/packages.js";
import { ROOT } from "../../../e2e/support/ways.js";

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-new-"));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => path.join(folder, name);
const packageOf = (name: string) => JSON.parse(readFileSync(at(`${name}/package.json`), "utf8"));

test("the templates are the folders of templates/", () => {
  expect(readdirSync(path.join(ROOT, "templates")).sort()).toEqual([...TEMPLATES].sort());
});

describe.each(TEMPLATES)("%s", (template) => {
  const project = createProject(at(`my ${template} App!`), template);

  test("everything is filled in, and listed", () => {
    expect(project).toMatchObject({ name: `my-${template}-app`, template });
    expect(project.files).toContain(".gitignore");
    const written = readdirSync(project.folder, { recursive: true, encoding: "utf8" });
    expect(written.filter((name) => name !== "test").sort()).toEqual([...project.files].sort());
    for (const file of project.files)
      expect(readFileSync(path.join(project.folder, file), "utf8")).not.toMatch(/{{|}}/);
  });

  test("package.json: the four scripts, versions that are exact, this clone", () => {
    const { name, scripts, dependencies, devDependencies } = packageOf(path.basename(project.folder));
    expect(name).toBe(project.name);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["start", "dev", "test", "build"]));
    const own = manifest();
    for (const [name, version] of Object.entries(devDependencies)) {
      expect({ ...own.dependencies, ...own.devDependencies }[name]).toBe(version);
    }
    expect(path.resolve(project.folder, dependencies.waterspout.replace(/^file:/, ""))).toBe(ROOT);
  });
});

test("into an empty folder that is there, and into one below others", () => {
  mkdirSync(at("empty"));
  createProject(at("empty"), "typescript");
  expect(packageOf("empty").name).toBe("empty");
  createProject(at("some/where/deep"), "typescript");
  expect(existsSync(at("some/where/deep/app.ts"))).toBe(true);
});

test("never into one with something in it, and never over a file", () => {
  mkdirSync(at("used"));
  writeFileSync(at("used/.keep"), "");
  expect(() => createProject(at("used"), "typescript")).toThrow(/used is not empty/);
  expect(readdirSync(at("used"))).toEqual([".keep"]);
  expect(() => createProject(at("used/.keep"), "typescript")).toThrow(/is a file/);
});

test.each([
  ["___", "app"],
  ["UPPER case", "upper-case"],
  ["日本", "app"],
  ["a".repeat(220), "a".repeat(214)],
])("what npm calls %j", (name, expected) => {
  createProject(at(name), "typescript");
  expect(packageOf(name).name).toBe(expected);
});
