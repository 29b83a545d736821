// HTTP/1.1 on the wire: the corpus, then everything that takes more than one request to see.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ACCEPTED, MISFRAMED, REFUSED } from "../../../host/cli/attack/vectors.js";
import type { Client } from "../support/client.js";
import type { Response } from "../support/response.js";
import { type Server, start, type Way } from "../support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const POST = "POST /echo HTTP/1.1\r\nHost: x\r\n";

export function httpSuite(way: Way): void {
  describe("http", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way);
    });
    afterAll(() => server.stop());

    test("a refused request is logged, with its reason", async () => {
      const client = await server.connect();
      await expectRefusal(client.send("GET / HTTP/1.1\r\n\r\n"), 400);
      await server.complaint(/a request (from \S+ )?was refused with 400: The request has no Host/);
    });

    describe.each(["whole", "a byte at a time"])("sent %s", (how) => {
      // A byte at a time shows each place where a short request can be cut; a long one is cut in some hundred places.
      const send = (client: Client, bytes: string): Promise<void> =>
        client.sendInPieces(bytes, how === "whole" ? bytes.length : bytes.length > 2000 ? 997 : 1);

      for (const { name, bytes, status, body } of ACCEPTED) {
        test(`${name} → ${status}`, async () => {
          const client = await server.connect();
          await send(client, bytes);
          const response = await client.readResponse();
          expect(response.status).toBe(status);
          if (body !== undefined) expect(response.body.toString("latin1")).toBe(body);
          // Exactly the request was consumed: not a byte less, not a byte more.
          if (!bytes.includes("HTTP/1.0")) expect((await client.send(GET).readResponse()).status).toBe(200);
          client.close();
        });
      }

      for (const { name, bytes, status } of [...REFUSED, ...MISFRAMED]) {
        test(`${name} → ${status}`, async () => {
          const client = await server.connect();
          await send(client, bytes);
          await expectRefusal(client, status);
        });
      }
    });

    test("a refused request takes those behind it along, none of them is answered", async () => {
      const client = await server.connect();
      client.send(`${GET}asdf\r\n\r\n${GET}${GET}`);
      expect((await client.readResponse()).status).toBe(200);
      await expectRefusal(client, 400);
    });

    test("a refused HEAD gets its status and no body", async () => {
      const client = await server.connect();
      const response = await client.send("HEAD / HTTP/1.1\r\n\r\n").readResponse("HEAD");
      expect(response.status).toBe(400);
      expect(Number(response.headers.get("content-length"))).toBeGreaterThan(0);
      await client.expectEnd();
    });

    test("OPTIONS * is answered, with a body or without", async () => {
      const client = await server.connect();
      for (const body of ["", "hello"]) {
        client.send(`OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        expect((await client.readResponse()).status).toBe(204);
      }
      expect((await client.send(GET).readResponse()).status).toBe(200);
    });

    test("a refusal arrives although the client goes on sending", async () => {
      const client = await server.connect();
      client.send("asdf\r\n\r\n").send(Buffer.alloc(512 * 1024, "x"));
      await expectRefusal(client, 400);
    });

    describe("keep-alive", () => {
      test("two requests, one connection", async () => {
        const client = await server.connect();
        for (let i = 0; i < 2; i++) expect((await client.send(GET).readResponse()).status).toBe(200);
      });

      test("a body leaves nothing behind", async () => {
        const client = await server.connect();
        for (const body of ["one", "", GET, "0\r\n\r\n"]) {
          client.send(`${POST}Content-Length: ${body.length}\r\n\r\n${body}`);
          expect((await client.readResponse()).body.toString()).toBe(body);
        }
      });

      test.each(["close", "CLOSE", "x, close", "close, x"])("Connection: %s ends it", async (value) => {
        const client = await server.connect();
        client.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: ${value}\r\n\r\n${GET}`);
        const response = await client.readResponse();
        expect(response.headers.get("connection")).toBe("close");
        await client.expectEnd();
      });

      test("HTTP/1.0 ends it", async () => {
        const client = await server.connect();
        const response = await client.send("GET / HTTP/1.0\r\nHost: x\r\n\r\n").readResponse();
        expect(response.headers.get("connection") ?? "close").toBe("close");
        await client.expectEnd();
      });

      test("HTTP/1.0 with keep-alive goes on", async () => {
        const client = await server.connect();
        for (let i = 0; i < 2; i++) {
          client.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
          const response = await client.readResponse();
          expect(response.headers.get("connection")?.toLowerCase()).toBe("keep-alive");
          expect(response.body.toString()).toBe("Hello, world");
        }
      });

      test("an empty line between requests is forgiven", async () => {
        const client = await server.connect();
        for (let i = 0; i < 3; i++) expect((await client.send(`${GET}\r\n`).readResponse()).status).toBe(200);
      });

      test("a body that its handler did not want is never taken for a request", async () => {
        const client = await server.connect();
        client.send(`POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: ${GET.length}\r\n\r\n${GET}`);
        client.send("GET /big?bytes=7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        const first = await client.readResponse();
        expect(first.status).toBe(404);
        if (first.headers.get("connection") !== "close") expect((await client.readResponse()).body.length).toBe(7);
        await client.expectEnd();
      });

      test.each([
        ["/nowhere", 404, 12_000_000],
        ["/echo", 413, 20_000_000],
      ])(
        "a client that sends all of its upload before it reads finds the early answer: %s, %i",
        async (path, status, bytes) => {
          const client = await server.connect({ silent: true });
          client.send(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`);
          expect(await client.flood(Buffer.alloc(1_000_000, "x"), bytes, 10_000)).toBe(bytes);
          const response = await client.resume().readResponse();
          expect([response.status, response.headers.get("connection")]).toEqual([status, "close"]);
          await client.expectEnd();
          client.close();
        },
      );

      test("a client that ends its side after the request still gets the answer", async () => {
        const client = await server.connect();
        const response = await client.send("GET /slow?ms=300 HTTP/1.1\r\nHost: x\r\n\r\n").halfClose().readResponse();
        expect(response.body.toString()).toBe("slept 300 ms");
        await client.expectEnd();
      });

      test("a client that ends its side inside a body that its handler did not want still gets the answer", async () => {
        const client = await server.connect();
        client.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc").halfClose();
        expect((await client.readResponse()).status).toBe(404);
        await client.expectEnd();
      });

      test("a client that ends its side without a request gets an end, no answer", async () => {
        const client = await server.connect();
        await client.halfClose().expectEnd();
      });

      test("a client that ends its side inside a head gets no 200", async () => {
        const client = await server.connect();
        const rest = (await client.send("GET / HTTP/1.1\r\nHo").halfClose().readToEnd()).toString("latin1");
        expect(rest).toMatch(/^($|HTTP\/1\.1 400 )/);
      });
    });

    describe("pipelining", () => {
      test("a hundred requests in one packet are answered in order", async () => {
        const client = await server.connect();
        client.send(Array.from({ length: 100 }, (_, i) => `GET /big?bytes=${i} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
        for (let i = 0; i < 100; i++) expect((await client.readResponse()).body.length).toBe(i);
      });

      test("a slow one is not overtaken", async () => {
        const client = await server.connect();
        client.send(`GET /slow?ms=200 HTTP/1.1\r\nHost: x\r\n\r\n${GET}${POST}Content-Length: 2\r\n\r\nhi${GET}`);
        const bodies: Response[] = [];
        for (let i = 0; i < 4; i++) bodies.push(await client.readResponse());
        expect(bodies.map(({ body }) => body.toString())).toEqual([
          "slept 200 ms",
          "Hello, world",
          "hi",
          "Hello, world",
        ]);
      });

      test("more than is read ahead, while the first is slow", async () => {
        const client = await server.connect();
        client.send("GET /slow?ms=300 HTTP/1.1\r\nHost: x\r\n\r\n").send(GET.repeat(10_000));
        expect((await client.readResponse()).body.toString()).toBe("slept 300 ms");
        for (let i = 0; i < 10_000; i++) await client.readResponse();
      });

      test("16,382 requests that no handler sees, between two that one sees", async () => {
        const client = await server.connect();
        const bystander = await server.connect();
        const close = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        client.send(GET + "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16_382) + close);
        const answers = (await client.readToEnd()).toString("latin1");
        expect(answers.split("HTTP/1.1 204 No Content\r\n")).toHaveLength(16_382 + 1);
        expect(answers.split("Hello, world")).toHaveLength(2 + 1);
        client.close();
        expect((await bystander.send(GET).readResponse()).status).toBe(200);
      });
    });

    describe("Expect: 100-continue", () => {
      test.each(["100-continue", "100-Continue"])("%s is answered before the body", async (value) => {
        const client = await server.connect();
        client.send(`${POST}Expect: ${value}\r\nContent-Length: 5\r\n\r\n`);
        expect((await client.readResponse()).status).toBe(100);
        const response = await client.send("hello").readResponse();
        expect(response).toMatchObject({ status: 200 });
        expect(response.body.toString()).toBe("hello");
        expect((await client.send(GET).readResponse()).status).toBe(200);
      });

      test("in chunks too", async () => {
        const client = await server.connect();
        client.send(`${POST}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n`);
        expect((await client.readResponse()).status).toBe(100);
        expect((await client.send("2\r\nhi\r\n0\r\n\r\n").readResponse()).body.toString()).toBe("hi");
      });

      test("a body that is too large is refused without asking for it", async () => {
        const client = await server.connect();
        client.send(`${POST}Expect: 100-continue\r\nContent-Length: 20000000\r\n\r\n`);
        await expectRefusal(client, 413);
      });

      test.each(["", "hello", GET])("an answer before it is the last, whatever follows: %j", async (rest) => {
        const client = await server.connect();
        client.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        const response = await client.readResponse();
        expect(response.status).toBe(404);
        expect(response.headers.get("connection")).toBe("close");
        await client.send(rest).expectEnd();
        client.close();
      });

      test("HTTP/1.0 does not know it (RFC 9110 10.1.1)", async () => {
        const client = await server.connect();
        client.send("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
        expect((await client.readResponse()).status).toBe(200);
      });
    });

    test("every server error is one for its own connection only", async () => {
      const bystander = await server.connect();
      const refusals = [...REFUSED, ...MISFRAMED].map(async ({ bytes, status }) => {
        await expectRefusal((await server.connect()).send(bytes), status);
      });
      for (let i = 0; i < 20; i++) expect((await bystander.send(GET).readResponse()).status).toBe(200);
      await Promise.all(refusals);
    });
  });
}

/** A refusal is a complete answer that says it is the last one; then comes the end, not a reset. */
async function expectRefusal(client: Client, status: number): Promise<void> {
  const response = await client.readResponse();
  expect(response.status).toBe(status);
  expect(response.headers.get("connection")).toBe("close");
  expect(response.headers.has("content-length")).toBe(true);
  expect(response.body.length).toBeGreaterThan(0);
  await client.expectEnd();
  client.close();
}
