// Time and amounts run out: each limit of the server, made small by test/e2e/apps/limits.ts, is reached from both
// sides.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "../support/client.js";
import { holdsConnection, processTree } from "../support/processes.js";
import { eventually, type Server, start, type Way } from "../support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: x\r\n";

export function limitSuite(way: Way): void {
  describe("limits", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, "test/e2e/apps/limits.ts");
    });
    afterAll(() => server.stop());

    const refused = async (client: Client, status: number): Promise<void> => {
      const response = await client.readResponse();
      expect(response.status).toBe(status);
      expect(response.headers.get("connection")).toBe("close");
      await client.expectEnd();
      client.close();
    };

    describe("of requests", () => {
      test("a client that says nothing is closed without a word", async () => {
        const client = await server.connect();
        await client.expectEnd();
        client.close();
      });

      test("an idle connection is closed without a word", async () => {
        const client = await server.connect();
        await client.send(GET).readResponse();
        await client.expectEnd();
        client.close();
      });

      test("a head that does not end: 408", async () => {
        await refused((await server.connect()).send("GET / HTTP/1.1\r\nHo"), 408);
      });

      test("a head that drips does not live longer", async () => {
        const client = await server.connect();
        const start = performance.now();
        const drip = setInterval(() => client.ended || client.send("A"), 50);
        try {
          await refused(client, 408);
          expect(performance.now() - start).toBeLessThan(2000);
        } finally {
          clearInterval(drip);
        }
      });

      test("a body that stops: 408", async () => {
        await refused((await server.connect()).send(`${POST}Content-Length: 10\r\n\r\nhello`), 408);
      });

      test("a body that goes on slowly is waited for", async () => {
        const client = (await server.connect()).send(`${POST}Content-Length: 8\r\n\r\n`);
        let sent = 0;
        const drip = setInterval(() => (sent++ < 8 ? client.send("x") : clearInterval(drip)), 100);
        expect((await client.readResponse()).body.toString()).toBe("xxxxxxxx");
        client.close();
      });

      test("a body that trickles does not live longer", async () => {
        const client = (await server.connect()).send(`${POST}Content-Length: 1000\r\n\r\n`);
        const start = performance.now();
        const drip = setInterval(() => client.ended || client.send("x"), 350);
        try {
          await refused(client, 408);
          expect(performance.now() - start).toBeLessThan(4000);
        } finally {
          clearInterval(drip);
        }
      });

      test("a body in chunks of one byte does not, however busy its framing is", async () => {
        const client = (await server.connect()).send(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
        const start = performance.now();
        const drip = setInterval(() => client.ended || client.send("1;extension\r\nx\r\n"), 350);
        try {
          await refused(client, 408);
          expect(performance.now() - start).toBeLessThan(4000);
        } finally {
          clearInterval(drip);
        }
      });

      test("the rest of a body that the handler does not take does not keep its connection", async () => {
        const client = (await server.connect()).send(
          `POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nx`,
        );
        expect((await client.readResponse()).body.toString()).toBe("unread");
        const drip = setInterval(() => client.ended || client.send("x"), 100);
        try {
          await client.expectEnd();
        } finally {
          clearInterval(drip);
        }
        client.close();
      });
    });

    describe("of connections", () => {
      test("the last request of a connection is answered with close, those behind it are not", async () => {
        const client = (await server.connect()).send(GET.repeat(12));
        for (let count = 1; count <= 10; count++) {
          expect((await client.readResponse()).headers.get("connection")).toBe(count === 10 ? "close" : undefined);
        }
        await client.expectEnd();
        client.close();
      });

      test.each([
        [1000, 200],
        [1001, 413],
      ])("a body of %i bytes: %i", async (bytes, status) => {
        const client = await server.connect();
        const response = await client
          .send(`${POST}Content-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`)
          .readResponse();
        expect(response.status).toBe(status);
        client.close();
      });

      test.each([
        [2000, 200],
        [2001, 431],
      ])("a head of %i bytes: %i", async (bytes, status) => {
        const client = await server.connect();
        const filler = "x".repeat(bytes - GET.length - "A: \r\n".length);
        const response = await client.send(`GET / HTTP/1.1\r\nHost: x\r\nA: ${filler}\r\n\r\n`).readResponse();
        expect(response.status).toBe(status);
        client.close();
      });

      test("a client that takes nothing of its answer is cut, and the handler learns it", async () => {
        const client = await server.connect({ silent: true });
        client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
        await server.complaint(/the client of \/big is gone/);
      });

      test("a client that has been cut costs no descriptor any more, whatever it has not read", async () => {
        const before = server.output.stderr.split("is gone").length;
        const client = await server.connect({ silent: true });
        client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
        const { localPort } = client.socket as { localPort: number };
        const isHeld = (): boolean =>
          processTree(server.pid).some(({ pid }) => holdsConnection(pid, server.port, localPort));
        await eventually("it is cut", () => server.output.stderr.split("is gone").length > before);
        await eventually("its descriptor is free", () => !isHeld());
        client.reset();
      });

      test("a client that takes its answer a byte at a time is cut like one that takes nothing", async () => {
        const before = server.output.stderr.split("is gone").length;
        const client = await server.connect({ silent: true });
        client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
        const drip = setInterval(() => client.socket.read(1), 50);
        await eventually("it is cut", () => server.output.stderr.split("is gone").length > before);
        clearInterval(drip);
        client.reset();
      });

      test("connections beyond the limit wait until others leave", async () => {
        const held = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
        for (const client of held) client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
        for (const client of held) await client.readUntil("\r\n\r\n");
        const waiting = (await server.connect()).send(GET);
        expect((await Promise.all(held.map((client) => client.readUntil("x")))).length).toBe(20);
        expect(waiting.receivedBytes).toBe(0);
        held[7].reset();
        expect((await waiting.readResponse()).status).toBe(200);
        for (const client of held) client.reset();
        waiting.close();
      });
    });
  });
}
