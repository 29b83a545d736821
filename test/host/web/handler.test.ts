// A handler's life: its methods in their order, and how it ends.
import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";

import {
  Application,
  ErrorHandler,
  FallbackHandler,
  Finish,
  HTTPError,
  type HTTPServerRequest,
  RedirectHandler,
  RequestHandler,
} from "../../../host/index.js";
import { answerOf, listening } from "../support/websupport.js";

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

  test("that are added to SUPPORTED_METHODS are answered by the method of their name", async () => {
    class Folder extends RequestHandler {
      static override readonly SUPPORTED_METHODS = [...RequestHandler.SUPPORTED_METHODS, "PROPFIND", "COPY"];
      override get(): void {}
      propfind(): void {
        this.setStatus(207);
      }
    }
    const application = new Application([["/", Folder]]);
    expect((await application.inject({ method: "PROPFIND" })).status).toBe(207);
    const answer = await application.inject({ method: "COPY" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, PROPFIND"]);
    expect(RequestHandler.SUPPORTED_METHODS).toEqual(["GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"]);
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
});

describe("methods of one request", () => {
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

  test("that wait hold up no other request", async () => {
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

test("a signal that many injected requests share keeps nothing of those that are over", async () => {
  const application = new Application([["/", class extends RequestHandler {}]]);
  const { signal } = new AbortController();
  for (let i = 0; i < 20; i++) await application.inject({ signal });
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

/** The page of an error, as Tornado writes it. */
const page = (text: string) => `<html><title>${text}</title><body>${text}</body></html>`;

describe("errors", () => {
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

  test("in debug say where they were thrown, to a browser by a page", async () => {
    const get = () => {
      throw new Error("<script>", { cause: new Error("the cause") });
    };
    const page = await answerOf({ get }, { headers: { accept: "text/html" } }, { debug: true });
    expect([page.status, page.headers.get("content-type")]).toEqual([500, "text/html; charset=UTF-8"]);
    expect(page.text).toMatch(/&lt;script&gt;[\s\S]*test\/host\/web\/handler\.test\.ts[\s\S]*the cause/);
    expect(page.text).not.toContain("<script>");
    const text = await answerOf({ get }, {}, { debug: true });
    expect(text.headers.get("content-type")).toBe("text/plain; charset=UTF-8");
    expect(text.text).toMatch(/^500 Internal Server Error\n\nError: <script>\n[\s\S]*caused by: Error: the cause/);
    vi.stubEnv("WATERSPOUT_DEBUG", "1");
    expect((await answerOf({ get })).text, "the environment's default").toBe(text.text);
    expect((await answerOf({ get }, {}, { debug: false })).text).not.toContain("the cause");
    vi.unstubAllEnvs();
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
});

describe("errors of errors, and none", () => {
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

  test("is not read when prepare has answered", async () => {
    class Answered extends Upload {
      override prepare(): void {
        this.finish("prepared");
      }
      override async dataReceived(): Promise<void> {
        expect.unreachable();
      }
    }
    const { logger, log } = listening();
    const quiet = new Application([["/", Answered]], { logger });
    expect((await quiet.inject({ method: "POST", body: "x" })).text).toBe("prepared");
    expect(log).toEqual([]);
  });

  test("can be refused before it comes, and in its middle", async () => {
    const body = Buffer.alloc(1 << 20);
    expect((await application.inject({ method: "POST", body, headers: { "x-refuse": 1 } })).status).toBe(401);
    expect((await application.inject({ method: "POST", body, headers: { "x-enough": 1 } })).text).toBe("enough true");
  });
});

test("a handler hears once of a client that leaves, and nothing is logged as an error", async () => {
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
      [
        "/function",
        FallbackHandler,
        { fallback: (request: HTTPServerRequest) => request.respond(200, {}, `plain ${request.method}`) },
      ],
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
    "%s leads to no other site",
    async (target) => {
      expect((await application.inject(target)).status).toBe(400);
    },
  );

  test("an error, a function", async () => {
    expect((await application.inject({ method: "POST", target: "/gone", body: "x" })).status).toBe(410);
    expect((await application.inject({ method: "PUT", target: "/function", body: "x" })).text).toBe("plain PUT");
    expect((await application.inject("/fails")).status).toBe(500);
    for (const [method, target, status] of [
      ["BREW", "/gone", 410],
      ["BREW", "/nothing", 404],
      ["BREW", "/function", 200],
    ] as const)
      expect([target, (await application.inject({ method, target })).status]).toEqual([target, status]);
  });
});
