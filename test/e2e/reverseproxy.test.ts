// examples/sandboxed/proxy.ts over real connections: what it forwards, both ways, and what it answers when the upstream
// does not.
import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "./support/client.js";
import { BUILD_MS, portOf, proxyBefore, scripted } from "./support/reverseproxy.js";
import { COMPONENT, COMPONENT_ASYNC, eventually, freePort, makeComponents, type Server } from "./support/ways.js";

const MIB = 2 ** 20;
const GET = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";

/** What the upstream was asked, and on how many connections. */
const seen: { line: string; fields: string[]; body: Buffer }[] = [];
let asked = 0;
let connections = 0;
const sockets = new Set<net.Socket>();
const upstream = http.createServer(async (request, response) => {
  const { method, url, rawHeaders } = request;
  asked++;
  if (url === "/silent") return; // answers nothing
  if (url === "/pause") request.pause();
  else {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      aborted++; // the other side has left
      return;
    }
    seen.push({ line: `${method} ${url}`, fields: rawHeaders, body: Buffer.concat(chunks) });
  }
  const { body } = seen.at(-1) ?? { body: Buffer.alloc(0) };
  const bytes = Number(new URL(url!, "http://x").searchParams.get("bytes"));
  if (url === "/cut") {
    response.writeHead(200, { "Content-Length": 100 }).write("part");
    setImmediate(() => response.destroy());
  } else if (url === "/none") response.destroy();
  else if (url === "/chunked") {
    response.writeHead(200, { Trailer: "X-End", "Keep-Alive": "timeout=9", Connection: "X-Hop", "X-Hop": "1" });
    for (let at = 0; at < body.length; at += 10_000) response.write(body.subarray(at, at + 10_000));
    response.addTrailers({ "X-End": "1" });
    response.end();
  } else if (bytes > 0) {
    response.writeHead(200, { "Content-Length": bytes });
    pump(response, bytes);
  } else if (url !== "/pause")
    response.writeHead(201, "Made", { "X-Answer": "a, b", "Content-Length": body.length }).end(body);
});
let aborted = 0;
let pumped = 0;
function pump(response: http.ServerResponse, bytes: number): void {
  const block = Buffer.alloc(65_536, "x");
  pumped = 0;
  const more = (): void => {
    while (pumped < bytes && !response.destroyed) {
      pumped += block.length;
      if (!response.write(block)) break; // `bytes` are whole blocks
    }
    if (pumped < bytes) response.once("drain", more);
    else response.end();
  };
  more();
}
upstream.on("connection", (socket) => {
  connections++;
  sockets.add(socket.on("close", () => sockets.delete(socket)));
});

beforeAll(async () => {
  makeComponents();
  await once(upstream.listen(0, "127.0.0.1"), "listening");
}, BUILD_MS);
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

