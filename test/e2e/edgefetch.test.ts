// Requests to other servers out of a component: as Node's fetch answers, and whatever the other server does.
import { createServer, type Server as HTTPServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTCPServer, type Socket, type Server as TCPServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Built, EDGE, MAKE_MS, SERVE_MS } from "./support/edge.js";
import { eventually, NODE, type Server, start } from "./support/ways.js";

const APP = "test/e2e/apps/edgefetch.ts";
const MIB = 1 << 20;
const built = new Built();

let upstream: HTTPServer;
let base = "";
let seen: IncomingMessage[] = [];
let sentBytes = 0;
beforeAll(async () => {
  upstream = createServer(answerUpstream);
  base = `http://127.0.0.1:${await portOf(upstream)}`;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
  built.remove();
});

async function portOf(server: HTTPServer | TCPServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function answerUpstream(request: IncomingMessage, response: ServerResponse): void {
  seen.push(request);
  const url = new URL(request.url ?? "/", base);
  if (url.pathname === "/echo") {
    response.setHeader("Content-Type", "text/echo");
    request.pipe(response);
  } else if (url.pathname === "/hop") {
    const left = Number(url.searchParams.get("left"));
    const to = left > 1 ? `/hop?left=${left - 1}` : (url.searchParams.get("then") ?? "/plain");
    response.writeHead(Number(url.searchParams.get("status") ?? 302), { Location: to }).end("moved");
  } else if (url.pathname === "/endless") {
    const write = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) sentBytes += 65_536;
    };
    response.on("drain", write);
    write();
  } else if (url.pathname !== "/never") {
    response.setHeader("X-Answer", Buffer.from("grün").toString("latin1"));
    response.setHeader("Set-Cookie", ["a=1", "b=2"]);
    if (url.pathname === "/empty") response.writeHead(204).end();
    else response.end(`${request.method} plain`);
  }
}

let server: Server;
const ask = async (path: string, to: string, more = ""): Promise<Record<string, unknown>> =>
  JSON.parse((await server.get(`${path}?to=${encodeURIComponent(to)}${more}`)).body.toString());

