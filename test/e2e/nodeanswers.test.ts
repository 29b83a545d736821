// What handlers of Node's kind say beside status and body - trailers, for how long a connection is kept - and which
// requests reach which event: on Node's own server and on ours.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AccessEntry, createServer, type NodeServer, type NodeServerOptions } from "waterspout";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async function serve(
  kind: string,
  listener: RequestListener,
  options: NodeServerOptions = {},
  requestsMax = 0,
): Promise<http.Server | NodeServer> {
  const server =
    kind === "http"
      ? http.createServer(options as http.ServerOptions, listener)
      : createServer({ logger: LOGGER, ...options, runtime: kind as "node" | "wasmtime" }, listener);
  server.maxRequestsPerSocket = requestsMax;
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return server;
}

async function connected(server: http.Server | NodeServer): Promise<Client> {
  const client = await Client.connect((server.address() as AddressInfo).port);
  onTestFinished(() => client.close());
  return client;
}

describe.each(["http", "node", "wasmtime"])("%s", (kind) => {
  test("trailers stand behind the body, in their order; the connection goes on", async () => {
    const server = await serve(kind, (_req, res) => {
      res.setHeader("Trailer", "x-One");
      res.write("a");
      res.addTrailers([
        ["x-One", "1"],
        ["X-ONE", "2"],
      ]);
      res.end("b");
    });
    const client = await connected(server);
    for (let i = 0; i < 2; i++) {
      const { body, headers, trailers } = await client.send(GET).readResponse();
      expect([body.toString(), headers.get("trailer"), trailers]).toEqual(["ab", "x-One", ["x-One: 1", "X-ONE: 2"]]);
    }
  });

  test("trailers of a whole answer, and of a long one; none in HTTP/1.0", async () => {
    let text = "";
    const server = await serve(kind, (_req, res) => {
      res.writeHead(200);
      res.addTrailers({ "X-Sum": "7" });
      res.end(text);
    });
    const client = await connected(server);
    for (text of ["short", "x".repeat(1_000_000)]) {
      const { body, trailers } = await client.send(GET).readResponse();
      expect([body.length, trailers]).toEqual([text.length, ["X-Sum: 7"]]);
    }
    text = "old";
    const old = await connected(server);
    expect((await old.send("GET / HTTP/1.0\r\n\r\n").readToEnd()).toString()).toMatch(/\r\n\r\nold$/);
  });

  test("a handler's own Keep-Alive takes the place of the server's, and Connection stands in front of the framing", async () => {
    const server = await serve(kind, (req, res) => {
      if (req.url === "/own") res.setHeader("Keep-Alive", "timeout=1");
      res.end("x");
    });
    server.keepAliveTimeout = 5000;
    const client = await connected(server);
    client.send("GET /own HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.readResponse()).headers.get("keep-alive")).toBe("timeout=1");
    client.send(GET);
    expect(await client.readUntil("\r\n\r\n")).toMatch(
      /GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=\d+\r\nContent-Length: 1\r\n\r\n$/,
    );
  });

  test("the status is what it was at writeHead", async () => {
    const server = await serve(kind, (_req, res) => {
      res.writeHead(203, "One");
      res.statusCode = 500;
      res.statusMessage = "Two";
      res.end("x");
    });
    const { status, reason } = await (await connected(server)).send(GET).readResponse();
    expect([status, reason]).toEqual([203, "One"]);
  });
});

describe.each(["http", "node", "wasmtime"])("%s: which requests are served", (kind) => {
  test("checkExpectation takes what expects something else than 100; without a listener that is 417", async () => {
    const server = await serve(kind, (req, res) => void res.end(`request ${req.url}`));
    const client = await connected(server);
    const TEA = "GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n";
    expect((await client.send(TEA).readResponse()).status).toBe(417);
    server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => void res.end(req.headers.expect));
    expect((await client.send(TEA).readResponse()).body.toString()).toBe("tea");
    expect((await client.send(GET).readResponse()).body.toString()).toBe("request /");
  });

  test("requireHostHeader: false serves a request without Host", async () => {
    for (const requireHostHeader of [true, false]) {
      const server = await serve(kind, (req, res) => void res.end(String(req.headers.host)), { requireHostHeader });
      const client = await connected(server);
      const head = await client.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").readToEnd();
      expect(head.toString()).toMatch(requireHostHeader ? /^HTTP.1.1 400 / : /^HTTP.1.1 200 [\s\S]*undefined$/);
    }
  });

  test("uniqueHeaders: one field for a list of values", async () => {
    const unique = ["X-Unique", "Set-Cookie"];
    const server = await serve(
      kind,
      (_req, res) => {
        res.setHeader("x-unique", ["a", "b"]);
        res.setHeader("Set-Cookie", ["a=1", "b=2"]);
        res.setHeader("x-each", ["a", "b"]);
        res.end();
      },
      { uniqueHeaders: unique },
    );
    const head = await (await connected(server)).send(GET).readUntil("\r\n\r\n");
    expect(head).toContain("x-unique: a; b\r\nSet-Cookie: a=1; b=2\r\nx-each: a\r\nx-each: b\r\n");
  });

  test("a method that http.METHODS does not have is refused, and a clientError", async () => {
    const server = await serve(kind, (_req, res) => void res.end());
    const code = new Promise((resolve) => {
      server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
        if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
        resolve(error.code);
      });
    });
    const client = await connected(server);
    client.send("BREW / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.readToEnd()).toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(await code).toBe("HPE_INVALID_METHOD");
  });

  test.each(["text", "1x", "", -1, 65536, 0.5])("listen throws Node's error for %j as a port", async (port) => {
    const server = kind === "http" ? http.createServer() : createServer({ runtime: kind as "node" });
    expect(() => server.listen({ port: port as number })).toThrow(
      expect.objectContaining({ code: "ERR_SOCKET_BAD_PORT", name: "RangeError" }),
    );
  });
});

