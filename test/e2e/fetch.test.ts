// Handlers of the web platform's kind: a Hono application under the command, and `serve` in a program.
import { getConnInfo } from "@hono/node-server/conninfo";
import { getRequestIP, H3 } from "h3";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Application, type FetchHandler, FetchServer, RequestHandler, serve } from "waterspout";
import { collectGarbage } from "../../host/nodeinternals/collectgarbage.js";
import { Client } from "./support/client.js";
import { NODE, type Server, start, WASMTIME } from "./support/ways.js";

const MIB = 1024 * 1024;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

describe.each([NODE, WASMTIME])("$name: a Hono application", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, "test/e2e/apps/hono.ts");
  });
  afterAll(() => server.stop());

  const post = (target: string, type: string, body: string) =>
    server.request(
      `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );

  test("routes, parameters, JSON, errors", async () => {
    expect((await server.get("/")).body.toString()).toBe("hello world");
    expect((await server.get("/?name=%C3%BC")).body.toString()).toBe("hello ü");
    expect(JSON.parse((await server.get("/api/users/1")).body.toString())).toEqual({ id: "1", name: "Ada" });
    expect(await server.get("/api/users/2")).toMatchObject({ status: 404 });
    expect((await server.get("/nowhere")).status).toBe(404);
    const created = await post("/api/users", "application/json", '{"name":"Bob"}');
    expect([created.status, created.body.toString()]).toEqual([201, '{"name":"Bob"}']);
    await server.complaint(/<-- GET \/nowhere/);
  });

  test("an answer of one piece has its length, and the connection goes on", async () => {
    const client = await server.connect();
    for (let i = 0; i < 3; i++) {
      const response = await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
      expect(response.headers.get("content-length")).toBe("11");
    }
    expect((await client.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(204);
    expect((await client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse("HEAD")).status).toBe(200);
    expect((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(200);
  });

  test("several cookies stay several", async () => {
    const client = await server.connect();
    client.send("GET /cookies HTTP/1.1\r\nHost: x\r\nCookie: seen=yes\r\n\r\n");
    const head = await client.readUntil("\r\n\r\n");
    expect(head.match(/^set-cookie: .*$/gim)?.length).toBe(2);
    expect((await client.readBytes(3)).toString()).toBe("yes");
  });

  test("bodies of any size, both ways", async () => {
    const client = await server.connect();
    client.send(`POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: ${8 * MIB}\r\n\r\n`).send(Buffer.alloc(8 * MIB));
    expect((await client.readResponse()).body.toString()).toBe(String(8 * MIB));
    expect((await server.get("/big")).body.length).toBe(3_000_000);
    const form =
      '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nt\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n12345\r\n--b--\r\n';
    const answer = await post("/form", "multipart/form-data; boundary=b", form);
    expect(JSON.parse(answer.body.toString())).toEqual({ text: "t", name: "f.txt", size: 5 });
  });

  test("events come as they are written", async () => {
    const response = await server.get("/events");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.body.toString()).toBe("data: event 0\n\ndata: event 1\n\ndata: event 2\n\n");
  });

  test("a client that leaves aborts its signal, and its stream is cancelled", async () => {
    for (const [target, complaint] of [
      ["/wait", /the client of \/wait is gone/],
      ["/silent", /the silent stream is cancelled/],
    ] as const) {
      const client = await server.connect();
      client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      if (target === "/silent")
        await client.readUntil("\r\n\r\n"); // the head does not wait for the body
      else await server.get("/");
      client.reset();
      await server.complaint(complaint);
    }
  });

  test("a stream that breaks cuts its answer", async () => {
    const client = await server.connect();
    await expect(client.send("GET /broken HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).rejects.toThrow();
    await server.complaint(/broken in the middle/);
  });

  test("what is of one connection is not taken over", async () => {
    const response = await server.get("/hop");
    expect([response.status, response.reason, response.headers.has("keep-alive")]).toEqual([200, "Quite Fine", false]);
    expect((await server.request("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n")).status).toBe(400);
  });
});

describe.each(["node", "wasmtime"] as const)("%s, in a program", (runtime) => {
  test("serve listens, says where, and ends", async () => {
    const server = serve({ fetch: () => new Response("served"), port: 0, runtime });
    expect(server).toBeInstanceOf(FetchServer);
    expect(await server.ready()).toBe(server);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(server.url as string)).text()).toBe("served");
    const taken = serve({ fetch: () => new Response(), port: Number(new URL(server.url as string).port), runtime });
    await expect(taken.ready()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await taken.close();
    await server.close();
    await expect(fetch(`${server.url}`)).rejects.toThrow();
  });

  test.each([
    [() => undefined, "fetch has given nothing; it must return a Response"],
    [async () => "text", "fetch has given a string; it must return a Response"],
    [() => ({ status: 200 }), "fetch has given an object; it must return a Response"],
  ])("a fetch that gives none (%s) is 500, and the log says why", async (given, words) => {
    const log: unknown[] = [];
    const logger = { ...SILENT, error: (line: unknown) => log.push(line) };
    const server = await serve({ fetch: given as never, port: 0, runtime, logger }).ready();
    expect((await fetch(server.url as string)).status).toBe(500);
    expect(log).toEqual([`GET /: ${words}`]);
    await server.close();
  });

  test.each([true, false])("a request is passed on by fetch (light objects: %s)", async (overrideGlobalObjects) => {
    const handler = async (request: Request) => {
      const { headers, method } = request;
      if (headers.has("x-again")) return Response.json([method, await request.text(), headers.get("x-again")]);
      headers.set("x-again", "yes");
      return fetch(request.url.endsWith("/copied") ? new Request(request) : request);
    };
    const server = await serve({ fetch: handler, port: 0, runtime, overrideGlobalObjects }).ready();
    for (const path of ["passed", "copied"]) {
      const passed = await fetch(server.url + path, { method: "POST", body: "of the client" });
      expect(await passed.json()).toEqual(["POST", "of the client", "yes"]);
      expect(await (await fetch(server.url + path)).json()).toEqual(["GET", "", "yes"]);
    }
    await server.close();
  });

  test.each([true, false])("a signal's reason is an AbortError (light objects: %s)", async (overrideGlobalObjects) => {
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    let reason: Promise<DOMException> | null = null;
    const handler = ({ signal }: Request) => {
      reason = new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));
      arrived();
      return new Promise<Response>((resolve) => signal.addEventListener("abort", () => resolve(new Response())));
    };
    const server = await serve({ fetch: handler, port: 0, runtime, overrideGlobalObjects }).ready();
    const client = await Client.connect(Number(new URL(server.url as string).port));
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await arrival;
    await new Promise(setImmediate);
    collectGarbage(); // the handler has kept the signal and not its request
    client.reset();
    expect(await reason).toMatchObject({ name: "AbortError", cause: { name: "StreamClosedError" } });
    await server.close();
  });

  describe.each([true, false])("the client's address (light objects: %s)", (overrideGlobalObjects) => {
    const honoApp = new Hono().get("/", (context) => context.json(getConnInfo(context).remote));
    const h3App = new H3().get("/", (event) => ({ ip: getRequestIP(event) }));
    test.each<[string, FetchHandler, unknown]>([
      ["@hono/node-server", honoApp.fetch, { address: "192.0.2.1" }],
      ["Bun", (request, server) => Response.json(server.requestIP(request)), { address: "192.0.2.1" }],
      ["Deno", (_, info) => Response.json(info.remoteAddr), { hostname: "192.0.2.1", transport: "tcp" }],
      ["srvx", ({ ip }) => Response.json({ ip }), { ip: "192.0.2.1" }],
      ["h3", h3App.fetch, { ip: "192.0.2.1" }],
    ])("as %s gives it", async (_name, handler, expected) => {
      const options = { port: 0, runtime, overrideGlobalObjects, xheaders: true };
      const server = await serve({ fetch: handler, ...options }).ready();
      const answer = await fetch(server.url as string, { headers: { "X-Real-Ip": "192.0.2.1" } });
      expect(await answer.json()).toMatchObject(expected as object);
      await server.close();
    });
  });

  test("an address that is not known is undefined", async () => {
    const handler: FetchHandler = (request, info) =>
      Response.json([request.ip, info.incoming.socket.remoteAddress, info.remoteAddr?.hostname, info.requestIP()]);
    const server = await serve({ fetch: handler, port: 0, runtime }).ready();
    const [ip, ...others] = (await (await fetch(server.url as string)).json()) as unknown[];
    expect(ip).toBe(runtime === "node" ? "127.0.0.1" : null);
    expect(others).toMatchObject(
      runtime === "node" ? [ip, ip, { address: ip, port: expect.any(Number), family: "IPv4" }] : [null, null, null],
    );
    await server.close();
  });

  test("close lets what is in flight finish, unless it is forced", async () => {
    for (const force of [false, true]) {
      let release = () => {};
      let arrived = () => {};
      const gate = new Promise<void>((resolve) => (release = resolve));
      const arrival = new Promise<void>((resolve) => (arrived = resolve));
      const handler = async () => {
        arrived();
        await gate;
        return new Response("late");
      };
      const server = await serve({ fetch: handler, port: 0, runtime }).ready();
      const client = await Client.connect(Number(new URL(server.url as string).port));
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await arrival;
      const closed = server.close(force);
      if (force) await client.gone();
      release();
      if (!force) expect((await client.readResponse()).body.toString()).toBe("late");
      await closed;
      client.close();
    }
  });

  test("an application listens", async () => {
    class Hello extends RequestHandler {
      override get(): void {
        this.write("hello");
      }
    }
    const server = await new Application([["/", Hello]]).listen(0, "127.0.0.1", { runtime });
    const response = await fetch(`http://127.0.0.1:${server.addresses[0]?.port}/`);
    expect(await response.text()).toBe("hello");
    await server.stop();
  });
});