describe.each([COMPONENT, COMPONENT_ASYNC])("$component", (way) => {
  let server: Server;
  let client: Client;
  const before = (port: number, settings?: Record<string, number>): Promise<Server> => proxyBefore(way, port, settings);
  beforeAll(async () => {
    server = await before(portOf(upstream));
    client = await server.connect();
  }, BUILD_MS);
  afterAll(() => server.stop());

  describe("messages", () => {
    test("forwards what is for the upstream, and nothing of this hop", async () => {
      client.send(
        "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-Two: 1\r\nX-Two: 2\r\nX-Hop: 1\r\nConnection: x-hop, keep-alive\r\n" +
          "Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: secret\r\nUpgrade: h2c\r\n" +
          "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=192.0.2.1\r\n\r\n",
      );
      const { status, reason, headers, body } = await client.readResponse();
      expect([status, reason, headers.get("x-answer"), body.length]).toEqual([201, "Made", "a, b", 0]);
      const { line, fields } = seen.at(-1)!;
      expect(line).toBe("GET /a?b=c");
      const pairs = fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${fields[i + 1]}`] : []));
      expect(pairs).toEqual([
        "Host: example.com",
        "X-Two: 1",
        "X-Two: 2",
        "X-Forwarded-For: 192.0.2.1",
        "Forwarded: for=192.0.2.1",
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: for=127.0.0.1;proto=http",
        "X-Forwarded-Proto: http",
        "Via: 1.1 waterspout",
      ]);
    });

    test("a target with an authority becomes a path, and its authority the host", async () => {
      await client.send("GET http://other.example?q HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
      expect(seen.at(-1)).toMatchObject({ line: "GET /?q" });
      expect(seen.at(-1)!.fields.slice(0, 2)).toEqual(["Host", "other.example"]);
    });

    test("answers to HEAD have no body, and their length", async () => {
      client.send("HEAD /?bytes=131072 HTTP/1.1\r\nHost: x\r\n\r\n");
      const { headers } = await client.readResponse("HEAD");
      expect(headers.get("content-length")).toBe("131072");
      expect((await client.send(GET).readResponse()).status).toBe(201);
    });

    test("bodies of a MiB go both ways, with their length or in chunks", async () => {
      const body = Buffer.from(Array.from({ length: MIB / 4 }, (_, i) => i.toString().padStart(4).slice(-4)).join(""));
      client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`).send(body);
      const plain = await client.readResponse();
      expect(plain.headers.get("content-length")).toBe(String(MIB));
      expect(plain.body.equals(body)).toBe(true);
      client.send("POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let at = 0; at < body.length; at += 100_000) {
        const piece = body.subarray(at, at + 100_000);
        client
          .send(`${piece.length.toString(16)};x=y\r\n`)
          .send(piece)
          .send("\r\n");
      }
      client.send("0\r\nX-Trailer: 1\r\n\r\n");
      const chunked = await client.readResponse();
      expect(chunked.body.equals(body)).toBe(true);
      expect(chunked.headers.get("transfer-encoding")).toBe("chunked");
      for (const name of ["x-hop", "keep-alive", "trailer"]) expect(chunked.headers.has(name), name).toBe(false);
      expect(seen.at(-1)!.fields).toContain("Transfer-Encoding");
      expect(seen.at(-1)!.body.equals(body)).toBe(true);
    });

    test("an upload of 0 bytes has its length", async () => {
      await client.send("POST / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
      const { fields } = seen.at(-1)!;
      expect(fields[fields.indexOf("Content-Length") + 1]).toBe("0");
    });

    test("connections to the upstream are used again, and no more of them than requests at a time", async () => {
      await client.send(GET).readResponse();
      const begun = connections;
      for (let i = 0; i < 50; i++) await client.send(GET).readResponse();
      expect(connections).toBe(begun);
      const crowd = await Promise.all(Array.from({ length: 30 }, () => server.connect()));
      for (let round = 0; round < 5; round++) await Promise.all(crowd.map((one) => one.send(GET).readResponse()));
      expect(connections - begun).toBeLessThanOrEqual(30);
      for (const one of crowd) one.close();
    });
  });

  describe("who fails, leaves or does not read", () => {
    test("an upstream that closes: 502 before its answer, and a cut in the middle of it", async () => {
      const post = "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
      expect((await client.send(post).readResponse()).status).toBe(502);
      expect((await client.send(GET).readResponse()).status).toBe(201);
      const other = await server.connect();
      other.send("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(await other.readUntil("part")).toContain("Content-Length: 100");
      await other.gone();
    });

    test("an upstream that is silent: 504, and its connection is closed", async () => {
      expect((await client.send("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(504);
      expect((await client.send(GET).readResponse()).status).toBe(201);
    });

    test("a client that leaves ends its request at the upstream", async () => {
      const begun = aborted;
      const leaving = await server.connect();
      leaving.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx");
      await client.send(GET).readResponse();
      leaving.reset();
      await eventually("the upstream to see it", () => aborted === begun + 1);
    });

    test("a client that does not read holds the upstream back", async () => {
      const slow = await server.connect({ silent: true });
      const bytes = 64 * MIB;
      slow.send(`GET /?bytes=${bytes} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      let last = -1;
      await eventually("the upstream held back", async () => {
        const isStill = pumped > 0 && pumped === last;
        last = pumped;
        for (let i = 0; i < 20; i++) await client.send(GET).readResponse();
        return isStill && pumped === last;
      });
      expect(pumped).toBeLessThan(bytes / 2);
      expect((await slow.resume().readResponse()).body.length).toBe(bytes);
    });

    test("an upstream that does not read holds its client back", async () => {
      const uploading = await server.connect();
      uploading.send(`POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
      const taken = await uploading.flood(Buffer.alloc(MIB), 64 * MIB, 300);
      expect(taken).toBeLessThan(32 * MIB);
      uploading.reset();
    });
  });

  describe("other upstreams", () => {
    test("an upstream that is down: 502, also for what waits", async () => {
      const alone = await before(await freePort());
      try {
        const clients = await Promise.all(Array.from({ length: 5 }, () => alone.connect()));
        const answers = await Promise.all(clients.map((one) => one.send(GET).readResponse()));
        for (const { status, body } of answers) {
          expect([status, body.toString()]).toEqual([502, "no upstream: connection refused\n"]);
        }
      } finally {
        await alone.stop();
      }
    });

    test("a kept connection that the upstream closes: a request is sent again that may be repeated", async () => {
      const requests: number[] = [];
      const closing = await scripted((request, connection) => {
        requests.push(connection);
        return request === 2 ? null : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      });
      const proxy = await before(portOf(closing));
      try {
        const one = await proxy.connect();
        expect((await one.send(GET).readResponse()).status).toBe(200);
        expect((await one.send(GET).readResponse()).status).toBe(200);
        expect(requests).toEqual([1, 1, 2]);
        const deletes = "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n";
        expect((await one.send(deletes).readResponse()).status).toBe(200);
        expect(requests).toEqual([1, 1, 2, 2, 3]);
        const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
        expect((await one.send(post).readResponse()).status).toBe(502);
        expect(requests).toEqual([1, 1, 2, 2, 3, 3]);
      } finally {
        await proxy.stop();
        closing.close();
      }
    });

    test("requests that wait for a connection: so many, and so long", async () => {
      const proxy = await before(portOf(upstream), { UPSTREAM_CONNECTIONS_MAX: 2, UPSTREAM_WAITING_MAX: 2 });
      try {
        const busy = await Promise.all([proxy.connect(), proxy.connect()]);
        const begun = asked;
        for (const one of busy) one.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
        await eventually("both connections in use", () => asked === begun + 2);
        const waiting = await Promise.all([proxy.connect(), proxy.connect(), proxy.connect()]);
        const answers = waiting.map((one) => one.send(GET).readResponse());
        const texts = (await Promise.all(answers)).map(({ status, body }) => `${status} ${body}`);
        expect(texts.toSorted()).toEqual([
          "503 no connection to the upstream is free\n",
          "503 no connection to the upstream is free\n",
          "503 too many requests wait for the upstream\n",
        ]);
        expect(asked).toBe(begun + 2);
        const later = waiting[0].send(GET).readResponse();
        for (const one of busy) expect((await one.send("x").readResponse()).body.toString()).toBe("x");
        expect((await later).status).toBe(201);
      } finally {
        await proxy.stop();
      }
    });

    test("an answer before the upstream has the body arrives, and that connection is not used again", async () => {
      const answers: number[] = [];
      const early = await scripted((_, connection) => {
        answers.push(connection);
        return "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno";
      });
      const proxy = await before(portOf(early));
      try {
        const one = await proxy.connect();
        one.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
        const { status, body } = await one.readResponse();
        expect([status, body.toString()]).toEqual([413, "no"]);
        one.send("x".repeat(999));
        expect((await one.send(GET).readResponse()).status).toBe(413);
        expect(new Set(answers)).toEqual(new Set([1, 2]));
      } finally {
        await proxy.stop();
        early.close();
      }
    });
  });

  describe("odd answers", () => {
    test.each([
      ["a length and a coding", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
      ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"],
      ["a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nab"],
      ["no HTTP", "hello\r\n\r\n"],
      ["a head that is too large", `HTTP/1.1 200 OK\r\nA: ${"a".repeat(70_000)}\r\n\r\n`],
      [
        "a switch that was not asked for",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      ],
    ])("an answer with %s is a 502, and reaches no client", async (_, answer) => {
      const odd = await scripted(() => answer);
      const proxy = await before(portOf(odd));
      try {
        const { status, body } = await proxy.request(GET);
        expect([status, body.toString()]).toEqual([502, "the upstream has given no answer\n"]);
      } finally {
        await proxy.stop();
        odd.close();
      }
    });

    test("bytes behind an answer are not another one; an answer may end with its connection", async () => {
      const answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
      ];
      const odd = await scripted((_, connection) => answers[connection - 1] ?? null);
      const proxy = await before(portOf(odd));
      try {
        const one = await proxy.connect();
        expect((await one.send(GET).readResponse()).body.toString()).toBe("ok");
        one.send(GET);
        expect(await one.readUntil("until the end\r\n")).toContain("Transfer-Encoding: chunked");
        one.close();
      } finally {
        await proxy.stop();
        odd.close();
      }
    });
  });
});
