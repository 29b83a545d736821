// The sandbox allocates nothing for a request: its allocator is counted by the hooks that AssemblyScript has for that
// (ASC_RTRACE), in a core built for this test.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { Bridged } from "./bridged.js";

const REQUESTS = 200;
const CONNECTIONS = 8;
const GET = "GET /path?name=value HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\nCookie: c=d; e=f\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

let module: WebAssembly.Module;

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
  try {
    const file = path.join(folder, "core.wasm");
    const options = ["assembly/bridge/main.ts", "--runtime", "minimal", "--use", "ASC_RTRACE=1", "--outFile", file];
    await promisify(execFile)("node_modules/.bin/asc", options);
    module = new WebAssembly.Module(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);

test.each([
  ["GET", GET],
  ["POST", POST],
  ["POST in chunks", CHUNKED],
])("a %s on a kept connection allocates nothing", async (_name, request) => {
  let allocations = 0;
  // All other hooks return the address that they are called with.
  const rtrace = new Proxy<Record<string, (address: number) => number>>(
    {},
    {
      get: (_target, hook) => (address: number) => {
        if (hook === "onalloc" || hook === "onresize") allocations++;
        return address;
      },
    },
  );
  const host = new Bridged(module, { rtrace });
  await host.hostAnswers();
  const wires = Array.from({ length: CONNECTIONS }, () => host.wasi.connect());

  /** So many requests, all connections at once, and their answers. */
  async function ask(requests: number): Promise<void> {
    for (let sent = 0; sent < requests; sent += CONNECTIONS) {
      for (const wire of wires) wire.send(Buffer.from(request));
      const waiting = new Set(wires);
      while (waiting.size > 0) {
        host.wasi.turn();
        await host.hostAnswers();
        for (const wire of waiting) {
          const answer = wire.take().toString("latin1");
          if (answer === "") continue;
          expect(answer).toMatch(/^HTTP\/1\.1 200 /);
          waiting.delete(wire);
        }
      }
    }
  }
  await ask(REQUESTS); // the first ones fill pools
  expect(allocations).toBeGreaterThan(0);
  allocations = 0;
  await ask(REQUESTS);
  expect(allocations).toBe(0);
});
