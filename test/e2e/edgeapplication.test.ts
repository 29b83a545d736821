// An Application with RequestHandlers that becomes one component, without Node: it answers as it does under the command.
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Built, EDGE, SERVE_MS } from "./support/edge.js";
import type { Response } from "./support/response.js";
import { NODE, type Server } from "./support/ways.js";

const MIB = 1024 * 1024;
const FORM = "Content-Type: application/x-www-form-urlencoded\r\n";
const MULTIPART = "Content-Type: multipart/form-data; boundary=b\r\n";

const built = new Built();
afterAll(() => built.remove());

const post = (target: string, body: string, fields = "", method = "POST"): string =>
  `${method} ${target} HTTP/1.1\r\nHost: x\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
const json = ({ body }: Response): unknown => JSON.parse(body.toString());
const pair = ({ status, body }: Response): [number, string] => [status, body.toString()];

type Serving = () => Server;

describe.each([NODE, EDGE])("an Application, $name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await built.serve(way, "test/e2e/apps/edgeapplication.ts");
  }, SERVE_MS);
  afterAll(() => server.stop());

  routeTests(() => server);
  cookieTests(() => server);
  bodyTests(() => server);
  pieceTests(() => server);
  errorTests(() => server);

  test.runIf(way === EDGE)("bodies of up to 1,024 characters have a tag", async () => {
    for (const [bytes, isTagged] of [
      [1024, true],
      [1025, false],
    ] as const) {
      expect((await server.get(`/bytes/${bytes}`)).headers.has("etag"), `${bytes}`).toBe(isTagged);
    }
  });

  test.runIf(way === EDGE)("a form's file that the handler does not take is 501", async () => {
    const file = '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n1\r\n--b--\r\n';
    expect((await server.request(post("/form", file, MULTIPART))).status).toBe(501);
    await server.complaint(/readForm\(\) with onFile/);
  });
});

describe.each([NODE, EDGE])("the article's examples, $name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await built.serve(way, "examples/article.ts");
  }, SERVE_MS);
  afterAll(() => server.stop());

  test.each([
    ["/", [200, "hello world"]],
    ["/?name=a&name=%C3%BC", [200, "hello ü"]],
    ["/add?val1=-1.5&val2=2", [200, "0.5"]],
    ["/hello", [200, "<h1>Hello World<h1>"]],
    ["/add?val1=1", [400, "<html><title>400: Bad Request</title><body>400: Bad Request</body></html>"]],
    ["/?name=%ff", [400, "<html><title>400: Bad Request</title><body>400: Bad Request</body></html>"]],
  ])("GET %s", async (target, answer) => {
    expect(pair(await server.get(target))).toEqual(answer);
  });
});

function routeTests(serving: Serving): void {
  test("routes: patterns, options, names, lists, functions, and what has no route", async () => {
    const server = serving();
    const user = await server.get("/users/%C3%BC%20b");
    expect(user.headers.get("x-greeting")).toBe("hi");
    expect(user.headers.get("content-type")).toBe("application/json; charset=UTF-8");
    expect(user.body.toString()).toBe('{"name":"ü b","url":"/users/%C3%BC%20b","tag":"<\\/script>"}');
    expect(pair(await server.get("/nested"))).toEqual([200, "hello"]);
    expect(pair(await server.get("/function"))).toEqual([201, "a function"]);
    expect(pair(await server.get("/function/later"))).toEqual([202, "later"]);
    const response = await server.get("/response");
    expect([...pair(response), response.headers.get("x-own")]).toEqual([203, "a Response", "1"]);
    expect(response.headers.has("x-request-id")).toBe(true);
    const nowhere = await server.get("/nowhere");
    expect(pair(nowhere)).toEqual([404, "<html><title>404: Not Found</title><body>404: Not Found</body></html>"]);
    const wrong = await server.request("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("redirects", async () => {
    const location = async (target: string): Promise<unknown[]> => {
      const { status, headers } = await serving().get(target);
      return [status, headers.get("location")];
    };
    expect(await location("/folder?x=1")).toEqual([301, "/folder/?x=1"]);
    expect(await location("/old/ada?x=1")).toEqual([301, "/users/ada?x=1"]);
    expect(await location("/private")).toEqual([302, "/login?next=%2Fprivate"]);
  });

  test("middleware: ids, other sites, and clients that ask too often", async () => {
    const server = serving();
    const named = await server.request("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n");
    expect(named.headers.get("x-request-id")).toBe("mine");
    const friend = await server.request("GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://friend.example\r\n\r\n");
    expect(friend.headers.get("access-control-allow-origin")).toBe("https://friend.example");
    expect(friend.headers.get("vary")).toBe("Origin");
    expect((await server.get("/limited")).status).toBe(404);
    const limited = await server.get("/limited");
    expect([limited.status, Number(limited.headers.get("retry-after")) > 3000]).toEqual([429, true]);
  });

  test("an ETag saves the body", async () => {
    const server = serving();
    const etag = (await server.get("/")).headers.get("etag");
    expect(etag).toBe('"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"');
    const again = await server.request(`GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/${etag}\r\n\r\n`);
    expect([again.status, again.headers.get("etag"), again.headers.has("content-type")]).toEqual([304, etag, false]);
    const other = await server.request('GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: "x"\r\n\r\n');
    expect(pair(other)).toEqual([200, "hello"]);
  });

  test.each([204, 304])("%i has no body and no framing, and the connection goes on", async (status) => {
    const client = await serving().connect();
    const response = await client.send(`GET /status/${status} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse();
    expect(response.status).toBe(status);
    for (const name of ["content-length", "transfer-encoding", "content-type"])
      expect(response.headers.has(name), name).toBe(false);
    expect((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(200);
    const head = await client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse("HEAD");
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "5"]);
  });
}

