// A component the other way: translated to JavaScript by jco, it serves in Node, without wasmtime.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";

import { Client } from "./support/client.js";
import { processTree } from "./support/processes.js";
import type { Response } from "./support/response.js";
import { eventually, freePort, makeComponents, ROOT } from "./support/ways.js";

beforeAll(makeComponents, 300_000);

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/** jco translates before it serves, on a machine that may be busy. */
const SERVE_MS = 60_000;

test.each([
  [
    "component",
    (port: number) => ["run", "build/demo.component.wasm", "--address", "127.0.0.1", "--port", String(port)],
  ],
  ["http", (port: number) => ["serve", "--host", "127.0.0.1", "--port", String(port), "build/demo.http.wasm"]],
])("a %s serves in Node", { timeout: SERVE_MS * 2 }, async (_target, argumentsFor) => {
  const port = await freePort();
  const command = [path.join(ROOT, "node_modules/.bin/jco"), ...argumentsFor(port)];
  const jco = spawn(process.execPath, command, { cwd: ROOT, stdio: "ignore" });
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
});

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
