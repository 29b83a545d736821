// The setting `middleware`: functions that answer, wrap and add fields; CORS, request ids, and the bound on requests.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";

import {
  Application,
  type CORSOptions,
  cors,
  fetchCallback,
  HTTPError,
  type InjectedRequest,
  type Middleware,
  type RateLimitOptions,
  RequestHandler,
  rateLimit,
  requestId,
} from "../../../host/index.js";
import { listening } from "../support/websupport.js";

class Hello extends RequestHandler {
  override get(): void {
    this.setHeader("X-Own", "handler");
    this.write("hello");
  }
}

class Stream extends RequestHandler {
  override async get(): Promise<void> {
    this.write("one");
    await this.flush();
    this.write("two");
  }
}

const ROUTES = [
  ["/", Hello],
  ["/stream", Stream],
  ["/later", (request) => void setTimeout(() => request.respond(200, {}, "later"), 1)],
  ["/async", async (request) => request.respond(200, {}, "async")],
  ["/response", () => new Response("response")],
  ["/fetch", fetchCallback(() => new Response("fetch"))],
  ["/empty", (request) => request.respond(204)],
  ["/fails", () => Promise.reject(new Error("failed"))],
] as const satisfies ConstructorParameters<typeof Application>[0];

const WHOLE: Record<string, string> = {
  "/": "hello",
  "/stream": "onetwo",
  "/later": "later",
  "/async": "async",
  "/response": "response",
  "/fetch": "fetch",
  "/empty": "",
};

function ask(middleware: Middleware[], request: InjectedRequest | string = "/", logger = listening().logger) {
  return new Application(ROUTES, { middleware, logger, server: { logger } }).inject(request);
}

const SHAPES: Record<string, Middleware> = {
  "a function that returns what next gives": (_request, next) => next(),
  "one that returns nothing": (_request, next) => void next(),
  "an async one that waits": async (_request, next) => {
    await sleep(1);
    return next();
  },
  "an async one that does not": async (_request, next) => void next(),
  "an async one behind the handler": async (_request, next) => {
    await next();
    await sleep(1);
  },
};

describe.each(Object.entries(SHAPES))("%s", (_name, middleware) => {
  test.each(Object.entries(WHOLE))("%s is answered, with the fields that were added", async (target, body) => {
    const add: Middleware = (request, next) => {
      request.answerHeaders.set("X-Added", "yes");
      request.answerHeaders.set("X-Own", "middleware");
      return next();
    };
    const answer = await ask([add, middleware, middleware], target);
    expect(answer.text).toBe(body);
    expect(answer.headers.getList("x-added")).toEqual(["yes"]);
    expect(answer.headers.getList("x-own")).toEqual([target === "/" ? "handler" : "middleware"]);
  });

  test("what the handler throws is 500, with the fields, and logged once", async () => {
    const { logger, log } = listening();
    const add: Middleware = (request, next) => {
      request.answerHeaders.set("X-Added", "yes");
      return next();
    };
    const answer = await ask([add, middleware], "/fails", logger);
    expect([answer.status, answer.headers.get("x-added")]).toEqual([500, "yes"]);
    expect(log).toEqual(["error: the handler of GET /fails failed (failed)"]);
  });
});

test("one that answers is the last; a 404, and a not modified, have the fields too", async () => {
  const stop: Middleware = (request) => request.respond(403, {}, "no");
  const give: Middleware = () => new Response("given", { status: 401 });
  const never: Middleware = () => expect.fail("called");
  expect((await ask([stop, never])).text).toBe("no");
  expect((await ask([give, never])).status).toBe(401);
  const add: Middleware = (request, next) => {
    request.answerHeaders.add("Set-Cookie", "a=1");
    return next();
  };
  const missing = await ask([add], "/nowhere");
  expect([missing.status, missing.headers.get("set-cookie")]).toEqual([404, "a=1"]);
  const { headers } = await ask([add], "/");
  const same = await ask([add], { target: "/", headers: { "If-None-Match": headers.get("etag") as string } });
  expect([same.status, same.headers.getList("set-cookie")]).toEqual([304, ["a=1"]]);
});

