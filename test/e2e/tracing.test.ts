// Node's diagnostics_channel: one span a request, for handlers of every kind, with the context that its start entered.
import { AsyncLocalStorage } from "node:async_hooks";
import { type ChannelListener, channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import {
  Application,
  createServer,
  fetchCallback,
  HTTPServer,
  type RequestCallback,
  type RequestFinishMessage,
  RequestHandler,
  type RequestStartMessage,
  type ServerOptions,
} from "waterspout";

import { Client } from "./support/client.js";
import { eventually, NODE, start, WASMTIME } from "./support/ways.js";

const logger = { debug() {}, info() {}, warn() {}, error() {} };
/** The id of the request that code runs for. */
const current = new AsyncLocalStorage<number>();

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

function listen(name: string, listener: ChannelListener): void {
  subscribe(name, listener);
  undo.push(() => unsubscribe(name, listener));
}

/** A tracer: what is over, in the order of the ends. `enter`: by `enterWith` in place of `bindStore`. */
function trace(enter = false): Record<string, unknown>[] {
  const spans: Record<string, unknown>[] = [];
  let ids = 0;
  if (enter) listen("waterspout.request.start", () => current.enterWith(++ids));
  else {
    const start = channel("waterspout.request.start");
    start.bindStore(current, () => ++ids);
    undo.push(() => start.unbindStore(current));
  }
  listen("waterspout.request.finish", (message) => {
    const { request, server, status, bytes, ms, aborted, error } = message as RequestFinishMessage;
    expect(server).toBeInstanceOf(HTTPServer);
    expect(ms).toBeGreaterThanOrEqual(0);
    const { route, target } = request;
    spans.push({ id: current.getStore(), target, route, status, bytes, aborted, error: (error as Error)?.message });
  });
  return spans;
}

const span = (id: number, target: string, more: object) => ({
  id,
  target,
  route: "",
  status: 200,
  bytes: 1,
  aborted: null,
  error: undefined,
  ...more,
});

async function serve(handler: ConstructorParameters<typeof HTTPServer>[0], options: ServerOptions): Promise<number> {
  const server = new HTTPServer(handler, { logger, ...options });
  await server.listen(0);
  undo.push(() => server.stop());
  return server.addresses[0]?.port as number;
}

/** The answers to requests that are sent in one piece. */
async function ask(port: number, ...targets: string[]): Promise<string[]> {
  const client = await Client.connect(port);
  client.send(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
  const answers: string[] = [];
  for (const _ of targets) answers.push((await client.readResponse()).body.toString());
  client.close();
  return answers;
}

class Page extends RequestHandler {
  override async get({ name }: { name: string }): Promise<void> {
    await sleep(1);
    if (name === "fails") throw new Error("no page");
    this.write(`${current.getStore()}`);
  }
}

const KINDS: Record<string, RequestCallback> = {
  callback: async (request) => {
    await request.readBody();
    request.respond(200, {}, `${current.getStore()}`);
  },
  later: (request) => void setTimeout(() => request.respond(200, {}, `${current.getStore()}`), 1),
  fetch: fetchCallback(async () => {
    await sleep(1);
    return new Response(`${current.getStore()}`);
  }),
};

describe.each(["node", "wasmtime"] as const)("%s", (runtime) => {
  describe.each([false, true])("enterWith: %s", (enter) => {
    test.each(Object.entries(KINDS))("a span for each request of one turn: %s", async (_kind, handler) => {
      const port = await serve(handler, { runtime });
      const spans = trace(enter);
      expect(await ask(port, "/a", "/b", "/c")).toEqual(["1", "2", "3"]);
      expect(spans.sort((one, other) => Number(one.id) - Number(other.id))).toEqual([
        span(1, "/a", {}),
        span(2, "/b", {}),
        span(3, "/c", {}),
      ]);
      expect(current.getStore()).toBeUndefined();
    });

    test("an Application: its route, and the error that its handler has thrown", async () => {
      const port = await serve(new Application([["/pages/:name", Page]], { logger }), { runtime });
      const spans = trace(enter);
      expect(await ask(port, "/pages/one")).toEqual(["1"]);
      const [, page] = [await ask(port, "/pages/fails"), await ask(port, "/nowhere")];
      expect(spans).toEqual([
        span(1, "/pages/one", { route: "/pages/:name" }),
        span(2, "/pages/fails", {
          route: "/pages/:name",
          status: 500,
          error: "no page",
          bytes: expect.any(Number),
        }),
        span(3, "/nowhere", { status: 404, bytes: page?.[0]?.length }),
      ]);
    });
  });

  test("a function that throws, and one that forgets to answer", async () => {
    const port = await serve(
      (request) => {
        if (request.path === "/throws") throw new Error("thrown");
      },
      { runtime },
    );
    const spans = trace(true);
    await ask(port, "/throws");
    await ask(port, "/forgets");
    expect(spans).toEqual([
      span(1, "/throws", { status: 500, error: "thrown", bytes: 21 }),
      span(2, "/forgets", { status: 500, error: expect.stringContaining("without an answer"), bytes: 21 }),
    ]);
  });

  test("a client that leaves before its answer", async () => {
    const port = await serve((request) => void request.connection, { runtime });
    const spans = trace();
    const begun = new Promise<void>((resolve) => listen("waterspout.request.start", () => resolve()));
    const client = await Client.connect(port);
    client.send("GET /left HTTP/1.1\r\nHost: x\r\n\r\n");
    await begun;
    client.reset();
    await eventually("its end", () => spans.length === 1);
    expect(spans).toEqual([span(1, "/left", { status: null, bytes: 0, aborted: expect.any(String) })]);
  });

  test("createServer publishes what Node's does, with its classes and the server that was made", async () => {
    const events: unknown[] = [];
    const note = (name: string) =>
      listen(name, (message) => {
        const { request, response, socket, server } = message as Record<string, unknown>;
        expect(request).toBeInstanceOf(IncomingMessage);
        expect(response).toBeInstanceOf(ServerResponse);
        events.push([name, (request as IncomingMessage).url, server === ours, typeof socket, current.getStore()]);
      });
    const ours = createServer(
      async (request, response) => {
        await sleep(1);
        response.on("finish", () => events.push(["finish", request.url, current.getStore()]));
        response.end(`${current.getStore()}`);
      },
      { runtime, logger },
    ).listen(0);
    await once(ours, "listening");
    undo.push(() => once(ours.close(), "close"));
    const { port } = ours.address() as AddressInfo;
    await ask(port, "/unheard");
    await eventually("its end", () => events.splice(0).length === 1);
    let ids = 0;
    listen("http.server.request.start", () => current.enterWith(++ids));
    note("http.server.request.start");
    note("http.server.response.finish");
    expect(await ask(port, "/a", "/b")).toEqual(["1", "2"]);
    await eventually("both ends", () => events.length === 6);
    const of = (target: string) => events.filter((event) => (event as unknown[])[1] === target);
    for (const [target, id] of [
      ["/a", 1],
      ["/b", 2],
    ] as const) {
      expect(of(target)).toEqual([
        ["http.server.request.start", target, true, "object", id],
        ["http.server.response.finish", target, true, "object", id],
        ["finish", target, id],
      ]);
    }
  });

  test("its requests are also on the channels of all requests, and a response is made as Node makes it", async () => {
    const spans = trace();
    const made: unknown[] = [];
    listen("http.server.response.created", (message) => made.push(Object.keys(message as object)));
    const ours = createServer((_request, response) => void response.end(`${current.getStore()}`), { runtime, logger });
    await once(ours.listen(0), "listening");
    undo.push(() => once(ours.close(), "close"));
    expect(await ask((ours.address() as AddressInfo).port, "/a")).toEqual(["1"]);
    expect(spans).toEqual([span(1, "/a", {})]);
    const isPublished = Number(process.versions.node.split(".")[0]) >= 22; // by Node's class itself
    expect(made).toEqual(isPublished ? [["request", "response"]] : []);
  });
});

test("nothing is made for a request that no code observes", async () => {
  let isObserved = true;
  const application = new Application([
    [
      "/",
      (request) => {
        isObserved = (request as unknown as { observation: object | null }).observation !== null;
        request.respond(200);
      },
    ],
  ]);
  await application.inject("/");
  expect(isObserved).toBe(false);
  listen("waterspout.request.start", (message) => expect((message as RequestStartMessage).request.path).toBe("/"));
  await application.inject("/");
  expect(isObserved).toBe(true);
});

describe.each([NODE, WASMTIME])("$name: the example", (way) => {
  test("spans nest below that of the client", async () => {
    const server = await start(way, "examples/tracing.ts");
    undo.push(() => server.stop());
    const parent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await server.request(`GET /users/7 HTTP/1.1\r\nHost: x\r\ntraceparent: ${parent}\r\n\r\n`);
    await server.get("/users/0");
    const line = await server.complaint(/"there is no user 0"/);
    expect(JSON.parse(line)).toMatchObject({ name: "GET /users/:id", status: 500, parentId: null });
    const spans = server.output.stderr.split("\n").filter((each) => each.startsWith('{"traceId'));
    const [query, request] = spans.map((each) => JSON.parse(each));
    expect(request).toMatchObject({ traceId: "a".repeat(32), parentId: "b".repeat(16), status: 200 });
    expect(query).toMatchObject({ name: "SELECT", traceId: "a".repeat(32), parentId: request.id });
  });
});

describe("an application of Node's kind that the command serves", () => {
  test("is published with a server whose emit an agent can wrap", async () => {
    const server = await start(NODE, "test/e2e/apps/wrapped.ts");
    undo.push(() => server.stop());
    const bodies = [(await server.get("/")).body.toString(), (await server.get("/")).body.toString()];
    expect(bodies).toEqual(["wrapped 1", "wrapped 2"]);
  });
});