test.each(["node", "wasmtime"])("%s: optimizeEmptyRequests gives a request that has ended", async (runtime) => {
  const seen: boolean[] = [];
  const server = await serve(
    runtime,
    (req, res) => {
      seen.push(req.readableEnded);
      res.end();
    },
    { optimizeEmptyRequests: true },
  );
  const client = await connected(server);
  for (const method of ["GET", "POST", "HEAD"]) {
    client.send(`${method} / HTTP/1.1\r\nHost: x\r\n${method === "POST" ? "Content-Length: 0\r\n" : ""}\r\n`);
    await client.readResponse(method);
  }
  expect(seen).toEqual([true, false, true]);
});

test.each(["http", "node"])("%s: an error without a listener ends the connection of the socket", async (runtime) => {
  const server = await serve(runtime, (req, res) => {
    res.write("part");
    setImmediate(() => {
      expect(req.socket.bytesWritten).toBeGreaterThan(0);
      req.socket.emit("error", new Error("on purpose"));
    });
  });
  const client = await connected(server);
  client.send(GET);
  expect((await client.readToEnd()).toString()).toMatch(/part\r\n$/);
});

test.each(["http", "node"])("%s: address is the path of a Unix-domain socket as listen was given it", async (kind) => {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const relative = path.relative(process.cwd(), path.join(folder, "x.sock"));
  const server = kind === "http" ? http.createServer() : createServer({ runtime: "node", logger: LOGGER });
  await once(server.listen(relative), "listening");
  expect(server.address()).toBe(relative);
  server.close();
  await once(server, "close");
});

