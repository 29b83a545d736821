// Traces and metrics by OpenTelemetry's own SDK, for handlers of every kind on both runtimes; and request ids in the
// access log.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { context, diag, metrics, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type AccessEntry,
  Application,
  AsyncHTTPClient,
  createServer,
  HTTPServer,
  RequestHandler,
  type ServerOptions,
  serve as serveFetch,
} from "waterspout";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

const spans = new InMemorySpanExporter();
const exported = new InMemoryMetricExporter(AggregationTemporality.DELTA);
/** Which call of a processor throws. */
let throwing: "onStart" | "onEnd" | null = null;
const fail = (call: typeof throwing): void => {
  if (throwing === call) throw new Error(`a processor that throws in ${call}`);
};
const failing: SpanProcessor = {
  onStart: () => fail("onStart"),
  onEnd: () => fail("onEnd"),
  forceFlush: async () => {},
  shutdown: async () => {},
};
const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 3_600_000 });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const spanProcessors = [new SimpleSpanProcessor(spans), failing];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
});
afterAll(() => reader.shutdown());

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
  spans.reset();
});

async function serve(handler: ConstructorParameters<typeof HTTPServer>[0], options: ServerOptions): Promise<number> {
  const server = new HTTPServer(handler, { logger, ...options });
  await server.listen(0);
  undo.push(() => server.stop());
  return server.addresses[0]?.port as number;
}

async function ask(port: number, target: string, fields = ""): Promise<string> {
  const client = await Client.connect(port);
  client.send(`GET ${target} HTTP/1.1\r\nHost: example.test:8080\r\n${fields}\r\n`);
  const { body } = await client.readResponse();
  client.close();
  return body.toString();
}

/** The spans that have ended, as soon as there are `count`, in the order of their ends. */
async function ended(count: number): Promise<ReadableSpan[]> {
  await eventually("the spans", () => spans.getFinishedSpans().length >= count);
  expect(spans.getFinishedSpans()).toHaveLength(count);
  return spans.getFinishedSpans();
}

/** Count and attributes of each series of a metric since the last time. */
async function measured(): Promise<Record<string, { value: unknown; attributes: object }[]>> {
  exported.reset();
  await reader.forceFlush();
  const all = exported.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  return Object.fromEntries(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as never]));
}

const activeTrace = (): string => trace.getActiveSpan()?.spanContext().traceId ?? "none";

class Page extends RequestHandler {
  override async get({ name }: { name: string }): Promise<void> {
    await sleep(1);
    if (name === "fails") throw new TypeError("no page");
    this.write(activeTrace());
  }
}

