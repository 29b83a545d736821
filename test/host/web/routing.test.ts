// Routes: which one answers, with what, and the way back from a name to a path.
import { describe, expect, test } from "vitest";

import {
  AnyMatches,
  Application,
  HostMatches,
  HTTPServer,
  type HTTPServerRequest,
  inject,
  type PathArgument,
  PathMatches,
  RequestHandler,
  type RouteFunction,
  Rule,
  RuleRouter,
  TCPServer,
  URLSpec,
} from "../../../host/index.js";

class Say extends RequestHandler {
  #text = "";

  override initialize(options: { text?: string } = {}): void {
    this.#text = options.text ?? "";
  }

  override get(...args: PathArgument[]): void {
    this.finish(`${this.#text}${args.length > 0 ? JSON.stringify(args) : ""}`);
  }
}

const named = (text: string) => ({ text });

describe("a path", () => {
  const application = new Application([
    ["/", Say, named("root")],
    ["/favicon.ico", Say, named("dot")],
    ["/first", Say, named("first")],
    ["/first", Say, named("second")],
    ["/users/:id", Say, named("user")],
    ["/users/:id/posts/:post", Say, named("post")],
    ["/number/([0-9]+)", Say, named("number")],
    ["/two/([a-z]+)/([a-z]+)?", Say, named("two")],
    ["/python/(?P<name>[^/]+)", Say, named("python")],
    [/\/expression\/(.+)/i, Say, named("expression")],
    ["^/anchored$", Say, named("anchored")],
    ["/plain", (request: HTTPServerRequest) => request.respond(200, {}, "function")],
    ["/given/(.*)", (request: HTTPServerRequest, name: string) => request.respond(200, {}, name)],
  ]);

  test.each([
    ["/", "root"],
    ["/?x=/first", "root"],
    ["/favicon.ico", "dot"],
    ["/first", "first"],
    ["/users/7", 'user[{"id":"7"}]'],
    ["/users/a%2Fb", 'user[{"id":"a/b"}]'],
    ["/users/%C3%BC+%20", 'user[{"id":"ü+ "}]'],
    ["/users/%zz", 'user[{"id":"%zz"}]'],
    ["/users/7/posts/x", 'post[{"id":"7","post":"x"}]'],
    ["/number/12", 'number["12"]'],
    ["/two/a/b", 'two["a","b"]'],
    ["/two/a/", 'two["a",null]'],
    ["/python/x", 'python[{"name":"x"}]'],
    ["/EXPRESSION/a/b", 'expression["a/b"]'],
    ["/anchored", "anchored"],
    ["/plain", "function"],
    ["/given/x%20y", "x y"],
    ["http://other/users/7", 'user[{"id":"7"}]'],
  ])("%s finds %s", async (target, text) => {
    expect(await application.inject(target)).toMatchObject({ status: 200, text });
  });

  test.each([
    "/x",
    "/faviconXico",
    "/users/",
    "/users/7/",
    "/number/1a",
    "/number/",
    "x/number/1",
    "/FIRST",
    "/anchored/",
  ])("%s finds no handler", async (target) => {
    const answer = await application.inject(target);
    expect(answer.status).toBe(404);
    expect(answer.text).toBe("<html><title>404: Not Found</title><body>404: Not Found</body></html>");
  });

  test("that is not UTF-8 is a bad request", async () => {
    expect((await application.inject("/users/%ff")).status).toBe(400);
    expect((await application.inject("/given/%c3")).status).toBe(400);
  });
});

describe("the way back", () => {
  const inner = new Application([["/inner/:a", Say, {}, "inner"]]);
  const application = new Application([
    ["/", Say, {}, "root"],
    ["/users/:id", Say, {}, "user"],
    ["/number/([0-9]+)/([a-z]{2})\\.html", Say, {}, "number"],
    ["/named/(?<year>\\d{4})/(?<name>[^/]+)", Say, {}, "named"],
    ["/nested/.*", [["/nested/(\\w+)", Say, {}, "nested"]]],
    ["/complicated/(a(b|c))?", Say, {}, "complicated"],
    ["/any/\\d+", Say, {}, "any"],
    ["/not/(?:a|b)/(c)", Say, {}, "group"],
    new URLSpec("/spec/(.*)", Say, {}, "spec"),
    ["/inner/.*", inner],
  ]);

  test.each([
    ["root", [], "/"],
    ["user", [7], "/users/7"],
    ["user", ["a/b ü?"], "/users/a%2Fb%20%C3%BC%3F"],
    ["user", [{ id: "x" }], "/users/x"],
    ["number", [1, "ab"], "/number/1/ab.html"],
    ["named", [2026, "x"], "/named/2026/x"],
    ["named", [{ name: "x", year: 2026 }], "/named/2026/x"],
    ["nested", ["x"], "/nested/x"],
    ["spec", [""], "/spec/"],
    ["inner", ["x"], "/inner/x"],
  ])("to %s with %j", (name, values, path) => {
    expect(application.reverseUrl(name, ...(values as string[]))).toBe(path);
  });

  test("a route that stands alone knows it, too", () => {
    const path = (pattern: string, ...values: string[]) => new URLSpec(pattern, Say, {}).reverse(...values);
    expect(path("^/favicon\\.ico$")).toBe("/favicon.ico");
    expect(path("^/api/v1/foo/(\\w+)$", "bar")).toBe("/api/v1/foo/bar");
    expect(new URLSpec("/users/:id", Say, {}).reverse({ id: 7 })).toBe("/users/7");
    expect(() => path("^/api/v\\d+/foo/(\\w+)$", "bar")).toThrow("path");
    expect(() => new Rule(new AnyMatches(), Say).reverse()).toThrow("path");
  });

  test.each([
    ["nobody", []],
    ["user", []],
    ["user", [1, 2]],
    ["user", [{ name: 1 }]],
    ["complicated", ["a"]],
    ["any", []],
    ["group", ["c"]],
  ])("to %s with %j is refused", (name, values) => {
    expect(() => application.reverseUrl(name, ...(values as string[]))).toThrow(/route|values|path/);
  });

  test("is open to handlers", async () => {
    class Link extends RequestHandler {
      override get(): void {
        this.finish(this.reverseUrl("link", "a b"));
      }
    }
    expect((await new Application([["/link/(.*)", Link, {}, "link"]]).inject("/link/x")).text).toBe("/link/a%20b");
  });
});