describe.each(["http", "node", "wasmtime"])("%s: upgrades", (kind) => {
  test("the socket of `upgrade` hears its client's end when nothing reads, and has no small write that waits", async () => {
    const server = await serve(kind, () => {});
    server.on("upgrade", (_req: IncomingMessage, socket: Duplex) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      const waiting = socket.writableLength;
      socket.on("end", () => socket.end(`${waiting} wait`));
    });
    const client = await connected(server);
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").halfClose();
    expect((await client.readToEnd()).toString()).toMatch(/\r\n\r\n0 wait$/);
  });
});

describe.each(["node", "wasmtime"])("%s: the access log", (kind) => {
  test("what is written in the place of an answer is in the access log with its status", async () => {
    const logged: unknown[] = [];
    const accessLog = ({ target, status }: AccessEntry) => logged.push(`${target} ${status}`);
    const server = await serve(
      kind,
      (req) => void req.socket.end(req.url === "/odd" ? "odd" : "HTTP/1.1 203 x\r\n\r\n"),
      { accessLog },
    );
    server.on("upgrade", ({ url }: IncomingMessage, socket: Duplex) => {
      if (url === "/silent") socket.destroy();
      else socket.end(`HTTP/1.1 ${url === "/refused" ? 403 : 101} x\r\n\r\n`);
    });
    const upgrade = "Connection: upgrade\r\nUpgrade: x\r\n";
    const asked = ["/whole", "/odd", "/taken", "/refused", "/silent"];
    for (const target of asked) {
      const fields = asked.indexOf(target) < 2 ? "" : upgrade;
      await (await connected(server)).send(`GET ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`).gone();
    }
    await eventually("all are logged", () => logged.length === asked.length);
    expect(logged).toEqual(["/whole 203", "/odd null", "/taken 101", "/refused 403", "/silent null"]);
  });
});

describe.each(["http", "node", "wasmtime"])("%s: what HTTP does not frame", (kind) => {
  const CLOSING = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  test("req.socket takes an answer as bytes, its end ends the connection, and req and res close", async () => {
    const events: string[] = [];
    const server = await serve(kind, (req, res) => {
      res.on("finish", () => events.push("finish")).on("close", () => events.push("close"));
      req.socket.write("HTTP/1.1 200 OK\r\n\r\n", () => {
        req.socket.write("a".repeat(200_000));
        req.socket.end("b");
      });
    });
    const client = await connected(server);
    const answer = (await client.send(GET).readToEnd()).toString();
    expect([answer.length, answer.slice(0, 20), answer.slice(-2)]).toEqual([200_020, "HTTP/1.1 200 OK\r\n\r\na", "ab"]);
    client.close();
    await eventually("res is closed", () => events.length > 0);
    expect(events).toEqual(["close"]);
  });

  test.each(["end", "reset"] as const)(
    "its client's %s ends a connection that the handler leaves open",
    async (leave) => {
      const events: string[] = [];
      const server = await serve(kind, (req, res) => {
        req.on("close", () => events.push("req"));
        res.on("close", () => events.push("res"));
        req.socket.write("HTTP/1.1 200 OK\r\n\r\n");
      });
      const client = await connected(server);
      await client.send(GET).readUntil("\r\n\r\n");
      if (kind !== "http") client.send("x".repeat(300_000)); // Node would answer that with 400
      if (leave === "reset") client.reset();
      else await client.halfClose().readToEnd();
      await eventually("both are closed", () => events.length === 2);
    },
  );

  test("what was written to the socket of `upgrade` or `clientError` arrives before its destroy", async () => {
    const server = await serve(kind, (_req, res) => void res.end());
    const refuse = (socket: Duplex): void => {
      socket.write("HTTP/1.1 401 Unauthorized\r\n");
      socket.write("\r\n");
      socket.destroy();
    };
    server.on("upgrade", (_req, socket) => refuse(socket));
    server.on("clientError", (_error, socket) => refuse(socket));
    for (const request of ["GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n", "("]) {
      const answer = await (await connected(server)).send(request).readToEnd();
      expect(answer.toString()).toBe("HTTP/1.1 401 Unauthorized\r\n\r\n");
    }
  });

  test("also behind an answer, and behind a body that has come whole", async () => {
    const server = await serve(kind, (req, res) => {
      if (req.method === "GET") res.end("x");
      else req.on("end", () => req.socket.end("raw")).resume();
    });
    const client = await connected(server);
    expect((await client.send(GET).readResponse()).status).toBe(200);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
    expect((await client.readToEnd()).toString()).toBe("raw");
  });

  test("101 as an answer, without `upgrade`", async () => {
    const server = await serve(kind, (_req, res) => {
      res.writeHead(101, { Connection: "Upgrade", Upgrade: "own" });
      res.end();
    });
    const answer = (await (await connected(server)).send(CLOSING).readUntil("\r\n\r\n")).toString();
    expect(answer).toMatch(
      /^HTTP\/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own\r\nDate: [^\r]+\r\n\r\n$/,
    );
  });

  test("several values of Content-Length are sent as given, and the connection ends behind them", async () => {
    const server = await serve(kind, (_req, res) => void res.setHeader("Content-Length", ["1", "1"]).end("x"));
    const client = await connected(server);
    const head = await client.send(kind === "http" ? CLOSING : GET).readUntil("\r\n\r\n");
    expect(head.match(/Content-Length: 1\r|Connection: close\r/g)).toHaveLength(3);
    expect((await client.readToEnd()).toString()).toBe("x");
  });

  test("a Transfer-Encoding of the handler's own ends with the connection", async () => {
    const logged: unknown[] = [];
    const accessLog = ({ status }: AccessEntry) => logged.push(status);
    const listener: RequestListener = (_req, res) => {
      res.setHeader("Transfer-Encoding", "gzip");
      res.write("one");
      res.end("two");
    };
    const server = await serve(kind, listener, kind === "http" ? {} : { accessLog });
    const answer = (await (await connected(server)).send(CLOSING).readToEnd()).toString();
    expect(answer).toMatch(
      /^HTTP\/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nDate: [^\r]+\r\nConnection: close\r\n\r\nonetwo$/,
    );
    expect(logged).toEqual(kind === "http" ? [] : [200]);
  });
});