test("one wraps the handler: it sees its end, and may answer for its failure", async () => {
  const order: string[] = [];
  const outer: Middleware = async (request, next) => {
    order.push("before");
    await next();
    order.push(`behind ${request.route} ${request.finished}`);
  };
  await ask([outer], "/");
  expect(order).toEqual(["before", "behind / true"]);
  const { logger, log } = listening();
  const rescue: Middleware = async (request, next) => {
    try {
      await next();
    } catch {
      request.respond(503, {}, "rescued");
    }
  };
  expect((await ask([rescue], "/fails", logger)).text).toBe("rescued");
  const replace: Middleware = (_request, next) => Promise.resolve(next()).catch(() => new Response("replaced"));
  expect((await ask([replace], "/fails", logger)).text).toBe("replaced");
  expect(log).toEqual([]);
});

test.each(["at once", "later"])("an HTTPError that it throws %s is its status, with its fields", async (when) => {
  const refuse = () => {
    throw new HTTPError(401, { headers: { "WWW-Authenticate": "Basic" } });
  };
  const answer = await ask([when === "at once" ? refuse : async () => refuse()], { method: "POST", body: "unread" });
  expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Basic"]);
});

test("next() is called once; an application inside another has its own functions", async () => {
  const twice: Middleware = async (_request, next) => {
    await next();
    return next();
  };
  const { logger, log } = listening();
  await expect(ask([twice], "/stream", logger)).resolves.toMatchObject({ status: 200 });
  expect(log[0]).toContain("next() twice");
  const seen: string[] = [];
  const note =
    (name: string): Middleware =>
    (_request, next) => {
      seen.push(name);
      return next();
    };
  const inner = new Application([["/inner/.*", Hello]], { middleware: [note("inner")] });
  const outer = new Application(
    [
      ["/inner/.*", inner],
      ["/", Hello],
    ],
    { middleware: [note("outer")] },
  );
  expect((await outer.inject("/inner/x")).text).toBe("hello");
  expect((await outer.inject("/")).text).toBe("hello");
  expect(seen).toEqual(["outer", "inner", "outer"]);
});

describe("cors", () => {
  const ORIGIN = "https://app.example.com";
  const preflight = { method: "OPTIONS", headers: { Origin: ORIGIN, "Access-Control-Request-Method": "PUT" } };
  const fieldsOf = async (options: CORSOptions, request: InjectedRequest) => {
    const { status, headers } = await ask([cors(options)], request);
    const fields = [...headers].filter(([name]) => name.startsWith("access-control") || name === "vary");
    return [status, Object.fromEntries(fields)];
  };

  test("a page that may, and one that may not", async () => {
    for (const origins of [[ORIGIN], (origin: string) => origin === ORIGIN]) {
      const allowed = { "access-control-allow-origin": ORIGIN, vary: "Origin" };
      expect(await fieldsOf({ origins }, { headers: { Origin: ORIGIN } })).toEqual([200, allowed]);
      expect(await fieldsOf({ origins }, { headers: { Origin: `${ORIGIN}.evil.example` } })).toEqual([
        200,
        { vary: "Origin" },
      ]);
      expect(await fieldsOf({ origins }, {})).toEqual([200, { vary: "Origin" }]);
    }
    expect(await fieldsOf({ origins: "*" }, { headers: { Origin: ORIGIN } })).toEqual([
      200,
      { "access-control-allow-origin": "*" },
    ]);
  });

  test("the browser's question is answered without the handler", async () => {
    expect(await fieldsOf({ origins: [ORIGIN], credentials: true, exposeHeaders: ["X-A"] }, preflight)).toEqual([
      204,
      {
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": "Content-Type, Authorization",
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "access-control-allow-origin": ORIGIN,
        "access-control-max-age": "600",
        vary: "Origin",
      },
    ]);
    expect(await fieldsOf({ origins: [] }, preflight)).toEqual([403, { vary: "Origin" }]);
    const plain = { method: "OPTIONS", headers: { Origin: ORIGIN } };
    expect((await fieldsOf({ origins: "*" }, plain))[0], "no question: the handler's").toBe(405);
    const exposed = await fieldsOf({ origins: "*", exposeHeaders: ["X-A", "X-B"] }, { headers: { Origin: ORIGIN } });
    expect(exposed[1]).toMatchObject({ "access-control-expose-headers": "X-A, X-B" });
  });

  test("an error's page can be read, Vary is added to the answer's own, and * goes with no cookies", async () => {
    const vary: Middleware = (request, next) => {
      request.answerHeaders.add("Vary", "Cookie");
      return next();
    };
    const answer = await ask([cors({ origins: [ORIGIN] }), vary], { target: "/nowhere", headers: { Origin: ORIGIN } });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([404, ORIGIN]);
    expect(answer.headers.getList("vary")).toEqual(["Origin", "Cookie"]);
    expect(() => cors({ origins: "*", credentials: true })).toThrow("credentials need a list of origins");
  });
});

