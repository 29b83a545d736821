// Paths below a folder, by the calls that wait and by those that do not: both find the same and refuse the same.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { realPathBelow, realPathBelowSync } from "../../../host/core/pathbelow.js";

const base = realpathSync(mkdtempSync(join(tmpdir(), "waterspout-below-")));
const root = join(base, "root");
mkdirSync(join(root, "folder"), { recursive: true });
mkdirSync(join(base, "outside"));
writeFileSync(join(root, "file"), "");
writeFileSync(join(base, "outside", "file"), "");
symlinkSync("../file", join(root, "folder", "inward"));
symlinkSync(join(base, "outside"), join(root, "outward"));
symlinkSync("nothing", join(root, "dangling"));
symlinkSync("loop", join(root, "loop"));
symlinkSync(root, join(base, "alias"));
afterAll(() => rmSync(base, { recursive: true }));

async function find(path: string, folders: readonly string[]): Promise<string> {
  const outcome = await realPathBelow(path, folders).catch((error) => error.code as string);
  let other: string;
  try {
    other = realPathBelowSync(path, folders);
  } catch (error) {
    other = (error as NodeJS.ErrnoException).code as string;
  }
  expect(other).toBe(outcome);
  return outcome;
}

test.each([
  ["a file", "file", join(root, "file")],
  ["the folder itself", "", root],
  ["a link that stays inside", "folder/inward", join(root, "file")],
  ["a missing file", "folder/missing", "ENOENT"],
  ["a file taken for a folder", "file/below", "ENOTDIR"],
  ["a link to a missing file inside", "dangling", "ENOENT"],
  ["a loop of links", "loop", "ELOOP"],
  ["a file outside, by a link", "outward/file", "EOUTSIDE"],
  ["a missing file outside, by a link", "outward/missing", "EOUTSIDE"],
  ["a missing file outside, by its path", "../missing", "EOUTSIDE"],
  ["a folder whose name begins alike", "../root2", "EOUTSIDE"],
])("%s", async (_name, path, outcome) => {
  expect(await find(join(root, path), [root])).toBe(outcome);
  expect(await find(join(base, "alias", path), [join(base, "alias")])).toBe(outcome);
});

test("a second folder may be allowed", async () => {
  expect(await find(join(root, "outward/file"), [root, join(base, "outside")])).toBe(join(base, "outside", "file"));
});
