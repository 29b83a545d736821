// What an HTTP handler is given, and what a bad one can and cannot do. For the ways whose handlers are TypeScript.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Server, start, type Way } from "../support/ways.js";

const MIB = 1024 * 1024;

export function handlerSuite(way: Way): void {
  describe("handlers", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, "test/e2e/apps/handlers.ts");
    });
    afterAll(() => server.stop());

    describe("answers", () => {
      test("are given the request as it came", async () => {
        const client = await server.connect();
        const head =
          "PUT /a%20b/?q=1&q=%32&r HTTP/1.1\r\nHost: x:80\r\nX-Two:  one \r\nx-two: \xe9\r\nContent-Length: 3\r\n\r\n";
        const response = await client.send(`${head}\xff\0b`).readResponse();
        const seen = JSON.parse(response.body.toString());
        expect(seen).toMatchObject({
          method: "PUT",
          target: "/a%20b/?q=1&q=%32&r",
          path: "/a%20b/",
          version: "HTTP/1.1",
          body: "\xff\0b",
        });
        expect(seen.query).toEqual([
          ["q", "1"],
          ["q", "2"],
          ["r", ""],
        ]);
        const headers = (seen.headers as [string, string][]).map(([name, value]) => [name.toLowerCase(), value]);
        expect(headers).toContainEqual(["host", "x:80"]);
        expect(
          headers
            .filter(([name]) => name === "x-two")
            .map(([, value]) => value)
            .join(", "),
        ).toBe("one, \xe9");
        if (way.runtime === "wasmtime") expect(seen.remoteAddress).toBeNull();
        else expect(seen.remoteAddress).toMatchObject({ address: "127.0.0.1", port: client.socket.localPort });
      });

      test("that throw: 500, logged, and the connection goes on or ends in order", async () => {
        const client = await server.connect();
        const response = await client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
        expect(response.status).toBe(500);
        expect(response.body.toString()).not.toContain("thrown by the handler");
        await server.complaint(/thrown by the handler/);
        expect((await server.get("/")).status).toBe(200);
      });

      test("that throw inside an answer: it is cut, so that no client takes it for whole", async () => {
        const client = await server.connect();
        await expect(client.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).rejects.toThrow();
        await client.gone();
        await server.complaint(/thrown in the middle of the answer/);
        expect((await server.get("/")).status).toBe(200);
      });

      test("that put a line end into a header: 500, and the line never leaves", async () => {
        const response = await server.get("/inject");
        expect(response.status).toBe(500);
        expect([...response.headers.keys()]).not.toContain("set-cookie");
      });

      test("that answer twice: the first counts", async () => {
        const client = await server.connect();
        expect((await client.send("GET /twice HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).body.toString()).toBe(
          "first",
        );
        client.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
        expect((await client.readResponse()).status).toBe(204);
      });

      test("can answer 204, which has no body and no framing", async () => {
        const client = await server.connect();
        for (let i = 0; i < 2; i++) {
          expect((await client.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(204);
        }
      });

      test("that give HEAD no body say no length: GET may have one", async () => {
        const client = await server.connect();
        const head = await client.send("HEAD /go HTTP/1.1\r\nHost: x\r\n\r\n").readResponse("HEAD");
        expect([head.status, head.headers.has("content-length")]).toEqual([200, false]);
        expect(head.headers.has("transfer-encoding")).toBe(false);
        const get = await client.send("GET /go HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
        expect(get.headers.get("content-length")).toBe("0");
      });
    });

    describe("bodies", () => {
      test("can take a body as it comes", async () => {
        const client = await server.connect();
        client
          .send(`POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: ${8 * MIB}\r\n\r\n`)
          .send(Buffer.alloc(8 * MIB));
        expect((await client.readResponse()).body.toString()).toBe(String(8 * MIB));
      });

      test("that do not take a body yet stop its sender; no other client waits", async () => {
        const client = await server.connect();
        client.send("POST /later HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536), Buffer.from("\r\n")]);
        expect(await client.flood(chunk, 16 * MIB)).toBeLessThan(16 * MIB);
        client.reset();
        expect((await server.get("/go")).status).toBe(200);
        await server.complaint(/the body of \/later: STREAM_CLOSED/);
      });

      test("can bound a body's size and time", async () => {
        const post = (target: string, framing: string, body: string) =>
          server.request(`POST ${target} HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n${body}`);
        expect((await post("/bounded", "Content-Length: 10", "0123456789")).body.toString()).toBe("0123456789");
        expect((await post("/bounded", "Content-Length: 11", "0123456789a")).status).toBe(413);
        expect((await post("/bounded", "Transfer-Encoding: chunked", "b\r\n0123456789a\r\n0\r\n\r\n")).status).toBe(
          413,
        );
        expect((await post("/hurried", "Content-Length: 2", "ab")).body.toString()).toBe("ab");
        expect((await post("/hurried", "Content-Length: 2", "a")).status).toBe(408);
      });

      test("are given the trailers that are safe to use", async () => {
        const client = await server.connect();
        client.send("POST /trailers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send("2\r\nab\r\n0\r\nX-Sum: 12\r\nContent-Length: 9\r\nX-Two: \xe9 \r\n\r\n");
        expect(JSON.parse((await client.readResponse()).body.toString())).toEqual([
          ["x-sum", "12"],
          ["x-two", "\xe9"],
        ]);
      });

      test("ask for a body that waits by reading it", async () => {
        const client = await server.connect();
        client.send("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        await server.get("/");
        expect(client.receivedBytes).toBe(0);
        expect((await server.get("/go")).status).toBe(200);
        expect((await client.readResponse()).status).toBe(100);
        expect((await client.send("hello").readResponse()).status).toBe(200);
        expect((await client.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(204);
      });

      test("that answer twice what waits for a read do not ask for it", async () => {
        const client = await server.connect();
        client.send("POST /twice HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        const response = await client.readResponse();
        expect(response.status).toBe(200);
        expect(response.headers.get("connection")).toBe("close");
        await client.expectEnd();
      });

      test("learn that the client is gone", async () => {
        const client = await server.connect();
        client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
        await server.get("/");
        client.reset();
        await server.complaint(/the client of \/wait is gone/);
      });
    });
  });
  describe("handlers that give nothing, or what is no answer", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, "test/e2e/apps/forgetful.ts");
    });
    afterAll(() => server.stop());

    test.each([
      ["/text", "given a string and no answer"],
      ["/later-text", "given an object and no answer"],
      ["/ended", "ended without an answer"],
      ["/forgotten", "ended without an answer"],
      ["/fetch/a", "given a string and no answer"],
    ])("%s: 500, a line that names the route, a line in the access log", async (target, words) => {
      expect((await server.get(target)).status).toBe(500);
      const line = await server.complaint(new RegExp(`${target}.*${words}`));
      expect(line).toMatch(/the handler of the route \/|the handler fallback/);
      await server.complaint(new RegExp(`"target":"${target}","status":500`));
    });

    test("a Response is sent, at once or later", async () => {
      const response = await server.get("/response");
      expect([response.status, response.headers.get("x-of"), response.body.toString()]).toEqual([
        201,
        "Response",
        "a Response\n",
      ]);
      expect((await server.get("/later-response")).body.toString()).toBe('{"later":true}');
      expect((await server.get("/handler")).status).toBe(200); // a RequestHandler finishes by itself
    });

    // "/forgotten" is answered when the collector has run: what is held in any way has outlived it then.
    test.each(["/event", "/ended-and-kept", "/fallback/a"])(
      "%s keeps its request, and answers later",
      async (target) => {
        const client = await server.connect();
        client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
        expect((await server.get("/forgotten")).status).toBe(500);
        expect(client.receivedBytes).toBe(0);
        await server.get("/go");
        expect((await client.readResponse()).status).toBe(200);
      },
    );

    test("a body that is being read keeps its request", async () => {
      const client = await server.connect();
      client.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
      await server.get("/forgotten");
      expect((await client.send("of it.").readResponse()).body.toString()).toBe("10 bytes");
    });

    test("a listener for the client's end is called", async () => {
      const client = await server.connect();
      client.send("GET /leaves HTTP/1.1\r\nHost: x\r\n\r\n");
      await server.get("/forgotten");
      client.reset();
      await server.complaint(/the client of \/leaves is gone/);
    });

    test("a forgotten request whose client leaves first ends in the access log", async () => {
      const client = await server.connect();
      client.send("GET /forgotten?left HTTP/1.1\r\nHost: x\r\n\r\n");
      await server.get("/response"); // by now its handler has been called
      client.reset();
      await server.complaint(/"target":"\/forgotten\?left"/);
      expect((await server.get("/response")).status).toBe(201);
    });
  });
}
