// Handlers of Node's kind: the same requests go to one application on Node's own server and on ours, and the answers
// are compared.
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type NodeListener, type NodeServer } from "waterspout";

import { expressApp } from "./apps/express.js";
import { fastifyApp } from "./apps/fastify.js";
import { Client } from "./support/client.js";
import { type Asked, ask, compare, json, name, upload } from "./support/compared.js";
import { eventually } from "./support/ways.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const BOTH: Asked[] = [
  { target: "/" },
  { target: "/?name=%C3%BC" },
  { target: "/", method: "HEAD" },
  { target: "/nowhere" },
  { target: "/nowhere", method: "HEAD" },
  { target: "/about?x=1", headers: { "X-Twice": ["a", "b"], Cookie: ["a=1", "b=2"], "User-Agent": "one" } },
  { target: "/cookies" },
  { target: "/redirect" },
  { target: "/throw" },
  { target: "/empty" },
  { target: "/stream" },
  { target: "/pipe" },
  { target: "/users/1" },
  { target: "/users/2" },
  json("/users", { name: "Bob" }),
  json("/users", { name: "x".repeat(200_000) }),
  { ...json("/users", {}), body: "{" },
  { target: "/users/1", method: "DELETE" },
  { target: "/users/1", method: "OPTIONS" },
  upload("/upload", 5),
  upload("/upload", 150_000),
  upload("/upload", 300_000),
];

const EXPRESS: Asked[] = [
  ...BOTH,
  { target: "/head" },
  { target: "/fields" },
  { target: "/fields", method: "HEAD" },
  { target: "/drain" },
  { target: "/late" },
  { target: "/visits" },
  { target: "/visits", headers: { Cookie: "connect.sid=s%3Awrong.signature" } },
  { target: "/", headers: { "If-None-Match": "*" } },
  { target: "/files/limits.md", headers: { Range: "bytes=10-19" } },
  { target: "/files/limits.md", method: "HEAD" },
  { target: "/files/limits.md" },
  { target: "/files/limits.md", headers: { "If-Modified-Since": new Date(Date.now() + 1000).toUTCString() } },
  { target: "/files/../package.json" },
  {
    target: "/form",
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: "a=1&b[c]=2",
  },
  { target: "/echo", method: "POST", headers: { "Content-Type": "text/plain" }, body: Buffer.alloc(2_000_000, "y") },
  {
    target: "/echo",
    method: "POST",
    headers: { "Transfer-Encoding": "chunked", "Content-Type": "text/plain" },
    body: "chunked",
  },
  { target: "/echo", method: "POST", headers: { Expect: "100-continue" }, body: "expected" },
];

