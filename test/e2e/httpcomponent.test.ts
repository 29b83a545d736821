// A component of wasi:http: what becomes of answers that a handler does not give, or gives wrongly, of bodies both ways,
// and of an instance that serves many requests.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REFUSALS } from "../../host/bridge/refusals.js";
import { rowsBelow } from "../docs/documents.js";
import { importsOf } from "./support/components.js";
import { end } from "./support/programs.js";
import type { Response } from "./support/response.js";
import {
  CLI,
  eventually,
  HTTP,
  HTTP_ASYNC,
  makeComponents,
  ROOT,
  type Server,
  start,
  type Way,
  wasmtime,
} from "./support/ways.js";

/** The sandbox's number of a refusal. */
const refusal = (name: string): number => -2 - REFUSALS.findIndex(([known]) => known === name);

const APPLICATION = `import { HTTPHandler, HTTPServer, HTTPServerRequest, IOLoop, REASON_RESET, REASON_TIMEOUT, Timeout, stats } from "waterspout/assembly";
export { _start, turn } from "waterspout/assembly";

const block: usize = memory.data(32768, 16);

/** Answers. */
class Later extends Timeout {
  constructor(private request: HTTPServerRequest) { super(); }
  run(): void { this.request.respond(200, "text/plain", "later"); }
}

/** Gives more of a body from time to time. */
class Take extends Timeout {
  constructor(private request: HTTPServerRequest) { super(); }
  run(): void { this.request.connection.takeBody(10000); }
}

class Various extends HTTPHandler {
  private received: i32 = 0;
  private left: i32 = 0;
  private requests: i32 = 0;

  headersReceived(request: HTTPServerRequest): void {
    this.requests++;
    if (request.pathIs("/none")) return;
    if (request.pathIs("/trap")) unreachable();
    else if (request.pathIs("/short")) this.answer(request, 5, "abc");
    else if (request.pathIs("/long")) this.answer(request, 2, "abc");
    else if (request.pathIs("/whole")) this.answer(request, 3, "abc");
    else if (request.pathIs("/begun")) { request.startResponse(200, 5); request.write("ab"); request.write("abcd"); }
    else if (request.pathIs("/stop")) { IOLoop.current().callLater(1, new Later(request)); IOLoop.current().stop(); }
    else if (request.pathIs("/twice")) { request.startResponse(200, -1); request.startResponse(200, -1); }
    else if (request.pathIs("/fields")) this.fields(request);
    else if (request.pathIs("/many")) this.many(request, 40);
    else if (request.pathIs("/kept")) this.many(request, 1);
    else if (request.pathIs("/count")) request.respond(200, "text/plain", this.requests.toString());
    else if (request.pathIs("/now")) request.respond(200, "text/plain", stats.stat(stats.REQUESTS_NOW).toString());
    else if (request.pathIs("/leaving")) { this.requestRefused(request.connection, ${refusal("bad_coding")}); request.collectBody(); }
    else if (request.pathIs("/bounded") || request.pathIs("/collected")) this.receive(request);
    else if (request.pathIs("/endless")) { this.left = i32.MAX_VALUE; request.startResponse(200, -1); this.pump(request); }
  }
  dataReceived(request: HTTPServerRequest, source: usize, size: i32): void {
    this.received += size;
    if (!request.credit) IOLoop.current().callLater(1, new Take(request));
  }
  finish(request: HTTPServerRequest): void {
    if (!request.contentLength) return; // without a body it has been answered
    if (request.collects) this.received = request.body.size;
    request.respond(200, "text/plain", this.received.toString());
  }
  onSent(request: HTTPServerRequest): void { if (this.left) this.pump(request); }
  /** Says that the client took nothing for too long, or has left, in the words that there are for a log. */
  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    if (reason == REASON_TIMEOUT) this.requestRefused(request.connection, ${refusal("memory_short")});
    else if (reason == REASON_RESET) this.requestRefused(request.connection, ${refusal("expectation")});
  }

  private answer(request: HTTPServerRequest, size: i32, text: string): void {
    request.startResponse(200, size);
    request.write(text);
    request.finish();
  }
  private fields(request: HTTPServerRequest): void {
    request.startResponse(200, 0);
    let refused = "";
    if (!request.setHeader("Content-Length", "5")) refused += "l";
    if (!request.setHeader("Transfer-Encoding", "chunked")) refused += "t";
    if (!request.setHeader("Connection", "close")) refused += "c";
    if (!request.setHeader("X\\u00e4", "a")) refused += "n";
    if (!request.setHeader("X", "a\\r\\nY: b")) refused += "v";
    request.setHeader("Refused", refused);
    request.setHeader("Set-Cookie", "a=1");
    request.setHeader("Set-Cookie", "b=2");
    request.finish();
  }
  private many(request: HTTPServerRequest, count: i32): void {
    request.startResponse(200, 0);
    request.setHeader("Upgrade", "h2c");
    for (let i = 0; i < count; i++) request.setHeader("X-" + i.toString(), i.toString().repeat(200));
    request.finish();
  }
  private receive(request: HTTPServerRequest): void {
    this.received = 0;
    if (!request.contentLength) return request.respond(200, "text/plain", "0");
    if (request.pathIs("/collected")) return request.collectBody();
    request.credit = 10000;
  }
  private pump(request: HTTPServerRequest): void {
    while (request.waiting == 0 && request.writeBytes(block, 32768)) {}
  }
}
const server = new HTTPServer(new Various());
server.parameters.bodyTimeoutMs = 300;
server.parameters.writeTimeoutMs = 300;
server.parameters.bodyBytesMax = 100000;
server.listen();
`;
const BUILD_MS = 300_000;

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-http-"));
const componentOf = (way: Way): string => path.join(folder, `various.${way.component}.wasm`);

