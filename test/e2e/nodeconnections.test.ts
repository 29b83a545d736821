// The sockets of a server of Node's kind: one for each connection where this process holds it. The same cases run on
// Node's own server and on ours.
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { createServer, type NodeServer, type NodeServerOptions } from "waterspout";

import { STOP_GRACE_MS } from "../../host/core/limits.js";
import { Client } from "./support/client.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** Two ends of one connection in memory. */
function duplexes(): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const waiting: (() => void)[] = [];
  const end = (own: number): Duplex =>
    new Duplex({
      read: () => waiting[own]?.(),
      write: (chunk, _encoding, done) => {
        waiting[1 - own] = done;
        ends[1 - own]?.push(chunk);
      },
      final: (done) => {
        ends[1 - own]?.push(null);
        done();
      },
    });
  ends.push(end(0), end(1));
  return ends as [Duplex, Duplex];
}

type Kind = "http" | "node" | "wasmtime";
type Listener = (req: IncomingMessage, res: ServerResponse) => void;

const clients: Client[] = [];
const all: (http.Server | NodeServer)[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of all.splice(0)) {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
});

async function listening(kind: Kind, listener: Listener, options: NodeServerOptions = {}) {
  const server =
    kind === "http"
      ? http.createServer({ connectionsCheckingInterval: 20, ...options } as http.ServerOptions, listener)
      : createServer({ logger: SILENT, ...options, runtime: kind }, listener);
  all.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const connected = async (): Promise<Client> => {
    const client = await Client.connect((server.address() as AddressInfo).port);
    clients.push(client);
    return client;
  };
  return { server, connected };
}

const answersX: Listener = (_req, res) => void res.end("x");

describe.each(["http", "node"] as const)("%s", (kind) => {
  test("connection comes with the socket that its requests have, before anything was sent", async () => {
    const sockets: Socket[] = [];
    const { server, connected } = await listening(kind, (req, res) => {
      sockets.push(req.socket);
      res.end(String(req.socket === res.socket));
    });
    const connection = once(server, "connection");
    const client = await connected();
    const [socket] = await connection;
    expect([socket.remoteAddress, typeof socket.remotePort, socket.destroyed]).toEqual(["127.0.0.1", "number", false]);
    for (let time = 0; time < 2; time++) {
      expect((await client.send(GET).readResponse("GET")).body.toString()).toBe("true");
    }
    expect(sockets.map((each) => each === socket)).toEqual([true, true]);
    expect([socket.bytesRead, socket.bytesWritten > 0]).toEqual([2 * GET.length, true]);
    const closed = once(socket, "close");
    client.close();
    await closed;
    expect(socket.destroyed).toBe(true);
  });

  test.each(["end", "destroy"] as const)("%s() between two requests ends the connection", async (method) => {
    const { server, connected } = await listening(kind, answersX);
    const connection = once(server, "connection");
    const client = await connected();
    const [socket] = await connection;
    expect((await client.send(GET).readResponse("GET")).status).toBe(200);
    const closed = once(socket, "close");
    socket[method]();
    expect((await client.readToEnd()).length).toBe(0);
    client.close();
    await closed;
  });

  test("end() in front of the first request ends the connection", async () => {
    const { server, connected } = await listening(kind, answersX);
    server.once("connection", (socket: Socket) => socket.end());
    expect((await (await connected()).readToEnd()).length).toBe(0);
  });

  test("closeIdleConnections ends what waits for another request, and nothing else", async () => {
    let answer: ServerResponse | null = null;
    const { server, connected } = await listening(kind, (req, res) => {
      if (req.url === "/") res.end("x");
      else answer = res;
    });
    const [idle, busy] = [await connected(), await connected()];
    expect((await idle.send(GET).readResponse("GET")).status).toBe(200);
    busy.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    while (answer === null) await once(server, "request");
    server.closeIdleConnections();
    expect((await idle.readToEnd()).length).toBe(0);
    (answer as ServerResponse).end("late");
    expect((await busy.readResponse("GET")).body.toString()).toBe("late");
  });

  test("server.timeout holds for a connection without a request", async () => {
    const { server, connected } = await listening(kind, answersX);
    server.setTimeout(30);
    const timeout = once(
      server.on("timeout", (socket) => socket.destroy()),
      "timeout",
    );
    expect((await (await connected()).readToEnd()).length).toBe(0);
    await timeout;
  });
});