function cookieTests(serving: Serving): void {
  test("who is logged in comes in, by a signed cookie; a forged one is none", async () => {
    const server = serving();
    const login = await server.request(post("/private", "name=%C3%BC+b", FORM));
    expect([login.status, login.headers.get("location")]).toEqual([302, "/private"]);
    const set = login.headers.get("set-cookie") ?? "";
    expect(set).toContain('plain="a\\040b"; HttpOnly; Path=/');
    expect(set).toContain("old=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/");
    const [, user = ""] = /user=([^;]*);/.exec(set) ?? [];
    expect(set).toMatch(/^user=[^;]+; Expires=[^;]+ GMT; Path=\//);
    const visit = (cookie: string): Promise<Response> =>
      server.request(`GET /private HTTP/1.1\r\nHost: x\r\nCookie: user=${cookie}\r\n\r\n`);
    expect(pair(await visit(user))).toEqual([200, "hello ü b"]);
    expect((await visit(user.replace(/.$/, (last) => (last === "0" ? "1" : "0")))).status).toBe(302);
  });

  test("a token against forged requests", async () => {
    const server = serving();
    const page = await server.get("/token");
    const [cookie] = (page.headers.get("set-cookie") ?? "").split(";");
    const send = (body: string): Promise<Response> =>
      server.request(post("/token", body, `${FORM}Cookie: ${cookie}\r\n`));
    expect(pair(await send(`_xsrf=${encodeURIComponent(page.body.toString())}`))).toEqual([200, "not forged"]);
    expect((await send("_xsrf=2|00000000|00|0")).status).toBe(403);
    expect((await server.request(post("/token", ""))).status).toBe(403);
  });
}

function bodyTests(serving: Serving): void {
  test("arguments of queries, forms and JSON", async () => {
    const server = serving();
    const query = await server.get("/arguments?a=1&a=+%C3%BC+");
    expect(json(query)).toEqual({ one: "ü", all: ["1", "ü"], none: null });
    const form = await server.request(post("/arguments?a=q", "a=1&a=%C3%BC", FORM));
    expect(json(form)).toEqual({ body: ["1", "ü"], query: ["q"], size: 12 });
    const object = await server.request(post("/arguments", '{"a":7}', "", "PUT"));
    expect(json(object)).toEqual({ a: 7, text: '{"a":7}', isBuffer: true });
    expect((await server.request(post("/arguments", "{", "", "PUT"))).status).toBe(400);
    expect((await server.request(post("/arguments", "a=%ff", FORM))).status).toBe(400);
    const many = Array.from({ length: 1001 }, (_, at) => `a=${at}`).join("&");
    expect((await server.request(post("/arguments", many, FORM))).status).toBe(400);
  });

  test("multipart forms: fields, and files for who takes them", async () => {
    const server = serving();
    const field = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\na text\r\n';
    const file = (bytes: number): string =>
      `--b\r\nContent-Disposition: form-data; name="f"; filename="dir/x.txt"\r\n\r\n${"x".repeat(bytes)}\r\n`;
    const fields = await server.request(post("/form", `${field}--b--\r\n`, MULTIPART));
    expect(json(fields)).toEqual({ a: ["a text"], files: 0 });
    for (const bytes of [0, 5, 300_000]) {
      const sent = await server.request(post("/files", `${field}${file(bytes)}--b--\r\n`, MULTIPART));
      expect(json(sent)).toEqual({ files: [["x.txt", bytes]], fields: [["a", "a text"]] });
    }
    expect((await server.request(post("/form", `${field}--c--\r\n`, MULTIPART))).status).toBe(400);
  });

  test("an upload comes piece by piece, and one that is refused does not come", async () => {
    const server = serving();
    const client = await server.connect();
    const head = (fields: string): string =>
      `POST /upload HTTP/1.1\r\nHost: x\r\n${fields}Content-Length: ${4 * MIB}\r\n\r\n`;
    client.send(head("X-Key: 1\r\n")).send(Buffer.alloc(4 * MIB));
    expect((await client.readResponse()).body.toString()).toBe(String(4 * MIB));
    const refused = await server.connect();
    const answer = await refused.send(head("")).send(Buffer.alloc(65_536)).readResponse();
    expect([answer.status, answer.headers.get("x-why")]).toEqual([401, "no key"]);
  });
}

function pieceTests(serving: Serving): void {
  test("an answer in pieces, and events", async () => {
    const server = serving();
    const pieces = await server.get("/pieces");
    expect(pieces.headers.get("transfer-encoding")).toBe("chunked");
    expect(pieces.body.toString()).toBe("piece 0\npiece 1\npiece 2\n");
    const events = await server.get("/events");
    expect(events.headers.get("content-type")).toBe("text/event-stream");
    expect(events.body.toString()).toBe('event: first\ndata: {"n":1}\n\n');
  });

  test("a handler that waits holds up no other, and hears that its client has left", async () => {
    const server = serving();
    const slow = await server.connect();
    slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.complaint(/slow has begun/);
    for (let i = 0; i < 3; i++) expect((await server.get("/")).status).toBe(200);
    slow.reset();
    await server.complaint(/the client of \/slow is gone/);
    await server.complaint(/slow has ended/);
  });

  test("a client that does not read stops its handler, not the server's memory", async () => {
    const server = serving();
    const client = await server.connect({ silent: true });
    client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await server.get("/")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 500)); // the handler must stop by itself meanwhile
    client.reset();
    const line = await server.complaint(/endless: the client took about/);
    expect(Number(/about (\d+) MiB/.exec(line)?.[1])).toBeLessThan(32);
  });

  test("a Content-Length that is not true never reaches a client", async () => {
    const server = serving();
    for (const target of ["/length/42/whole", "/length/1/whole"]) expect((await server.get(target)).status).toBe(500);
    for (const target of ["/length/42/flushed", "/length/3/flushed"]) {
      const client = await server.connect();
      client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(await client.readUntil("\r\n\r\n")).toContain(" 200 ");
      await client.gone();
    }
    expect(pair(await server.get("/length/2/whole"))).toEqual([200, "ok"]);
  });
}

