// `waterspout run` with a component: of WASI 0.2, of 0.3, and of wasi:http, each under the wasmtime that serves it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RuntimeName } from "waterspout";
import { isAlive, workersOf } from "./support/processes.js";
import { accepts, eventually, makeComponents, ROOT, run, type Server, start, type Way } from "./support/ways.js";

const way = (target: string, runtime: RuntimeName): Way => ({
  name: target,
  runtime,
  demo: `build/demo.${target}.wasm`,
});
const WAYS = [
  way("component", "component"),
  way("component-async", "component-async"),
  way("http", "component"),
  way("http-async", "component-async"),
];

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-run-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(makeComponents, 300_000);

const status = (server: Server): Promise<number> =>
  server.get("/").then(
    (response) => response.status,
    () => 0,
  );

describe.each(WAYS)("$name", (way) => {
  test("serves once it says so; what has died is started again on the same port; none is left without the command", async () => {
    const server = await start(way, way.demo, ["--memory", "256M", "--env", "A=1"]);
    try {
      expect(await status(server)).toBe(200);
      const [victim] = workersOf(server.pid);
      process.kill(victim.pid, "SIGKILL");
      await server.complaint(/SIGKILL; it is started again/);
      expect(isAlive(victim)).toBe(false);
      await eventually("served again", async () => (await status(server)) === 200);
      expect(server.output.stderr.trim().split("\n")).toHaveLength(1);
      const [last] = workersOf(server.pid);
      server.signal("SIGKILL");
      await server.exited;
      await eventually("it has ended with the command", () => !isAlive(last));
    } finally {
      await server.stop();
    }
  });

  test("another runtime is refused, and so is what a component does not have", async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(["run", way.demo, "--port", "0", ...args]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      return stderr;
    };
    expect(await refused("--runtime", "wasmtime")).toBe(
      `waterspout: ${way.demo} is a component, which the runtime ${way.runtime} serves, not wasmtime\n`,
    );
    expect(await refused("--workers", "2")).toContain(`the runtime ${way.runtime} has one worker, not 2`);
    expect(await refused("--watch")).toContain(`the runtime ${way.runtime} has no --watch`);
  });
});

test.each(WAYS.filter(({ name }) => name.startsWith("http")))("$name: a stop lets a request finish", async (way) => {
  const server = await start(way);
  try {
    const client = await server.connect();
    client.send("GET /slow?ms=1000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    // The runtime has read it when it has answered a later one.
    expect(await status(server)).toBe(200);
    server.signal("SIGINT");
    await eventually("no more connections", async () => !(await accepts(server.port)));
    expect((await client.readResponse()).status).toBe(200);
    expect((await server.exited).code).toBe(0);
  } finally {
    await server.stop();
  }
});

test("a wasmtime that loses requests of wasi:http 0.3 is refused", async () => {
  const early = path.join(folder, "wasmtime");
  writeFileSync(early, "#!/bin/sh\necho wasmtime 47.0.3\n", { mode: 0o755 });
  const ended = await run(["run", "build/demo.http-async.wasm", "--port", "0"], {
    env: { WATERSPOUT_WASMTIME_ASYNC: early },
  });
  expect(ended).toMatchObject({ code: 1, stdout: "" });
  expect(ended.stderr).toBe(
    `waterspout: ${path.join(ROOT, "build/demo.http-async.wasm")} needs wasmtime 48 or later: ` +
      `${early} is 47.0.3, which loses its requests\n`,
  );
});

test("a component that nothing can serve, and one that ends at once, are errors of one sentence", async () => {
  const empty = path.join(folder, "empty.wasm");
  writeFileSync(empty, Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
  const unserved = await run(["run", empty, "--port", "0"]);
  expect(unserved).toMatchObject({ code: 2, stdout: "" });
  expect(unserved.stderr).toMatch(
    /^waterspout: \S+ is a component that cannot be served: it exports neither [^\n]+\n$/,
  );

  const ended = await run(["run", "build/edge.component-async.wasm", "--port", "0"]);
  expect(ended).toMatchObject({ code: 1, stdout: "" });
  expect(ended.stderr).toMatch(/waterspout: the worker could not be started: it exited with status 1\n$/);
});
