// A component the other way: translated to JavaScript by jco, it serves in Node, without wasmtime.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";

import { Client } from "./support/client.js";
import { processTree } from "./support/processes.js";
import { end } from "./support/programs.js";
import type { Response } from "./support/response.js";
import { eventually, freePort, makeComponents, ROOT } from "./support/ways.js";

beforeAll(makeComponents, 300_000);

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/** jco translates before it serves, on a machine that may be busy. */
const SERVE_MS = 60_000;

const JCO = path.join(ROOT, "node_modules/.bin/jco");

test.each([
  ["component", ["run", "build/demo.component.wasm", "--address", "127.0.0.1", "--port"]],
  ["http", ["serve", "build/demo.http.wasm", "--host", "127.0.0.1", "--port"]],
])("a %s serves in Node", { timeout: SERVE_MS * 2 }, async (_target, args) => {
  const port = await freePort();
  await serves(port, [JCO, ...args, String(port)]);
});

test("a component that is translated before is a module, which a program of Node imports", {
  timeout: SERVE_MS * 2,
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-jco-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const out = path.join(folder, "demo");
  expect(await end([process.execPath, JCO, "transpile", "build/demo.component.wasm", "-q", "-o", out])).toMatchObject({
    code: 0,
  });
  // Where an application installs @bytecodealliance/preview2-shim.
  mkdirSync(path.join(folder, "node_modules"));
  const shims = "node_modules/@bytecodealliance";
  symlinkSync(path.join(ROOT, shims, "jco", shims), path.join(folder, shims));
  const program = path.join(folder, "program.mjs");
  writeFileSync(program, 'import { run } from "./demo/demo.component.js";\nrun.run();\n');
  const port = await freePort();
  await serves(port, [program], { WATERSPOUT_PORT: String(port) });
});

async function serves(port: number, args: string[], env: Record<string, string> = {}): Promise<void> {
  const jco = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: "ignore" });
  try {
    // jco resets a connection that comes when it listens and the component does not accept yet.
    await eventually("serving", () => answers(port), SERVE_MS);
    const client = await Client.connect(port);
    const request = (bytes: string): Promise<Response> => client.send(bytes).readResponse();
    expect((await request(GET)).body.toString()).toBe("Hello, world");
    expect((await request("PUT / HTTP/1.1\r\nHost: x\r\n\r\n")).headers.get("allow")).toBe("GET, HEAD");
    expect((await request("GET /slow?ms=50 HTTP/1.1\r\nHost: x\r\n\r\n")).body.toString()).toBe("slept 50 ms");
    const body = "a".repeat(100_000);
    const echo = await request(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect(echo.body.toString()).toBe(body);
    client.close();
  } finally {
    // It waits for sockets where no signal of an orderly end reaches it.
    for (const { pid } of processTree(jco.pid!)) process.kill(pid, "SIGKILL");
    if (jco.exitCode === null && jco.signalCode === null) await once(jco, "exit");
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const client = await Client.connect(port);
    await client.send(GET).readResponse();
    client.close();
    return true;
  } catch {
    return false;
  }
}
