// What a client gets, and the program hears, of a request that is refused, and how long an answer's connection is said
// to be kept: on Node's own server and on ours, in the same words.
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { createServer, type NodeServer, type NodeServerOptions } from "waterspout";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const LISTENER: http.RequestListener = (req, res) => void req.on("end", () => res.end("x")).resume();

interface ClientError extends NodeJS.ErrnoException {
  readonly reason?: string;
  readonly rawPacket?: Buffer;
}

/** Requests that end at a fault, and the code of Node's for it. */
const REFUSED: Record<string, [request: string, code: string]> = {
  "no method": ["(", "HPE_INVALID_METHOD"],
  "no URL": ["GET \t", "HPE_INVALID_URL"],
  "a header line without a colon": ["GET / HTTP/1.1\r\nHost\r\n\r\n", "HPE_INVALID_HEADER_TOKEN"],
  "a name with a space": ["GET / HTTP/1.1\r\nHost: x\r\nA : 1\r\n\r\n", "HPE_INVALID_HEADER_TOKEN"],
  "a value with a control character": ["GET / HTTP/1.1\r\nHost: x\r\nA: \u0001\r\n\r\n", "HPE_INVALID_HEADER_TOKEN"],
  "a length that is no number": [
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "HPE_INVALID_CONTENT_LENGTH",
  ],
  "two lengths": [
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HPE_UNEXPECTED_CONTENT_LENGTH",
  ],
  "a length and a coding": [
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HPE_INVALID_TRANSFER_ENCODING",
  ],
  "a head that is too large": [`GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(900)}\r\n\r\n`, "HPE_HEADER_OVERFLOW"],
  "a chunk size that is no number": [
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-\r\n",
    "HPE_INVALID_CHUNK_SIZE",
  ],
};

