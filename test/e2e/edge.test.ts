// An application in TypeScript that becomes one component, without Node: it answers as it does under the command.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "./support/client.js";
import { BOUNDED, Built, EDGE, MAKE_MS, SERVE_MS } from "./support/edge.js";
import { residentBytes } from "./support/processes.js";
import { end } from "./support/programs.js";
import { CLI, NODE, ROOT, type Server, start } from "./support/ways.js";

const built = new Built();
const at = (name: string): string => built.at(name);
afterAll(() => built.remove());

const WAYS = [NODE, EDGE];

describe.each(WAYS)("fetch, $name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await built.serve(way, EDGE.demo);
  }, MAKE_MS);
  afterAll(() => server.stop());

  answerTests(() => server);
  bodyTests(() => server);
  if (way === EDGE) memoryTest(() => server);
});

describe.each(WAYS)("a function, $name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await built.serve(way, "test/e2e/apps/edgefunction.ts");
  }, MAKE_MS);
  afterAll(() => server.stop());

  functionTests(() => server);
});

test("it cannot connect to other servers unless it names the global fetch", () => {
  const connects = (file: string): boolean => readFileSync(at(file)).includes("wasi:sockets/ip-name-lookup");
  expect(connects("edge.wasm")).toBe(false);
});

describe("a handler that does not answer", () => {
  const serve = (timeoutMs: string): Promise<Server> =>
    start(EDGE, built.at("edgefunction.cwasm"), [], { serveMs: SERVE_MS, behind: ["--answer-timeout-ms", timeoutMs] });

  test("in time is 503, and its signal is aborted; what has begun in time goes on", async () => {
    const server = await serve("300");
    const slowly = server.get("/slowly");
    const client = await server.connect();
    expect((await client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(503);
    await server.complaint(/has not answered in time/);
    await server.complaint(/never is aborted/);
    expect((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(200);
    expect((await slowly).body.toString()).toBe("begun in time, and complete");
    await server.stop();
  });

  test("in time is 503 also when it takes nothing of a body, or no more of it; the client's own time does not count", async () => {
    const server = await serve("300");
    const slow = await server.connect();
    slow.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234");
    const large = "x".repeat(700_000);
    for (const target of ["/never", "/ended?2"]) {
      const client = await server.connect();
      expect((await client.send(post(target, large)).readResponse()).status, target).toBe(503);
    }
    expect((await slow.send("56789").readResponse()).body.toString()).toBe("10 bytes");
    await server.stop();
  });

  test("has a time from 0 to a day", async () => {
    await expect(serve("86400001")).rejects.toThrow("--answer-timeout-ms must be a number from 0 to 86400000");
    const environment = ["--env", "WATERSPOUT_ANSWER_TIMEOUT_MS=x"];
    const misled = start(EDGE, built.at("edgefunction.cwasm"), environment, { serveMs: SERVE_MS });
    await expect(misled).rejects.toThrow("WATERSPOUT_ANSWER_TIMEOUT_MS must be a number from 0 to 86400000, not x");
    const server = await serve("86400000");
    expect((await server.get("/slowly")).status).toBe(200);
    await server.stop();
  });
});

test("bodies that are read whole have 64 MiB while they come; one beyond that is 503, and the others go on", async () => {
  const server = await start(EDGE, built.at("edgefunction.cwasm"), BOUNDED, { serveMs: SERVE_MS });
  const bytes = 16 << 20; // as many as one may have
  const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
  for (const client of clients) {
    client.send(`POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`).send(Buffer.alloc(bytes - 1));
  }
  await server.complaint(/BodiesFullError/);
  const answers = clients.map((client) => client.send("x").readResponse());
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.sort()).toEqual([200, 200, 200, 200, 503]);
  await server.stop();
}, 60_000);

const post = (target: string, body: string, fields = ""): string =>
  `POST ${target} HTTP/1.1\r\nHost: x\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

type Serving = () => Server;

function answerTests(serving: Serving): void {
  test("text, JSON, a status of its own, and state that stays", async () => {
    const server = serving();
    const hello = await server.get("/");
    expect([hello.status, hello.body.toString()]).toEqual([200, "Hello, world"]);
    expect(hello.headers.get("content-type")).toBe("text/plain;charset=UTF-8");
    expect(hello.headers.get("content-length")).toBe("12");
    const json = await server.get("/json?q=1&q=%C3%BC");
    expect(JSON.parse(json.body.toString())).toEqual({ method: "GET", q: ["1", "ü"] });
    expect((await server.get("/nowhere")).status).toBe(404);
    const first = Number((await server.get("/visits")).body);
    expect(Number((await server.get("/visits")).body)).toBe(first + 1);
  });

  test("fields both ways, of latin-1", async () => {
    const server = serving();
    const client = await server.connect();
    client.send(Buffer.from("GET /fields HTTP/1.1\r\nHost: x\r\nX-Sent: gr\xfc\xdfe\r\n\r\n", "latin1"));
    const head = await client.readUntil("\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 204 /);
    expect(Buffer.from(head, "utf8").toString()).toContain("x-seen: ");
    expect(head.match(/^set-cookie: .*$/gim)?.length).toBe(2);
    expect(head).not.toContain("timeout=7");
  });

  test("an address is what the target and the Host field make", async () => {
    const server = serving();
    const address = async (target: string, host: string): Promise<string> =>
      (await server.request(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).body.toString();
    expect(await address("/address?x=1", "Example.org:80")).toBe("http://example.org/address?x=1");
    expect(await address("/a/../address", "127.0.0.1:61000")).toBe("http://127.0.0.1:61000/address");
    expect(await address("/address", "[::1]:81")).toBe("http://[::1]:81/address");
    expect((await server.request("GET / HTTP/1.1\r\nHost: 1.2.3.256\r\n\r\n")).status).toBe(400);
    expect(await address("/address", "a")).toBe("http://a/address");
  });

  test("a hundred handlers wait at once", async () => {
    const server = serving();
    const begun = performance.now();
    const answers = await Promise.all(Array.from({ length: 100 }, () => server.get("/wait?ms=300")));
    expect(answers.every(({ status, body }) => status === 200 && body.toString() === "waited")).toBe(true);
    expect(performance.now() - begun).toBeLessThan(100 * 300);
  });

  test("what a handler throws, or gives that is no Response, is 500, and the log says it", async () => {
    const server = serving();
    for (const target of ["/throw", "/reject", "/wrong"]) expect((await server.get(target)).status, target).toBe(500);
    await server.complaint(/Error: on purpose/);
    const lines = readFileSync(path.join(ROOT, EDGE.demo), "utf8").split("\n");
    const place = await server.complaint(/\/throw.*edge\.ts:\d+/);
    const line = Number(/edge\.ts:(\d+)/.exec(place)?.[1]);
    expect(lines[line - 1]).toContain('new Error("on purpose")');
    await server.complaint(/Error: later, on purpose/);
    expect((await server.get("/")).status).toBe(200);
  });

  test("a Hono application", async () => {
    const server = serving();
    const found = await server.request("GET /users/7 HTTP/1.1\r\nHost: x\r\nX-Agent: smith\r\n\r\n");
    expect(JSON.parse(found.body.toString())).toEqual({ id: "7", agent: "smith" });
    const created = await server.request(post("/users", '{"name":"Bob"}', "Content-Type: application/json\r\n"));
    expect([created.status, created.body.toString()]).toEqual([201, '{"name":"Bob"}']);
    expect((await server.request(post("/users", "["))).status).toBe(500);
    expect((await server.get("/users/a/b")).status).toBe(404);
  });

  test("a client that leaves aborts the signal of its request", async () => {
    const server = serving();
    const client = await server.connect();
    client.send("GET /gone HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.complaint(/^here$/);
    client.reset();
    await server.complaint(/gone: AbortError/);
  });
}

function bodyTests(serving: Serving): void {
  test("bodies: small, in pieces, larger than any window, and back", async () => {
    const server = serving();
    const text = await server.request(post("/text", Buffer.from("grüße").toString("latin1")));
    expect(text.body.toString()).toBe("5 characters");
    const large = Buffer.alloc(3_000_000, "0123456789");
    const client = await server.connect();
    client.send(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${large.length}\r\n\r\n`).send(large);
    expect((await client.readResponse()).body.equals(large)).toBe(true);
    client.send("POST /text HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    client.send("2\r\nde\r\n0\r\n\r\n");
    expect((await client.readResponse()).body.toString()).toBe("5 characters");
    client.send("POST /text HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    expect(await client.readUntil("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect((await client.send("abc").readResponse()).body.toString()).toBe("3 characters");
  });

  test("a body that no handler reads does not stop the next request", async () => {
    const server = serving();
    const client = await server.connect();
    expect((await client.send(post("/nowhere", "x".repeat(100_000))).readResponse()).status).toBe(404);
    expect((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(200);
  });

  test("an answer in pieces, and one that breaks off", async () => {
    const server = serving();
    const pieces = await server.get("/pieces");
    expect(pieces.headers.get("transfer-encoding")).toBe("chunked");
    expect(pieces.body.toString()).toBe("piece 0\npiece 1\npiece 2\npiece 3\npiece 4\n");
    const client = await server.connect();
    client.send("GET /broken HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.readUntil("\r\n\r\n");
    expect((await client.readToEnd()).toString()).not.toContain("\r\n0\r\n");
    expect((await server.get("/")).status).toBe(200);
  });

  test("HEAD has no body, and the connection goes on", async () => {
    const server = serving();
    const client = await server.connect();
    const head = await client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse("HEAD");
    expect(head.headers.get("content-length")).toBe("12");
    expect((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).body.toString()).toBe(
      "Hello, world",
    );
  });
}

/** A peer asks over so many connections at once. */
const AT_ONCE = 20;
const ASKED = 2000;
const KEPT_BYTES_MAX = 250;

/** Less than the objects of one request take. */
function memoryTest(serving: Serving): void {
  const ask = async (request: string): Promise<void> => {
    const clients = await Promise.all(Array.from({ length: AT_ONCE }, () => serving().connect()));
    const askOften = async (client: Client): Promise<void> => {
      for (let i = 0; i < ASKED / AT_ONCE; i++) expect((await client.send(request).readResponse()).status).toBe(200);
      client.close();
    };
    await Promise.all(clients.map(askOften));
  };
  /** Bytes that stay of a request, when enough of them have been there before. */
  const kept = async (request: string): Promise<number> => {
    await ask(request);
    const before = residentBytes(serving().pid);
    await ask(request);
    return (residentBytes(serving().pid) - before) / ASKED;
  };
  const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;

  test.each([
    ["handlers that answer at once", get("/")],
    ["handlers that wait", get("/wait?ms=1")],
    ["timers that are cleared before their time", get("/cleared")],
    ["bodies that are read", post("/text", "x".repeat(1000))],
    ["bodies that come in pieces and go as streams", post("/echo", "x".repeat(20_000))],
  ])("%s leave nothing in memory", async (_, request) => {
    expect(await kept(request)).toBeLessThan(KEPT_BYTES_MAX);
  });

  test("what a handler keeps is seen in memory", async () => {
    expect(await kept(get("/kept"))).toBeGreaterThan(KEPT_BYTES_MAX);
  });
}

function functionTests(serving: Serving): void {
  const of = async (target: string): Promise<[number, string]> => {
    const { status, body } = await serving().get(target);
    return [status, body.toString()];
  };

  test("has Buffer and hashes that refuse what Node's do", async () => {
    const { made, parts, errors } = JSON.parse((await of("/buffers"))[1]);
    expect([made, parts]).toEqual([
      ["61", "62", "0102"],
      ["ab", ""],
    ]);
    expect(errors).toEqual(Array.from({ length: 20 }, () => "TypeError"));
  });

  test("is given the request as it came", async () => {
    const fields = "X-Two: one\r\nx-two: two\r\nCookie: a=1; b=2\r\n";
    const { headers, body } = await serving().request(post("/seen?q=1&q=%C3%BC", "abc", fields));
    expect(headers.get("x-made")).toBe("a, b");
    expect(JSON.parse(body.toString())).toEqual({
      ...{ method: "POST", target: "/seen?q=1&q=%C3%BC", path: "/seen", host: "x", contentLength: 3 },
      url: "http://x/seen?q=1&q=%C3%BC",
      query: [
        ["q", "1"],
        ["q", "ü"],
      ],
      ...{ two: ["one", "two"], joined: "one, two", size: 5, address: "127.0.0.1" },
      cookies: [
        ["a", "1"],
        ["b", "2"],
      ],
    });
  });

  test("answers at once, later, bit by bit, and with a Response", async () => {
    expect(await of("/")).toEqual([200, "Hello, world"]);
    expect(await of("/later")).toEqual([201, "later"]);
    expect(await of("/response")).toEqual([202, "a Response"]);
    expect(await of("/stream")).toEqual([200, "piece 0\npiece 1\npiece 2\n"]);
    const sized = await serving().get("/sized");
    expect([sized.headers.get("content-length"), sized.body.toString()]).toEqual(["6", "abcdef"]);
    const client = await serving().connect();
    for (const target of ["/sized", "/stream"]) {
      const head = await client.send(`HEAD ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse("HEAD");
      expect(head.status, target).toBe(200);
    }
    expect(await of("/nowhere")).toEqual([404, ""]);
  });

  test("reads bodies whole, bounded, and piece by piece", async () => {
    const answer = async (target: string, bytes: number): Promise<string> =>
      (await serving().request(post(target, "x".repeat(bytes)))).body.toString();
    for (const bytes of [0, 5, 700_000]) {
      expect(await answer("/read", bytes)).toBe(`${bytes} bytes`);
      expect(await answer("/count", bytes)).toBe(`${bytes}`);
    }
    expect(await answer("/bounded", 10)).toBe("all");
    expect(await answer("/bounded", 11)).toBe("BODY_TOO_LARGE");
    expect(await answer("/bounded", 700_000)).toBe("BODY_TOO_LARGE");
  });

  test("that fails is 500, or cut when its answer has begun; others go on", async () => {
    const server = serving();
    for (const target of ["/throw", "/nothing", "/wrong"]) expect((await server.get(target)).status, target).toBe(500);
    await server.complaint(/Error: on purpose/);
    await server.complaint(/without an answer/);
    expect(await of("/twice")).toEqual([200, "once"]);
    await server.complaint(/the request has been answered/);
    expect(await of("/both")).toEqual([200, "once"]);
    await server.complaint(/\/both/);
    const client = await server.connect();
    await expect(client.send("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).rejects.toThrow();
    await server.complaint(/in the middle, on purpose/);
    expect(await of("/")).toEqual([200, "Hello, world"]);
  });

  test("whose client has ended its side has the whole body, and its connection ends", async () => {
    const server = serving();
    const ended = async (target: string, begun: RegExp): Promise<string> => {
      const client = await server.connect();
      client.send(`POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234`);
      await server.complaint(begun);
      client.send("56789").halfClose();
      return (await client.readToEnd()).toString();
    };
    expect(await ended("/ended?0", /^begun 0$/)).toContain("10 bytes");
    const pieces = await ended("/ended?1", /^begun 1$/);
    expect(pieces).toMatch(/10 bytes\r\n.*, piece 0\r\n.*, piece 1\r\n.*, piece 2\r\n0\r\n\r\n$/s);
  });

  test("whose client leaves sees its signal aborted", async () => {
    const server = serving();
    const client = await server.connect();
    client.send("GET /gone HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.complaint(/^here$/);
    client.reset();
    await server.complaint(/^gone$/);
  });
}

test("the platform gives the answers that Node gives", async () => {
  const app = "test/e2e/apps/platform.ts";
  const { code, stderr } = await built.build(app, "--out", at("platform.wasm"));
  expect(code, stderr).toBe(0);
  const [node, edge] = [await start(NODE, app), await start(EDGE, at("platform.wasm"), [], { serveMs: SERVE_MS })];
  const questions = JSON.parse((await node.get("/")).body.toString()) as string[];
  expect(questions.length).toBeGreaterThan(5);
  for (const question of questions) {
    const [expected, given] = [await node.get(`/${question}`), await edge.get(`/${question}`)];
    expect(expected.status, question).toBe(200);
    expect(given.body.toString(), question).toBe(expected.body.toString());
  }
  for (const [count, outcome] of [[1000, ["no error", 1000]] as const, [1001, "TypeError"] as const]) {
    expect(JSON.parse((await edge.get(`/parts?count=${count}`)).body.toString())).toEqual(outcome);
  }
  const bomb = deflateRawSync(Buffer.alloc(8 << 20)).toString("latin1");
  expect(JSON.parse((await edge.request(post("/inflated", bomb))).body.toString())).toEqual([true, "Error"]);
  const names = platformTable();
  expect(names.length).toBeGreaterThan(30);
  const asked = names.map(([name]) => `name=${name}`).join("&");
  expect(JSON.parse((await edge.get(`/has?${asked}`)).body.toString())).toEqual(names);
  await node.stop();
  await edge.stop();
}, 120_000);

/** The names in the table of docs/edge.md, and whether it says that they are there. */
function platformTable(): [name: string, isThere: boolean][] {
  const [, section = ""] = readFileSync(path.join(ROOT, "docs/edge.md"), "utf8").split("\n## The platform\n");
  const rows = section.split("\n## ")[0]?.match(/^\| `.*$/gm) ?? [];
  return rows.flatMap((row) => {
    const [, names = "", text = ""] = row.split("|");
    return [...names.matchAll(/`([\w.]+)`/g)].map(([, name = ""]): [string, boolean] => [
      name,
      !text.trim().startsWith("no"),
    ]);
  });
}

test("a handler without end has a bound on its memory; what ends its component leaves one that starts as before", async () => {
  const { code, stderr } = await built.build("test/e2e/apps/edgeendless.ts", "--out", at("endless.wasm"));
  expect(code, stderr).toBe(0);
  const serve = (): Promise<Server> =>
    start(EDGE, at("endless.wasm"), ["-W", `max-memory-size=${64 << 20}`], { serveMs: SERVE_MS });
  const first = await serve();
  expect((await first.get("/eat")).status).toBe(500);
  await first.complaint(/out of memory/);
  expect((await first.get("/")).status).toBe(200);
  const client = await first.connect();
  await client.send("GET /deep HTTP/1.1\r\nHost: x\r\n\r\n").gone();
  expect((await first.exited).code).not.toBe(0);
  const second = await serve();
  expect((await second.get("/")).status).toBe(200);
  await second.stop();
}, 120_000);

test("what a component does not have is named, with file and line", async () => {
  writeFileSync(at("system.ts"), 'import os from "os";\nexport const host = os.hostname();\n');
  writeFileSync(at("helper.ts"), 'export { host } from "./system.ts";\n');
  const source =
    'import { readFileSync } from "node:fs";\nimport { host } from "./helper.ts";\nimport native from "./x.node";\n' +
    "export default { fetch: () => new Response(host + readFileSync + native) };\n";
  writeFileSync(at("wrong.ts"), source);
  const { code, stderr } = await built.build(at("wrong.ts"));
  expect(code).toBe(1);
  expect(stderr).toContain("a component has no module node:fs\n   in wrong.ts(1,30)");
  expect(stderr).toContain("node:os, which wrong.ts imports by way of helper.ts, system.ts\n   in system.ts(1,16)");
  expect(stderr).toContain("a component has no native modules: ./x.node\n   in wrong.ts(3,20)");
  expect(stderr).toContain("wrong.ts has 3 errors");
});

test(
  "a module that cannot be loaded, and one without a handler",
  async () => {
    writeFileSync(at("throws.ts"), 'throw new Error("at once");\nexport default { fetch: () => new Response() };\n');
    expect(await built.build(at("throws.ts"))).toMatchObject({ code: 1, stderr: expect.stringContaining("at once") });
    writeFileSync(at("nothing.ts"), "export default 1;\n");
    const nothing = await built.build(at("nothing.ts"));
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no function, no Application and no object with fetch"),
    });
    const secure = "export default new (class extends TCPServer {})({ sslOptions: {} });\n";
    writeFileSync(at("secure.ts"), `import { TCPServer } from "waterspout";\n${secure}`);
    expect(await built.build(at("secure.ts"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("has no TLS"),
    });
    writeFileSync(at("listener.ts"), "export default (request, response) => response.end();\n");
    const listener = await built.build(at("listener.ts"));
    expect(listener).toMatchObject({ code: 1, stderr: expect.stringContaining("Node's kind") });
    const module = await end([process.execPath, CLI, "build", at("nothing.ts")], ROOT);
    expect(module).toMatchObject({ code: 1, stderr: expect.stringContaining("--target component-async") });
  },
  MAKE_MS,
);
