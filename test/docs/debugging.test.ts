// docs/debugging.md: the trace looks as it says, and its commands write profiles of host and sandbox.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { TRACE_BYTES_MAX } from "../../host/core/limits.js";
import { CLI, NODE, ROOT, start, WASMTIME, wasmtime } from "../e2e/support/ways.js";
import { documentNamed } from "./documents.js";

const { prose, blocks } = documentNamed("docs/debugging.md");

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-debugging-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test.each([NODE, WASMTIME])("the trace of a request: $name", async (way) => {
  const server = await start(way, "examples/hello.ts", ["--access-log", "off"], {
    env: { WATERSPOUT_TRACE: "frames" },
  });
  try {
    await server.get("/");
    await server.complaint(/ out ECHO 2 /);
    const shape = (text: string): string[] =>
      text
        .split("\n")
        .filter((line) => / (REQUEST|RESPONSE|MARK 2|ECHO 2) /.test(line))
        .map((line) => line.replace(/worker \d+\.1 /, "worker N.1 ").replace(/REQUEST (\d+) \d+/, "REQUEST $1 N"));
    const shown = blocks.find(({ text }) => text.includes("in REQUEST"))?.text ?? "";
    expect(shape(server.output.stderr).slice(0, 4)).toEqual(shape(shown));
  } finally {
    await server.stop();
  }
});

test("the bound of shown bytes is the constant", () => {
  expect(prose).toContain(`the first ${TRACE_BYTES_MAX.toLocaleString("en")} of them (\`TRACE_BYTES_MAX\`)`);
});

test("the profile of the host is written when the server has stopped", async () => {
  const command = blocks.find(({ text }) => text.startsWith("node --cpu-prof"))?.text ?? "";
  const [, ...options] = command
    .slice(0, command.indexOf(path.relative(ROOT, CLI)))
    .trim()
    .split(" ");
  const folder = newFolder();
  const profiled = `node=$1; shift; exec "$node" ${options.join(" ").replace("profiles", folder)} "$@"`;
  const server = await start(NODE, "examples/hello.ts", [], { wrap: ["sh", "-c", profiled, "sh"] });
  await server.get("/");
  await server.stop();
  const [profile] = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  expect(JSON.parse(readFileSync(path.join(folder, profile), "utf8")).nodes.length).toBeGreaterThan(0);
});

test("the script profiles the sandbox", async () => {
  const folder = newFolder();
  const script = path.join(folder, "profiled.sh");
  const text = blocks.find(({ name }) => name === "profiled.sh")?.text ?? "";
  writeFileSync(script, text.replace("worker-", `${folder}/worker-`));
  chmodSync(script, 0o755);
  expect(path.join(ROOT, "build/tools/wasmtime")).toBe(wasmtime());
  const server = await start(WASMTIME, "examples/hello.ts", ["--access-log", "off"], {
    env: { WATERSPOUT_WASMTIME: script },
  });
  await server.get("/");
  await server.stop();
  const [profile] = readdirSync(folder).filter((name) => /^worker-\d+\.json$/.test(name));
  expect(JSON.parse(readFileSync(path.join(folder, profile), "utf8")).threads.length).toBeGreaterThan(0);
});

test("make debug builds a core with names", { timeout: 120_000 }, () => {
  const command =
    execFileSync("make", ["-n", "--no-print-directory", "debug"], { cwd: ROOT, encoding: "utf8" })
      .trim()
      .split("\n")
      .at(-1) ?? "";
  const file = path.join(newFolder(), "core.wasm");
  execFileSync("sh", ["-c", command.replace(/--outFile \S+/, `--outFile ${file}`)], { cwd: ROOT });
  const [name] = /assembly\/\w+\/\w+\/\w+#\w+/.exec(prose) ?? [];
  expect(readFileSync(file).includes(name as string)).toBe(true);
  expect(readFileSync(path.join(ROOT, "build/core.wasm")).includes(name as string)).toBe(false);
});
