// The server that `createServer` gives: what its options, properties, methods and events do. The same cases run on
// Node's own server and on ours.
import { EventEmitter, once } from "node:events";
import http, { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { createServer, type NodeServer, type NodeServerOptions } from "waterspout";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
/** Node looks only every so often whether a limit is over. */
const CHECKED_OFTEN = { connectionsCheckingInterval: 20 } as NodeServerOptions;
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

const KINDS = ["http", "node", "wasmtime"] as const;

/** Makes servers of one kind, which end with their test. */
function servers(kind: (typeof KINDS)[number]) {
  const all: (http.Server | NodeServer)[] = [];
  afterEach(async () => {
    for (const server of all.splice(0)) {
      if (!server.listening) continue;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }
  });

  function made(listener: Listener, options: NodeServerOptions = {}): http.Server | NodeServer {
    const server =
      kind === "http"
        ? http.createServer(options as http.ServerOptions, listener)
        : createServer({ logger: SILENT, ...options, runtime: kind }, listener);
    all.push(server);
    return server;
  }

  async function connected(server: http.Server | NodeServer): Promise<Client> {
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    return Client.connect((server.address() as AddressInfo).port);
  }
  return { made, connected };
}

describe.each(KINDS)("%s: methods", (kind) => {
  const { made, connected } = servers(kind);

  test.each(["before", "after"])(
    "close waits for no answer to a client that has ended its side %s it",
    async (when) => {
      const answers: ServerResponse[] = [];
      let closes = 0;
      const server = made((req, res) => {
        answers.push(res);
        req.on("close", () => closes++);
      });
      const left = await connected(server);
      left.send(GET);
      await eventually("a request", () => answers.length === 1);
      const waits = await connected(server);
      waits.send(GET);
      await eventually("another one", () => answers.length === 2);
      if (when === "before") {
        left.halfClose();
        await eventually("the client's end", () => closes === 1);
      }
      const closed = once(server, "close");
      server.close();
      if (when === "after") left.halfClose();
      await eventually("the connection's end", () => left.ended || left.error !== null);
      answers[1]?.end("in time");
      expect((await waits.readResponse("GET")).body.toString()).toBe("in time");
      waits.close();
      await closed;
    },
  );

  test("closeAllConnections cuts what is in flight, and others are served; getConnections counts them", async () => {
    const answers: ServerResponse[] = [];
    const server = made((_req, res) => void answers.push(res));
    const count = () => new Promise((resolve) => server.getConnections((_error, open) => resolve(open)));
    const client = await connected(server);
    client.send(GET);
    await eventually("a request", () => answers.length === 1);
    expect(await count()).toBe(1);
    expect(server.closeAllConnections()).toBe(undefined);
    await eventually("the connection's end", () => client.ended || client.error !== null);
    const next = await connected(server);
    next.send(GET);
    await eventually("another request", () => answers.length === 2);
    answers[1]?.end("served");
    expect((await next.readResponse("GET")).body.toString()).toBe("served");
    next.close();
    client.close();
    await eventually("no connection", async () => (await count()) === 0);
    await server[Symbol.asyncDispose]();
    expect(server.listening).toBe(false);
  });
});

describe.each(KINDS)("%s: header fields", (kind) => {
  const { made, connected } = servers(kind);

  test("names of header fields are as the client wrote them in rawHeaders, and in lower case in headers", async () => {
    const server = made((req, res) => void res.end(JSON.stringify([req.rawHeaders, req.headers, req.headersDistinct])));
    const client = await connected(server);
    client.send("GET / HTTP/1.1\r\nHOST: x\r\nX-oNe: A\r\nx-OnE: b\r\nCookie: c=d\r\n\r\n");
    expect(JSON.parse((await client.readResponse()).body.toString())).toEqual([
      ["HOST", "x", "X-oNe", "A", "x-OnE", "b", "Cookie", "c=d"],
      { host: "x", "x-one": "A, b", cookie: "c=d" },
      { host: ["x"], "x-one": ["A", "b"], cookie: ["c=d"] },
    ]);
    client.close();
  });

  test.each([
    ["sendDate is false", (res: ServerResponse) => (res.sendDate = false), null],
    ["it is removed", (res: ServerResponse) => res.removeHeader("Date"), null],
    ["it is set", (res: ServerResponse) => res.setHeader("DATE", "today"), "today"],
    [
      "it is set, and sendDate is false",
      (res: ServerResponse) => (res.setHeader("date", "now").sendDate = false),
      "now",
    ],
  ])("Date, when %s", async (_when, prepare, date) => {
    const server = made((req, res) => {
      prepare(res);
      if (req.url === "/streamed") res.write("a");
      res.end("b");
    });
    for (const path of ["/", "/streamed"]) {
      const client = await connected(server);
      client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const answer = (await client.readToEnd()).toString();
      expect(/^Date: (.*)$/im.exec(answer)?.[1]?.trim() ?? null).toBe(date);
      client.close();
    }
  });
});

describe.each(KINDS)("%s: a listener that rejects, with events.captureRejections", (kind) => {
  const { made, connected } = servers(kind);

  test.each([false, true])("when its answer has begun: %s", async (begun) => {
    EventEmitter.captureRejections = true;
    onTestFinished(() => void (EventEmitter.captureRejections = false));
    const server = made(async (_req, res) => {
      res.setHeader("X-Mine", "1");
      if (begun) await new Promise((resolve) => res.write("begun", resolve));
      throw new Error("on purpose");
    });
    const client = await connected(server);
    client.send(GET);
    if (begun) {
      expect((await client.readToEnd().catch(() => "cut")).toString()).not.toContain("0\r\n\r\n");
    } else {
      const { status, headers, body } = await client.readResponse();
      expect([status, headers.has("x-mine"), body.toString()]).toEqual([500, false, "Internal Server Error"]);
    }
    client.close();
  });
});

describe.each(KINDS)("%s: limits and options", (kind) => {
  const { made, connected } = servers(kind);

  test.each(["before listen", "in the turn of listen"])(
    "keepAliveTimeout, set %s, closes idle connections",
    async (when) => {
      const server = made((_req, res) => void res.end("x"));
      if (when !== "before listen") server.listen(0, "127.0.0.1");
      server.keepAliveTimeout = 50;
      expect(server.keepAliveTimeout).toBe(50);
      if (when !== "before listen") await once(server, "listening");
      const client = await connected(server);
      client.send(GET);
      expect((await client.readResponse("GET")).status).toBe(200);
      expect((await client.readToEnd()).length).toBe(0);
      client.close();
    },
  );

  test("headersTimeout answers a head that does not come to its end with 408", async () => {
    const server = made(() => {}, { headersTimeout: 100, ...CHECKED_OFTEN });
    expect(server.headersTimeout).toBe(100);
    const client = await connected(server);
    client.send("GET / HTTP/1.1\r\nHo");
    expect(await client.readUntil("\r\n\r\n")).toMatch(/^HTTP\/1.1 408 /);
    client.close();
  });

  test("maxRequestsPerSocket: the last answer says that the connection closes", async () => {
    const server = made((_req, res) => void res.end("x"));
    server.maxRequestsPerSocket = 2;
    const client = await connected(server);
    client.send(GET);
    expect((await client.readResponse("GET")).headers.get("connection")).not.toBe("close");
    client.send(GET);
    expect((await client.readResponse("GET")).headers.get("connection")).toBe("close");
    client.close();
    server.maxRequestsPerSocket = 0;
    expect(server.maxRequestsPerSocket).toBe(0);
  });

  // Node's own server drops them in 20 and refuses the request later.
  test.skipIf(kind === "http")("maxHeadersCount drops the fields beyond", async () => {
    const server = made((req, res) => void res.end(Object.keys(req.headers).join()));
    server.maxHeadersCount = 2;
    const client = await connected(server);
    client.send("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n\r\n");
    expect((await client.readResponse("GET")).body.toString()).toBe("host,a");
    client.close();
  });

  test("maxHeaderSize refuses what is larger with 431", async () => {
    const server = made((_req, res) => void res.end(), { maxHeaderSize: 1000 });
    const client = await connected(server);
    client.send(`GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(1000)}\r\n\r\n`);
    expect(await client.readUntil("\r\n\r\n")).toMatch(/^HTTP\/1.1 431 /);
    client.close();
  });

  test("IncomingMessage and ServerResponse of one's own", async () => {
    class Message extends IncomingMessage {
      shout(): string {
        return `${this.url}!`;
      }
    }
    class Answer extends ServerResponse {
      say(text: string): void {
        this.setHeader("X-Said", "yes").end(text);
      }
    }
    const options = { IncomingMessage: Message, ServerResponse: Answer as typeof ServerResponse };
    const server = made((req, res) => (res as Answer).say((req as Message).shout()), options);
    const client = await connected(server);
    client.send(GET);
    const { headers, body } = await client.readResponse("GET");
    expect([headers.get("x-said"), body.toString()]).toEqual(["yes", "/!"]);
    client.close();
  });
});

test("limits that are set too late are lines of the log", async () => {
  const lines: string[] = [];
  const logger = { ...SILENT, warn: (...given: unknown[]) => void lines.push(String(given.at(-1))) };
  const server = createServer({ logger });
  await once(server.listen(0, "127.0.0.1"), "listening");
  expect(lines).toEqual([]);
  server.keepAliveTimeout = 1000;
  server.requestTimeout = 1000;
  expect(lines).toEqual([
    expect.stringContaining("keepAliveTimeout was set when the server listened already"),
    expect.stringContaining("requestTimeout was set when the server listened already"),
  ]);
  expect([server.keepAliveTimeout, server.requestTimeout, server.headersTimeout]).toEqual([1000, 1000, 30_000]);
  await server[Symbol.asyncDispose]();
});

test.each([
  [{ insecureHTTPParser: true }, "no lenient parser"],
  [{ maxHeaderSize: 65_537 }, "maxHeaderSize is at most 65536"],
  [{ keepAliveTimeout: -1 }, "keepAliveTimeout must be"],
  [{ headersTimeout: "1" as unknown as number }, "headersTimeout must be"],
])("%j is refused", (options, message) => {
  expect(() => createServer(options)).toThrow(message);
  expect(() => createServer({ maxHeaderSize: 65_536, keepAliveTimeout: 0 })).not.toThrow();
});
