// An application in AssemblyScript below the command, which tells it to drain: it finishes what it has begun, and so
// loses nothing in a stop or a reload.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import { Clients, KINDS } from "../losses/clients.js";
import { isAlive, workersOf } from "./support/processes.js";
import { eventually, run, SANDBOXED_NODE, SANDBOXED_WASMTIME, type Server, start } from "./support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const RELOADS = 3;

describe.each([SANDBOXED_NODE, SANDBOXED_WASMTIME])("$name", (way) => {
  const serve = async (app = way.demo, args: string[] = []): Promise<Server> => {
    const server = await start(way, app, args);
    onTestFinished(() => server.stop());
    return server;
  };

  test("a stop lets a handler and an upload finish; idle connections are closed", async () => {
    const server = await serve();
    const [idle, waiting, sending] = await Promise.all([1, 2, 3].map(() => server.connect()));
    await idle.send(GET).readResponse();
    waiting.send("GET /slow?ms=1000 HTTP/1.1\r\nHost: x\r\n\r\n");
    sending.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    await sending.readUntil("100 Continue\r\n\r\n");
    sending.send("01234");
    await server.get("/");
    server.signal("SIGTERM");
    await eventually("no connection is taken any more", () =>
      server.connect().then(
        (client) => client.gone().then(() => false),
        () => true,
      ),
    );
    sending.send("56789");
    const answers = await Promise.all([waiting, sending].map((client) => client.readResponse()));
    expect(answers.map(({ body }) => body.toString())).toEqual(["slept 1000 ms", "0123456789"]);
    for (const answer of answers) expect(answer.headers.get("connection")).toBe("close");
    expect(await idle.gone()).toBe("ended");
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test("a reload serves what the file is now, and loses nothing of what it was", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-draining-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, "app.wasm");
    copyFileSync(way.demo, file);
    const server = await serve(file, ["--reloadable"]);
    const clients = new Clients(server.port);
    for (const kind of KINDS) if (kind.name !== "download") clients.add(kind, Math.ceil(kind.many / 10));
    clients.add({ name: "big", target: `/big?bytes=${2 << 20}`, kept: true, pauseMs: 0, readEveryMs: 15 }, 2);
    for (let i = 0; i < RELOADS; i++) {
      expect(await run(["reload", String(server.pid)])).toMatchObject({ code: 0, stderr: "" });
    }
    await clients.end();
    expect(clients.lost).toEqual([]);
    copyFileSync("build/web.wasm", file);
    const before = (await server.get("/")).body.toString();
    expect((await run(["reload", String(server.pid)])).code).toBe(0);
    // Under wasmtime the one before closes its listener a moment after the message.
    await eventually("the new file", async () => (await server.get("/")).body.toString() !== before);
  });

  test("it does not outlive the command that is killed", async () => {
    const server = await serve();
    const workers = workersOf(server.pid);
    const busy = (await server.connect()).send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
    server.signal("SIGKILL");
    await server.exited;
    await eventually("no worker is left", () => !workers.some(isAlive));
    await busy.gone();
  });
});
