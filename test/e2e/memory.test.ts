// Clients that fill memory: with the sandbox in Node, in a worker process of wasmtime, and as an application of its own
// whose host gives it little.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

import type { Client } from "./support/client.js";
import {
  eventually,
  NODE,
  SANDBOXED_BARE,
  SANDBOXED_NODE,
  SANDBOXED_WASMTIME,
  start,
  WASMTIME,
} from "./support/ways.js";

const MIB = 1 << 20;

describe.each([NODE, WASMTIME])("$name", (way) => {
  test("bodies that handlers do not take fill the sandbox's memory: requests are refused, the worker goes on", async () => {
    const server = await start(way, "test/e2e/apps/memory.ts");
    const body = "x".repeat(500_000);
    const head = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    const clients = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
    for (const client of clients) client.send(head("/held") + body);
    await server.complaint(/refused with 503/);
    for (const client of clients) client.reset();
    await eventually("it serves again", async () => {
      if ((await server.get("/end")).status !== 200) return false;
      const answer = await server.request(head("/") + body);
      return answer.status === 200 && answer.body.toString() === body;
    });
    expect(server.output.stderr).not.toMatch(/worker|ended|malformed/);
    await server.stop();
  });
});

describe.each([NODE, WASMTIME])("$name", (way) => {
  test("bodies that handlers hold, all together: who does not fit is answered with 503, and there is room again", async () => {
    const server = await start(way, "test/e2e/apps/memory.ts");
    const upload = (path: string, bytes: number): string =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`;
    const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
    const answers = clients.map((client) => client.send(upload("/kept", 100_000)).readResponse("POST"));
    let refused = 0;
    for (const answer of answers) void answer.then(({ status }) => (refused += status === 503 ? 1 : 0));
    await eventually("all that can be held are", () => refused >= 14);
    expect((await server.request(upload("/read", 2_000_000))).status).toBe(200);
    await server.get("/end");
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 200 || status === 503).length).toBe(clients.length);
    expect((await server.request(upload("/", 600_000))).status).toBe(200);
    expect((await server.request(upload("/", 600_001))).status).toBe(413);
    for (const client of clients) client.close();
    await server.stop();
  });
});

test("in Node, beyond the connections that it may have as many wait, and further ones are closed", async () => {
  const connections = 256; // of 16 MiB, which is the least room that there is said to be
  const server = await start(NODE, "test/e2e/apps/limited.ts", [], { env: { WATERSPOUT_MEMORY: "64M" } });
  const ask = async (count: number): Promise<Client[]> => {
    const clients = await Promise.all(Array.from({ length: count }, () => server.connect()));
    return clients.map((client) => client.send("GET /bound HTTP/1.1\r\nHost: x\r\n\r\n"));
  };
  const statusesOf = (clients: Client[]): Promise<number[]> =>
    Promise.all(clients.map(async (client) => (await client.readResponse()).status));
  const open = await ask(connections);
  expect(await statusesOf(open)).toEqual(open.map(() => 200));
  const waiting = await ask(connections);
  const [further] = await ask(1);
  await further.gone();
  for (const client of open) client.close();
  expect(await statusesOf(waiting)).toEqual(waiting.map(() => 200));
  await server.stop();
});

// Node 24 does not even start with so little.
const DATA = ["prlimit", `--data=${256 << 20}`];
const startsWithin = spawnSync("prlimit", [...DATA.slice(1), process.execPath, "-e", "0"]).status === 0;
const LIMITS = [
  { limit: "256 MiB of data", options: { wrap: DATA }, isThere: startsWithin },
  { limit: "256 MiB of V8's heap", options: { env: { NODE_OPTIONS: "--max-old-space-size=256" } }, isThere: true },
];

describe.each([NODE, WASMTIME])("$name", (way) => {
  for (const { limit, options, isThere } of LIMITS) {
    test.runIf(isThere)(`a crowd of uploads, far more than fit into ${limit}: each gets an answer`, async () => {
      const server = await start(way, "test/e2e/apps/limited.ts", [], options);
      const upload = Buffer.from(`POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: ${MIB}\r\n\r\n${"x".repeat(MIB)}`);
      const clients = await Promise.all(Array.from({ length: 500 }, () => server.connect()));
      const answers = clients.map((client) => client.send(upload).readResponse("POST"));
      let answered = 0;
      for (const answer of answers) void answer.then(() => answered++);
      await eventually("each is held or answered", async () => {
        const { status, body } = await server.get("/held");
        return status === 200 && answered + Number(body) === clients.length;
      });
      expect((await server.get("/end")).status).toBe(200);
      const responses = await Promise.all(answers);
      const whole = responses.filter(({ status, body }) => status === 200 && body.toString() === String(MIB));
      const refused = responses.filter(({ status, headers }) => status === 503 && headers.has("retry-after"));
      expect(whole.length).toBeGreaterThan(0);
      expect(refused.length).toBeGreaterThan(0);
      expect(whole.length + refused.length).toBe(clients.length);
      for (const client of clients) client.close();
      expect((await server.request(upload.toString().replace("/hold", "/"))).body.toString()).toBe(String(MIB));
      expect(server.output.stderr).not.toMatch(/worker|ended|malformed/);
      await server.stop();
    });
  }
});

test("node: each of several processes counts on its part of what their container may take", async () => {
  const env = { NODE_OPTIONS: "--import=data:text/javascript,process.constrainedMemory=()=>2**30" };
  const bound = async (workers: string): Promise<number> => {
    const server = await start(NODE, "test/e2e/apps/limited.ts", ["--workers", workers], { env });
    const { body } = await server.get("/bound");
    await server.stop();
    return Number(body);
  };
  const alone = await bound("1");
  expect(alone).toBeGreaterThan(64 * MIB);
  expect(await bound("4")).toBeLessThan(alone / 4);
});

const SHORT = [
  { way: SANDBOXED_BARE, args: ["-W", "max-memory-size=40000000"], env: {} },
  { way: SANDBOXED_NODE, args: [], env: { WATERSPOUT_MEMORY: "192M" } },
  { way: SANDBOXED_WASMTIME, args: [], env: { WATERSPOUT_MEMORY: "192M" } },
];

test.each(SHORT)(
  "$way.name: uploads beyond the memory that there is are answered with 503, the others go on",
  async ({ way, args, env }) => {
    const server = await start(way, way.demo, args, { env });
    const body = "x".repeat(1_000_000);
    const head = `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    const clients = await Promise.all(Array.from({ length: 60 }, () => server.connect()));
    for (const client of clients) client.send(head + body.slice(1));
    await server.complaint(/refused with 503/);
    expect((await server.get("/")).status).toBe(200);
    for (const client of clients) client.send("x");
    const answers = await Promise.all(clients.map((client) => client.readResponse("POST")));
    const whole = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 503);
    expect(whole.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    expect(whole.length + refused.length).toBe(clients.length);
    for (const answer of whole) expect(answer.body.length).toBe(body.length);
    for (const answer of refused) expect(answer.headers.get("retry-after")).toBe("1");
    for (const client of clients) client.close();
    expect((await server.request(head + body)).body.length).toBe(body.length);
    await server.stop();
  },
);

test(`${SANDBOXED_BARE.name}: with hardly more memory than its tables take, a crowd is served`, async () => {
  const server = await start(SANDBOXED_BARE, SANDBOXED_BARE.demo, ["-W", "max-memory-size=20000000"]);
  const clients = await Promise.all(Array.from({ length: 200 }, () => server.connect()));
  for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const answers = await Promise.all(clients.map((client) => client.readResponse()));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  for (const client of clients) client.close();
  expect((await server.request("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")).status).toBe(200);
  await server.stop();
});
