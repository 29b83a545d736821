// Answers of fetch handlers that are unusual, wrong, or another server's: what reaches the client, and that no other
// request notices.
import { once } from "node:events";
import { createServer, type Server as Upstream } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Response } from "./support/response.js";
import { NODE, type Server, start, WASMTIME } from "./support/ways.js";

const PAGE = "a page of words, ".repeat(400);
const CODED: Record<string, [string | null, Buffer]> = {
  gzip: ["gzip", gzipSync(PAGE)],
  "x-gzip": ["x-gzip", gzipSync(PAGE)],
  deflate: ["deflate", deflateSync(PAGE)],
  br: ["br", brotliCompressSync(PAGE)],
  both: ["deflate, gzip", gzipSync(deflateSync(PAGE))],
  plain: [null, Buffer.from(PAGE)],
};

let upstream: Upstream;
beforeAll(async () => {
  upstream = createServer((request, response) => {
    const [name, how] = (request.url as string).slice(1).split(".");
    const [coding, body] = CODED[name];
    response.setHeader("ETag", '"1"');
    if (coding !== null) response.setHeader("Content-Encoding", coding);
    if (how !== "chunked") response.setHeader("Content-Length", body.length);
    response.end(request.method === "HEAD" ? undefined : body);
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
});
afterAll(() => {
  upstream.close();
  upstream.closeAllConnections();
});

describe.each([NODE, WASMTIME])("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    const { port } = upstream.address() as AddressInfo;
    server = await start(way, "test/e2e/apps/answers.ts", [], { env: { UPSTREAM: `http://127.0.0.1:${port}/` } });
  });
  afterAll(() => server.stop());

  const ask = (target: string, method = "GET"): Promise<Response> =>
    server.request(`${method} ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const length = ({ headers }: Response) => headers.get("content-length") ?? null;

  // RFC 9110 8.6: a length that GET would not have must not be sent.
  test.each([
    ["/get", "22"],
    ["/head", null],
    ["/declared", "8"],
    ["/pieces", null],
  ])("HEAD %s has GET's length or none", async (target, expected) => {
    const [get, head] = [await ask(target), await ask(target, "HEAD")];
    expect([head.status, length(head)]).toEqual([200, expected]);
    if (expected !== null) expect(length(get)).toBe(expected);
  });

  test.each(["/endless", "/uncancellable", "/hanging", "/locked"])("HEAD %s waits for no stream", async (target) => {
    expect((await ask(target, "HEAD")).status).toBe(200);
    if (target === "/endless") await server.complaint(/the stream of HEAD is cancelled/);
  });

  describe.each(["/proxied", "/wrapped", "/merged", "/cloned"])("%s, what fetch gave", (kind) => {
    test.each(Object.keys(CODED))("%s comes whole and without the coding that is gone", async (name) => {
      for (const how of ["length", "chunked"]) {
        const answer = await ask(`${kind}/${name}.${how}`);
        expect([answer.status, answer.body.toString() === PAGE]).toEqual([200, true]);
        expect(answer.headers.has("content-encoding")).toBe(false);
        expect(answer.headers.get("etag")).toBe(name === "plain" ? '"1"' : 'W/"1"');
      }
    });
  });

  test("HEAD of it gets the fields of GET", async () => {
    const [get, head] = [await ask("/proxied/gzip.length"), await ask("/proxied/gzip.length", "HEAD")];
    expect([length(head), head.headers.get("etag")]).toEqual([null, get.headers.get("etag")]);
    expect(head.headers.has("content-encoding")).toBe(false);
    expect(length(await ask("/proxied/plain.length", "HEAD"))).toBe(String(PAGE.length));
  });

  test("statuses without a body have none", async () => {
    const nothing = await ask("/204");
    expect([nothing.status, length(nothing), nothing.headers.get("x-a")]).toEqual([204, null, "1"]);
    const reset = await ask("/205");
    expect([reset.status, length(reset)]).toEqual([205, "0"]);
    const known = await ask("/304");
    expect([known.status, length(known), known.headers.get("etag")]).toEqual([304, "8", '"1"']);
  });

  test.each([
    ["/204-body", /Response/],
    ["/error", /a status is a whole number/],
    ["/used", /GET \/used failed.* has been read already/],
    ["/used-stream", /GET \/used-stream failed.* has been read already/],
    ["/locked", /locked/],
    ["/objects", /data must be a string or a Uint8Array/],
    ["/breaks", /broken at once/],
    ["/shorter", /Content-Length says 8 bytes, the body has 4/],
    ["/longer", /Content-Length says 8 bytes, the body has 17/],
    ["/no-length", /Content-Length cannot be "eight"/],
    ["/control", /GET \/control failed.* a character that must not be in it/],
    ["/control-stream", /GET \/control-stream failed.* a character that must not be in it/],
  ])("%s is 500, with a line that says why", async (target, complaint) => {
    const neighbour = await server.connect();
    expect((await ask(target)).status).toBe(500);
    await server.complaint(complaint);
    const answer = await neighbour.send("GET /get HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
    expect(answer.status).toBe(200); // its worker lives
  });

  test.each([
    ["/breaks-later", /broken later/],
    ["/objects-later", /data must be/],
  ])("%s is cut, so that no client takes it for whole", async (target, complaint) => {
    await expect(ask(target)).rejects.toThrow();
    await server.complaint(complaint);
  });

  test.each(["/pieces", "/strings"])("%s comes as it is written", async (target) => {
    expect((await ask(target)).body.toString()).toBe("good day");
  });

  test("what Connection names is of that connection, too", async () => {
    const { headers } = await ask("/hop");
    expect([headers.has("x-hop"), headers.get("x-end")]).toEqual([false, "1"]);
  });
});
