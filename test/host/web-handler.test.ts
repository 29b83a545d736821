// A handler's life: what it is asked with, what it answers with, and how it ends.
import { describe, expect, test } from "vitest";

import {
  Application,
  ErrorHandler,
  FallbackHandler,
  Finish,
  HTTPError,
  type InjectedRequest,
  type Logger,
  MissingArgumentError,
  RedirectHandler,
  RequestHandler,
} from "../../host/index.js";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

/** A logger, and what it was told. */
function listening(): { logger: Logger; log: string[] } {
  const log: string[] = [];
  const note =
    (level: string) =>
    (fields: object | string, message?: string): void => {
      const error = typeof fields === "object" && "err" in fields ? ` (${(fields.err as Error).message})` : "";
      log.push(`${level}: ${typeof fields === "string" ? fields : message}${error}`);
    };
  return { logger: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") }, log };
}

/** The answer of a handler whose methods are given. */
function answerOf(
  methods: Partial<Record<string, (this: RequestHandler, ...args: never[]) => unknown>>,
  request: InjectedRequest | string = {},
  settings: ConstructorParameters<typeof Application>[1] = {},
) {
  class Handler extends RequestHandler {}
  Object.assign(Handler.prototype, methods);
  return new Application([["/.*", Handler]], { logger: listening().logger, ...settings }).inject(request);
}

describe("arguments", () => {
  const show = (ask: (handler: RequestHandler) => unknown, request: InjectedRequest | string) =>
    answerOf(
      {
        get() {
          this.finish({ value: ask(this) });
        },
        post() {
          this.finish({ value: ask(this) });
        },
      },
      request,
    );

  test.each([
    ["/?a=1", "1"],
    ["/?a=1&a=2", "2"],
    ["/?a=", ""],
    ["/?a", ""],
    ["/?b=1", "preset"],
    ["/", "preset"],
    ["/?a=%20x%20y+", "x y"],
    ["/?a=x%00y%1fz%0b", "x y z"],
    ["/?a=line%0Aend", "line\nend"],
    ["/?%61=%E2%82%AC", "€"],
    ["/?a=1=2", "1=2"],
    ["/?a=%zz%4", "%zz%4"],
    ["/?&&a=1&", "1"],
    ["/?__proto__=1&a=2", "2"],
  ])("of %s", async (target, value) => {
    expect((await show((handler) => handler.getArgument("a", "preset"), target)).json()).toEqual({ value });
  });

  test.each(["/?a=%ff", "/?%ff=1&a=1", "/?a=%C3", "/?a=%ed%a0%80"])("of %s are not UTF-8: 400", async (target) => {
    expect((await show((handler) => handler.getArgument("a", "preset"), target)).status).toBe(400);
  });

  test("without a preset are asked for: 400", async () => {
    expect((await show((handler) => handler.getArgument("a"), "/?b=1")).status).toBe(400);
    let missing: unknown;
    await show((handler) => {
      try {
        handler.getBodyArgument("name");
      } catch (error) {
        missing = error;
      }
    }, "/");
    expect(missing).toBeInstanceOf(MissingArgumentError);
    expect(missing).toMatchObject({ status: 400, argument: "name" });
  });

  test("keep their white space if that is wanted", async () => {
    const answer = await show((handler) => handler.getArgument("a", "", { strip: false }), "/?a=+x+");
    expect(answer.json()).toEqual({ value: " x " });
  });

  test("are those of the query, then those of the body; the body's is the last", async () => {
    const all = (handler: RequestHandler) => [
      handler.getArgument("a"),
      handler.getQueryArgument("a"),
      handler.getBodyArgument("a"),
      handler.getArguments("a"),
      handler.getQueryArguments("a"),
      handler.getBodyArguments("a"),
      handler.getArguments("b"),
      handler.getQueryArgument("c", null),
    ];
    const answer = await show(all, { method: "POST", target: "/?a=1&a=2", headers: FORM, body: "a=3&a=4+4" });
    expect(answer.json()).toEqual({
      value: ["4 4", "2", "4 4", ["1", "2", "3", "4 4"], ["1", "2"], ["3", "4 4"], [], null],
    });
  });

  test("of a body are only those of a form", async () => {
    const headers = { "Content-Type": "text/plain" };
    const answer = await show((handler) => handler.getBodyArguments("a"), { method: "POST", headers, body: "a=1" });
    expect(answer.json()).toEqual({ value: [] });
  });

  test("are of a bounded number", async () => {
    const many = (count: number) => `/?${"a&".repeat(count - 1)}a`;
    expect((await show((handler) => handler.getArguments("a").length, many(1000))).json()).toEqual({ value: 1000 });
    expect((await show((handler) => handler.getArguments("a").length, many(1001))).status).toBe(400);
  });

  test("of a multipart form, with its files", async () => {
    const body = [
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n',
      '--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nfile\r\n',
      "--x--\r\n",
    ].join("");
    const ask = (handler: RequestHandler) => [
      handler.getBodyArgument("a"),
      handler.getFiles("f").map(({ filename, size }) => [filename, size]),
      handler.getFiles("g"),
      handler.getFiles().length,
    ];
    const headers = { "Content-Type": "multipart/form-data; boundary=x" };
    const answer = await show(ask, { method: "POST", headers, body });
    expect(answer.json()).toEqual({ value: ["one", [["a.txt", 4]], [], 1] });
    expect((await show(ask, { method: "POST", headers, body: "--y" })).status).toBe(400);
  });

  test("as JSON", async () => {
    const ask = (handler: RequestHandler) => handler.getJSON();
    const body = { a: [1, "ü"] };
    expect((await show(ask, { method: "POST", body })).json()).toEqual({ value: body });
    expect((await show(ask, { method: "POST", body: "{" })).status).toBe(400);
    expect((await show(ask, { method: "POST" })).status).toBe(400);
  });
});

describe("write", () => {
  test("gathers text and bytes in their order", async () => {
    const answer = await answerOf({
      get() {
        this.write("ü");
        this.write(Buffer.from([1, 2]));
        this.write("");
        this.write("z");
      },
    });
    expect(answer.body).toEqual(Buffer.from("ü\x01\x02z"));
    expect(answer.headers.get("content-length")).toBe("5");
    expect(answer.headers.get("content-type")).toBe("text/html; charset=UTF-8");
  });

  test("sends an object as JSON that no page can be broken with", async () => {
    const answer = await answerOf({ get: respondWith({ a: "</script>" }) });
    expect(answer.text).toBe('{"a":"<\\/script>"}');
    expect(answer.headers.get("content-type")).toBe("application/json; charset=UTF-8");
  });

  test.each([[[1, 2]], [1], [null], [undefined], [true]])("refuses %j", async (value) => {
    const { logger, log } = listening();
    expect((await answerOf({ get: respondWith(value) }, {}, { logger })).status).toBe(500);
    expect(log[0]).toMatch(/write\(\) takes no/);
  });

  test.each(["write", "finish", "flush"] as const)(
    "%s after finish fails, and the first answer counts",
    async (name) => {
      const { logger, log } = listening();
      const answer = await answerOf(
        {
          async get() {
            this.finish("first");
            await this[name]("second" as never);
          },
        },
        {},
        { logger },
      );
      expect(answer.text).toBe("first");
      expect(log).toEqual([expect.stringContaining("after finish()")]);
    },
  );

  function respondWith(value: unknown) {
    return function (this: RequestHandler) {
      this.write(value as string);
    };
  }
});

describe("flush", () => {
  test("sends bit by bit, at the pace of the client", async () => {
    const answer = await answerOf({
      async get() {
        this.setHeader("X-A", 1);
        await this.flush();
        expect(() => this.setHeader("X-B", "2")).toThrow("already");
        for (let part = 0; part < 40; part++) {
          this.write(Buffer.alloc(50_000, 97));
          await this.flush();
        }
        this.write("end");
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-a")).toBe("1");
    expect(answer.headers.get("content-length")).toBeNull();
    expect(answer.headers.get("etag")).toBeNull();
    expect(answer.body.length).toBe(2_000_003);
  });

  test("an error behind it cuts the connection, and is logged", async () => {
    const { logger, log } = listening();
    const answer = answerOf(
      {
        async get() {
          this.write("a");
          await this.flush();
          throw new Error("too late");
        },
      },
      {},
      { logger },
    );
    await expect(answer).rejects.toThrow("cut");
    expect(log.join()).toContain("too late");
  });
});

describe("header fields", () => {
  test("are set, added and cleared whatever their case", async () => {
    const answer = await answerOf({
      get() {
        this.setHeader("x-one", "1");
        this.setHeader("X-ONE", " 2 ");
        this.addHeader("X-Many", "a");
        this.addHeader("x-many", 3);
        this.setHeader("X-Gone", "x");
        this.clearHeader("x-gone");
        this.setHeader("X-Date", new Date(0));
        this.write(String([this.getHeader("X-one"), this.getHeader("x-many"), this.getHeader("x-none")]));
      },
    });
    expect(answer.headers.getList("x-one")).toEqual(["2"]);
    expect(answer.headers.getList("x-many")).toEqual(["a", "3"]);
    expect(answer.headers.has("x-gone")).toBe(false);
    expect(answer.headers.get("x-date")).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
    expect(answer.text).toBe("2,a,");
  });

  test.each([
    ["X-A", "a\r\nSet-Cookie: b=c"],
    ["X-A", "a\0"],
    ["X A", "a"],
    ["", "a"],
    ["X-A", "€"],
  ])("%j: %j is refused where it is set", async (name, value) => {
    const answer = await answerOf({
      get() {
        expect(() => this.setHeader(name, value)).toThrow(expect.objectContaining({ code: "INVALID_HEADER" }));
        expect(() => this.addHeader(name, value)).toThrow(expect.objectContaining({ code: "INVALID_HEADER" }));
        this.write("fine");
      },
    });
    expect(answer.text).toBe("fine");
  });

  test("of all answers are set in one place, errors included", async () => {
    class Handler extends RequestHandler {
      override setDefaultHeaders(): void {
        this.setHeader("Server", "own");
      }

      override get(): void {
        this.setHeader("X-A", "1");
        if (this.getArgument("fail", null) !== null) throw new HTTPError(400);
      }
    }
    const application = new Application([["/", Handler]]);
    expect((await application.inject("/")).headers.get("server")).toBe("own");
    const failed = await application.inject("/?fail");
    expect([failed.status, failed.headers.get("server"), failed.headers.get("x-a")]).toEqual([400, "own", null]);
  });

  test("of one handler are not those of another", async () => {
    const application = new Application([
      [
        "/:name",
        class extends RequestHandler {
          override get({ name }: { name: string }): void {
            if (name !== "none") this.setHeader("X-Name", name);
          }
        },
      ],
    ]);
    expect((await application.inject("/a")).headers.get("x-name")).toBe("a");
    expect((await application.inject("/none")).headers.get("x-name")).toBeNull();
  });
});

describe("a status", () => {
  test.each([204, 304])("%i has no body and nothing that describes one", async (status) => {
    const answer = await answerOf({
      get() {
        this.setStatus(status);
        this.setHeader("Content-Language", "en");
      },
    });
    expect([answer.status, answer.body.length, [...answer.headers]]).toEqual([status, 0, []]);
  });

  test.each([204, 304])("%i with a body is the handler's mistake", async (status) => {
    const answer = await answerOf({
      get() {
        this.setStatus(status);
        this.write("body");
      },
    });
    expect(answer.status).toBe(500);
  });

  test.each([
    [404, undefined, "Not Found"],
    [404, "Nowhere", "Nowhere"],
    [404, "a\r\nb", "Unknown"],
    [404, "<script>", "Unknown"],
    [599, undefined, "Unknown"],
  ])("%i %j is called %s", async (status, reason, called) => {
    const answer = await answerOf({
      get() {
        this.setStatus(status, reason);
        this.write(this.getReason());
      },
    });
    expect([answer.status, answer.text]).toEqual([status, called]);
  });

  test("that is none is refused", async () => {
    for (const status of [0, 199, 1000, 200.5, "200"]) {
      expect((await answerOf({ get: setting(status) })).status).toBe(500);
    }
    function setting(status: unknown) {
      return function (this: RequestHandler) {
        this.setStatus(status as number);
      };
    }
  });

  test("with a Content-Length that is not the body's: 500, and nothing of it leaves", async () => {
    for (const length of [2, 42]) {
      const answer = await answerOf({
        get() {
          this.setHeader("Content-Length", length);
          this.write("hello");
        },
      });
      expect(answer.status).toBe(500);
    }
  });
});

describe("methods", () => {
  test("that are not written are refused with those that are", async () => {
    class Handler extends RequestHandler {
      override get(): void {}
      override put(): void {}
    }
    const application = new Application([
      ["/", Handler],
      ["/none", class extends RequestHandler {}],
    ]);
    for (const method of ["POST", "DELETE", "PATCH", "OPTIONS", "BREW", "get", "constructor"]) {
      const answer = await application.inject({ method });
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT"]);
    }
    for (const method of ["GET", "HEAD"]) {
      expect((await application.inject({ method, target: "/none" })).status).toBe(405);
    }
  });

  test("HEAD is GET without its body, unless it is written", async () => {
    const get = function (this: RequestHandler) {
      this.write("hello");
    };
    const answer = await answerOf({ get }, { method: "HEAD" });
    expect([answer.status, answer.body.length, answer.headers.get("content-length")]).toEqual([200, 0, "5"]);
    const own = await answerOf({ get, head: () => {} }, { method: "HEAD" });
    expect(own.headers.get("content-length")).toBe("0");
  });

  test("are called in order, and wait", async () => {
    const calls: string[] = [];
    class Handler extends RequestHandler {
      override initialize(options: { a: number }): void {
        calls.push(`initialize ${options.a}`);
      }
      override async prepare(): Promise<void> {
        await null;
        calls.push("prepare");
      }
      override async post(): Promise<void> {
        await null;
        calls.push(`post ${this.body}`);
      }
      override onFinish(): void {
        calls.push(`onFinish ${this.getStatus()}`);
      }
    }
    const application = new Application([["/", Handler, { a: 1 }]]);
    await application.inject({ method: "POST", body: "body" });
    expect(calls).toEqual(["initialize 1", "prepare", "post body", "onFinish 200"]);
  });

  test("are not called when prepare has finished", async () => {
    for (const wait of [false, true]) {
      const prepare = function (this: RequestHandler) {
        this.finish("prepared");
        return wait ? Promise.resolve() : undefined;
      };
      expect((await answerOf({ prepare, get: () => expect.unreachable() })).text).toBe("prepared");
      const request = { method: "POST", body: "x" };
      expect((await answerOf({ prepare, post: () => expect.unreachable() }, request)).text).toBe("prepared");
    }
  });

  test("that wait hold up nobody", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const application = new Application([
      [
        "/:name",
        class extends RequestHandler {
          override async get({ name }: { name: string }): Promise<void> {
            if (name === "slow") await gate;
            this.write(name);
          }
        },
      ],
    ]);
    const slow = application.inject("/slow");
    expect((await application.inject("/fast")).text).toBe("fast");
    release();
    expect((await slow).text).toBe("slow");
  });
});

describe("errors", () => {
  const page = (text: string) => `<html><title>${text}</title><body>${text}</body></html>`;

  test("have Tornado's page, and nothing of what was thrown or written", async () => {
    const { logger, log } = listening();
    const answer = await answerOf(
      {
        get() {
          this.setHeader("X-A", "1");
          this.write("half");
          throw new Error("secret");
        },
      },
      {},
      { logger },
    );
    expect([answer.status, answer.text]).toEqual([500, page("500: Internal Server Error")]);
    expect(answer.headers.has("x-a")).toBe(false);
    expect(log).toEqual(["error: the handler of GET / failed (secret)"]);
  });

  test.each(["get", "prepare", "initialize"])("may come from %s, now or later", async (name) => {
    for (const fail of [
      () => Promise.reject(new Error("later")),
      () => {
        throw new Error("now");
      },
    ]) {
      if (name === "initialize" && fail === undefined) continue;
      const methods = { get() {}, [name]: fail };
      const answer = answerOf(name === "initialize" ? { get: fail } : methods);
      expect((await answer).status).toBe(500);
    }
  });

  test("of HTTP have their status, reason and fields; what is for the log goes there", async () => {
    const { logger, log } = listening();
    const get = () => {
      throw new HTTPError(503, { logMessage: "no database", reason: "Try <Later>", headers: { "Retry-After": 5 } });
    };
    const answer = await answerOf({ get }, {}, { logger });
    expect([answer.status, answer.text]).toEqual([503, page("503: Unknown")]);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(log).toEqual(["warn: 503 GET /: no database"]);
  });

  test("in debug show where they were thrown, escaped", async () => {
    const get = () => {
      throw new Error("<script>", { cause: new Error("the cause") });
    };
    const answer = await answerOf({ get }, {}, { debug: true });
    expect(answer.text).toContain("Error: &lt;script&gt;");
    expect(answer.text).toContain("web-handler.test.ts");
    expect(answer.text).toContain("caused by: Error: the cause");
    expect(answer.text).not.toContain("<script>");
  });

  test("have the page that writeError writes, now or later", async () => {
    class Handler extends RequestHandler {
      override get(): void {
        throw new HTTPError(this.getArgument("s") === "404" ? 404 : 403);
      }
      override writeError(status: number, error: unknown): void | Promise<void> {
        if (status === 404) return this.finish(`own ${(error as Error).message}`);
        return Promise.resolve().then(() => this.finish("own, later"));
      }
    }
    const application = new Application([["/", Handler]]);
    expect((await application.inject("/?s=404")).text).toBe("own HTTP 404: Not Found");
    expect(await application.inject("/?s=403")).toMatchObject({ status: 403, text: "own, later" });
  });

  test("of the error page itself end in a plain one", async () => {
    for (const writeError of [
      () => Promise.reject(new Error("x")),
      () => {
        throw new Error("x");
      },
    ]) {
      const { logger, log } = listening();
      const answer = await answerOf(
        {
          get: () => {
            throw new Error("first");
          },
          writeError,
        },
        {},
        { logger },
      );
      expect([answer.status, answer.text]).toEqual([500, page("500: Internal Server Error")]);
      expect(log.length).toBe(2);
    }
  });

  test("of onFinish are logged, and change nothing", async () => {
    const { logger, log } = listening();
    const onFinish = () => {
      throw new Error("at the end");
    };
    expect((await answerOf({ get() {}, onFinish }, {}, { logger })).status).toBe(200);
    expect(log).toEqual([expect.stringContaining("at the end")]);
  });

  test("Finish is none: what was written is the answer", async () => {
    const { logger, log } = listening();
    const get = function (this: RequestHandler) {
      this.setStatus(401);
      this.write("a");
      throw new Finish("b");
    };
    expect(await answerOf({ get }, {}, { logger })).toMatchObject({ status: 401, text: "ab" });
    expect(log).toEqual([]);
  });

  test("can be sent without throwing", async () => {
    const get = function (this: RequestHandler) {
      this.sendError(418, { reason: "Teapot" });
    };
    expect((await answerOf({ get })).text).toBe(page("418: Teapot"));
  });

  test("a body that is too large is 413", async () => {
    const server = { bodyBytesMax: 10 };
    const answer = await answerOf({ post() {} }, { method: "POST", body: "x".repeat(11) }, { server });
    expect(answer.status).toBe(413);
  });
});

describe("an entity tag", () => {
  const ETAG = '"da39a3ee5e6b4b0d3255bfef95601890afd80709"'; // sha1 of nothing
  const ask = (field?: string, method = "GET", settings = {}) =>
    answerOf(
      { get() {}, post() {} },
      { method, headers: field === undefined ? {} : { "If-None-Match": field } },
      settings,
    );

  test("is the body's sha1, for GET and HEAD", async () => {
    expect((await ask()).headers.get("etag")).toBe(ETAG);
    expect((await ask(undefined, "HEAD")).headers.get("etag")).toBe(ETAG);
    expect((await ask(undefined, "POST")).headers.get("etag")).toBeNull();
    expect((await ask(undefined, "GET", { etag: false })).headers.get("etag")).toBeNull();
    const long = "ü".repeat(20_000);
    const tags = await Promise.all(
      [long, Buffer.from(long), "a", "b", "a"].map(async (text) =>
        (await answerOf({ get: write(text) })).headers.get("etag"),
      ),
    );
    expect(new Set(tags).size).toBe(3);
    expect(tags[0]).toBe(tags[1]);
    expect(tags[2]).toBe(tags[4]);
    function write(text: string | Buffer) {
      return function (this: RequestHandler) {
        this.write(text);
      };
    }
  });

  test.each([ETAG, `W/${ETAG}`, `"x", ${ETAG}`, `"a,b",W/${ETAG}`, "*"])("%s is known: 304", async (field) => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await ask(field, method);
      expect([answer.status, answer.body.length, answer.headers.get("etag")]).toEqual([304, 0, ETAG]);
      expect(answer.headers.has("content-type")).toBe(false);
    }
  });

  test.each(['"x"', "", "da39a3ee5e6b4b0d3255bfef95601890afd80709", '"da39"'])("%j is not: 200", async (field) => {
    expect((await ask(field)).status).toBe(200);
  });

  test("may be the handler's own", async () => {
    const own = { get() {}, computeEtag: () => '"own"' };
    expect((await answerOf(own, { headers: { "If-None-Match": '"own"' } })).status).toBe(304);
    expect((await answerOf({ get() {}, computeEtag: () => null })).headers.has("etag")).toBe(false);
    const set = {
      get() {
        this.setHeader("ETag", '"set"');
      },
    } as Record<string, (this: RequestHandler) => void>;
    expect((await answerOf(set)).headers.get("etag")).toBe('"set"');
  });
});

describe("a body that is streamed", () => {
  class Upload extends RequestHandler {
    static override readonly streamRequestBody = true;
    #bytes = 0;

    override prepare(): void {
      if (this.request.headers.has("x-refuse")) throw new HTTPError(401);
    }
    override async dataReceived(chunk: Buffer): Promise<void> {
      await null;
      this.#bytes += chunk.length;
      if (this.request.headers.has("x-enough")) this.finish(`enough ${this.#bytes > 0}`);
    }
    override post(): void {
      this.write(`${this.#bytes} ${this.body.length}`);
    }
  }
  const application = new Application([["/", Upload]]);

  test("comes in pieces, and the method at its end", async () => {
    expect((await application.inject({ method: "POST", body: Buffer.alloc(1 << 20) })).text).toBe("1048576 0");
    expect((await application.inject({ method: "POST" })).text).toBe("0 0");
  });

  test("can be refused before it comes, and in its middle", async () => {
    const body = Buffer.alloc(1 << 20);
    expect((await application.inject({ method: "POST", body, headers: { "x-refuse": 1 } })).status).toBe(401);
    expect((await application.inject({ method: "POST", body, headers: { "x-enough": 1 } })).text).toBe("enough true");
  });
});

test("a client that leaves is told of once, and nothing is logged as an error", async () => {
  const { logger, log } = listening();
  const controller = new AbortController();
  const calls: string[] = [];
  const gone = new Promise<void>((resolve) => {
    class Handler extends RequestHandler {
      override async get(): Promise<void> {
        const left = new Promise((leave) => this.request.signal.addEventListener("abort", leave));
        controller.abort();
        await left;
        await this.flush();
      }
      override onConnectionClose(): void {
        calls.push("closed");
      }
      override onFinish(): void {
        calls.push("finished");
        resolve();
      }
    }
    const application = new Application([["/", Handler]], { logger });
    application.inject({ signal: controller.signal }).catch(() => {});
  });
  await gone;
  expect(calls).toEqual(["closed", "finished"]);
  expect(log.filter((line) => !line.startsWith("debug"))).toEqual([]);
});

describe("small handlers", () => {
  const application = new Application(
    [
      ["/old", RedirectHandler, { url: "/new" }],
      ["/soon", RedirectHandler, { url: "/new?a=1", permanent: false }],
      ["/swap/(.*?)/(.*)", RedirectHandler, { url: "/{1}/{0}" }],
      ["/user/:name", RedirectHandler, { url: "https://example.com/{name}" }],
      ["/to/(.*)", RedirectHandler, { url: "/{0}" }],
      ["/host/(.*)", RedirectHandler, { url: "https://{0}/" }],
      ["/gone", ErrorHandler, { status: 410 }],
      ["/function", FallbackHandler, { fallback: (request) => request.respond(200, {}, `plain ${request.method}`) }],
      ["/fails", FallbackHandler, { fallback: () => Promise.reject(new Error("failed")) }],
    ],
    { logger: listening().logger },
  );

  test.each([
    ["/old", 301, "/new"],
    ["/old?b=2", 301, "/new?b=2"],
    ["/soon?b=2", 302, "/new?a=1&b=2"],
    ["/swap/a/b%20c", 301, "/b%20c/a"],
    ["/user/x", 301, "https://example.com/x"],
    ["/to/%C3%BC", 301, "/%C3%BC"],
  ])("%s redirects with %i to %s", async (target, status, location) => {
    const answer = await application.inject(target);
    expect([answer.status, answer.headers.get("location")]).toEqual([status, location]);
  });

  test.each(["/to//evil.example", "/to/%5Cevil.example", "/to/%2Fevil.example", "/host/evil.example", "/to/a%0d%0ab"])(
    "%s leads nobody elsewhere",
    async (target) => {
      expect((await application.inject(target)).status).toBe(400);
    },
  );

  test("an error, a function", async () => {
    expect((await application.inject({ method: "POST", target: "/gone", body: "x" })).status).toBe(410);
    expect((await application.inject({ method: "PUT", target: "/function", body: "x" })).text).toBe("plain PUT");
    expect((await application.inject("/fails")).status).toBe(500);
  });
});