async function serve(
  kind: string,
  options: NodeServerOptions = {},
  requestsMax = 0,
): Promise<http.Server | NodeServer> {
  const server =
    kind === "http"
      ? http.createServer(options as http.ServerOptions, LISTENER)
      : createServer({ logger: SILENT, ...options, runtime: kind as "node" | "wasmtime" }, LISTENER);
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

async function answerTo(server: http.Server | NodeServer, request: string): Promise<string> {
  const client = await Client.connect((server.address() as AddressInfo).port);
  client.send(request);
  const answer = (await client.readToEnd()).toString();
  client.close();
  return answer;
}

describe.each(["http", "node", "wasmtime"])("%s: clientError", (kind) => {
  test("rawPacket of a clientError is the packet at fault: what came before it is no part of it", async () => {
    const server = await serve(kind);
    server.on("clientError", ({ reason, rawPacket }: ClientError, socket: Duplex) => {
      socket.end(`${reason}: ${rawPacket}`);
    });
    const behind = async (kept: string, faulty: string): Promise<string> => {
      const client = await Client.connect((server.address() as AddressInfo).port);
      client.send(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${kept}`);
      expect((await client.readResponse()).status).toBe(200);
      client.send(faulty);
      const said = (await client.readToEnd()).toString();
      client.close();
      return said;
    };
    expect(await behind("GET / HTTP/1.1\r\nHo", " st: x\r\n\r\n")).toBe("Invalid header token:  st: x\r\n\r\n");
    const chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    expect(await behind("", `${chunked}x\r\n`)).toBe(`Invalid character in chunk size: ${chunked}x\r\n`);
    expect(await behind(chunked, "x\r\n")).toBe("Invalid character in chunk size: x\r\n");
  });

  test("a head that does not come in time is a clientError without a packet", async () => {
    const times = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };
    const server = await serve(kind, times);
    server.on("clientError", (error: ClientError, socket: Duplex) => {
      socket.end(`${error.code} ${error.message} ${error.rawPacket}`);
    });
    expect(await answerTo(server, "GET / HT")).toBe("ERR_HTTP_REQUEST_TIMEOUT Request timeout undefined");
  });

  const body = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab";
  test.each(["oops!", "GET / HTTP/1.1\r\nHo", body])("%j that the client's end cuts off", async (head) => {
    const server = await serve(kind);
    const cut = async (): Promise<string> => {
      const client = await Client.connect((server.address() as AddressInfo).port);
      client.send(head).halfClose();
      const answer = (await client.readToEnd()).toString();
      client.close();
      return answer;
    };
    expect(await cut()).toBe("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    server.on("clientError", (error: ClientError, socket: Duplex) => {
      socket.end(`${error.message.split(":")[0]} ${error.rawPacket}`);
    });
    expect(await cut()).toBe(`Parse Error ${head === "oops!" && kind === "http" ? head : undefined}`);
  });
});

describe.each(["http", "node", "wasmtime"])("%s", (kind) => {
  test.each(Object.entries(REFUSED))("%s is refused as Node's server does it", async (_what, [request, code]) => {
    const server = await serve(kind, { maxHeaderSize: 800 });
    const status = code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
    expect(await answerTo(server, request)).toBe(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  });

  test.each(Object.entries(REFUSED))("%s is a clientError, whose listener answers", async (_what, [request, code]) => {
    const server = await serve(kind, { maxHeaderSize: 800 });
    server.on("clientError", (error: ClientError, socket: Duplex) => {
      const said = `${socket.writable} ${error.message.split(":")[0]} ${error.code} ${error.rawPacket}`;
      socket.end(`HTTP/1.1 418 Tea\r\n\r\n${said}`);
    });
    expect(await answerTo(server, request)).toBe(`HTTP/1.1 418 Tea\r\n\r\ntrue Parse Error ${code} ${request}`);
  });

  test("what is odd in a path or in Host is the listener's; a request without Host, or with several, is refused", async () => {
    const server = await serve(kind);
    server.prependListener("request", (req, res) => res.setHeader("X-Got", `${req.url} ${req.headers.host}`));
    const odd = ['GET /<a>"\\#', "GET *", "GET /"].map((line, at) => `${line} HTTP/1.1\r\nHost: http://a/${at}\r\n`);
    const got = odd.map((head) => answerTo(server, `${head}Connection: close\r\n\r\n`));
    const fields = (await Promise.all(got)).map((answer) => /X-Got: (.*)\r/.exec(answer)?.[1]);
    expect(fields).toEqual(['/<a>"\\# http://a/0', "* http://a/1", "/ http://a/2"]);
    const refused = kind === "http" ? [""] : ["", "Host: a\r\nHost: a\r\n"]; // Node's server takes the first
    for (const hosts of refused)
      expect(await answerTo(server, `GET / HTTP/1.1\r\n${hosts}\r\n`)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
  });

  test("clientError has the client's address, comes behind answers before it, and its socket ends with the client's", async () => {
    const server = await serve(kind);
    const addresses: (string | undefined)[] = [];
    const closed = new Promise((resolve) => {
      server.on("clientError", (_error: Error, socket: Socket) => {
        addresses.push(socket.remoteAddress);
        socket.on("close", resolve); // and nothing else: the client's end ends it
      });
    });
    const client = await Client.connect((server.address() as AddressInfo).port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await client.readResponse()).status).toBe(200);
    client.send("( / HTTP/1.1\r\n\r\n");
    await eventually("an error", () => addresses.length > 0);
    expect(addresses).toEqual([kind === "wasmtime" ? undefined : "127.0.0.1"]);
    client.halfClose();
    expect((await client.readToEnd()).toString()).toBe("");
    await closed;
  });

  test.each([
    [7_000, 0, "timeout=7"],
    [7_000, 3, "timeout=7, max=3"],
    [0, 0, undefined],
  ])("keepAliveTimeout %d, maxRequestsPerSocket %d: an answer says %s", async (keepAliveTimeout, requestsMax, said) => {
    const server = await serve(kind, { keepAliveTimeout }, requestsMax);
    const client = await Client.connect((server.address() as AddressInfo).port);
    for (const [connection, kept] of [
      ["keep-alive", said],
      ["close", undefined],
    ]) {
      client.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n\r\n`);
      const { headers } = await client.readResponse();
      expect([headers.get("connection"), headers.get("keep-alive") ?? undefined]).toEqual([connection, kept]);
    }
    client.close();
  });
});

test.each(["node", "wasmtime"])("%s: a listener of clientError has as long as a head may take", async (kind) => {
  const server = await serve(kind, { headersTimeout: 300 });
  const seen: Duplex[] = [];
  server.on("clientError", (_error: Error, socket: Duplex) => void seen.push(socket));
  const client = await Client.connect((server.address() as AddressInfo).port);
  client.send("(");
  await client.readToEnd().catch(() => {}); // it is cut
  await eventually("the socket's end", () => seen[0]?.destroyed === true);
  const count = await new Promise((resolve) => server.getConnections((_error, open) => resolve(open)));
  expect(count).toBe(0);
});

test.each(["node", "wasmtime"])(
  "%s: of a flood of refused requests, those without an event are answered",
  async (kind) => {
    const server = await serve(kind);
    let events = 0;
    server.on("clientError", (_error: Error, socket: Duplex) => {
      events++;
      socket.end("HTTP/1.1 418 Tea\r\n\r\n");
    });
    const answers: string[] = [];
    for (let i = 0; i < 30; i++) answers.push((await answerTo(server, "(")).slice(9, 12));
    expect(answers.filter((status) => status === "418")).toHaveLength(events);
    expect(new Set(answers)).toEqual(new Set(["418", "400"]));
  },
);

test.each(["node", "wasmtime"])("%s: what a listener of clientError throws is the program's", async (kind) => {
  const server = await serve(kind, { headerTimeoutMs: 50 });
  server.on("clientError", () => {
    throw new Error("on purpose");
  });
  const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
  const others = process.listeners("uncaughtException").slice(0, -1);
  for (const other of others) process.off("uncaughtException", other);
  onTestFinished(() => void others.map((other) => process.on("uncaughtException", other)));
  await answerTo(server, "(");
  expect(await thrown).toEqual(new Error("on purpose"));
  expect(await answerTo(server, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toContain(" 200 OK");
});