describe.each(["node", "wasmtime"] as const)("%s: Express", (runtime) => {
  const log: string[] = [];
  const theirs = http.createServer(expressApp());
  let ours: NodeServer;
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

  beforeAll(async () => {
    theirs.listen(0, "127.0.0.1");
    ours = createServer(expressApp(log), { runtime });
    ours.listen(0, "127.0.0.1");
    await Promise.all([once(theirs, "listening"), once(ours, "listening")]);
  });
  afterAll(async () => {
    theirs.close();
    theirs.closeAllConnections();
    await once(ours.close(), "close");
  });

  test.each(EXPRESS.map((asked) => [name(asked), asked] as const))("%s", async (_name, asked) => {
    await compare(portOf(theirs), portOf(ours), asked);
  });

  test("a session goes on", async () => {
    const both = [];
    for (const server of [theirs, ours]) {
      const first = await ask(portOf(server), { target: "/visits" });
      const cookie = first.headers["set-cookie"]?.[0]?.split(";")[0];
      both.push(await ask(portOf(server), { target: "/visits", headers: { Cookie: cookie } }));
    }
    expect(both[1]).toEqual(both[0]);
  });

  test("finish and close come behind an answer; a client that leaves ends both sides", async () => {
    log.length = 0;
    await ask(portOf(ours), { target: "/" });
    await eventually("finish and close", () => log.length === 2);
    expect(log.splice(0)).toEqual(["finish / true", "close /"]);
    const client = await Client.connect(portOf(ours));
    client.send("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.readUntil("begun");
    client.reset();
    await eventually(
      "the end of both",
      () => log.includes("close /hang") && log.some((line) => line.startsWith("request")),
    );
    expect(log).not.toContain("finish /hang true");
  });
});

const FASTIFY: Asked[] = [
  ...BOTH,
  { target: "/hijack" },
  json("/users", { nick: "Bob" }),
  { target: "/users", method: "POST", headers: { "Content-Type": "text/strange" }, body: "?" },
];

describe.each(["node", "wasmtime"] as const)("%s: Fastify", (runtime) => {
  let theirs: FastifyInstance;
  let ours: FastifyInstance;
  const portOf = (app: FastifyInstance) => (app.server.address() as AddressInfo).port;

  beforeAll(async () => {
    theirs = await fastifyApp();
    ours = await fastifyApp((handler) => createServer(handler, { runtime }) as unknown as http.Server);
    await theirs.listen({ port: 0, host: "127.0.0.1" });
    expect(await ours.listen({ port: 0, host: "127.0.0.1" })).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });
  afterAll(() => Promise.all([theirs.close(), ours.close()]));

  test.each(FASTIFY.map((asked) => [name(asked), asked] as const))("%s", async (_name, asked) => {
    await compare(portOf(theirs), portOf(ours), asked);
  });
});

describe.each(["node", "wasmtime"] as const)("%s: a server of Node's kind", (runtime) => {
  const listening = async (listener: NodeListener): Promise<NodeServer> => {
    const server = createServer(listener, { runtime, logger: SILENT });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return server;
  };
  const portOf = (server: NodeServer) => (server.address() as AddressInfo).port;

  describe("listening", () => {
    test("listens, says where, and ends", async () => {
      const server = await listening((_req, res) => void res.end("served"));
      expect([server.listening, server.address()]).toMatchObject([true, { address: "127.0.0.1", family: "IPv4" }]);
      const taken = createServer(undefined, { runtime });
      const [error] = await once(taken.listen({ port: portOf(server), host: "127.0.0.1" }), "error");
      expect(error).toMatchObject({ code: "EADDRINUSE" });
      await new Promise((resolve) => server.close(resolve));
      expect([server.listening, server.address()]).toEqual([false, null]);
      const late = new Promise((resolve) => server.close(resolve));
      expect(await late).toMatchObject({ code: "ERR_SERVER_NOT_RUNNING" });
    });

    test("OPTIONS * is a request as any other", async () => {
      const server = await listening((req, res) => void res.writeHead(200, { Allow: "GET" }).end(req.url));
      const answer = await ask(portOf(server), { method: "OPTIONS", target: "*" });
      expect([answer.status, answer.headers.allow, answer.body]).toEqual([200, "GET", "*"]);
      await new Promise((resolve) => server.close(resolve));
    });

    test("says where in the turn of listen, takes connections from then on, and listens again after close", async () => {
      const server = createServer((req, res) => void res.end(`served ${req.url}`), { runtime, logger: SILENT });
      for (const turn of ["/first", "/second", "/third"]) {
        server.listen(0);
        expect(server.listening).toBe(true);
        expect((await ask(portOf(server), { target: turn })).body).toBe(`served ${turn}`);
        const closed = new Promise((resolve) => server.close(resolve));
        expect([server.listening, server.address()]).toEqual([false, null]);
        if (turn !== "/second") await closed; // or at once
      }
      const taken = createServer(undefined, { runtime, logger: SILENT });
      await once(server.listen(0), "listening");
      taken.listen(portOf(server));
      expect([(await once(taken, "error"))[0].code, taken.address(), taken.listening]).toEqual([
        "EADDRINUSE",
        null,
        false,
      ]);
      await once(taken.listen(0), "listening");
      await Promise.all([server, taken].map((each) => new Promise((resolve) => each.close(resolve))));
    });

    test("a path is a Unix-domain socket", async () => {
      const folder = mkdtempSync(path.join(tmpdir(), "waterspout-test-"));
      const file = path.join(folder, "socket");
      const server = createServer((req, res) => void res.end(String(req.socket.remoteAddress)), {
        runtime,
        logger: SILENT,
      });
      await once(server.listen({ path: file, readableAll: true, writableAll: true }), "listening");
      expect([server.address(), statSync(file).mode & 0o777]).toEqual([file, 0o666]);
      const [response] = await once(http.get({ socketPath: file, agent: false }), "response");
      expect(String(await once(response, "data"))).toBe("undefined");
      await new Promise((resolve) => server.close(resolve));
      await once(server.listen(file), "listening");
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    });

    test("getConnections counts those that are open", async () => {
      const server = await listening((_req, res) => void res.end());
      const count = () =>
        new Promise((resolve, reject) => {
          server.getConnections((error, connections) => (error === null ? resolve(connections) : reject(error)));
        });
      expect(await count()).toBe(0);
      const client = await Client.connect(portOf(server));
      await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
      expect(await count()).toBe(1);
      client.close();
      await eventually("none", async () => (await count()) === 0);
      await new Promise((resolve) => server.close(resolve));
    });
  });

  describe("close", () => {
    test("is an event also of a server that has never listened; a second call hears of it at the same time", async () => {
      const never = createServer(undefined, { runtime, logger: SILENT });
      const calls: unknown[] = [];
      never.on("close", () => calls.push("close"));
      never.close((error) => calls.push((error as NodeJS.ErrnoException).code));
      await once(never, "close");
      expect(calls).toEqual(["close", "ERR_SERVER_NOT_RUNNING"]);
      const server = await listening((_req, res) => void res.end());
      const closed: unknown[] = [];
      server.on("close", () => closed.push("close"));
      server.close((error) => closed.push(error));
      server.close((error) => closed.push((error as NodeJS.ErrnoException).code));
      await once(server, "close");
      expect(closed).toEqual(["close", undefined, "ERR_SERVER_NOT_RUNNING"]);
    });

    test("calls back each time where the server could not listen", async () => {
      const first = await listening((_req, res) => void res.end());
      const taken = createServer(undefined, { runtime, logger: SILENT }).on("error", () => {});
      taken.listen(portOf(first), "127.0.0.1");
      for (let turn = 0; turn < 2; turn++) {
        const closed = new Promise((resolve) => taken.close(resolve));
        expect(await closed).toMatchObject({ code: "ERR_SERVER_NOT_RUNNING" });
      }
      await new Promise((resolve) => first.close(resolve));
    });
  });

  describe("requests and sockets", () => {
    test("an exception is a 500, a body of another length cuts the connection", async () => {
      const server = await listening((req, res) => {
        if (req.url === "/throw") throw new Error("on purpose");
        res.writeHead(200, { "Content-Length": "5" });
        res.write("four");
        res.end();
      });
      expect((await ask(portOf(server), { target: "/throw" })).status).toBe(500);
      await expect(ask(portOf(server), { target: "/short" })).rejects.toThrow("aborted");
      await new Promise((resolve) => server.close(resolve));
    });

    test("trailers of a request", async () => {
      const server = await listening(async (req, res) => {
        for await (const _piece of req);
        res.end(JSON.stringify([req.trailers, req.complete, req.httpVersion]));
      });
      const client = await Client.connect(portOf(server));
      client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n");
      expect((await client.readResponse()).body.toString()).toBe('[{"x-sum":"7"},true,"1.1"]');
      client.close();
      await new Promise((resolve) => server.close(resolve));
    });

    test("the rows of docs/node-handlers.md about sockets, trailers and Transfer-Encoding", async () => {
      const server = await listening((req, res) => {
        res.setHeader("Transfer-Encoding", "chunked");
        res.addTrailers({ "X-Sum": "7" });
        const { remoteAddress, remoteFamily, remotePort } = req.socket;
        req.socket.setNoDelay().setKeepAlive().setTimeout(1);
        res.end(JSON.stringify([remoteAddress, remoteFamily, typeof remotePort, req.socket === res.socket]));
      });
      const client = await Client.connect(portOf(server));
      const response = await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
      const known = runtime === "node" ? ["127.0.0.1", "IPv4", "number"] : [null, null, "undefined"];
      expect(JSON.parse(response.body.toString())).toEqual([...known, true]);
      const { status, headers, trailers } = response;
      expect(trailers).toEqual(["X-Sum: 7"]);
      const length = headers.has("content-length");
      expect([status, headers.has("date"), headers.get("transfer-encoding"), length]).toEqual([
        200,
        true,
        "chunked",
        false,
      ]);
      client.close();
      await new Promise((resolve) => server.close(resolve));
    });

    test("a client that ends its side: close of request, response and socket, once; what is written all the same arrives", async () => {
      const log: string[] = [];
      const server = await listening((req, res) => {
        req.on("close", () => log.push("request"));
        res.on("close", () => log.push("response"));
        req.socket.on("close", () => log.push("socket"));
        res.write("begun ");
        res.on("finish", () => log.push("finish"));
        res.once("close", () => setImmediate(() => res.end("and ended")));
      });
      const client = await Client.connect(portOf(server));
      const response = await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").halfClose().readResponse();
      expect(response.body.toString()).toBe("begun and ended");
      await client.expectEnd();
      await eventually("finish", () => log.includes("finish"));
      expect(log.toSorted()).toEqual(["finish", "request", "response", "socket"]);
      expect(log.at(-1)).toBe("finish");
      await new Promise((resolve) => server.close(resolve));
    });

    test("an upload that breaks off", async () => {
      const log: string[] = [];
      const server = await listening((req, res) => {
        req.on("aborted", () => log.push("aborted"));
        req.on("error", (error: NodeJS.ErrnoException) => log.push(`${error.message} ${error.code} ${req.complete}`));
        res.on("close", () => log.push(`closed ${res.writableFinished}`));
        req.resume();
        req.once("data", () => log.push("data"));
      });
      const client = await Client.connect(portOf(server));
      client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
      await eventually("the first piece", () => log.includes("data"));
      client.reset();
      await eventually("the end", () => log.length === 4);
      expect(log.toSorted()).toEqual(["aborted", "aborted ECONNRESET false", "closed false", "data"]);
      await new Promise((resolve) => server.close(resolve));
    });
  });
});
