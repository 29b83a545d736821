// A handler in another language, which is a component already, is plugged into the core: examples/rust.
import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Built, EDGE, SERVE_MS } from "./support/edge.js";
import { ROOT, type Server, start } from "./support/ways.js";

const COMPONENT = path.join(ROOT, "build/rust.component-async.wasm");
const isMade = existsSync(COMPONENT);

const built = new Built();
afterAll(() => built.remove());

describe.skipIf(!isMade)("a handler in Rust (`make rust` compiles it, which takes cargo)", () => {
  let server: Server;
  beforeAll(async () => {
    server = await start(EDGE, COMPONENT, [], { serveMs: SERVE_MS });
  }, SERVE_MS);
  afterAll(() => server.stop());

  test("answers at once and later, and its state stays", async () => {
    expect((await server.get("/")).body.toString()).toBe("Hello from Rust, 127.0.0.1: request 1\n");
    expect((await server.get("/")).body.toString()).toBe("Hello from Rust, 127.0.0.1: request 2\n");
    const waited = await Promise.all(Array.from({ length: 20 }, () => server.get("/wait")));
    expect(waited.every(({ status, body }) => status === 200 && body.toString() === "waited\n")).toBe(true);
    expect((await server.get("/nowhere")).status).toBe(404);
  });

  test("takes bodies, at once and in pieces", async () => {
    for (const bytes of [0, 5, 1_000_000]) {
      const body = "x".repeat(bytes);
      const head = `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`;
      expect((await server.request(head + body)).body.toString()).toBe(body);
    }
  });

  test("forgets a client that has left", async () => {
    const client = await server.connect();
    client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").reset();
    expect((await server.get("/wait")).status).toBe(200);
  });
});

test("what is no handler is refused, and says why", async () => {
  const refused = async (source: string): Promise<string> => {
    const { code, stderr } = await built.build(source, "--out", built.at("refused.wasm"));
    expect(code).toBe(1);
    return stderr;
  };
  expect(await refused("build/core.wasm")).toContain("build/core.wasm is no component");
  expect(await refused("build/core.component-async.wasm")).toMatch(/imports wasi:\S+, which a handler is not given/);
  expect(existsSync(built.at("refused.wasm"))).toBe(false);
});