describe("a host", () => {
  const application = new Application([["/", Say, named("any")]], { defaultHost: "www.example.com" });
  application.addHandlers("www.example.com", [
    ["/", Say, named("www")],
    ["/only", Say, named("only")],
  ]);
  application.addHandlers(".*\\.example\\.org", [["/", Say, named("org")]]);

  test.each([
    ["www.example.com", "/", "www"],
    ["WWW.EXAMPLE.COM:8888", "/", "www"],
    ["wwwxexample.com", "/", "any"],
    ["a.example.org", "/", "org"],
    ["example.org", "/", "any"],
    ["elsewhere", "/only", "only"], // by the default host
  ])("%s with %s finds %s", async (host, target, text) => {
    expect((await application.inject({ target, headers: { host } })).text).toBe(text);
  });

  test("that a proxy has forwarded has no default", async () => {
    const headers = { host: "elsewhere", "x-real-ip": "192.0.2.1" };
    expect((await application.inject({ target: "/only", headers })).status).toBe(404);
  });
});

describe("routers", () => {
  test("hand on to others, and go on when those have no handler", async () => {
    const tools = new RuleRouter([new Rule(new PathMatches("/tools/a"), (request) => request.respond(200, {}, "a"))]);
    const router = new RuleRouter([
      new Rule(new PathMatches("/tools/.*"), tools),
      new Rule(new HostMatches("example.com"), new Application([["/tools/b", Say, named("b")]])),
      new Rule(new AnyMatches(), (request) => request.respond(200, {}, "last")),
    ]);
    const server = new HTTPServer(router);
    const ask = async (target: string, host = "x") => (await inject(server, { target, headers: { host } })).text;
    expect(await ask("/tools/a")).toBe("a");
    expect(await ask("/tools/b", "example.com")).toBe("b");
    expect(await ask("/tools/c", "example.com")).toContain("404: Not Found"); // an application has an answer to everything
    expect(await ask("/tools/c")).toBe("last");
    expect((await inject(new HTTPServer(tools), "/x")).status).toBe(404);
  });

  test("can be written by hand", async () => {
    const router = { findHandler: () => (request: HTTPServerRequest) => request.respond(200, {}, "own") };
    const application = new Application([[new AnyMatches(), router]]);
    expect((await application.inject("/x")).text).toBe("own");
  });

  test("are taken by a server as they are", async () => {
    const answers = (request: HTTPServerRequest) => request.respond(200, {}, request.path);
    const router = { findHandler: ({ path }: HTTPServerRequest) => (path === "/x" ? answers : null) };
    const server = new HTTPServer(router);
    expect(server).toBeInstanceOf(TCPServer);
    expect((await inject(server, "/x")).text).toBe("/x");
    expect((await inject(server, "/y")).status).toBe(404);
    expect(() => new HTTPServer({} as never)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });
});

test("settings of the application's own are its handlers'", async () => {
  class Counts extends RequestHandler<unknown, { counts: Map<string, number> }> {
    override get(): void {
      this.write(String(this.settings.counts.get("a")));
    }
  }
  const application = new Application([["/", Counts]], { counts: new Map([["a", 7]]), etag: false });
  expect((await application.inject("/")).text).toBe("7");
  expect(application.settings.counts.size).toBe(1);
});

test("what has no route has a handler of its own, if wanted", async () => {
  const settings = { defaultHandlerClass: Say, defaultHandlerOptions: named("default") };
  expect((await new Application([], settings).inject("/x")).text).toBe("default");
});

test.each([
  ["an expression that is none", () => new Application([["/(", Say]])],
  ["groups with names and groups without", () => new Application([["/(a)/(?<b>c)", Say]])],
  [
    "a name that is taken",
    () =>
      new Application([
        ["/a", Say, {}, "x"],
        ["/b", Say, {}, "x"],
      ]),
  ],
  ["a target that is none", () => new Application([["/a", 1 as unknown as RouteFunction]])],
])("%s is refused when the route is made", (_name, make) => {
  expect(make).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
