// What stands around handlers, over real connections and on every runtime: middleware, streams of events, validation.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { NODE, type Server, start, WASMTIME } from "./support/ways.js";

describe.each([NODE, WASMTIME])("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, "test/e2e/apps/services.ts");
  });
  afterAll(() => server.stop());
  const ask = (line: string, ...fields: string[]) =>
    server.request(`${line} HTTP/1.1\r\nHost: x\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`);

  describe("middleware", () => {
    test("fields of every answer, and code behind the handler", async () => {
      const answer = await ask("GET /", "X-Request-Id: one", "Origin: https://app.example.com");
      expect([answer.status, answer.body.toString()]).toEqual([200, "hello"]);
      expect(answer.headers.get("x-request-id")).toBe("one");
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
      expect(answer.headers.get("vary")).toBe("Origin");
      await server.complaint(/^one \/ true$/);
      expect((await ask("GET /nowhere", "X-Request-Id: two")).headers.get("x-request-id")).toBe("two");
    });

    test("a browser's question, and the handler's own body", async () => {
      const question = await ask(
        "OPTIONS /upload",
        "Origin: https://app.example.com",
        "Access-Control-Request-Method: POST",
      );
      expect([question.status, question.headers.get("access-control-allow-methods")]).toEqual([
        204,
        "GET, HEAD, POST, PUT, PATCH, DELETE",
      ]);
      const body = "x".repeat(300_000);
      const sent = await server.request(
        `POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      expect(sent.body.toString()).toBe("300000");
    });

    test("a client that sends too much gets 429, also in front of a body that is not read", async () => {
      for (const _ of [1, 2, 3]) expect((await ask("GET /", "X-Key: busy")).status).toBe(200);
      const refused = await ask("POST /upload", "X-Key: busy", "Content-Length: 5", "Expect: 100-continue");
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "20"]);
      expect((await ask("GET /", "X-Key: other")).status).toBe(200);
    });
  });

  describe("server-sent events", () => {
    test.each([
      ["/events?id=7", "id: 7\nretry: 1\ndata: one\ndata: two\n\n", /^a listener has left$/],
      ["/fetch/events", 'event: greeting\ndata: {"hello":"you"}\n\n', /^a listener of fetch has left$/],
    ])("%s: events, a heartbeat, and an end when the client leaves", async (target, event, left) => {
      const client = await server.connect();
      client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const head = await client.readUntil("\r\n\r\n");
      expect(head.toLowerCase()).toContain("content-type: text/event-stream\r\n");
      expect(await client.readUntil(event)).toContain(event);
      await client.readUntil("\r\n:\n\n\r\n");
      await client.readUntil("\r\n:\n\n\r\n");
      client.close();
      await server.complaint(left);
    });

    test("HEAD has the fields, and no events", async () => {
      const head = await ask("HEAD /events?id=7");
      expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    });

    test("a client that does not read is left, and the server goes on", async () => {
      const client = await server.connect({ silent: true });
      client.send("GET /events?id=1&flood=1 HTTP/1.1\r\nHost: x\r\n\r\n");
      await server.complaint(/^the flood has ended$/);
      client.reset();
      expect((await server.get("/")).status).toBe(200);
    });
  });

  test("validation", async () => {
    const post = (body: string) =>
      server.request(
        "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );
    expect((await post('{"a":1,"b":2}')).body.toString()).toBe("3");
    const refused = await post('{"a":1}');
    expect([refused.status, JSON.parse(refused.body.toString()).issues[0].path]).toEqual([422, ["b"]]);
  });
});