beforeAll(async () => {
  makeComponents();
  mkdirSync(path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "package.json"), "{}");
  symlinkSync(ROOT, path.join(folder, "node_modules/waterspout"));
  writeFileSync(path.join(folder, "various.ts"), APPLICATION);
  for (const way of [HTTP, HTTP_ASYNC]) {
    const build = [
      process.execPath,
      CLI,
      "build",
      path.join(folder, "various.ts"),
      "--target",
      way.component as string,
    ];
    const { code, stdout } = await end(build);
    expect(code).toBe(0);
    expect(stdout).toContain(`serve it with: wasmtime serve -S cli=y --addr 127.0.0.1:8888 ${componentOf(way)}`);
  }
}, BUILD_MS);
afterAll(() => rmSync(folder, { recursive: true }));

test.each([HTTP, HTTP_ASYNC])(
  "$component: its imports are the published list of rights, and nothing else",
  async (way) => {
    const rows = rowsBelow("docs/threat-model.md", `### \`${way.component}\``);
    const published = rows.map(({ import: name }) => name.replaceAll("`", ""));
    expect((await importsOf(path.join(ROOT, way.demo))).sort()).toEqual(published.sort());
  },
);

const MANY = ["--max-instance-reuse-count", "100000"];
describe.each([
  ["0.2, an instance for each request", { ...HTTP, wasmtime: wasmtime() }, []],
  ["0.2, an instance for many requests", { ...HTTP, wasmtime: wasmtime("wasmtime-async") }, MANY],
  ["0.3, an instance for many requests at a time", HTTP_ASYNC, MANY],
])("%s", (_name, way, options) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, componentOf(way), options);
  });
  afterAll(() => server.stop());

  const upload = (target: string, size: number): Promise<Response> =>
    server.request(`POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n${"a".repeat(size)}`);

  test.each([
    ["/none", 500],
    ["/trap", 500],
    ["/twice", 500],
    ["/whole", 200],
  ])("GET %s is answered with %i", async (target, status) => {
    expect((await server.get(target)).status).toBe(status);
    expect((await server.get("/whole")).body.toString()).toBe("abc");
  });

  test("a handler that stops the loop is answered later all the same, and so are others", async () => {
    for (const _ of [1, 2]) {
      expect((await server.get("/stop")).body.toString()).toBe("later");
      expect((await upload("/collected", 50_000)).body.toString()).toBe("50000");
    }
  });

  test.each(["/short", "/long", "/begun"])("GET %s breaks its own length, and is cut short", async (target) => {
    const client = await server.connect();
    await expect(client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse()).rejects.toThrow(/ended/);
    expect((await server.get("/whole")).status).toBe(200);
  });

  test("fields that frame the message, or cannot be fields, are refused; others may come twice", async () => {
    const client = await server.connect();
    const { headers } = await client.send("GET /fields HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
    expect(headers.get("refused")).toBe("ltcnv");
    expect(headers.get("set-cookie")).toMatch(/a=1.*b=2/);
  });

  test("all fields of an answer leave, however many, and without those that are the runtime's", async () => {
    for (const [target, count] of [
      ["/many", 40],
      ["/kept", 1],
      ["/many", 40],
    ] as const) {
      const client = await server.connect();
      const { status, headers } = await client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse();
      expect([status, headers.get("upgrade")]).toEqual([200, undefined]);
      for (let i = 0; i < count; i++) expect(headers.get(`x-${i}`)).toBe(String(i).repeat(200));
      expect(headers.has(`x-${count}`)).toBe(false);
      client.close();
    }
  });

  test.each(["/collected", "/bounded"])("POST %s: bodies up to the limit, and 413 above it", async (target) => {
    for (const size of [1, 9_999, 10_000, 10_001, 99_999, 100_000]) {
      const response = await upload(target, size);
      expect([response.status, response.body.toString()]).toEqual([200, String(size)]);
    }
    expect((await upload(target, 100_001)).status).toBe(413);
    expect((await upload(target, 0)).body.toString()).toBe("0");
  });

  test.each([
    ["GET", "", "0"],
    ["GET", "Content-Length: 0\r\n", "0"],
    ["GET", "Content-Length: 3\r\n", "3"],
    ["GET", "Transfer-Encoding: chunked\r\n", "3"],
    ["POST", "", "0"],
    ["POST", "Transfer-Encoding: chunked\r\n", "3"],
  ])("%s with %j has a body of %s bytes", async (method, field, size) => {
    const body = size === "0" ? "" : field.startsWith("T") ? "3\r\nabc\r\n0\r\n\r\n" : "abc";
    const response = await server.request(`${method} /bounded HTTP/1.1\r\nHost: x\r\n${field}\r\n${body}`);
    expect([response.status, response.body.toString()]).toEqual([200, size]);
  });

  describe("a client that stops or leaves", () => {
    test("a body that does not come is answered with 408", async () => {
      const client = await server.connect();
      client.send("POST /collected HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
      expect((await client.readResponse()).status).toBe(408);
    });

    test.each(["Content-Length: 5", "Transfer-Encoding: chunked"])(
      "a body by %s whose client leaves is no whole one",
      async (field) => {
        const times = (status: string): number => server.output.stderr.split(` ${status}`).length;
        const [begun, left] = [times("400"), times("417")];
        const client = await server.connect();
        client.send(`POST /leaving HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n3\r\n`);
        await eventually("the handler has the request", () => times("400") > begun);
        client.reset();
        await eventually("it has heard that the client has left", () => times("417") > left);
      },
    );

    test("clients that take nothing are given up: their handlers hear of it, and nothing is left of them here", async () => {
      const times = (): number => server.output.stderr.split(" 503").length;
      const before = times();
      const greedy = await Promise.all(Array.from({ length: 4 }, () => server.connect({ silent: true })));
      for (const client of greedy) client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
      // An instance serves one request of 0.2 at a time, and each logs its own; one of 0.3, which knows what is left, logs ten lines a second.
      const lines = way.component === HTTP_ASYNC.component ? 1 : greedy.length;
      await eventually("the handlers have heard of it", () => times() >= before + lines);
      await eventually("none is left", async () => (await server.get("/now")).body.toString() === "1");
      for (const client of greedy) await client.resume().gone(); // until then wasmtime keeps the connection
    });
  });

  test("many at once and one after the other, none left behind", async () => {
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
      for (const [i, client] of clients.entries()) {
        client.send(i % 2 ? "GET /whole HTTP/1.1\r\nHost: x\r\n\r\n" : "POST /collected HTTP/1.1\r\nHost: x\r\n");
        if (i % 4 === 0) client.reset();
      }
      for (const [i, client] of clients.entries()) if (i % 2) await client.readResponse();
      for (const client of clients) client.close();
    }
    const counts = [];
    for (let i = 0; i < 3; i++) counts.push(Number((await server.get("/count")).body));
    if (options.length) expect(Math.max(...counts)).toBeGreaterThan(1);
    else expect(counts).toEqual([1, 1, 1]);
    expect((await server.get("/now")).body.toString()).toBe("1");
  });
});