describe.each(["node", "wasmtime"] as const)("%s", (runtime) => {
  test("a request continues its client's trace, and has the conventions' attributes", async () => {
    const entries: AccessEntry[] = [];
    const accessLog = (entry: AccessEntry) => entries.push(entry);
    const port = await serve(new Application([["/pages/:name", Page]], { logger }), { runtime, accessLog });
    const fields = `User-Agent: test/1\r\ntraceparent: 00-${TRACE}-${PARENT}-01\r\n`;
    expect(await ask(port, "/pages/one?a=b&sig=secret", fields)).toBe(TRACE);
    const [span] = await ended(1);
    expect(span).toMatchObject({
      name: "GET /pages/:name",
      kind: SpanKind.SERVER,
      status: { code: SpanStatusCode.UNSET },
      parentSpanContext: { traceId: TRACE, spanId: PARENT },
    });
    expect(span?.attributes).toMatchObject({
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "http.route": "/pages/:name",
      "network.protocol.version": "1.1",
      "server.address": "example.test",
      "server.port": 8080,
      "url.path": "/pages/one",
      "url.query": "a=b&sig=REDACTED",
      "url.scheme": "http",
      "user_agent.original": "test/1",
    });
    expect(span?.attributes["client.address"]).toBe(runtime === "node" ? "127.0.0.1" : undefined);
    expect(span?.duration[0]).toBe(0);
    expect(entries).toMatchObject([{ traceId: TRACE }]);
  });

  test("an error, a 404, a method that is not known, a client that leaves", async () => {
    const application = new Application(
      [
        ["/pages/:name", Page],
        ["/waits", (request) => void request.connection],
      ],
      { logger },
    );
    const port = await serve(application, { runtime });
    await ask(port, "/pages/fails");
    await ask(port, "/nowhere");
    const client = await Client.connect(port);
    client.send("BREW /pot HTTP/1.1\r\nHost: x:\r\n\r\n");
    await client.readResponse();
    client.send("GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually("the request", async () => (await active()) === 1);
    client.reset();
    const [failed, missing, brewed, left] = await ended(4);
    expect(failed).toMatchObject({ status: { code: SpanStatusCode.ERROR }, events: [{ name: "exception" }] });
    expect(failed?.attributes).toMatchObject({ "http.response.status_code": 500, "error.type": "TypeError" });
    expect(missing).toMatchObject({
      name: "GET",
      status: { code: SpanStatusCode.UNSET },
      parentSpanContext: undefined,
    });
    expect(brewed?.name).toBe("HTTP");
    expect(brewed?.attributes).toMatchObject({
      "http.request.method": "_OTHER",
      "http.request.method_original": "BREW",
      "server.address": "x",
    });
    expect(brewed?.attributes).not.toHaveProperty("server.port");
    expect(left).toMatchObject({ status: { code: SpanStatusCode.ERROR }, name: "GET /waits" });
    expect(left?.attributes["error.type"]).toMatch(/^(RESET|END)$/);
  });

  let running = 0;
  /** Requests that are under way, by the metric, whose exporter gives differences. */
  async function active(): Promise<number> {
    for (const { value } of (await measured())["http.server.active_requests"] ?? []) running += value as number;
    return running;
  }

  test("metrics: the duration by method, route and status, and the requests under way", async () => {
    let answer = (): void => {};
    const port = await serve(
      new Application([["/held/:id", (request) => void (answer = () => request.respond(503))]], { logger }),
      { runtime },
    );
    await active();
    const asked = ask(port, "/held/1");
    await eventually("the request", async () => (await active()) === 1);
    answer();
    await asked;
    await ended(1);
    const { "http.server.request.duration": durations = [], "http.server.active_requests": now = [] } =
      await measured();
    expect(now).toMatchObject([{ value: -1 }]);
    running--;
    expect(durations).toMatchObject([{ value: { count: 1 } }]);
    expect(durations[0]?.attributes).toEqual({
      "http.request.method": "GET",
      "url.scheme": "http",
      "http.route": "/held/:id",
      "http.response.status_code": 503,
      "error.type": "503",
      "network.protocol.version": "1.1",
    });
  });

  test("what a handler asks of another server is in its trace", async () => {
    const behind = await serve((request) => request.respond(200, {}, request.headers.get("traceparent") ?? ""), {
      runtime,
    });
    const client = new AsyncHTTPClient();
    undo.push(() => client.close());
    const front = await serve(
      async (request) => {
        const { body } = await client.fetch(`http://user:word@127.0.0.1:${behind}/a?Signature=s`);
        request.respond(200, {}, body);
      },
      { runtime },
    );
    const sent = await ask(front, "/", `traceparent: 00-${TRACE}-${PARENT}-01\r\n`);
    const kinds = new Map((await ended(3)).map((span) => [span.kind * 10 + Number(span.name === "GET"), span]));
    const called = kinds.get(SpanKind.CLIENT * 10 + 1);
    expect(sent).toBe(`00-${TRACE}-${called?.spanContext().spanId}-01`);
    expect(called?.attributes).toMatchObject({
      "url.full": `http://127.0.0.1:${behind}/a?Signature=REDACTED`,
      "server.address": "127.0.0.1",
      "server.port": behind,
      "http.response.status_code": 200,
    });
    const durations = (await measured())["http.client.request.duration"];
    expect(durations).toMatchObject([{ value: { count: 1 }, attributes: { "server.port": behind } }]);
  });

  test.each(["onStart", "onEnd"] as const)("a processor that throws in %s fails no request", async (call) => {
    const logged: unknown[] = [];
    const error = (...line: unknown[]) => logged.push(line);
    const diagnosed: string[] = [];
    diag.setLogger({ ...logger, verbose() {}, error: (text) => diagnosed.push(text) });
    undo.push(() => diag.disable());
    const client = new AsyncHTTPClient();
    undo.push(() => client.close());
    let isWaiting = false;
    const port = await serve(
      async (request) => {
        if (request.path === "/waits") {
          isWaiting = true;
          return void request.connection;
        }
        if (request.path === "/behind") return request.respond(200, {}, "answered");
        const { body } = await client.fetch(`http://127.0.0.1:${port}/behind`);
        request.respond(200, {}, body);
      },
      { runtime, logger: { ...logger, error } },
    );
    const before = await active();
    throwing = call;
    undo.push(() => (throwing = null));
    const leaving = await Client.connect(port);
    leaving.send("GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await ask(port, "/")).toBe("answered");
    await eventually("the request", () => isWaiting);
    leaving.reset();
    await eventually("four reports of it", () => diagnosed.length === 4); // one is the client's
    expect(await ask(port, "/behind")).toBe("answered");
    expect(logged).toEqual([]);
    expect(await active()).toBe(before);
  });

  test("handlers of Node's kind and fetch handlers run in their span", async () => {
    const node = createServer((_request, response) => void response.end(activeTrace()), { runtime, logger }).listen(0);
    await once(node, "listening");
    undo.push(() => once(node.close(), "close"));
    const fields = `traceparent: 00-${TRACE}-${PARENT}-01\r\n`;
    expect(await ask((node.address() as AddressInfo).port, "/", fields)).toBe(TRACE);
    const fetching = serveFetch({ fetch: () => new Response(activeTrace()), port: 0, runtime, logger });
    await fetching.ready();
    undo.push(() => fetching.close());
    expect(await ask(Number(new URL(fetching.url as string).port), "/", fields)).toBe(TRACE);
    await ended(2);
  });

  describe("requestIds", () => {
    test.each([
      ["of a trusted proxy", { xheaders: true }, "kept-7", "kept-7"],
      ["of a proxy, not well-formed", { xheaders: true }, '"quoted"', expect.stringMatching(/^[\da-f-]{36}$/)],
      ["of anybody", {}, "forged", expect.stringMatching(/^[\da-f-]{36}$/)],
    ])("%s", async (_name, options, given, expected) => {
      const entries: AccessEntry[] = [];
      const accessLog = (entry: AccessEntry) => entries.push(entry);
      const port = await serve((request) => request.respond(200, {}, request.requestId), {
        runtime,
        accessLog,
        requestIds: true,
        ...options,
      });
      const client = await Client.connect(port);
      client.send(`GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${given}\r\n\r\n`);
      const { headers, body } = await client.readResponse();
      client.close();
      expect(body.toString()).toEqual(expected);
      expect(headers.get("x-request-id")).toBe(body.toString());
      await eventually("its entry", () => entries.length === 1);
      expect(entries[0]?.requestId).toBe(body.toString());
    });
  });
});
