// AsyncHTTPClient against servers on loopback: Waterspout's own for what servers do, node:net where one misbehaves.
import dns from "node:dns";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  Application,
  AsyncHTTPClient,
  type BodyProducer,
  ConnectError,
  type FetchOptions,
  HTTPClientError,
  HTTPServer,
  type HTTPServerRequest,
  HTTPStreamClosedError,
  HTTPTimeoutError,
  RequestHandler,
} from "waterspout";

import { missingOpenSSL, useCertificate } from "./support/certificates.js";
import { eventually } from "./support/ways.js";

const KIB = 1024;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const OPTIONS = { accessLog: "off", logger: SILENT, compressResponse: true } as const;

/** What a request was, as JSON. */
async function echo(request: HTTPServerRequest): Promise<void> {
  const body = (await request.readBody()).toString("latin1");
  const { method, target: uri } = request;
  request.respond(
    200,
    { "Content-Type": "application/json" },
    JSON.stringify({ method, uri, headers: [...request.headers], body }),
  );
}

class Redirect extends RequestHandler {
  override prepare(): void {
    const status = Number(this.getQueryArgument("status", "302"));
    this.setStatus(status);
    this.setHeader("Location", this.getQueryArgument("to"));
    this.finish();
  }
}

class Count extends RequestHandler {
  override get(left: string): void {
    if (left === "0") this.write("there");
    else this.redirect(`/count/${Number(left) - 1}`);
  }
}

const held: HTTPServerRequest[] = [];

const application = new Application([
  ["/echo", echo],
  ["/redirect", Redirect],
  [/\/count\/(\d+)/, Count],
  [
    /\/size\/(\d+)/,
    class extends RequestHandler {
      override get(size: string): void {
        this.setHeader("Content-Type", "text/plain");
        this.write("x".repeat(Number(size)));
      }
    },
  ],
  ["/held", (request: HTTPServerRequest) => void held.push(request)],
  [
    "/teapot",
    class extends RequestHandler {
      override get(): void {
        this.setStatus(418);
        this.write("short and stout");
      }
    },
  ],
]);

let server: HTTPServer;
let other: HTTPServer;
let url = "";
let otherUrl = "";
const clients: AsyncHTTPClient[] = [];

function client(options: ConstructorParameters<typeof AsyncHTTPClient>[0] = {}): AsyncHTTPClient {
  const made = new AsyncHTTPClient(options);
  clients.push(made);
  return made;
}

beforeAll(async () => {
  server = new HTTPServer(application, OPTIONS);
  other = new HTTPServer(application, OPTIONS);
  url = `http://127.0.0.1:${await portOf(server)}`;
  otherUrl = `http://127.0.0.1:${await portOf(other)}`;
});
afterAll(() => Promise.all([server.stop(), other.stop()]));
afterEach(() => {
  for (const each of clients.splice(0)) each.close();
  for (const request of held.splice(0)) if (!request.started) request.respond(204);
});

async function portOf(listening: HTTPServer): Promise<number> {
  await listening.listen(0);
  return listening.addresses[0].port;
}

/** A server that says `answer` to whatever comes, and ends; with `calls`. */
async function raw(answer: (socket: net.Socket, call: number) => void): Promise<{ url: string; calls: () => number }> {
  let calls = 0;
  const listening = net.createServer((socket) => {
    socket.on("error", () => {}).on("data", () => answer(socket, ++calls));
  });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  closers.push(() => void listening.close());
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`, calls: () => calls };
}
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const json = (body: Buffer) => JSON.parse(body.toString());
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail("it resolved"),
    (error) => error,
  );

test("an answer: status, phrase, fields, body, address and time", async () => {
  const response = await client().fetch(`${url}/size/5#part`);
  expect(response).toMatchObject({ code: 200, reason: "OK", effectiveUrl: `${url}/size/5`, error: null });
  expect(response.headers.get("Content-Type")).toBe("text/plain");
  expect(response.body.toString()).toBe("xxxxx");
  expect(response.requestTimeMs).toBeGreaterThan(0);
  expect(response.startTimeMs).toBeGreaterThan(performance.timeOrigin);
  expect(response.startTimeMs + response.requestTimeMs).toBeLessThan(performance.timeOrigin + performance.now());
  expect(response.rethrow()).toBeUndefined();
});