function errorTests(serving: Serving): void {
  test("what a handler throws is logged, and its page is what writeError writes", async () => {
    const server = serving();
    const thrown = await server.get("/throw");
    expect([thrown.status, thrown.body.toString().includes("thrown")]).toEqual([500, false]);
    await server.complaint(/GET \/throw failed.*thrown by a handler/);
    expect(pair(await server.get("/fail/early"))).toEqual([500, "own page of 500, false"]);
    expect(pair(await server.get("/fail/status"))).toEqual([418, "own page of 418, true"]);
    await server.complaint(/418 GET \/fail\/status: a teapot/);
    const client = await server.connect();
    await expect(client.send("GET /fail/begun HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).rejects.toThrow();
    await server.complaint(/thrown on purpose: begun/);
    expect((await server.get("/")).status).toBe(200);
  });
}

describe("a component", () => {
  test("has no files: the setting staticPath is refused", async () => {
    const source =
      'import { Application } from "waterspout";\nexport default new Application([], { staticPath: "." });\n';
    writeFileSync(built.at("static.ts"), source);
    const { code, stderr } = await built.build(built.at("static.ts"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("staticPath is for files")]);
  });

  test("has a part of the package: another name is refused with file and line", async () => {
    const source =
      'import { Application, StaticFileHandler } from "waterspout";\nimport { createCipheriv } from "node:crypto";\n' +
      'export default new Application([["/(.*)", StaticFileHandler, { path: createCipheriv }]]);\n';
    writeFileSync(built.at("names.ts"), source);
    const { code, stderr } = await built.build(built.at("names.ts"));
    expect(code).toBe(1);
    expect(stderr).toContain("a component has no StaticFileHandler of the module waterspout\n   in names.ts(1,23)");
    expect(stderr).toContain("a component has no createCipheriv of the module node/crypto\n   in names.ts(2,10)");
  });
});