describe.each(["http", "node", "wasmtime"] as const)("%s: given streams", (kind) => {
  test.each([true, false])(
    "a stream that is given by connection is served; the server listens: %s",
    async (listens) => {
      const server = kind === "http" ? http.createServer() : createServer({ logger: SILENT, runtime: kind });
      server.on("request", (req: IncomingMessage, res: ServerResponse) => req.pipe(res));
      if (listens) await once(server.listen(0, "127.0.0.1"), "listening");
      const [client, stream] = duplexes();
      server.emit("connection", stream);
      const body = "x".repeat(300_000);
      client.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      let answer = "";
      for await (const chunk of client) answer += chunk;
      expect(answer.slice(0, 15)).toBe("HTTP/1.1 200 OK");
      expect(answer.split("x").length - 1).toBe(body.length);
      await new Promise((resolve) => server.close(resolve));
    },
  );

  test("closeAllConnections cuts one behind close, too", async () => {
    const server = kind === "http" ? http.createServer() : createServer({ logger: SILENT, runtime: kind });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const [client, stream] = duplexes();
    client.resume().on("error", () => {});
    server.emit("connection", stream);
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(server, "request");
    server.close();
    const signal = AbortSignal.timeout(STOP_GRACE_MS - 1000); // `close` cuts it by itself then
    const closed = once(stream, "close", { signal });
    server.closeAllConnections();
    await closed;
  });
});

describe.each(["http", "node", "wasmtime"] as const)("%s: requests and answers", (kind) => {
  test("sockets of requests and of upgrades are a net.Socket", async () => {
    const { server, connected } = await listening(
      kind,
      (req, res) => void res.end(String(req.socket instanceof Socket)),
    );
    const client = await connected();
    expect((await client.send(GET).readResponse("GET")).body.toString()).toBe("true");
    server.on("upgrade", (req: IncomingMessage, socket: Socket) => {
      req.resume().on("end", () => socket.end(String(socket instanceof Socket))); // which reads it to its end
    });
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    expect((await client.readToEnd()).toString()).toBe("true");
  });

  test("highWaterMark and joinDuplicateHeaders are options of requests and answers", async () => {
    const { connected } = await listening(
      kind,
      (req, res) => void res.end(`${req.headers.authorization} ${res.writableHighWaterMark}`),
      { highWaterMark: 100, joinDuplicateHeaders: true },
    );
    const client = await connected();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n");
    expect((await client.readResponse("GET")).body.toString()).toBe("a, b 100");
  });

  test("strictContentLength has write and end throw where the length is another one", async () => {
    const codes: string[] = [];
    const { connected } = await listening(kind, (_req, res) => {
      res.strictContentLength = true;
      res.setHeader("Content-Length", 2);
      for (const text of ["", "abc", "ab"]) {
        try {
          res.end(text);
        } catch (error) {
          codes.push((error as NodeJS.ErrnoException).code as string);
        }
      }
    });
    const { body } = await (await connected()).send(GET).readResponse("GET");
    expect(body.toString()).toBe("ab");
    expect(new Set(codes)).toEqual(new Set(["ERR_HTTP_CONTENT_LENGTH_MISMATCH"]));
  });

  test("setEncoding of a request's socket throws", async () => {
    const { connected } = await listening(kind, (req, res) => {
      expect(() => req.socket.setEncoding("utf8")).toThrow(
        expect.objectContaining({ code: "ERR_HTTP_SOCKET_ENCODING" }),
      );
      res.end("x");
    });
    expect((await (await connected()).send(GET).readResponse("GET")).status).toBe(200);
  });

  test("rejectNonStandardBodyWrites has write throw where there is no body", async () => {
    const { connected } = await listening(
      kind,
      (_req, res) => {
        res.statusCode = 204;
        expect(() => res.write("x")).toThrow(expect.objectContaining({ code: "ERR_HTTP_BODY_NOT_ALLOWED" }));
        res.end();
      },
      { rejectNonStandardBodyWrites: true },
    );
    expect((await (await connected()).send(GET).readResponse("GET")).status).toBe(204);
  });

  test("Trailer in front of a Content-Length throws as Node does", async () => {
    const { connected } = await listening(kind, (_req, res) => {
      res.setHeader("Trailer", "X-Sum");
      let code = "";
      try {
        res.writeHead(200, { "Content-Length": 2 });
      } catch (error) {
        code = (error as NodeJS.ErrnoException).code as string;
      }
      res.removeHeader("Trailer");
      res.end(code === "ERR_HTTP_TRAILER_INVALID" ? "ok" : "no");
    });
    const { body } = await (await connected()).send(GET).readResponse("GET");
    expect(body.toString()).toBe("ok");
  });
});