test.each(["node", "wasmtime"])(
  "%s: what is written to req.socket where it cannot be sent is an error with a code",
  async (kind) => {
    const errors: string[] = [];
    const server = await serve(kind, (req, res) => {
      req.socket.on("error", (error: NodeJS.ErrnoException) => errors.push(String(error.code)));
      if (req.url === "/begun") res.write("x");
      req.socket.write("raw");
    });
    await (await connected(server))
      .send("GET /begun HTTP/1.1\r\nHost: x\r\n\r\n")
      .readToEnd()
      .catch(() => {});
    await (await connected(server))
      .send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
      .readToEnd()
      .catch(() => {});
    await eventually("both", () => errors.length === 2);
    expect(errors).toEqual(["HTTP_OUTPUT", "HTTP_OUTPUT"]);
  },
);

describe.each(["http", "node", "wasmtime"])("%s: maxRequestsPerSocket", (kind) => {
  test("the last answer says close, one more request is a dropRequest and answered with 503", async () => {
    const dropped: (string | undefined)[] = [];
    const server = await serve(kind, (req, res) => void res.end(req.url), { keepAliveTimeout: 5000 }, 2);
    server.on("dropRequest", (req: IncomingMessage, socket: Socket) => {
      dropped.push(req.url, String(socket === req.socket));
    });
    const client = await connected(server);
    const answers: string[] = [];
    for (const path of ["/1", "/2", "/3"]) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const { status, headers } = await client.readResponse();
      answers.push(`${status} ${headers.get("connection")} ${headers.get("keep-alive")}`);
    }
    expect(answers).toEqual(["200 keep-alive timeout=5, max=2", "200 close undefined", "503 close undefined"]);
    expect(dropped).toEqual(["/3", "true"]);
  });
});
