// Bun and Deno in the place of Node: the suites of a way to run, and what is said of the parts that they cannot do.
// docs/what-works-where.md has the table.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";

import { demoSuite } from "./suites/demo.js";
import { handlerSuite } from "./suites/handlers.js";
import { streamSuite } from "./suites/streams.js";
import { websocketSuite } from "./suites/websocket.js";
import { Authority, missingOpenSSL } from "./support/certificates.js";
import { end } from "./support/programs.js";
import { SecureClient } from "./support/secureclient.js";
import { CLI, eventually, NODE, ROOT, start, type Way } from "./support/ways.js";

const MIB = 1 << 20;

function binary(name: "bun" | "deno", file: string): string {
  return path.join(ROOT, `build/tools/engines/node_modules/${name}-${process.platform}-${process.arch}`, file);
}

type Engine = Way & { readonly engine: readonly string[] };
const BUN: Engine = { ...NODE, name: "Bun", engine: [binary("bun", "bin/bun")] };
const DENO: Engine = { ...NODE, name: "Deno", engine: [binary("deno", "deno"), "run", "-A"] };
const ENGINES = [BUN, DENO].map((way) => ({ way, isThere: existsSync(way.engine[0] as string) }));

for (const { way, isThere } of ENGINES) {
  describe.skipIf(!isThere)(isThere ? way.name : `${way.name}: make test fetches it, where there is one`, () => {
    demoSuite(way);
    handlerSuite(way);
    streamSuite(way);
    websocketSuite(way);

    test("a program of its own serves each kind of handler, and ends", async () => {
      expect(await end([...way.engine, "test/e2e/apps/engine.ts"])).toEqual({
        code: 0,
        stdout: '["own","web","node"]\n',
        stderr: "",
      });
    });

    test.each([
      ["test/e2e/apps/hono.ts", "/", "hello world"],
      ["test/e2e/apps/node/express.ts", "/about", "express GET /about"],
    ])("%s", async (app, target, text) => {
      const server = await start(way, app);
      expect((await server.get(target)).body.toString()).toContain(text);
      await server.stop();
    });

    test("uploads, more than fit into --memory: each gets an answer", async () => {
      const server = await start(way, "test/e2e/apps/limited.ts", ["--memory", "128M"]);
      const upload = Buffer.from(`POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: ${MIB}\r\n\r\n${"x".repeat(MIB)}`);
      const clients = await Promise.all(Array.from({ length: 200 }, () => server.connect()));
      const answers = clients.map((client) => client.send(upload).readResponse("POST"));
      let refused = 0;
      for (const answer of answers) void answer.then(({ status }) => (refused += status === 503 ? 1 : 0));
      await eventually("each is held or refused", async () => {
        return refused + Number((await server.get("/held")).body) === clients.length;
      });
      expect(refused).toBeGreaterThan(0);
      await server.get("/end");
      const statuses = new Set((await Promise.all(answers)).map(({ status }) => status));
      expect(statuses).toEqual(new Set([200, 503]));
      await server.stop();
    });

    test("^C with a request in flight says what it waits for", async () => {
      const server = await start(way);
      const client = await server.connect();
      client.send("GET /slow?ms=1000 HTTP/1.1\r\nHost: x\r\n\r\n");
      await server.get("/"); // by now the other one has come
      server.signal("SIGINT");
      await server.complaint(/waits up to 10 s for 1 request in flight; a second \^C ends it at once/);
      expect((await client.readResponse()).status).toBe(200);
      expect(await server.exited).toEqual({ code: 0, signal: null });
      await server.stop();
    });

    test("compressed messages come back", async () => {
      const server = await start(way, "test/e2e/apps/websockets.ts");
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/deflate`, { perMessageDeflate: { threshold: 0 } });
      const messages: string[] = [];
      socket.on("message", (data) => messages.push(String(data)));
      await once(socket, "open");
      expect(socket.extensions).toMatch(/^permessage-deflate/);
      const sent = [20, 20_000, 200_000].map((bytes) => "lorem ipsum dolor ".repeat(bytes).slice(0, bytes));
      for (const message of [...sent, ...sent]) socket.send(message);
      await eventually("all of them", () => messages.length === 6 || socket.readyState !== WebSocket.OPEN);
      expect(messages).toEqual([...sent, ...sent]);
      socket.terminate();
      await server.stop();
    });

    test.skipIf(missingOpenSSL !== null)("TLS: Deno has it, Bun says who has", async () => {
      const { certfile, keyfile } = new Authority().issue("server", "server.example");
      const args = ["--certfile", certfile, "--keyfile", keyfile];
      if (way === BUN)
        return expect(await refusal(way.engine, args)).toMatch(/^TLS needs Node or Deno, and this is Bun /);
      const server = await start(way, way.demo, args);
      const client = new SecureClient(tls.connect({ port: server.port, rejectUnauthorized: false }));
      client.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(await client.line()).toBe("HTTP/1.1 200 OK\r\n");
      client.socket.destroy();
      await server.stop();
    });

    test("its own watcher, which the refusal of --watch names, loads the application again", async () => {
      const [program = "", ...rest] = way.engine;
      const app = path.join(folder(), "app.js");
      const write = (text: string) =>
        writeFileSync(app, `export default (request) => request.respond(200, {}, "${text}");`);
      write("one");
      const child = spawn(program, [...rest, "--watch", CLI, "run", app, "--port", "0", "--access-log", "off"]);
      onTestFinished(() => endOf(child));
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
      const served = async (nth: number): Promise<string> => {
        const find = () => [...output.matchAll(/serves (\S+) /g)].at(nth)?.[1];
        await eventually(`it serves, ${nth}`, () => find() !== undefined);
        return (await fetch(find() as string)).text();
      };
      expect(await served(0)).toBe("one");
      write("two");
      expect(await served(1)).toBe("two");
    });
  });
}

/** Node without the part of it that the others do not have, which docs/node-internals.md names. */
const WITHOUT = ["env", "WATERSPOUT_WITHOUT_INTERNALS=_createServerHandle", process.execPath];

describe.each([
  { name: "Node without shared sockets", engine: WITHOUT, isThere: true, watcher: "" },
  ...ENGINES.map(({ way: { name, engine }, isThere }) => ({ name, engine, isThere, watcher: name.toLowerCase() })),
])("$name: what it cannot do", ({ engine, isThere, watcher }) => {
  test.skipIf(!isThere).each([
    ["--watch", ["--watch"]],
    ["--workers", ["--workers", "2"]],
    ["the runtime wasmtime", ["--runtime", "wasmtime"]],
  ])("%s: one sentence, exit code 2", async (what, args) => {
    const name = "(Node|Bun|Deno) \\d[\\d.]*\\d";
    const hint = watcher !== "" && what === "--watch" ? `; ${watcher} .*--watch \\S+main.js run \\S+ does it` : "";
    const said = `^${what} needs sockets that processes share, which ${name} does not have${hint}$`;
    expect(await refusal(engine, args)).toMatch(new RegExp(said));
  });

  test.skipIf(!isThere)("a program that forks ends with what it lacks", async () => {
    const run = engine === WITHOUT ? [...engine, "--import", "tsx"] : engine;
    const { code, stderr } = await end([...run, "examples/forms-fork.ts"], ROOT, { PORT: "0" });
    expect(code).toBe(1);
    expect(stderr).toContain("forkProcesses needs sockets that processes share, which ");
  });

  test.skipIf(!isThere)("an application that asks to be loaded again is served, with a warning", async () => {
    const server = await start({ ...NODE, engine }, "test/e2e/apps/debugged.ts");
    await server.complaint(/^waterspout: warning: loading the application again needs sockets that processes share, /);
    expect((await server.get("/")).status).toBe(200);
    await server.stop();
  });
});

/** What the command says when it ends with 2 at once. */
async function refusal(engine: readonly string[], args: string[]): Promise<string> {
  const { code, stdout, stderr } = await end([...engine, CLI, "run", "examples/hello.ts", "--port", "0", ...args]);
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
  return /^waterspout: (.*)\n$/.exec(stderr)?.[1] ?? stderr;
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "waterspout-engines-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

async function endOf(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "close");
}
