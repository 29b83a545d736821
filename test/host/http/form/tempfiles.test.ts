// What a killed process has left of its forms is removed by the next one that keeps a file there; nothing else is
// touched.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";

import { FormFolder } from "../../../../host/http/form/tempfiles.js";

const directory = mkdtempSync(path.join(tmpdir(), "waterspout-test-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(directory, { recursive: true });
});

async function* text(): AsyncGenerator<Buffer> {
  yield Buffer.from("of a form");
}

const PROGRAM = `
  import { FormFolder } from "./host/http/form/tempfiles.ts";
  const { path } = await new FormFolder(process.argv[1]).store((async function* () { yield Buffer.from("x"); })());
  console.log(path);
  setInterval(() => {}, 1_000_000);`;

/** A process that keeps a form's file, and the folder that it is in. */
async function keeper(): Promise<{ child: ChildProcess; folder: string }> {
  const args = ["--import", "tsx", "--input-type=module", "-e", PROGRAM, directory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = await once(child.stdout as NodeJS.ReadableStream, "data");
  return { child, folder: path.dirname(String(line).trim()) };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function gone(folder: string): Promise<void> {
  while (existsSync(folder)) await sleep(10);
}

test("a killed process's files go when the next one stores some, and a living one's stay", async () => {
  const [first, second] = await Promise.all([keeper(), keeper()]);
  const other = path.join(directory, "waterspout-form-of-somebody");
  mkdirSync(other);
  const link = path.join(directory, path.basename(first.folder).replace(/-[0-9]+-[0-9]+-/, "-999999999-1-"));
  symlinkSync(other, link);
  await kill(first.child);
  expect(existsSync(first.folder)).toBe(true);

  const form = new FormFolder(directory);
  const file = await form.store(text());
  await gone(first.folder);
  expect([second.folder, other, file.path].map((name) => existsSync(name))).toEqual([true, true, true]);
  expect(readdirSync(directory)).toContain(path.basename(link));

  await kill(second.child);
  const next = new FormFolder(`${directory}${path.sep}`); // where this process has not looked yet
  await next.store(text());
  await gone(second.folder);
  expect(existsSync(file.path)).toBe(true);
  form.remove();
  next.remove();
  await gone(path.dirname(file.path));
});