test("a request: method, fields, bodies of each kind, defaults", async () => {
  const http = client({ defaults: { userAgent: "tests", headers: { "X-Own": ["1", "2"] } } });
  const post = json((await http.fetch({ url: `${url}/echo?a=b`, method: "POST", body: "ü" })).body);
  expect(post).toMatchObject({ method: "POST", uri: "/echo?a=b", body: "\xc3\xbc" });
  const fields = post.headers.map(([name, value]: string[]) => `${name}: ${value}`);
  expect(fields).toEqual(
    expect.arrayContaining(["user-agent: tests", "x-own: 1", "x-own: 2", "accept-encoding: gzip"]),
  );
  expect(json((await http.fetch(`${url}/echo`, { method: "PUT", body: Buffer.from([0, 255]) })).body).body).toBe(
    "\0\xff",
  );
  async function* pieces() {
    yield "one, ";
    yield Buffer.from("two");
  }
  const chunked = json((await http.fetch(`${url}/echo`, { method: "POST", body: pieces() })).body);
  expect(chunked.body).toBe("one, two");
  const counted = json(
    (await http.fetch(`${url}/echo`, { method: "POST", body: pieces(), headers: { "Content-Length": 8 } })).body,
  );
  expect(counted.headers).toContainEqual(["content-length", "8"]);
  for (const length of [7, 9]) {
    const wrong = http.fetch(`${url}/echo`, { method: "POST", body: pieces(), headers: { "Content-Length": length } });
    await expect(wrong).rejects.toThrow(/bytes than its Content-Length/);
  }
});

test("a body that is produced, in chunks or of a known length", async () => {
  const http = client();
  const atOnce: BodyProducer = (write) => {
    void write("1234");
    void write("5678");
  };
  const inTurn: BodyProducer = async (write) => {
    await write("1234");
    await write(Buffer.from("5678"));
  };
  for (const bodyProducer of [atOnce, inTurn]) {
    for (const headers of [{}, { "Content-Length": 8 }]) {
      const { body } = await http.fetch(`${url}/echo`, { method: "POST", headers, bodyProducer });
      expect(json(body).body).toBe("12345678");
    }
  }
});

test("what a body throws is what the request rejects with, also before there is a connection", async () => {
  const http = client();
  const fail = (): never => {
    throw new Error("nothing to send");
  };
  const bodies: FetchOptions[] = [
    { bodyProducer: fail },
    { bodyProducer: async () => fail() },
    { bodyProducer: (write) => write({} as never) },
    { body: { [Symbol.asyncIterator]: () => ({ next: async () => fail() }) } },
  ];
  for (const body of bodies) {
    const error = await failure(http.fetch(`${url}/echo`, { method: "POST", ...body }));
    expect(error).not.toBeInstanceOf(HTTPClientError);
    expect(error).not.toBeInstanceOf(ConnectError);
    expect(error.message).toMatch(/^(nothing to send|data must be a string or a Uint8Array)$/);
  }
});

test("a producer hears that its request is over", async () => {
  const { url: early } = await raw((socket) => socket.end("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"));
  const heard = new Promise((resolve) => {
    const bodyProducer: BodyProducer = async (write) => {
      for (;;) await write("x".repeat(100_000)).catch((error) => Promise.reject(resolve(error)));
    };
    void failure(client().fetch(early, { method: "POST", bodyProducer }));
  });
  expect(await heard).toBeInstanceOf(HTTPStreamClosedError);
});

