// The demo's contract, route by route: examples/demo.ts and examples/sandboxed/demo.ts must not differ in anything that
// shows.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { isHTTP, type Server, start, type Way } from "../support/ways.js";

const MIB = 1024 * 1024;
const CLOSE = "Connection: close\r\n\r\n";

export function demoSuite(way: Way): void {
  /** Of connections and framing, which are the runtime's over wasi:http. */
  const testOurs = test.skipIf(isHTTP(way));

  describe("demo", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way);
    });
    afterAll(() => server.stop());

    test("GET / says hello", async () => {
      const response = await server.get("/");
      expect(response).toMatchObject({ status: 200, reason: "OK" });
      expect(response.headers.get("content-type")).toMatch(/^text\/plain\b/);
      expect(response.headers.get("content-length")).toBe("12");
      expect(response.body.toString()).toBe("Hello, world");
    });

    test("a query does not change the route", async () => {
      expect((await server.get("/?a=b")).body.toString()).toBe("Hello, world");
    });

    testOurs("a target without a path is / (RFC 9110 4.2.3)", async () => {
      for (const target of ["http://x", "http://x?a=b"])
        expect((await server.get(target)).body.toString()).toBe("Hello, world");
    });

    test.each(["/nowhere", "/echo/", "//", "/Slow?ms=1", "/constructor", "/%00"])(
      "GET %s is not found",
      async (target) => {
        const response = await server.get(target);
        expect(response.status).toBe(404);
        expect(response.body.toString()).toBe("Not Found");
      },
    );

    test.each([
      ["POST", "/", "GET"],
      ["DELETE", "/slow?ms=1", "GET"],
      ["PUT", "/stream?chunks=1", "GET"],
      ["OPTIONS", "/big?bytes=1", "GET"],
      ["GET", "/echo", "POST"],
      ["HEAD", "/echo", "POST"],
      ["HEAD", "/ws", "GET"],
      ["constructor", "/", "GET"],
      ["get", "/", "GET"],
    ])("%s %s is not allowed", async (method, target, allowed) => {
      const response = await server.request(`${method} ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(response.status).toBe(405);
      const methods = response.headers.get("allow")?.split(/, ?/) ?? [];
      expect(methods).toContain(allowed);
      expect(methods).not.toContain(method);
    });

    test.each([
      ...["/slow?ms=", "/stream?chunks=", "/big?bytes="].flatMap((route) =>
        ["", "x", "-1", "1.5", "0x10", "1e2", "%20", "99999999999999999999"].map((value) => route + value),
      ),
      ...["/slow", "/slow?ms=60001", "/stream?chunks=1001", "/big?bytes=16777217", "/big?byte=1"],
    ])("GET %s has a bad parameter", async (target) => {
      const response = await server.get(target);
      expect([response.status, response.body.toString()]).toEqual([400, "Bad Request"]);
    });

    describe("HEAD", () => {
      test.each(["/", "/big?bytes=100000", "/slow?ms=1", "/nowhere", "/slow?ms=x"])(
        "%s: GET's head alone",
        async (target) => {
          const get = await server.get(target);
          const client = await server.connect();
          const head = await client.send(`HEAD ${target} HTTP/1.1\r\nHost: x\r\n${CLOSE}`).readResponse("HEAD");
          await client.expectEnd();
          expect(head.status).toBe(get.status);
          for (const name of ["content-length", "content-type"])
            expect(head.headers.get(name)).toBe(get.headers.get(name));
        },
      );

      test("/stream: no chunk, and the connection goes on", async () => {
        const client = await server.connect();
        const head = await client.send("HEAD /stream?chunks=3 HTTP/1.1\r\nHost: x\r\n\r\n").readResponse("HEAD");
        expect(head.status).toBe(200);
        const next = await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
        expect(next.body.toString()).toBe("Hello, world");
      });
    });

    describe("POST /echo", () => {
      const sizes = [0, 1, 2, 1000, 16_384, 65_536, 65_537, 300_000, 16 * MIB];

      test.each(sizes)("%i bytes by Content-Length", async (size) => {
        const body = randomBytes(size);
        const client = await server.connect();
        client.send(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`).send(body);
        const response = await client.readResponse();
        expect(response.status).toBe(200);
        expect(response.body.equals(body)).toBe(true);
        client.close();
      });

      test.each(sizes)("%i bytes in chunks", async (size) => {
        const body = randomBytes(size);
        const client = await server.connect();
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (const piece of pieces(body)) {
          client
            .send(`${piece.length.toString(16)}\r\n`)
            .send(piece)
            .send("\r\n");
        }
        const response = await client.send("0\r\n\r\n").readResponse();
        expect(response.status).toBe(200);
        expect(response.body.equals(body)).toBe(true);
        client.close();
      });

      test("5000 chunks of one byte", async () => {
        const body = randomBytes(5000);
        const client = await server.connect();
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(Buffer.concat([...body].map((byte) => Buffer.from([0x31, 13, 10, byte, 13, 10]))));
        const response = await client.send("0\r\n\r\n").readResponse();
        expect(response.body.equals(body)).toBe(true);
      });

      test("more than 16 MiB is too large, said before the body", async () => {
        const client = await server.connect();
        client.send(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${16 * MIB + 1}\r\n\r\n`);
        expect((await client.readResponse()).status).toBe(413);
        await client.expectEnd();
      });

      testOurs("more than 16 MiB in chunks is too large", async () => {
        const client = await server.connect();
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        const chunk = Buffer.concat([Buffer.from("100000\r\n"), randomBytes(MIB), Buffer.from("\r\n")]);
        for (let i = 0; i < 16; i++) client.send(chunk);
        const response = await client.send("1\r\n!\r\n0\r\n\r\n").readResponse();
        expect(response.status).toBe(413);
        await client.expectEnd();
      });
    });

    describe("GET /slow", () => {
      test.each([0, 1, 300])("%i ms", async (ms) => {
        const start = performance.now();
        const response = await server.get(`/slow?ms=${ms}`);
        expect(response.body.toString()).toBe(`slept ${ms} ms`);
        expect(performance.now() - start).toBeGreaterThanOrEqual(ms - 1);
      });

      test("holds up no other request", async () => {
        const slow = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
        for (const client of slow) client.send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
        for (let i = 0; i < 50; i++) expect((await server.get("/")).status).toBe(200);
        for (const client of slow) {
          expect(client.receivedBytes).toBe(0);
          client.reset();
        }
      });

      test("twenty sleep side by side", async () => {
        const start = performance.now();
        const answers = await Promise.all(Array.from({ length: 20 }, () => server.get("/slow?ms=1000")));
        for (const { body } of answers) expect(body.toString()).toBe("slept 1000 ms");
        expect(performance.now() - start, "one after the other would take 20 s").toBeLessThan(15_000);
      });
    });

    describe("GET /stream", () => {
      test("no chunks are an empty body", async () => {
        expect((await server.get("/stream?chunks=0")).body.length).toBe(0);
      });

      testOurs.each([1, 2, 1000])("%i chunks, each its own on the wire", async (chunks) => {
        const response = await server.get(`/stream?chunks=${chunks}`);
        expect(response.headers.get("transfer-encoding")).toBe("chunked");
        expect(response.chunks!.map(String)).toEqual(Array.from({ length: chunks }, (_, i) => `chunk ${i}\n`));
      });

      testOurs("HTTP/1.0 knows no chunks: the body runs to the end", async () => {
        const client = await server.connect();
        const response = await client.send("GET /stream?chunks=3 HTTP/1.0\r\n\r\n").readResponse();
        expect(response.chunks).toBeNull();
        expect(response.body.toString()).toBe("chunk 0\nchunk 1\nchunk 2\n");
      });
    });

    describe("GET /big", () => {
      test.each([0, 1, 65535, 65536, 1_000_000, 16 * MIB])("%i bytes", async (bytes) => {
        const response = await server.get(`/big?bytes=${bytes}`);
        expect(response.headers.get("content-length")).toBe(String(bytes));
        expect(response.body.equals(Buffer.alloc(bytes, "x"))).toBe(true);
      });

      test("to ten clients at once", async () => {
        const responses = await Promise.all(Array.from({ length: 10 }, () => server.get(`/big?bytes=${4 * MIB}`)));
        for (const { body } of responses) expect(body.equals(Buffer.alloc(4 * MIB, "x"))).toBe(true);
      });
    });
  });
}

/** The body in pieces of very different sizes, from a byte up. */
function* pieces(body: Buffer): Generator<Buffer> {
  for (let at = 0, size = 1; at < body.length; at += size, size = (size * 3) % 100_003) {
    yield body.subarray(at, at + size);
  }
}
