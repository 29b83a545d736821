// The light Request and Response beside genuine ones of the same arguments: what a program can see must be the same.
import { expect, test } from "vitest";
import { HTTPServer, inject } from "waterspout";
import { LightRequest } from "../../../dist/host/fetch/request.js";
import { LightResponse } from "../../../dist/host/fetch/response.js";
import { fetchSymbols } from "../../../dist/host/nodeinternals/fetchsymbols.js";
import { fetchCallback } from "../../../dist/host/server/fetchserver.js";

const Genuine = globalThis.Response;
const Light = LightResponse as unknown as typeof Response;

/** All that can be seen of an answer, or why there is none. */
async function seen(make: () => Response): Promise<unknown> {
  try {
    const response = make();
    const { status, statusText, ok, type, url, redirected, bodyUsed, headers } = response;
    const copy = response.clone();
    const hasBody = response.body !== null;
    const text = await response.text();
    const again = await response.text().catch((error) => error.name);
    const own = [response instanceof Genuine, response instanceof Light, String(response)];
    const rest = [hasBody, text, again, response.bodyUsed, await copy.arrayBuffer(), response.headers === headers];
    return [status, statusText, ok, type, url, redirected, bodyUsed, [...headers], headers.getSetCookie(), own, rest];
  } catch (error) {
    return (error as Error).name;
  }
}

