// Programs that the command serves though they know nothing of this project: those that have a server of Node's listen,
// and modules that export what builds of frameworks do.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

const ECHO =
  "export default { fetch: (request) => new Response(request.method + ' ' + new URL(request.url).pathname) };";

test("--static: files of a folder, in front of an application with fetch", async () => {
  const root = folder();
  const files = {
    "public.txt": "public",
    "assets/a-1b2c3d4e.js": "asset",
    "about/index.html": "about",
    "a b.txt": "a b",
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, "client", name)), { recursive: true });
    writeFileSync(path.join(root, "client", name), text);
  }
  writeFileSync(path.join(root, "secret"), "secret");
  symlinkSync("../secret", path.join(root, "client/link"));
  symlinkSync("..", path.join(root, "client/linked"));
  for (const name of ["loop", "round"]) symlinkSync(".", path.join(root, "client", name));
  writeFileSync(path.join(root, "app.mjs"), ECHO);
  const server = await start(NODE, path.join(root, "app.mjs"), ["--static", path.join(root, "client")]);
  const seen = async (target: string) => {
    const { body, headers } = await server.get(target);
    return [body.toString(), headers.get("content-type"), headers.get("cache-control")];
  };
  expect(await seen("/public.txt?x")).toEqual(["public", "text/plain", undefined]);
  const forEver = "public, max-age=31536000, immutable";
  expect(await seen("/assets/a-1b2c3d4e.js")).toEqual(["asset", "text/javascript", forEver]);
  for (const target of ["/about", "/about/", "/about/index.html"]) {
    expect(await seen(target)).toEqual(["about", "text/html", undefined]);
  }
  expect((await seen("/a%20b.txt"))[0]).toBe("a b");
  for (const target of [
    "/",
    "/assets",
    "/link",
    "/linked/secret",
    "/loop/public.txt",
    "/../secret",
    "/%2e%2e/secret",
    "/%ff",
  ]) {
    expect((await seen(target))[0]).toMatch(/^GET \//);
  }
  const post = await server.request("POST /public.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  expect(post.body.toString()).toBe("POST /public.txt");
  await server.stop();
});

test.each([
  ["export default (request) => request.respond(200);", "--static is for applications with fetch"],
  ['import http from "node:http"; http.createServer().listen(9);', "--static is for applications with fetch"],
  [ECHO, "the files of /nowhere cannot be served: ENOENT"],
])("--static /nowhere of %s is refused", async (module, why) => {
  const app = path.join(folder(), "app.mjs");
  writeFileSync(app, module);
  expect(await run(["run", app, "--static", "/nowhere"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(why),
  });
});

test("an application with both fetch and handle, as those of Elysia", async () => {
  const app = path.join(folder(), "app.mjs");
  writeFileSync(
    app,
    "export default new (class { handle() {} fetch() { return new Response(this.text); } text = 'its own'; })();",
  );
  const server = await start(NODE, app);
  expect(await text(server)).toBe("its own");
  await server.stop();
});

test("a build of React Router: the project's own makes its handler, its files come first", async () => {
  const root = folder();
  const modules = path.join(root, "node_modules/react-router");
  mkdirSync(modules, { recursive: true });
  mkdirSync(path.join(root, "client"));
  writeFileSync(path.join(root, "client/file.txt"), "a file");
  writeFileSync(path.join(modules, "package.json"), '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(
    path.join(modules, "index.js"),
    "export const createRequestHandler = (build) => (...all) => new Response(build.entry.name + all.length);",
  );
  const build = `export const entry = { name: "built" }, routes = {}, assetsBuildDirectory = "${root}/client";`;
  writeFileSync(path.join(root, "index.mjs"), build);
  const server = await start(NODE, path.join(root, "index.mjs"));
  expect([await text(server, "/file.txt"), await text(server)]).toEqual(["a file", "built1"]);
  await server.stop();
  rmSync(modules, { recursive: true });
  const { code, stderr } = await run(["run", path.join(root, "index.mjs")]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("npm install react-router")]);
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