describe("requestId", () => {
  const idOf = async (options: Parameters<typeof requestId>[0], given: string | null) => {
    let seen: string | null = null;
    const see: Middleware = (request, next) => {
      seen = request.headers.get("x-request-id");
      return next();
    };
    const headers: Record<string, string> = given === null ? {} : { "X-Request-Id": given };
    const answer = await ask([requestId(options), see], { headers });
    expect(answer.headers.getList("x-request-id")).toEqual([seen]);
    return seen as string | null;
  };
  const OWN = /^[\da-f]{8}-[\da-f-]{27}$/;

  test("each request has one; the client's is kept when it is trusted, and is one", async () => {
    expect(await idOf({}, null)).toMatch(OWN);
    expect(await idOf({}, "mine")).toMatch(OWN);
    expect(await idOf({ trust: true }, "mine")).toBe("mine");
    expect(await idOf({ trust: true }, "x".repeat(128))).toBe("x".repeat(128));
    for (const given of ["x".repeat(129), "a b", "", 'a"b']) expect(await idOf({ trust: true }, given)).toMatch(OWN);
  });
});

describe("rateLimit", () => {
  const from = (address: string, family: "IPv4" | "IPv6" = "IPv4") => ({ remoteAddress: { address, port: 1, family } });
  const limited = (options: RateLimitOptions) => {
    const application = new Application([["/", Hello]], {
      middleware: [rateLimit(options)],
      logger: listening().logger,
    });
    return async (request: InjectedRequest) => {
      const { status, headers } = await application.inject(request);
      return status === 429 ? Number(headers.get("retry-after")) : status;
    };
  };

  test("a client's requests: as many as allowed at once, then one for each part of the window", async () => {
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    let nowMs = 1000;
    const ask = limited({ requests: 3, windowMs: 30_000 });
    const one = from("192.0.2.1");
    expect([await ask(one), await ask(one), await ask(one), await ask(one)]).toEqual([200, 200, 200, 10]);
    expect(await ask(from("192.0.2.2")), "another client").toBe(200);
    nowMs += 9_000;
    expect(await ask(one)).toBe(1);
    nowMs += 1_000;
    expect([await ask(one), await ask(one)]).toEqual([200, 10]);
    nowMs += 60_000;
    expect([await ask(one), await ask(one), await ask(one), await ask(one)]).toEqual([200, 200, 200, 10]);
    vi.restoreAllMocks();
  });

  test("the table has its bound: the client that was silent longest is forgotten, no other", async () => {
    const ask = limited({ requests: 1, windowMs: 1_000_000, clientsMax: 2 });
    const [a, b, c] = [from("192.0.2.1"), from("192.0.2.2"), from("192.0.2.3")];
    expect([await ask(a), await ask(b)]).toEqual([200, 200]);
    expect(
      [await ask(a), await ask(b)].map((each) => each > 500),
      "two are known",
    ).toEqual([true, true]);
    expect(await ask(c)).toBe(200);
    expect(await ask(b), "still known").toBeGreaterThan(500);
    expect(await ask(a), "forgotten").toBe(200);
  });

  test("IPv6: a /64 is one client; a key of one's own; null is not counted", async () => {
    const six = limited({ requests: 1 });
    expect(await six(from("2001:db8::1", "IPv6"))).toBe(200);
    expect(await six(from("2001:db8:0:0:ffff::2", "IPv6"))).toBeGreaterThan(0);
    expect(await six(from("2001:db8::1:0:0:0:2", "IPv6"))).toBe(200);
    expect(await six(from("::1", "IPv6"))).toBe(200);
    const keyed = limited({ requests: 1, keyOf: (request) => request.headers.get("x-key") });
    const key = (name: string) => ({ headers: { "X-Key": name } });
    expect([await keyed(key("a")), await keyed(key("b")), await keyed({}), await keyed({})]).toEqual([
      200, 200, 200, 200,
    ]);
    expect(await keyed(key("a"))).toBe(60);
    const long = "x".repeat(256);
    expect([await keyed(key(long)), await keyed(key(`${long}1`)), await keyed(key(`${long}2`))]).toEqual([
      200, 200, 200,
    ]);
    expect(await keyed(key(`${long}2`))).toBe(60);
  });

  test("numbers out of range are refused", () => {
    for (const options of [{ requests: 0 }, { requests: 1, windowMs: 0 }, { requests: 1, clientsMax: 0 }])
      expect(() => rateLimit(options)).toThrow(/rateLimit\.\w+/);
  });
});
