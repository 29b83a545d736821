// A handler of Tornado's kind that needs no more of Node than a component has: it answers the same under the command
// and as a component.
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import type { HTTPServerRequest } from "waterspout";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const sizeOf = (bytes: Uint8Array): string => `${bytes.length} bytes`;

/** Names of the errors of what must not be taken. */
const refused = (...calls: (() => unknown)[]): string[] =>
  calls.map((call) => {
    try {
      return String(call());
    } catch (error) {
      return (error as Error).name;
    }
  });
const given = (value: unknown): never => value as never;

const routes: Record<string, (request: HTTPServerRequest) => unknown> = {
  "/": (request) => request.respond(200, { "content-type": "text/plain" }, "Hello, world"),
  "/seen": (request) => {
    const { method, target, path, query, headers, cookies, host, contentLength } = request;
    const seen = { method, target, path, host, contentLength, url: request.fullUrl() };
    const address = request.remoteAddress?.address;
    const more = { query: [...query], two: headers.getList("X-Two"), joined: headers.get("x-two"), size: headers.size };
    request.respond(
      200,
      { "X-Made": ["a", "b"] },
      JSON.stringify({ ...seen, ...more, cookies: [...cookies], address }),
    );
  },
  "/read": async (request) => request.respond(200, {}, sizeOf(await request.readBody())),
  "/bounded": async (request) => {
    const error = await request.readBody(10).then(
      () => null,
      (error: { code: string }) => error,
    );
    request.respond(200, {}, error === null ? "all" : error.code);
  },
  "/count": async (request) => {
    let bytes = 0;
    for await (const piece of request.body) bytes += piece.length;
    request.respond(200, {}, String(bytes));
  },
  "/later": (request) => void setTimeout(() => request.respond(201, {}, new TextEncoder().encode("later")), 5),
  "/stream": async ({ connection }) => {
    connection.writeHeaders(200, { "content-type": "text/plain" });
    for (let i = 0; i < 3; i++) {
      await sleep(1);
      await connection.write(`piece ${i}\n`);
    }
    connection.finish();
  },
  "/sized": async ({ connection }) => {
    await connection.writeHeaders(200, { "Content-Length": "6" }, "abc");
    await connection.write("def");
    connection.finish();
  },
  "/response": () => new Response("a Response", { status: 202 }),
  "/throw": () => {
    throw new Error("on purpose");
  },
  "/cut": async ({ connection }) => {
    await connection.writeHeaders(200, {}, "begun");
    throw new Error("in the middle, on purpose");
  },
  "/nothing": async () => {},
  "/twice": (request) => {
    request.respond(200, {}, "once");
    request.respond(200, {}, "twice");
  },
  "/both": (request) => {
    request.respond(200, {}, "once");
    return new Response(new ReadableStream({ cancel: () => {} }));
  },
  "/ended": async (request) => {
    const pieces = request.body[Symbol.asyncIterator]();
    let bytes = (await pieces.next()).value?.length ?? 0;
    console.error(`begun ${request.target.at(-1)}`);
    await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) bytes += next.value.length;
    if (request.query.has("0")) return request.respond(200, {}, `${bytes} bytes`);
    await request.connection.writeHeaders(200, {}, `${bytes} bytes`);
    for (let i = 0; i < 3; i++) {
      await sleep(1);
      await request.connection.write(`, piece ${i}`);
    }
    request.connection.finish();
  },
  "/never": async (request) => {
    await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
    console.error("never is aborted");
    request.respond(200, {}, "too late");
  },
  "/slowly": async ({ connection }) => {
    await connection.writeHeaders(200, {}, "begun in time");
    await sleep(600);
    await connection.write(", and complete");
    connection.finish();
  },
  "/buffers": (request) => {
    const made = [Buffer.from("a", given(null)), Buffer.from(given(Buffer.from("b").toJSON())), Buffer.from([1, 258])];
    const parts = [Buffer.from("abc").toString("utf8", -1, 2), Buffer.from("abc").toString("utf8", 1, -1)];
    const errors = [5, null, undefined, {}, true].flatMap((value) =>
      refused(
        () => Buffer.from(given(value)),
        () => Buffer.byteLength(given(value)),
        () => createHash("sha1").update(given(value)),
        () => createHmac("sha256", given(value)),
      ),
    );
    request.respond(200, {}, JSON.stringify({ made: made.map((each) => each.toString("hex")), parts, errors }));
  },
  "/wrong": (request) => request.respond(200, { "x-name": "a\r\nb: c" }, ""),
  "/gone": async ({ signal }) => {
    console.error("here");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    console.error("gone");
  },
};

export default function handle(request: HTTPServerRequest): unknown {
  const route = routes[request.path];
  return route === undefined ? request.respond(404) : route(request);
}
