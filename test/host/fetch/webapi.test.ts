// The light Request and Response beside genuine ones of the same arguments: what a program can see must be the same.
// `Request` and `Response` are replaced for the whole process, so tests of one that has not done that come first.
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { fetchCallback, HTTPServer, inject } from "waterspout";

const Genuine = globalThis.Response;
const GenuineRequest = globalThis.Request;

test("only who wants it has other globals", async () => {
  const genuine = [Response, Request, fetch, Object.getOwnPropertyDescriptors(Request.prototype)];
  const handler = fetchCallback((request) => new Response(request.url), { overrideGlobalObjects: false });
  expect((await inject(new HTTPServer(handler), "/a")).body.toString()).toBe("http://127.0.0.1/a");
  expect([Response, Request, fetch, Object.getOwnPropertyDescriptors(Request.prototype)]).toEqual(genuine);
  const members = Object.keys(Object.getOwnPropertyDescriptors(globalThis));
  fetchCallback(() => new Response());
  fetchCallback(() => new Response());
  expect(Object.keys(Object.getOwnPropertyDescriptors(globalThis))).toEqual(members);
  Light = globalThis.Response;
  expect([Response, Request, fetch]).not.toContain(Genuine);
  for (const [native, stand] of [
    [Genuine, Response],
    [GenuineRequest, Request],
  ]) {
    expect(Object.getOwnPropertyNames(stand).sort()).toEqual(Object.getOwnPropertyNames(native).sort());
    for (const key of ["name", "length", "prototype"]) {
      expect(Object.getOwnPropertyDescriptor(stand, key)).toEqual(Object.getOwnPropertyDescriptor(native, key));
    }
  }
  expect([fetch.name, fetch.length]).toEqual(["fetch", (genuine[2] as typeof fetch).length]);
});

let Light = globalThis.Response;

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

test("answers that are given the same fields again have their own", async () => {
  const given: [(of: typeof Response) => Response][] = [
    [(of) => new of("text", { headers: { "X-A": "1" } })],
    [(of) => new of(bytes, { headers: { "X-A": "1" } })],
    [(of) => of.json("json", { headers: { "X-A": "1" } })],
    [(of) => new of("text", { headers: { "X-A": "1", "Content-Type": "text/html" } })],
    [(of) => new of("text", { headers: { "X-A": "2" } })],
    [(of) => new of("text", { headers: { "x-a": "1" } })],
    [(of) => new of(null, { headers: { "X-A": "1" } })],
  ];
  for (const [make] of [...given, ...given]) {
    expect(await seen(() => make(Light))).toEqual(await seen(() => make(Genuine)));
    make(Light).headers.set("X-A", "3");
  }
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
  const server = new HTTPServer(fetchCallback(() => response));
  const answer = await inject(server, "/");
  expect([answer.headers.get("a"), answer.headers.get("b")]).toEqual(["1, 3", "4"]);
});

async function pieces(stream: AsyncIterable<Uint8Array> | null): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of stream ?? []) all.push(piece);
  return all;
}

/** What `act` does, or the error's class. */
function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return (error as Error).name;
  }
}

/** What can be seen of an object's members. */
function members(value: object): unknown {
  const names: string[] = [];
  for (const name in value) names.push(name);
  const missing = Reflect.ownKeys(value.constructor.prototype).filter((key) => !(key in value));
  return [names.sort(), Object.keys(value), missing, value.constructor.name];
}

