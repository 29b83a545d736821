// What frameworks build with their own adapters, served by the command as docs/frameworks.md says. `make frameworks`
// installs them.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { CLI, eventually, NODE, ROOT, WASMTIME, type Way } from "./support/ways.js";

const INSTALLED = path.join(ROOT, "build/tools/frameworks");
const SOURCES = path.join(ROOT, "test/e2e/apps/frameworks");
const BUILDS = path.join(INSTALLED, "builds");

interface Framework {
  name: string;
  /** The command that builds it. */
  build: [string, ...string[]];
  /** What is served. */
  entry: string;
  /** Where its form goes. */
  form?: string;
  /** Where files with a hash in their names are, and where they are served. */
  hashed?: [folder: string, at: string];
}

const FRAMEWORKS: Framework[] = [
  {
    name: "react-router",
    build: ["react-router", "build"],
    entry: "build/server/index.js",
    form: "/?index",
    hashed: ["build/client/assets", "/assets/"],
  },
  { name: "nitro", build: ["nitropack", "build"], entry: ".output/server/index.mjs" },
  {
    name: "sveltekit",
    build: ["vite", "build"],
    entry: "build/index.js",
    hashed: ["build/client/_app/immutable/entry", "/_app/immutable/entry/"],
  },
];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const isTooOld = major < 22 || (major === 22 && minor < 22);
const isThere = existsSync(path.join(INSTALLED, "node_modules")) && !isTooOld;

describe.skipIf(!isThere)(isThere ? "builds" : "make frameworks installs them, on Node 22.22 or later", () => {
  beforeAll(() => rmSync(BUILDS, { recursive: true, force: true }));

  describe.each(FRAMEWORKS)("$name", ({ name, build: [program, ...args], entry, form = "/", hashed }) => {
    const folder = path.join(BUILDS, name);

    beforeAll(async () => {
      cpSync(path.join(SOURCES, name), folder, { recursive: true });
      cpSync(path.join(SOURCES, "stream.mjs"), path.join(folder, "stream.mjs"));
      const env = { ...process.env, NODE_ENV: "production" };
      const command = path.join(INSTALLED, "node_modules/.bin", program);
      await promisify(execFile)(process.execPath, [command, ...args], { cwd: folder, env });
    });

    test.each([NODE, WASMTIME])("$name", async (way) => {
      await serves(way, path.join(folder, entry), folder, form, hashed);
    });
  });

  test.each([NODE, WASMTIME])("elysia, $name", async (way) => {
    cpSync(path.join(SOURCES, "elysia.mjs"), path.join(BUILDS, "elysia.mjs"));
    cpSync(path.join(SOURCES, "stream.mjs"), path.join(BUILDS, "stream.mjs"));
    await serves(way, path.join(BUILDS, "elysia.mjs"), BUILDS, "/");
  });
});

async function serves(way: Way, app: string, folder: string, form: string, hashed?: [string, string]): Promise<void> {
  const args = [CLI, "run", app, "--port", "0", "--runtime", way.runtime, "--access-log", "off"];
  const server = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, NODE_ENV: "production" } });
  onTestFinished(() => void server.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  server.stdout.setEncoding("utf8").on("data", (text) => (output.stdout += text));
  server.stderr.setEncoding("utf8").on("data", (text) => (output.stderr += text));
  const find = () => /^Waterspout serves (\S+)\//m.exec(output.stdout)?.[1];
  await eventually("it serves", () => find() !== undefined || server.exitCode !== null);
  const base = find();
  if (base === undefined) throw new Error(output.stderr);

  const heading = async (answer: Response) => /<h1[^>]*>(.*?)<\/h1>/.exec(await answer.text())?.[1];
  expect(await heading(await fetch(base))).toBe("Hello you");
  const data = new FormData();
  data.set("name", "eve");
  for (const [body, text] of [
    [new URLSearchParams({ name: "ada" }), "Hello ada"] as const,
    [data, "Hello eve"] as const,
  ]) {
    // SvelteKit takes itself for a site of https.
    const origin = app.includes("sveltekit") ? base.replace("http:", "https:") : base;
    expect(
      await heading(await fetch(`${base}${form}`, { method: "POST", body, headers: { origin, accept: "text/html" } })),
    ).toBe(text);
  }

  const client = new AbortController();
  const stream = await fetch(`${base}/stream`, { signal: client.signal });
  const reader = stream.body!.getReader();
  for (let parts = 0; parts < 3; parts++) expect((await reader.read()).done).toBe(false);
  client.abort();
  const heard = app.includes("nitro") ? /aborted/ : /aborted.*cancelled|cancelled.*aborted/s; // Nitro 2 cancels nothing
  await eventually("it hears of that", () => heard.test(output.stderr));

  if (folder !== BUILDS) {
    expect(await (await fetch(`${base}/file.txt`)).text()).toBe("a file\n");
  }
  for (const file of hashed === undefined ? [] : readdirSync(path.join(folder, hashed[0])).slice(0, 1)) {
    const answer = await fetch(`${base}${hashed?.[1]}${file}`);
    expect(answer.headers.get("cache-control")).toMatch(/max-age=31536000, ?immutable$/);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(0);
  }
  server.kill("SIGTERM");
  expect((await once(server, "close"))[0]).toBe(0);
}