describe.each([NODE, EDGE])("fetch to other servers, $name", (way) => {
  beforeAll(async () => {
    server =
      way === NODE ? await start(NODE, APP) : await start(EDGE, await built.compile(APP), [], { serveMs: SERVE_MS });
  }, MAKE_MS);
  afterAll(() => server.stop());

  test("a whole answer, its fields, and those that were sent", async () => {
    seen = [];
    expect(await ask("/get", `${base}/plain?q=1#part`)).toMatchObject({
      status: 200,
      redirected: false,
      fields: [expect.stringMatching(/^gr.+n$/), "9", ["a=1", "b=2"]],
      text: "GET plain",
    });
    const [{ url, headers }] = seen;
    expect(url).toBe("/plain?q=1");
    expect(headers).toMatchObject({ host: base.slice(7), authorization: "mine", cookie: "a=1", accept: "*/*" });
    expect(headers["x-sent"]).toBe("grüße");
    expect(await ask("/get", `${base}/plain`, "&method=HEAD")).toMatchObject({ status: 200, text: "" });
    expect(await ask("/get", `${base}/empty`)).toMatchObject({ status: 204, text: "" });
  });

  test("a body of the application, whole", async () => {
    seen = [];
    const answer = await server.get(`/post?to=${encodeURIComponent(`${base}/echo`)}`);
    expect(answer.body.toString()).toBe('{"a":1}');
    expect(seen[0].headers).toMatchObject({
      "content-length": "7",
      "content-type": "text/plain;charset=UTF-8",
      "x-kind": "whole",
    });
  });

  test("bodies that stream both ways, and the answer is the other server's", async () => {
    const client = await server.connect();
    const body = Buffer.alloc(3 * MIB, "0123456789");
    const to = encodeURIComponent(`${base}/echo`);
    client.send(`POST /pass?to=${to} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`).send(body);
    const answer = await client.readResponse("POST");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/echo");
    expect(answer.body.equals(body)).toBe(true);
  });

  test("redirects are followed, 20 of them, or not; what is meant for one origin stays there", async () => {
    seen = [];
    expect(await ask("/get", `${base}/hop?left=20`)).toMatchObject({ url: `${base}/plain`, redirected: true });
    expect(seen.every(({ headers }) => headers.authorization === "mine")).toBe(true);
    expect(await ask("/get", `${base}/hop?left=21`)).toMatchObject({ name: "TypeError" });
    expect(await ask("/get", `${base}/hop?left=1`, "&redirect=error")).toMatchObject({ name: "TypeError" });
    expect(await ask("/get", `${base}/hop?left=1`, "&redirect=manual")).toMatchObject({ status: 302, text: "moved" });
    const post = encodeURIComponent(`${base}/hop?left=1&status=303`);
    expect((await server.get(`/post?to=${post}`)).body.toString()).toBe("GET plain");
    seen = [];
    const foreign = createServer(answerUpstream);
    const port = await portOf(foreign);
    await ask("/get", `${base}/hop?left=1&then=${encodeURIComponent(`http://127.0.0.1:${port}/plain`)}`);
    expect(seen[1].headers.authorization).toBeUndefined();
    expect(seen[1].headers.cookie).toBeUndefined();
    foreign.closeAllConnections();
    foreign.close();
  });

  test("an answer that is not read any more ends its connection; one that is not read holds the other server back", async () => {
    sentBytes = 0;
    seen = [];
    expect(await ask("/first", `${base}/endless`)).toEqual({ first: true });
    await eventually("the end of the connection", () => seen[0].socket.destroyed);
    expect(sentBytes).toBeLessThan(64 * MIB);
  });

  test("a signal ends it while the head is awaited, and the body", async () => {
    expect(await ask("/timeout", `${base}/never`)).toMatchObject({ name: "TimeoutError" });
    expect(await ask("/timeout", `${base}/endless`)).toMatchObject({ name: "TimeoutError" });
    await eventually("the end of the connections", () => seen.slice(-2).every(({ socket }) => socket.destroyed));
  });

  test("no server listens there", async () => {
    const closed = createTCPServer();
    const port = await portOf(closed);
    await new Promise((resolve) => closed.close(resolve));
    expect(await ask("/get", `http://127.0.0.1:${port}/`)).toMatchObject({ name: "TypeError" });
  });

  if (way === EDGE) ofComponents();
});

/** What is said of servers that break the rules, and of what a component cannot do. */
function ofComponents(): void {
  const wrong: [string, string, RegExp][] = [
    ["no HTTP", "hello\r\n\r\n", /breaks the rules/],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", /breaks the rules/],
    ["both framings", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", /breaks/],
    ["a head of a megabyte", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(MIB)}\r\n\r\n`, /breaks the rules/],
    ["a thousand 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000), /breaks the rules/],
    [
      "101 unasked",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      /breaks the rules/,
    ],
    ["a chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", /breaks the rules/],
    ["an end in the head", "HTTP/1.1 200 OK\r\nX: ", /closed before the answer was complete/],
    [
      "an end in the body",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234",
      /closed before the answer was complete/,
    ],
    ["nothing at all", "", /closed before the answer was complete/],
  ];
  test.each(wrong)("%s", async (_, bytes, message) => {
    const hostile = createTCPServer((socket: Socket) => {
      socket.on("error", () => {}).once("data", () => socket.end(bytes));
    });
    const to = `http://127.0.0.1:${await portOf(hostile)}/`;
    expect(await ask("/get", to)).toEqual({ name: "TypeError", message: expect.stringMatching(message) });
    expect(await ask("/get", `${base}/plain`)).toMatchObject({ status: 200 });
    hostile.close();
  });

  test("an answer until the end of the connection", async () => {
    const old = createTCPServer((socket) => {
      socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nto the end"));
    });
    expect(await ask("/get", `http://127.0.0.1:${await portOf(old)}/`)).toMatchObject({ text: "to the end" });
    old.close();
  });

  test("TLS, a name that may not be looked up, and what is no address", async () => {
    const cases: [string, RegExp][] = [
      ["https://127.0.0.1/", /a component has no TLS/],
      ["ftp://127.0.0.1/", /only http: can be had/],
      ["http://me:secret@127.0.0.1/", /must not have a password/],
      ["http://localhost/", /allow-ip-name-lookup/],
      ["nowhere", /./],
    ];
    for (const [to, message] of cases) {
      expect(await ask("/get", to), to).toMatchObject({ name: "TypeError", message: expect.stringMatching(message) });
    }
  });

  test("256 are under way at once, and more fail", async () => {
    const { answered, failures } = await ask("/many", `${base}/plain`, "&count=300");
    expect(failures).toEqual([expect.stringContaining("too many requests are under way")]);
    expect(answered).toBe(256);
    expect(await ask("/many", `${base}/plain`, "&count=256")).toEqual({ answered: 256, failures: [] });
  });
}
