// Components on wasmtime 46 and 48: the core of what other tests hold of 36 and 49. componentsockets.test.ts has clients that read
// nothing on 48.
import { afterEach, beforeAll, describe, expect, test } from "vitest";

import {
  COMPONENT,
  COMPONENT_ASYNC,
  HTTP,
  HTTP_ASYNC,
  makeComponents,
  onWasmtime,
  type Server,
  start,
} from "./support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/** In a turn wasmtime 48 says of 128 outputs over WASI 0.2 that they have room, and of all others that they have none. */
const CONNECTIONS = 1200;
const MIB = 2 ** 20;

let server: Server;
beforeAll(makeComponents, 300_000);
afterEach(() => server.stop());

describe.each([
  // 46 ends an instance of wasi:http 0.3 in the middle of its requests.
  ...[COMPONENT, COMPONENT_ASYNC, HTTP].map((way) => onWasmtime(46, way)),
  ...[COMPONENT, COMPONENT_ASYNC, HTTP, HTTP_ASYNC].map((way) => onWasmtime(48, way)),
])("$name", (way) => {
  test("it says hello, sleeps, takes and gives large bodies", async () => {
    server = await start(way);
    const client = await server.connect();
    expect((await client.send(GET).readResponse()).body.toString()).toBe("Hello, world");
    const head = `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${MIB}\r\n\r\n`;
    const echo = await client.send(head + "a".repeat(MIB)).readResponse();
    expect(echo.body.equals(Buffer.alloc(MIB, "a"))).toBe(true);
    const big = await client.send(`GET /big?bytes=${8 * MIB} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse();
    expect(big.body.length).toBe(8 * MIB);
    const slept = await client.send("GET /slow?ms=20 HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
    expect(slept.body.toString()).toBe("slept 20 ms");
    expect((await server.request("PUT / HTTP/1.1\r\nHost: x\r\n\r\n")).status).toBe(405);
  });
});

test.each([COMPONENT, COMPONENT_ASYNC].map((way) => onWasmtime(48, way)))(
  "$name: many connections that ask at the same time are all answered, twice",
  async (way) => {
    server = await start(way);
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => server.connect()));
    for (let round = 0; round < 2; round++) {
      server.signal("SIGSTOP"); // so that all ask within one turn
      const answers = clients.map((client) => client.send(GET).readResponse());
      server.signal("SIGCONT");
      for (const { body } of await Promise.all(answers)) expect(body.toString()).toBe("Hello, world");
    }
  },
);
