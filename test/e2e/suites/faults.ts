// Bad peers: whatever one of them does, the others are served as before, memory stays bounded and an idle server stays
// idle.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "../support/client.js";
import { activity, residentBytes } from "../support/processes.js";
import { eventually, type Server, start, type Way } from "../support/ways.js";

const MIB = 1024 * 1024;
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const POST = "POST /echo HTTP/1.1\r\nHost: x\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

/** Where a client can leave: what it has sent by then, and whether it waits for the answer to begin. */
const LEAVING = [
  { where: "after connecting", sent: "" },
  { where: "inside the request line", sent: "GET / HT" },
  { where: "inside a header field", sent: "GET / HTTP/1.1\r\nHost: x\r\nAcc" },
  { where: "before a body", sent: `${POST}Content-Length: 100\r\n\r\n` },
  { where: "inside a body", sent: `${POST}Content-Length: 100\r\n\r\nhello` },
  { where: "inside a large body", sent: `${POST}Content-Length: 9000000\r\n\r\n${"x".repeat(600_000)}` },
  { where: "inside a chunk's size", sent: `${CHUNKED}5\r\nhello\r\n1` },
  { where: "inside a chunk", sent: `${CHUNKED}5\r\nhel` },
  { where: "while its handler waits", sent: "GET /slow?ms=400 HTTP/1.1\r\nHost: x\r\n\r\n" },
  { where: "with more requests behind", sent: `GET /slow?ms=400 HTTP/1.1\r\nHost: x\r\n\r\n${GET.repeat(100)}` },
  { where: "inside a large answer", sent: "GET /big?bytes=9000000 HTTP/1.1\r\nHost: x\r\n\r\n", awaits: "xxx" },
  {
    where: "inside a chunked answer",
    sent: "GET /stream?chunks=1000 HTTP/1.1\r\nHost: x\r\n\r\n",
    awaits: "chunk 1\n",
  },
  { where: "after the answer", sent: GET, awaits: "world" },
  { where: "after a refusal", sent: "asdf\r\n\r\n", awaits: "400" },
];

/** Those that take no long wait. */
export function badPeerSuite(way: Way): void {
  describe("bad peers", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way);
    });
    afterAll(() => server.stop());

    describe.each(["reset", "close", "halfClose"] as const)("%s", (leave) => {
      for (const { where, sent, awaits } of LEAVING) {
        test(where, async () => {
          const bystander = await server.connect();
          for (let i = 0; i < 10; i++) {
            const client = await server.connect();
            client.send(sent);
            if (awaits) await client.readUntil(awaits);
            client[leave]();
            await expectAnswers(bystander, 1);
          }
          await expectAnswers(await server.connect(), 1);
        });
      }
    });

    test("a thousand connections that leave at once", async () => {
      const clients = await Promise.all(Array.from({ length: 1000 }, () => server.connect()));
      for (const client of clients.slice(300)) client.send(GET);
      for (const client of clients) client.reset();
      await expectAnswers(await server.connect(), 10);
    });

    test("1200 connections at once, each answered, twice", async () => {
      const clients = await Promise.all(Array.from({ length: 1200 }, () => server.connect()));
      for (let round = 0; round < 2; round++) await Promise.all(clients.map((client) => expectAnswers(client, 1)));
      for (const client of clients) client.close();
    });

    test("clients that never read a large answer: bounded memory, and no other client waits", async () => {
      const before = residentBytes(server.pid);
      const bystander = await server.connect();
      for (let i = 0; i < 20; i++) {
        const client = await server.connect({ silent: true });
        client.send(`GET /big?bytes=${16 * MIB} HTTP/1.1\r\nHost: x\r\n\r\n`);
        await expectAnswers(bystander, 10);
      }
      expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(100 * MIB);
    });

    test("a client that pipelines for ever and never reads is not read either", async () => {
      const before = residentBytes(server.pid);
      const client = await server.connect({ silent: true });
      const taken = await client.flood(Buffer.from(GET.repeat(2000)), 64 * MIB);
      expect(taken, "the kernel's buffers hold less than this").toBeLessThan(48 * MIB);
      expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(64 * MIB);
      await expectAnswers(await server.connect(), 10);
    });
  });
}

export function faultSuite(way: Way): void {
  badPeerSuite(way);

  test("an idle server uses no processor, whatever its silent, half-closed and reset clients are in the middle of", async () => {
    const server = await start(way);
    try {
      const slow = "GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n";
      for (let i = 0; i < 200; i++) await server.connect();
      for (let i = 0; i < 50; i++) await expectAnswers(await server.connect(), 1);
      for (const { sent } of LEAVING) (await server.connect()).send(sent);
      for (let i = 0; i < 20; i++) (await server.connect()).send(slow).halfClose();
      for (let i = 0; i < 20; i++) (await server.connect()).send(slow).reset();
      for (let i = 0; i < 20; i++)
        (await server.connect({ silent: true })).send(`GET /big?bytes=${MIB * 16} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const { cpuShare, wakeUpsPerSecond } = await activity(server.pid);
      expect(cpuShare).toBeLessThan(0.03);
      expect(wakeUpsPerSecond).toBeLessThan(50);
      await expectAnswers(await server.connect(), 1);
    } finally {
      await server.stop();
    }
  });

  test("out of descriptors: it neither spins nor ends, and serves again when some are free", async () => {
    const wrap = ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"];
    const server = await start(way, way.demo, [], { wrap });
    try {
      const clients = await Promise.all(Array.from({ length: 200 }, () => server.connect()));
      for (const client of clients) client.send("GET /slow?ms=20 HTTP/1.1\r\nHost: x\r\n\r\n");
      const answered = (): number => clients.filter((client) => client.receivedBytes > 0).length;
      await eventually("those that were let in are answered", () => answered() >= 20);
      expect(answered()).toBeLessThan(200);
      expect((await activity(server.pid)).cpuShare).toBeLessThan(0.1);
      for (const client of clients) client.reset();
      // The first to come may still be turned away: the server learns of the resets in its own time.
      const serves = async (): Promise<boolean> =>
        expectAnswers(await server.connect(), 10).then(
          () => true,
          () => false,
        );
      await eventually("served again", serves);
    } finally {
      await server.stop();
    }
  });
}

/** So many requests on one connection, each with its right answer. */
async function expectAnswers(client: Client, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const response = await client.send(GET).readResponse();
    expect(response.body.toString()).toBe("Hello, world");
  }
}
