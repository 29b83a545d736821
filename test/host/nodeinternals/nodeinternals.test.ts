// Which internals of Node this Node has, and that everything works without them. The programs run from dist/, each in
// a process of its own: which internals are used is decided once. NODE_BINARY names another Node to try.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import { rowsBelow } from "../../docs/documents.js";

const NODE = process.env.NODE_BINARY ?? process.execPath;
const TABLE = "## Which Node has what";
const folder = mkdtempSync(path.join(tmpdir(), "internals-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Internal {
  name: string;
  lost: string;
  isThere: boolean;
}

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
  messages: Record<string, unknown>[];
}

/** Runs a program of this folder, without the internals that `without` names. */
async function run(program: string, without = "", env: Record<string, string> = {}, args: string[] = []): Promise<Ran> {
  const child: ChildProcess = spawn(NODE, [...args, path.join(import.meta.dirname, program), folder], {
    env: { ...process.env, WATERSPOUT_WITHOUT_INTERNALS: without, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const ran: Ran = { status: null, stdout: "", stderr: "", messages: [] };
  child.stdout?.on("data", (text) => {
    ran.stdout += text;
  });
  child.stderr?.on("data", (text) => {
    ran.stderr += text;
  });
  child.on("message", (message) => ran.messages.push(message as Record<string, unknown>));
  [ran.status] = await once(child, "close");
  return ran;
}

const WATCHED = { WATCH_REPORT_DEPENDENCIES: "1" };
/** The same by a name that Node does not know. */
const WATCHED_WITHOUT = { WATERSPOUT_REPORT_MODULES: "1" };

function internalsOf({ messages }: Ran): Internal[] {
  return messages.find(({ internals }) => internals !== undefined)?.internals as Internal[];
}

function versionOf(ran: Ran): number[] {
  const version = messages(ran, "version").at(0) as string;
  return version.slice(1).split(".").map(Number);
}

function messages(ran: Ran, key: string): unknown[] {
  return ran.messages.flatMap((message) => message[key] ?? []);
}

test("this Node has the internals that docs/node-internals.md says", async () => {
  const ran = await run("report.mjs", "", WATCHED);
  const [major] = versionOf(ran);
  const found = internalsOf(ran);
  const rows = rowsBelow("docs/node-internals.md", TABLE);
  expect(rows.map((row) => /`([^`]+)`/.exec(row.internal)?.[1])).toEqual(found.map(({ name }) => name));
  const columns = Object.keys(rows[0]).filter((column) => column.startsWith("Node "));
  const column = columns.includes(`Node ${major}`) ? `Node ${major}` : (columns.at(-1) as string);
  const gone = found.filter(({ isThere }, index) => !isThere && rows[index][column] === "yes");
  const isIn = found.filter(({ isThere }, index) => isThere && rows[index][column] === "no");
  expect(gone.map(({ name, lost }) => `this Node has no ${name}: ${lost}`)).toEqual([]);
  expect(isIn.map(({ name }) => `this Node has ${name}: docs/node-internals.md says otherwise`)).toEqual([]);
  expect(ran.stderr, "V8 does not know a flag").not.toContain("unrecognized flag");
});

describe("without them", () => {
  test("none is used", async () => {
    const found = internalsOf(await run("report.mjs", "*", WATCHED_WITHOUT));
    expect(found.filter(({ isThere }) => isThere)).toEqual([]);
  });

  test("handlers see and answer the same", async () => {
    const [used, unused] = await Promise.all([run("program.mjs"), run("program.mjs", "*")]);
    expect(used).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(used.stdout).answers).toHaveLength(6);
    expect(unused).toEqual(used);
  });

  test.each(["", "*"])("modules are reported to the process that watches them (without: %s)", async (without) => {
    const ran = await run("report.mjs", without, without === "" ? WATCHED : WATCHED_WITHOUT);
    const reported = messages(ran, "watch:import").filter((url) => String(url).endsWith("/loaded.mjs"));
    const [major = 0, minor = 0] = versionOf(ran);
    const hasHooks = major > 22 || (major === 22 && minor >= 15);
    expect(reported).toHaveLength(without === "" || hasHooks ? 1 : 0);
    expect(messages(ran, "watch:require")).toEqual(["/a/template"]);
    expect(messages(ran, "inherited")).toEqual([]);
  });

  test("sockets are bound and served by this process; workers of wasmtime are refused", async () => {
    const [used, unused] = await Promise.all([run("sockets.mjs"), run("sockets.mjs", "_createServerHandle")]);
    expect(JSON.parse(used.stdout)).toEqual({ tcp: "tcp", unix: "unix", mode: "600", shared: true, wasmtime: null });
    expect(JSON.parse(unused.stdout)).toEqual({
      tcp: "tcp",
      unix: "unix",
      mode: "600",
      shared: false,
      wasmtime: "RuntimeUnavailableError",
    });
  });

  test("a request that its handler forgets is answered when V8 collects", async () => {
    const [used, unused] = await Promise.all([
      run("forgetful.mjs"),
      run("forgetful.mjs", "--expose-gc", {}, ["--expose-gc"]),
    ]);
    expect([used.stdout, unused.stdout]).toEqual(["500\n", "500\n"]);
  });
});
