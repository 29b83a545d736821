// SIGHUP and `waterspout reload`: an application is loaded again while it is used. The two runtimes that the command has.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

import { RETIRED_MAX } from "../../host/core/limits.js";
import { Clients, IDLE_MS, KINDS } from "../losses/clients.js";
import { Versioned } from "../losses/server.js";
import type { Client } from "./support/client.js";
import { eventually, NODE, run, type Server, start, WASMTIME } from "./support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const RELOADS = 4;

const reload = (server: Server) => run(["reload", String(server.pid)]);

describe.each([NODE, WASMTIME])("$name", (way) => {
  let app: Versioned;
  beforeEach(() => {
    app = new Versioned();
  });
  afterEach(() => app.remove());

  const serve = async (args = ["--reloadable"]): Promise<Server> => {
    const server = await app.serve(way, args);
    onTestFinished(() => server.stop());
    return server;
  };

  test("under load no request is lost: on fresh connections, on kept ones, on idle ones, in handlers and in answers", async () => {
    const server = await serve(["--workers", "2", "--reloadable"]);
    const clients = new Clients(server.port);
    for (const kind of KINDS) clients.add(kind, Math.ceil(kind.many / 10));
    clients.add({ name: "pieces", target: "/pieces", kept: true, pauseMs: 0 }, 3);
    for (let version = 1; version <= RELOADS; version++) {
      app.edit(`"${version}"`);
      expect(await reload(server)).toMatchObject({ code: 0, stdout: "", stderr: "" });
      await eventually(`version ${version}`, () => clients.bodies.has(String(version)));
    }
    await clients.end();
    expect(clients.lost).toEqual([]);
    expect([...clients.answered.keys()].toSorted()).toEqual([...KINDS.map(({ name }) => name), "pieces"].toSorted());
    const whole = [...clients.bodies.keys()].filter((text) => text.length === 1);
    expect(whole.toSorted()).toEqual(["0", "1", "2", "3", "4"]);
    for (const text of clients.bodies.keys()) expect(text, "an answer is one version's").toMatch(/^(\d)\1*$/);
    expect(server.output.stderr.match(/^waterspout: SIGHUP: restarted in \d+ ms$/gm)).toHaveLength(RELOADS);
  });

  test("an idle connection has one more answer, which says that it is the last; a stop does not wait for it", async () => {
    const server = await serve();
    const [used, idle] = [await server.connect(), await server.connect()];
    for (const client of [used, idle]) await client.send(GET).readResponse();
    await sleep(IDLE_MS);
    app.edit('"1"');
    expect((await reload(server)).code).toBe(0);
    const last = await used.send(GET).readResponse();
    expect([last.body.toString(), last.headers.get("connection")]).toEqual(["0", "close"]);
    expect((await server.get("/")).body.toString()).toBe("1");
    expect(idle.ended).toBe(false);
    server.signal("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(idle.ended).toBe(true);
  });

  test("a version that does not load leaves the one before in place, and reload says so with its status", async () => {
    const server = await serve();
    writeFileSync(path.join(app.folder, "part.mjs"), "export const text = broken;\n");
    expect(await reload(server)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^waterspout: not reloaded: \S*app\.mjs does not serve: its own lines say why\n$/),
    });
    await server.complaint(/broken is not defined \(at \S*part\.mjs:1/);
    await server.complaint(/^waterspout: SIGHUP; the version before serves on$/);
    expect((await server.get("/")).body.toString()).toBe("0");
    app.edit('"1"');
    expect((await reload(server)).code).toBe(0);
    expect((await server.get("/")).body.toString()).toBe("1");
  });
});

test(`${RETIRED_MAX} generations may finish what they have begun; one more ends the oldest`, async () => {
  const server = await start(NODE, NODE.demo, ["--reloadable"]);
  onTestFinished(() => server.stop());
  const idle: Client[] = [];
  for (let i = 0; i <= RETIRED_MAX; i++) {
    const client = await server.connect();
    await client.send(GET).readResponse();
    idle.push(client);
    if (i === RETIRED_MAX) expect(idle.map(({ ended }) => ended)).toEqual(idle.map(() => false));
    expect((await reload(server)).code).toBe(0);
  }
  await eventually("the oldest ends", () => idle[0].ended);
  expect(idle.slice(1).map(({ ended }) => ended)).toEqual(idle.slice(1).map(() => false));
});

test("an application that no longer names its address is served at the default one", async () => {
  const app = new Versioned();
  onTestFinished(() => app.remove());
  const names = (place: string) => writeFileSync(app.file, `export default { fetch: () => new Response(), ${place} };`);
  names('hostname: "::1"');
  const server = await start(NODE, app.file, ["--reloadable"]);
  onTestFinished(() => server.stop());
  expect(server.url).toContain("[::1]");
  names("");
  expect((await reload(server)).code).toBe(0);
  await server.complaint(/; it serves http:\/\/127\.0\.0\.1:\d+\/ now$/);
});

describe("waterspout reload", () => {
  test.each([
    [[], "reload needs the id of one process: its PID"],
    [["1", "2"], "reload needs the id of one process: its PID"],
    [["x"], 'PID must be a number, not "x"'],
    [["999999999"], "there is no process 999999999"],
  ])("%j", async (args, complaint) => {
    expect(await run(["reload", ...args])).toMatchObject({ code: 2, stdout: "", stderr: `waterspout: ${complaint}\n` });
  });

  test.runIf(process.platform === "linux")("a process that SIGHUP would end gets none", async () => {
    const server = await start(NODE);
    onTestFinished(() => server.stop());
    expect(await run(["reload", String(server.pid)])).toMatchObject({
      code: 2,
      stderr: `waterspout: process ${server.pid} cannot reload: start it with --reloadable\n`,
    });
    expect((await server.get("/")).status).toBe(200);
  });
});

test.runIf(process.platform === "linux")("a terminal that is closed ends what was started from it", async () => {
  // The child that has the terminal says its own id; its parent then closes the other end.
  const terminal = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
text = b""
while b"serves" not in text: text += os.read(fd, 4096)
print(pid, flush=True)
sys.stdin.read()
os.close(fd)
os.waitpid(pid, 0)
`;
  const args = ["-c", terminal, process.execPath, "dist/host/cli/main.js", "run", "examples/demo.ts", "--port", "0"];
  const child = spawn("python3", [...args, "--reloadable"], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  await eventually("it serves", () => text.includes("\n"));
  process.kill(Number(text), "SIGHUP");
  child.stdin.end();
  await once(child, "exit"); // Node 20 does not survive it, which is an end, too
});