/** Has `handler` see a request; `genuine` of the same parts. */
async function ask(handler: (request: Request) => Promise<unknown>, given: Parameters<typeof inject>[1]) {
  let result: unknown;
  const callback = fetchCallback(async (request) => {
    result = await handler(request);
    return new Genuine();
  });
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
  ["members", async (request) => members(request)],
  [
    "members called by hand",
    async (request) => [
      Object.getOwnPropertyDescriptor(Request.prototype, "url")?.get?.call(request),
      await Request.prototype.clone.call(request).text(),
      await Request.prototype.text.call(request),
    ],
  ],
  [
    "assigned and defined members",
    async (request) => {
      const assigned = outcome(() => Object.assign(request, { url: "/b" }));
      Object.assign(request, { text: async () => "mine", more: 1 });
      Object.defineProperty(request, "method", { value: "PUT" });
      return [assigned, request.url, request.method, await request.text(), Object.keys(request), request.bodyUsed];
    },
  ],
  [
    "a subclass's object of it",
    async (request) => {
      class Own extends Request {
        own(): string {
          return `own ${this.clone().url}`;
        }
      }
      const own = new Own(request);
      return [own.own(), own instanceof Own, request instanceof Own, await own.text(), request.bodyUsed];
    },
  ],
  [
    "a proxy of it",
    async (request) => {
      const get = (target: Request, key: string) => {
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      };
      const proxy = new Proxy(request, { get: get as never });
      return [proxy instanceof Request, proxy.url, proxy.headers.get("x-a"), await proxy.text()];
    },
  ],
  ["its heir", async (request) => Object.create(request) instanceof Request],
  ["a structured clone", async (request) => outcome(() => structuredClone(request))],
  ["inspected", async (request) => inspect(request, { depth: 0 })],
  ["another's init", async (request) => new Request("http://y/", request).text()],
  ["spread", async (request) => Object.keys({ ...request })],
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

test("Request: each one's host is its own", async () => {
  const handler = async ({ url }: Request) => url;
  for (const host of ["a.example", "b.example", "a.example", "a.example:1", "A.example"])
    expect(await ask(handler, { headers: { HOST: host } })).toBe(`http://${host.toLowerCase()}/`);
  expect(await ask(handler, { target: "http://b.example/c", headers: { Host: "a.example" } })).toBe(
    "http://b.example/c",
  );
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

test("Request: light ones are what handlers are given", async () => {
  const isLight = async (request: Request) =>
    Object.getPrototypeOf(request) !== Request.prototype && !Object.hasOwn(request, "ip");
  expect(await ask(isLight, "/")).toBe(true);
});

/** Has `member` of the class replaced while `act` runs. */
async function replaced<Value>(of: object, name: string, member: PropertyDescriptor, act: () => Promise<Value>) {
  const own = Object.getOwnPropertyDescriptor(of, name) as PropertyDescriptor;
  Object.defineProperty(of, name, { ...own, ...member });
  try {
    return await act();
  } finally {
    Object.defineProperty(of, name, own);
  }
}

test("a member that is replaced is replaced for light ones, too, and its old one still serves them", async () => {
  const text = Request.prototype.text;
  async function louder(this: Request): Promise<string> {
    return `${await text.call(this)}!`;
  }
  const asked = () =>
    ask(async (request) => [await request.text(), await text.call(request.clone?.() ?? request)], "/");
  expect(await replaced(Request.prototype, "text", { value: louder }, asked)).toEqual(["!", ""]);
  const posted = () => ask((request) => request.text(), { method: "POST", body: "a" });
  expect(await replaced(Request.prototype, "text", { value: louder }, posted)).toBe("a!");
  const { get } = Object.getOwnPropertyDescriptor(Response.prototype, "status") as PropertyDescriptor;
  const plusOne = {
    get: function (this: Response) {
      return (get?.call(this) ?? 0) + 1;
    } as () => number,
  };
  const statuses = async () => [new Response("a").status, new Genuine("a").status, Response.json(1).status];
  expect(await replaced(Response.prototype, "status", plusOne, statuses)).toEqual([201, 201, 201]);
});

test("members refuse what is none of the class", async () => {
  for (const { prototype } of [Request, Response]) {
    for (const foreign of [{}, undefined, 1, new Headers()]) {
      await expect(prototype.text.call(foreign as never)).rejects.toThrow(TypeError);
      const { get } = Object.getOwnPropertyDescriptor(prototype, "headers") as PropertyDescriptor;
      expect(() => get?.call(foreign)).toThrow(TypeError);
    }
  }
  await expect(Request.prototype.text.call(new Response() as never)).rejects.toThrow(TypeError);
  await expect(Response.prototype.text.call((await ask(async (request) => request, "/")) as never)).rejects.toThrow(
    TypeError,
  );
});

test("Response: its members, as genuine ones have them", async () => {
  for (const init of [undefined, { status: 201 }]) {
    const [light, genuine] = [new Response("text", init), new Genuine("text", init)];
    expect(members(light)).toEqual(members(genuine));
    expect(Object.getPrototypeOf(light)).toBe(Object.getPrototypeOf(genuine));
    expect(outcome(() => structuredClone(light))).toEqual(outcome(() => structuredClone(genuine)));
    expect(inspect(light)).toEqual(inspect(genuine));
    expect(outcome(() => Object.assign(light, { status: 1 }))).toEqual(
      outcome(() => Object.assign(genuine, { status: 1 })),
    );
    Object.defineProperty(light, "url", { value: "http://x/" });
    expect([light.url, Object.keys(light), await new Response(light.body, light).text()]).toEqual([
      "http://x/",
      [],
      "text",
    ]);
  }
  expect(members(Response.json({}))).toEqual(members(Genuine.json({})));
  expect(new Request("http://x/").constructor).toBe(Request);
  expect(new GenuineRequest("http://x/") instanceof Request).toBe(true);
  expect(() => Reflect.apply(Request, null, ["http://x/"])).toThrow(TypeError);
});