describe.each(["http", "node", "wasmtime"] as const)("%s: requestTimeout", (kind) => {
  test("requestTimeout answers a body that does not come to its end with 408, and aborts the request", async () => {
    const events: string[] = [];
    const { server, connected } = await listening(
      kind,
      (req) => {
        req.on("error", (error: NodeJS.ErrnoException) => events.push(String(error.code))).resume();
        req.on("close", () => server.emit("over"));
      },
      { requestTimeout: 100 },
    );
    expect(server.requestTimeout).toBe(100);
    const over = once(server, "over");
    const client = await connected();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
    expect(await client.readUntil("\r\n\r\n")).toMatch(/^HTTP\/1.1 408 [\s\S]*Connection: close\r\n/);
    await over;
    expect(events).toEqual(["ECONNRESET"]);
  });

  test("requestTimeout does not hold for a handler that takes its time", async () => {
    const { connected } = await listening(
      kind,
      (req, res) => void req.resume().on("end", () => setTimeout(() => res.end("late"), 150)),
      { requestTimeout: 100 },
    );
    const client = await connected();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    expect((await client.readResponse("POST")).body.toString()).toBe("late");
  });
});

test.each(["node", "wasmtime"] as const)(
  "%s: an idle connection is kept for keepAliveTimeoutBuffer more",
  async (kind) => {
    const times = { keepAliveTimeout: 50, keepAliveTimeoutBuffer: 60_000 };
    const patient = await (await listening(kind, answersX, times)).connected();
    await patient.send(GET).readResponse("GET");
    const { server, connected } = await listening(kind, answersX, { ...times, keepAliveTimeoutBuffer: 0 });
    expect((server as NodeServer).keepAliveTimeoutBuffer).toBe(0);
    const other = await connected();
    await other.send(GET).readResponse("GET");
    await other.readToEnd(); // so the time of the first one is over, too
    expect((await patient.send(GET).readResponse("GET")).status).toBe(200);
  },
);

describe.each(["http", "node"] as const)("%s: limits", (kind) => {
  test("maxConnections closes what is more, and drop has its addresses", async () => {
    const sockets: Socket[] = [];
    const { server, connected } = await listening(kind, (req, res) => {
      sockets.push(req.socket);
      res.end("x");
    });
    server.maxConnections = 1;
    const first = await connected();
    expect((await first.send(GET).readResponse()).body.toString()).toBe("x");
    const dropped = once(server, "drop");
    await (await connected()).gone();
    const { address, port } = server.address() as AddressInfo;
    expect((await dropped)[0]).toMatchObject({ localAddress: address, localPort: port, remoteAddress: address });
    const closed = once(sockets[0] as Socket, "close");
    first.close();
    await closed;
    expect((await (await connected()).send(GET).readResponse()).body.toString()).toBe("x");
  });
});
