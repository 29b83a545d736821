// Programs that the command serves though they know nothing of this project: those that have a server of Node's listen,
// and modules that export what builds of frameworks do.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import { CLI, eventually, freePort, NODE, ROOT, run, type Server, start, WASMTIME } from "./support/ways.js";

const APPS = "test/e2e/apps/programs";

const text = async (server: Server, target = "/") => (await server.get(target)).body.toString();

describe.each([NODE, WASMTIME])("$name", (way) => {
  test.each([
    ["while it is loaded", {}],
    ["behind a top-level await", { LATE: "1" }],
  ])("a program that has a server listen %s, on the port that --port names", async (_when, env) => {
    const server = await start(way, `${APPS}/listens.mjs`, [], { env: { ...env, PORT: "9" } });
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
    const answer = await server.get("/a");
    expect(JSON.parse(answer.body.toString())).toEqual({
      url: "/a",
      port: server.port,
      heard: ["event, true", "callback"],
    });
    expect(answer.headers.get("keep-alive")).toBe("timeout=7");
    const head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    const client = await server.connect();
    expect(String(await client.send(`${head}hello`).readToEnd())).toMatch(/^HTTP\/1.1 101 .*\r\n\r\nhello$/s);
    server.signal("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.output.stderr).toMatch(/^closed, and what is behind it$/m);
    await server.stop();
  });

  test("a CommonJS program that exports nothing, and listens later", async () => {
    const server = await start(way, `${APPS}/later.cjs`);
    expect(await text(server, "/b")).toBe("later /b");
    await server.stop();
  });
});

test("without a flag it is served where the program listens", async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [CLI, "run", `${APPS}/later.cjs`], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), HOST: "127.0.0.2" },
  });
  onTestFinished(async () => void (child.kill("SIGKILL") && (await once(child, "close"))));
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  expect(line).toBe(`Waterspout serves http://127.0.0.2:${port}/ (node)\n`);
});

test("a second server of the program listens by itself", async () => {
  const server = await start(NODE, `${APPS}/second.mjs`);
  const other = Number(await text(server));
  expect(await (await fetch(`http://127.0.0.1:${other}/`)).text()).toBe(String(server.port));
  await server.stop();
});

test("a program that exports a handler is served by that", async () => {
  const server = await start(NODE, `${APPS}/exports.mjs`);
  expect(await text(server)).toBe('["its own",true]');
  await server.stop();
});

test("each change of a program is served", async () => {
  const app = path.join(folder(), "app.mjs");
  const write = (word: string) =>
    writeFileSync(
      app,
      `import { createServer } from "node:http";
createServer((req, res) => res.end("${word}")).listen(9);
`,
    );
  write("one");
  const server = await start(NODE, app, ["--watch"]);
  expect(await text(server)).toBe("one");
  write("two");
  await eventually("the change is served", async () => (await text(server)) === "two");
  await server.stop();
});

test.each([
  ["export const fetch = (request) => new Response(request.url.slice(-2));", "/a", [200, "/a"]],
  ["export const handler = (req, res, next) => res.end(req.url);", "/b", [200, "/b"]],
  ["export const handler = async (...all) => void all[1].end(String(all.length));", "/", [200, "3"]],
  ["export function listener(req, res) { res.end(req.url); }", "/c", [200, "/c"]],
  ["export const middleware = (req, res, next) => next();", "/", [404, ""]],
  ['export const middleware = (req, res, next) => next(new Error("on purpose"));', "/", [500, /Internal/]],
])("%s", async (module, target, [status, body]) => {
  const app = path.join(folder(), "app.mjs");
  writeFileSync(app, module);
  const server = await start(NODE, app);
  const answer = await server.get(target);
  expect(answer.status).toBe(status);
  expect(answer.body.toString()).toEqual(body instanceof RegExp ? expect.stringMatching(body) : body);
  if (status === 500) expect(server.output.stderr).toContain("on purpose");
  await server.stop();
});

test.each([
  ["export const number = 1;", "app.mjs has no handler: "],
  ["export default 1; setInterval(() => {}, 1e6);", "app.mjs has no handler: "],
  [
    'require("node:http").createServer().listen("/nowhere.sock");',
    "app.cjs listens on /nowhere.sock, which is no port",
  ],
  ['require("node:http").createServer().listen({ fd: 3 });', "there is no way to listen on an fd"],
])("%s is refused at once", async (module, why) => {
  const app = path.join(folder(), module.startsWith("export") ? "app.mjs" : "app.cjs");
  writeFileSync(app, module);
  const { code, stdout, stderr } = await run(["run", app, "--port", "0"]);
  expect({ code: code === 0, stdout }).toEqual({ code: false, stdout: "" });
  expect(stderr).toContain(why);
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "waterspout-programs-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}