test("a body that waits for 100 is not sent to a server that answers at once", async () => {
  const http = client();
  const waiting = { method: "POST", expect100Continue: true };
  const sent = json((await http.fetch(`${url}/echo`, { ...waiting, body: "1234" })).body);
  expect(sent.body).toBe("1234");
  expect(sent.headers).toContainEqual(["expect", "100-continue"]);
  const early = await raw((socket) => socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  const bodyProducer = () => expect.fail("it was asked for");
  expect((await http.fetch(early.url, { ...waiting, bodyProducer, raiseError: false })).code).toBe(403);
  expect(early.calls()).toBe(1);
  const to = encodeURIComponent(`${url}/echo`);
  for (const path of ["/echo", `/redirect?status=303&to=${to}`]) {
    const hasBody = path !== "/echo";
    const asked = { expect100Continue: true, ...(hasBody && { method: "POST", body: "1234" }) };
    const { headers } = json((await http.fetch(`${url}${path}`, asked)).body);
    expect(headers.map(([name]: [string]) => name)).not.toContain("expect"); // RFC 9110 10.1.1: with a body only
  }
});

test("a request of an answer is fetched again; a connection comes from the address that is wanted", async () => {
  const http = client({ maxClients: 3, defaults: { userAgent: "tests" } });
  expect(http.maxClients).toBe(3);
  const { request } = await http.fetch(`${url}/count/1`, { networkInterface: "127.0.0.2" });
  expect(request).toMatchObject({ url: `${url}/count/1`, userAgent: "tests", networkInterface: "127.0.0.2" });
  expect((await http.fetch(request)).body.toString()).toBe("there");
  let from: string | undefined;
  const server = await raw((socket) => {
    from = socket.remoteAddress;
    socket.end("HTTP/1.1 204 No Content\r\n\r\n");
  });
  // Of a host with addresses of both families, the first of which has no way from here.
  const lookup = (_name: string, { family }: dns.LookupOptions, done: () => void) =>
    process.nextTick(done, null, ...(family === 4 ? ["127.0.0.1", 4] : ["::1", 6]));
  const both = vi.spyOn(dns, "lookup").mockImplementation(lookup as never);
  onTestFinished(() => both.mockRestore());
  await http.fetch(server.url.replace("127.0.0.1", "both.test"), { networkInterface: "127.0.0.2" });
  expect(from).toBe("127.0.0.2");
  await expect(http.fetch(server.url, { networkInterface: "lo" })).rejects.toThrow("networkInterface");
  await expect(http.fetch(server.url, { authMode: "digest" as "basic" })).rejects.toThrow("authMode");
});

test("hosts are where the mapping says, or the resolver; what is sent stays the same", async () => {
  const { port } = new URL(url);
  const mapped = client({
    hostnameMapping: { "www.example.com": "127.0.0.1", "foo.example.com:8000": `127.0.0.1:${port}`, "six.test": "::1" },
  });
  for (const address of [`http://www.example.com:${port}/echo`, "http://FOO.example.com:8000/echo"]) {
    const response = await mapped.fetch(address, { ifModifiedSince: 1_359_312_200_503 });
    const { headers } = json(response.body);
    expect(headers).toContainEqual(["host", new URL(address).host]);
    expect(headers).toContainEqual(["if-modified-since", "Sun, 27 Jan 2013 18:43:20 GMT"]);
    expect(response.effectiveUrl).toBe(new URL(address).href);
  }
  await expect(mapped.fetch(`http://six.test:${port}/echo`)).rejects.toBeInstanceOf(ConnectError);
  for (const target of ["", ":80", "127.0.0.1:0", "[::1]:65536"])
    expect(() => client({ hostnameMapping: { a: target } }), target).toThrow("hostnameMapping");

  const asked: string[] = [];
  const resolver = async (host: string) => {
    asked.push(host);
    return host === "none.test" ? [] : [{ address: "::1" }, { address: "127.0.0.1" }];
  };
  const resolving = client({ resolver });
  const options = { allowIpv6: false };
  expect((await resolving.fetch(`http://a.test:${port}/count/1`, options)).code).toBe(200);
  await expect(resolving.fetch(`http://none.test:${port}/`, options)).rejects.toMatchObject({ code: "ENOTFOUND" });
  expect(new Set(asked)).toEqual(new Set(["a.test", "none.test"]));
  const never = client({ resolver: () => new Promise(() => {}) });
  await expect(never.fetch(`http://a.test:${port}/`, { connectTimeoutMs: 10 })).rejects.toBeInstanceOf(
    HTTPTimeoutError,
  );
  const failing = client({ resolver: () => Promise.reject(Object.assign(new Error("boom"), { code: "EIO" })) });
  await expect(failing.fetch(`http://a.test:${port}/`)).rejects.toMatchObject({ code: "EIO" });
});

test("HEAD has no body, whatever its length is said to be", async () => {
  const response = await client().fetch(`${url}/size/3000`, { method: "HEAD", bodyBytesMax: 0 });
  expect([response.code, response.body.length]).toEqual([200, 0]);
});

test("a status that is no success rejects with the answer, unless raiseError is false", async () => {
  const error = await failure(client().fetch(`${url}/teapot`));
  expect(error).toBeInstanceOf(HTTPClientError);
  expect(error).toMatchObject({ status: 418, code: "HTTP_CLIENT", message: "HTTP 418: I'm a Teapot" });
  expect(error.response.body.toString()).toBe("short and stout");
  const response = await client().fetch(`${url}/teapot`, { raiseError: false });
  expect(response.code).toBe(418);
  expect(() => response.rethrow()).toThrow(HTTPClientError);
});

describe("redirects", () => {
  const to = (where: string, status = 302) => `${url}/redirect?status=${status}&to=${encodeURIComponent(where)}`;

  test("five are followed, six are not, none without followRedirects", async () => {
    const response = await client().fetch(`${url}/count/5`);
    expect([response.body.toString(), response.effectiveUrl]).toEqual(["there", `${url}/count/0`]);
    expect(await failure(client().fetch(`${url}/count/6`))).toMatchObject({ status: 302 });
    expect((await client().fetch(`${url}/count/2`, { maxRedirects: 2 })).code).toBe(200);
    const answer = await client().fetch(`${url}/count/2`, { followRedirects: false, raiseError: false });
    expect([answer.code, answer.headers.get("location")]).toEqual([302, "/count/1"]);
  });

  test.each([
    [301, "POST", "GET"],
    [302, "POST", "GET"],
    [302, "PUT", "PUT"],
    [303, "PUT", "GET"],
    [303, "HEAD", "HEAD"],
    [307, "POST", "POST"],
    [308, "PUT", "PUT"],
  ])("%i: %s becomes %s, with its body only if it stays", async (status, method, after) => {
    const body = method === "HEAD" ? undefined : "text";
    const headers = { "Content-Type": "text/plain" };
    const response = await client().fetch(to("/echo", status), { method, body, headers, streamingCallback: undefined });
    if (method === "HEAD") return expect(response.effectiveUrl).toBe(`${url}/echo`);
    const seen = json(response.body);
    expect([seen.method, seen.body]).toEqual([after, after === method ? "text" : ""]);
    const names = seen.headers.map(([name]: string[]) => name);
    expect(names.includes("content-type")).toBe(after === method);
  });

  test("what is meant for one origin is not sent to another", async () => {
    const options = { authUsername: "me", authPassword: "secret", headers: { Cookie: "a=b", "X-Own": "1" } };
    const names = async (where: string) =>
      json((await client().fetch(to(where), options)).body).headers.map(([name]: string[]) => name);
    expect(await names(`${url}/echo`)).toEqual(expect.arrayContaining(["authorization", "cookie", "x-own"]));
    const elsewhere = await names(`${otherUrl}/echo`);
    expect(elsewhere).toContain("x-own");
    expect(elsewhere).not.toContain("authorization");
    expect(elsewhere).not.toContain("cookie");
  });

  test("that lead nowhere reject", async () => {
    expect(await failure(client().fetch(to("file:///etc/passwd")))).toMatchObject({ status: 599, code: "HTTP_CLIENT" });
    expect(await failure(client().fetch(to("http://[")))).toMatchObject({ status: 599 });
    async function* body() {
      yield "once";
    }
    const again = client().fetch(to("/echo", 307), { method: "POST", body: body() });
    expect((await failure(again)).message).toMatch(/cannot be sent again/);
  });
});

describe("sizes", () => {
  test("a body of as many bytes as are allowed, and of one more", async () => {
    for (const decompressResponse of [true, false]) {
      const options = { bodyBytesMax: 2 * KIB, decompressResponse };
      expect((await client().fetch(`${url}/size/2048`, options)).body.length).toBe(2 * KIB);
      const error = await failure(client().fetch(`${url}/size/2049`, options));
      expect(error).toMatchObject({ status: 599, code: "ANSWER_TOO_LARGE" });
    }
  });

  test("a head of as many bytes as are allowed, and of more", async () => {
    const answering = (bytes: number) =>
      raw((socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(bytes)}\r\nContent-Length: 0\r\n\r\n`));
    expect((await client().fetch((await answering(60 * KIB)).url)).code).toBe(200);
    const error = await failure(client().fetch((await answering(65 * KIB)).url));
    expect(error).toMatchObject({ status: 599, code: "BAD_ANSWER" });
  });

  test("ten answers of the kind 1xx, and eleven", async () => {
    const answering = (count: number) =>
      raw((socket) => socket.end(`${"HTTP/1.1 103 x\r\n\r\n".repeat(count)}HTTP/1.1 204 x\r\n\r\n`));
    expect((await client().fetch((await answering(10)).url)).code).toBe(204);
    expect(await failure(client().fetch((await answering(11)).url))).toMatchObject({ code: "BAD_ANSWER" });
  });
});

test("streamingCallback gets the body in pieces, which wait for it; headerCallback the lines of the head", async () => {
  const lines: string[] = [];
  let bytes = 0;
  let running = 0;
  const response = await client().fetch(`${url}/size/300000`, {
    headerCallback: (line) => void lines.push(line),
    streamingCallback: async (chunk) => {
      expect(++running).toBe(1);
      bytes += chunk.length;
      await new Promise(setImmediate);
      running--;
    },
  });
  expect([bytes, response.body.length]).toEqual([300_000, 0]);
  expect([lines[0], lines.at(-1)]).toEqual(["HTTP/1.1 200 OK\r\n", "\r\n"]);
  expect(lines.map((line) => line.toLowerCase())).toContain("content-type: text/plain\r\n");
  const thrown = new Error("enough");
  for (const name of ["headerCallback", "streamingCallback"]) {
    const fail = () => {
      throw thrown;
    };
    expect(await failure(client().fetch(`${url}/size/300000`, { [name]: fail }))).toBe(thrown);
  }
});

describe("gzip", () => {
  test("is asked for and taken away, unless decompressResponse is false", async () => {
    const inflated = await client().fetch(`${url}/size/5000`);
    expect(inflated.body.toString()).toBe("x".repeat(5000));
    expect(inflated.headers.get("X-Consumed-Content-Encoding")).toBe("gzip");
    expect(inflated.headers.has("Content-Encoding")).toBe(false);
    expect(
      (await client().fetch(`${url}/size/5000`, { decompressResponse: false })).headers.has("content-encoding"),
    ).toBe(false);
    const headers = { "Accept-Encoding": "gzip" };
    const asIs = await client().fetch(`${url}/size/5000`, { decompressResponse: false, headers });
    expect([asIs.headers.get("content-encoding"), asIs.body.length < 1000]).toEqual(["gzip", true]);
  });

  test("that is damaged or cut rejects; empty members without end are bounded", async () => {
    const zipped = gzipSync("a text of some length");
    const answering = (body: Buffer) =>
      raw((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
        socket.end(body);
      });
    for (const body of [Buffer.from("no gzip at all"), zipped.subarray(0, 20)]) {
      expect(await failure(client().fetch((await answering(body)).url))).toMatchObject({
        status: 599,
        code: "BAD_ANSWER",
      });
    }
    const empty = Buffer.concat(Array(100).fill(gzipSync("")));
    const error = await failure(client().fetch((await answering(empty)).url, { bodyBytesMax: 1000 }));
    expect(error).toMatchObject({ code: "ANSWER_TOO_LARGE" });
  });
});

test("Basic authentication from options and from the URL, which does not show it", async () => {
  const sent = async (place: string, options = {}) => {
    const response = await client().fetch(place, options);
    expect(response.effectiveUrl).not.toContain("@");
    return json(response.body).headers.find(([name]: string[]) => name === "authorization")?.[1];
  };
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  expect(await sent(`${url}/echo`, { authUsername: "me", authPassword: "a:b" })).toBe(basic("me:a:b"));
  expect(await sent(url.replace("//", "//you:p%40ss@").concat("/echo"))).toBe(basic("you:p@ss"));
  expect(await sent(`${url}/echo`)).toBeUndefined();
});

describe("what goes wrong", () => {
  test("a port without a listener, a name that does not exist", async () => {
    const { url: closed } = await raw(() => {});
    closers.pop()?.();
    const refused = await failure(client().fetch(closed));
    expect(refused).toBeInstanceOf(ConnectError);
    expect(refused.code).toBe("ECONNREFUSED");
    expect(await failure(client().fetch("http://no.such.name.invalid/"))).toBeInstanceOf(ConnectError);
  });

  test("the times for the connection, for the request and for a place", async () => {
    const slow = await failure(client().fetch(`${url}/held`, { requestTimeoutMs: 50 }));
    expect(slow).toBeInstanceOf(HTTPTimeoutError);
    expect(slow).toMatchObject({ status: 599, code: "HTTP_TIMEOUT", message: "timed out after 50 ms in the request" });
    const { url: silent } = await raw(() => {});
    const handshake = client().fetch(silent.replace("http:", "https:"), { connectTimeoutMs: 50 });
    expect((await failure(handshake)).message).toMatch(/^timed out after 50 ms while connecting to 127/);
    const http = client({ maxClients: 1 });
    const first = failure(http.fetch(`${url}/held`));
    const second = await failure(http.fetch(`${url}/size/1`, { connectTimeoutMs: 50 }));
    expect(second.message).toBe("timed out after 50 ms while other requests were under way");
    http.close();
    expect(await first).toBeInstanceOf(HTTPStreamClosedError);
    await expect(http.fetch(url)).rejects.toThrow("the client is closed");
  });

  test("so many requests are under way, and the others wait in order", async () => {
    const http = client({ maxClients: 2 });
    const ours = () => held.filter(({ target }) => target.startsWith("/held?place="));
    const all = [1, 2, 3, 4].map((place) => http.fetch(`${url}/held?place=${place}`));
    await eventually("two requests", () => ours().length === 2);
    ours()[0].respond(204);
    await eventually("the third", () => ours().length === 3);
    expect(ours()[2].target).toBe("/held?place=3");
    for (const request of ours().slice(1)) request.respond(204);
    await eventually("the fourth", () => ours().length === 4);
    ours()[3].respond(204);
    expect((await Promise.all(all)).map(({ code }) => code)).toEqual([204, 204, 204, 204]);
  });

  test("a signal ends it with its reason, before and in the middle of the body", async () => {
    const reason = new Error("no more");
    const aborted = AbortSignal.abort(reason);
    expect(await failure(client().fetch(`${url}/size/1`, { signal: aborted }))).toBe(reason);
    const controller = new AbortController();
    const streamingCallback = () => controller.abort(reason);
    expect(await failure(client().fetch(`${url}/size/3000000`, { signal: controller.signal, streamingCallback }))).toBe(
      reason,
    );
  });

  test("a connection that ends too soon, an answer that is no HTTP", async () => {
    const none = await raw((socket) => socket.end());
    expect(await failure(client().fetch(none.url))).toBeInstanceOf(HTTPStreamClosedError);
    const cut = await raw((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
    const error = await failure(client().fetch(cut.url));
    expect(error).toMatchObject({ status: 599, code: "HTTP_STREAM_CLOSED" });
    const nonsense = await raw((socket) => socket.end("SSH-2.0-x\r\n\r\n"));
    expect(await failure(client().fetch(nonsense.url))).toMatchObject({ status: 599, code: "BAD_ANSWER" });
  });

  test("a kept connection that the server has closed meanwhile: GET is sent again, POST is not", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const every = await raw((socket, call) => (call % 2 === 1 ? socket.write(answer) : socket.destroy()));
    const http = client();
    await http.fetch(every.url);
    expect((await http.fetch(every.url)).code).toBe(200);
    expect(every.calls()).toBe(3);
    expect(await failure(http.fetch(every.url, { method: "POST" }))).toBeInstanceOf(HTTPStreamClosedError);
  });

  test("options that cannot be", async () => {
    const http = client();
    for (const options of [
      { method: "A B" },
      { connectTimeoutMs: 0 },
      { bodyBytesMax: -1 },
      { headers: { "A:": "b" } },
    ]) {
      await expect(http.fetch(url, options)).rejects.toThrow();
    }
    for (const place of ["ftp://x/", "/path", "http://"])
      await expect(http.fetch(place)).rejects.toThrow(/url must begin/);
    await expect(http.fetch(url, { headers: { "Transfer-Encoding": "x" } })).rejects.toThrow(/leave it out/);
    await expect(http.fetch(url, { body: 7 as never })).rejects.toThrow(TypeError);
    expect(() => client({ maxClients: 0 })).toThrow(/maxClients/);
  });
});

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "TLS", () => {
  const made = useCertificate();
  let secure: HTTPServer;
  let place = "";
  beforeAll(async () => {
    secure = new HTTPServer(application, { ...OPTIONS, sslOptions: made.certificate });
    place = `https://127.0.0.1:${await portOf(secure)}/size/3`;
  });
  afterAll(() => secure.stop());

  test("a certificate is checked, unless validateCert is false", async () => {
    expect(await failure(client().fetch(place))).toBeInstanceOf(ConnectError);
    const http = client();
    expect((await http.fetch(place, { validateCert: false })).body.toString()).toBe("xxx");
    expect(await failure(http.fetch(place)), "the connection of the other is not used").toBeInstanceOf(ConnectError);
    const caCerts = made.authority.certfile;
    expect((await http.fetch(place, { sslOptions: { caCerts } })).code).toBe(200);
    const named = http.fetch(place, { sslOptions: { caCerts, serverName: "elsewhere.example" } });
    expect(await failure(named)).toBeInstanceOf(ConnectError);
  });
});