const bytes = new Uint8Array([0, 255, 10]);
const INITS: [string, unknown][] = [
  ["none", undefined],
  ["null", null],
  ["empty", {}],
  ["status", { status: 201, statusText: "Quite Made" }],
  ["no body", { status: 204 }],
  ["not modified", { status: 304, headers: { etag: '"1"' } }],
  ["a status that is none", { status: 99 }],
  ["an interim status", { status: 101 }],
  ["status as text", { status: "404" }],
  ["half a status", { status: 200.5 }],
  ["a phrase with a line", { statusText: "a\r\nb" }],
  ["fields", { headers: { "X-Two": "2", "content-TYPE": "text/html", "X-One": " 1\t" } }],
  [
    "pairs",
    {
      headers: [
        ["X-A", "1"],
        ["x-a", "2"],
        ["Set-Cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    },
  ],
  [
    "Headers",
    {
      headers: new Headers([
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x", "y"],
      ]),
    },
  ],
  ["a map", { headers: new Map([["x", "y"]]) }],
  ["a number", { headers: { x: 1 } }],
  ["a list", { headers: { x: ["1", "2"] } }],
  ["a bad name", { headers: { "a b": "1" } }],
  ["a bad value", { headers: { a: "1\n2" } }],
  ["a wide value", { headers: { a: "€" } }],
  ["a latin-1 value", { headers: { a: "ä" } }],
  ["__proto__", { headers: [["__proto__", "1"]] }],
  ["no pairs", { headers: [["a"]] }],
  ["headers: null", { headers: null }],
];
const BODIES: [string, () => unknown][] = [
  ["nothing", () => undefined],
  ["null", () => null],
  ["text", () => "a text: ä€"],
  ["no text", () => ""],
  ["bytes", () => bytes],
  ["a Buffer", () => Buffer.from("buffer")],
  ["an ArrayBuffer", () => bytes.buffer],
  ["words", () => new Uint16Array([1, 2])],
  ["a Blob", () => new Blob(["blob"], { type: "text/x-blob" })],
  ["parameters", () => new URLSearchParams({ a: "1" })],
  ["a stream", () => new Blob(["stream"]).stream()],
  ["a number", () => 7],
];

test.each(INITS)("Response, %s", async (_name, init) => {
  for (const [name, body] of BODIES) {
    const given = [body(), init] as ConstructorParameters<typeof Response>;
    const same = [body(), init] as ConstructorParameters<typeof Response>;
    expect([name, await seen(() => new Light(...given))]).toEqual([name, await seen(() => new Genuine(...same))]);
  }
  for (const value of [{ a: ["ä"] }, null, undefined, "text"]) {
    const given = init as ResponseInit;
    expect(await seen(() => Light.json(value, given))).toEqual(await seen(() => Genuine.json(value, given)));
  }
});

test("Response as a class", async () => {
  class Own extends Light {
    get own(): string {
      return `own ${this.status}`;
    }
  }
  const own = new Own("x", { status: 202 });
  expect([own.own, own instanceof Own, own instanceof Light, own instanceof Genuine]).toEqual([
    "own 202",
    true,
    true,
    true,
  ]);
  expect([new Genuine() instanceof Light, new Light() instanceof Own, {} instanceof Light]).toEqual([
    true,
    false,
    false,
  ]);
  expect([Light.name, Light.length, new Light().constructor === Light]).toEqual(["Response", 0, true]);
  expect([Light.error().type, Light.redirect("http://x/", 302).status]).toEqual(["error", 302]);
  expect(() => Reflect.apply(Light, null, [])).toThrow(TypeError);
});

test("what is changed later does not change an answer, and what is changed in it does", async () => {
  const body = new Uint8Array([97]);
  const headers: Record<string, string> = { a: "1" };
  const response = new Light(body, { headers });
  body[0] = 98;
  headers.a = "2";
  expect([await response.clone().text(), response.headers.get("a")]).toEqual(["a", "1"]);
  response.headers.append("a", "3");
  response.headers.set("b", "4");
  expect([...response.clone().headers]).toEqual([
    ["a", "1, 3"],
    ["b", "4"],
  ]);
  const server = new HTTPServer(fetchCallback(() => response, { overrideGlobalObjects: false }));
  const answer = await inject(server, "/");
  expect([answer.headers.get("a"), answer.headers.get("b")]).toEqual(["1, 3", "4"]);
});

test("only who wants it has another Response", () => {
  fetchCallback(() => new Response(), { overrideGlobalObjects: false });
  expect(globalThis.Response).toBe(Genuine);
  try {
    fetchCallback(() => new Response());
    expect(globalThis.Response).toBe(Light);
  } finally {
    globalThis.Response = Genuine;
  }
});

async function pieces(stream: AsyncIterable<Uint8Array> | null): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of stream ?? []) all.push(piece);
  return all;
}

/** Has `handler` see a request; `genuine` of the same parts. */
async function ask(handler: (request: Request) => Promise<unknown>, given: Parameters<typeof inject>[1]) {
  let result: unknown;
  const callback = fetchCallback(
    async (request) => {
      result = await handler(request);
      return new Genuine();
    },
    { overrideGlobalObjects: false },
  );
  const answer = await inject(new HTTPServer(callback), given);
  return answer.status === 200 ? result : answer.status;
}

const body = '\ufeff{"a":"ä"}';
const POSTED = { method: "POST", target: "/a?b", headers: { "X-A": ["1", "2"], "Content-Type": "text/plain" }, body };

test.each<[string, (request: Request) => Promise<unknown>]>([
  ["text", (request) => request.text()],
  ["json", (request) => request.json()],
  ["arrayBuffer", (request) => request.arrayBuffer()],
  ["blob", async (request) => (await request.blob()).size],
  ["twice", async (request) => [await request.text(), await request.text().catch((error: Error) => error.name)]],
  ["used", async (request) => [request.bodyUsed, await request.text(), request.bodyUsed, request.body?.locked]],
  ["text, then a clone", async (request) => (await request.text()) && request.clone()],
  ["a clone first", async (request) => [await request.clone().text(), await request.text()]],
  ["stream", async (request) => Buffer.concat(await pieces(request.body)).toString()],
  ["copied", async (request) => new Request(request, { method: "PUT" }).text()],
  [
    "parts",
    async ({ method, url, headers, mode, destination, keepalive }) => [
      method,
      url,
      [...headers],
      mode,
      destination,
      keepalive,
    ],
  ],
  ["class", async (request) => [request instanceof Request, request.constructor === Request, String(request)]],
  [
    "changed",
    async (request) => {
      request.headers.set("x-a", "3");
      const copy = new Request(request);
      request.headers.delete("x-a");
      return [
        copy.headers.get("x-a"),
        request.headers.get("x-a"),
        new Request(copy.url, { headers: request.headers }).headers.has("x-a"),
      ];
    },
  ],
  ["signal", async ({ signal }) => [signal instanceof AbortSignal, signal.aborted]],
])("Request: %s", async (_name, handler) => {
  const headers = new Headers([
    ["host", "127.0.0.1"],
    ["x-a", "1"],
    ["x-a", "2"],
    ["content-type", "text/plain"],
  ]);
  const genuine = (): Request => new Request("http://127.0.0.1/a?b", { method: "POST", headers, body });
  const told = (value: unknown) => value;
  const settled = (promise: Promise<unknown>) => promise.then(told, (error: Error) => error.name);
  expect(await ask((request) => settled(handler(request)), POSTED)).toEqual(await settled(handler(genuine())));
});

test.each([
  ["/", "a.example"],
  ["/a/../b/./c?d=/../", "A.Example:80"],
  ["/%2e%2E/x", "a.example:8080"],
  ["//b//c?x?y", "127.1"],
  ["/'()*;:@&=+$,/?'", "[::1]:1"],
  ["/a|b^c`d{e}", "xn--bcher-kva.example"],
  ["/%zz?%", "a_b.example"],
])("Request: the address %s of %s", async (target, host) => {
  const handler = async ({ url }: Request) => url;
  expect(await ask(handler, { target, headers: { Host: host } })).toBe(new URL(`http://${host}${target}`).href);
});

test("Request: what cannot be one is 400", async () => {
  const handler = async ({ url, method }: Request) => [method, url];
  for (const host of ["a@b", "a/b", "a?b", "a#b", "a b", "x:99999", "%"])
    expect([host, await ask(handler, { headers: { Host: host } })]).toEqual([host, 400]);
  for (const method of ["TRACE", "connect", "TRACK"]) expect(await ask(handler, { method })).toBe(400);
  expect(await ask(handler, { method: "patch" })).toEqual(["patch", "http://127.0.0.1/"]);
  expect(await ask(handler, { method: "put" })).toEqual(["PUT", "http://127.0.0.1/"]);
  expect(await ask(handler, { method: "OPTIONS", target: "*" })).toEqual(["OPTIONS", "http://127.0.0.1/*"]);
});

test("Request: light ones are what handlers are given, where Node's internals allow it", async () => {
  const isLight = async (request: Request) =>
    Object.hasOwn(LightRequest.prototype, "url") &&
    !("url" in Object.getOwnPropertyDescriptors(request)) &&
    Object.getPrototypeOf(request) === LightRequest.prototype;
  expect(await ask(isLight, "/")).toBe(fetchSymbols.isThere());
});
