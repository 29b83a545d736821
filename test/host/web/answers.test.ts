// What a RequestHandler's answer is made of: write, flush, finish, header fields and statuses.
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import { Application, HTTPError, RequestHandler } from "../../../host/index.js";
import { until } from "../support/fakeworker.js";
import { answerOf, listening } from "../support/websupport.js";

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
    expect([answer.status, answer.reason, answer.text]).toEqual([status, reason === undefined ? "" : called, called]);
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

describe("finish", () => {
  const BIG = Buffer.alloc(500_000, 97);

  test.each([
    ["a small answer", {}, "x"],
    ["a large one", {}, BIG],
    ["a large one that is compressed", { compressResponse: true }, BIG],
  ])("resolves when %s has been taken", async (_name, settings, body) => {
    let done: Promise<void> | null = null;
    let taken = false;
    const get = function (this: RequestHandler): void {
      done = this.finish<string | Buffer>(body);
      done.then(() => {
        taken = true;
      });
    };
    const answer = await answerOf({ get }, { headers: { "Accept-Encoding": "gzip" } }, settings);
    expect(answer.status).toBe(200);
    await done;
    expect(taken).toBe(true);
  });

  test.each([{}, { compressResponse: true }])("behind flush it resolves, too (%j)", async (settings) => {
    const order: string[] = [];
    const answer = await answerOf(
      {
        async get() {
          this.setHeader("Content-Type", "text/plain");
          this.write("first, ");
          await this.flush();
          await this.finish("last");
          order.push("finished");
        },
        onFinish: () => order.push("onFinish"),
      },
      { headers: { "Accept-Encoding": "gzip" } },
      settings,
    );
    expect((answer.headers.get("content-encoding") === "gzip" ? gunzipSync(answer.body) : answer.body).toString()).toBe(
      "first, last",
    );
    await until(
      () => order.length === 2,
      () => new Promise((resolve) => setImmediate(resolve)),
    );
    expect(order).toEqual(["onFinish", "finished"]);
  });

  test("rejects when the client has left, and the handler need not catch it", async () => {
    const controller = new AbortController();
    let ended: Promise<void> | null = null;
    const get = async function (this: RequestHandler): Promise<void> {
      this.write("first");
      await this.flush();
      controller.abort();
      ended = this.finish("last");
    };
    await expect(answerOf({ get }, { signal: controller.signal })).rejects.toThrow("left");
    await expect(ended).rejects.toMatchObject({ code: "STREAM_CLOSED" });
  });
});
