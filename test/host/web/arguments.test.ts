// What a handler is asked with: arguments of queries and forms, files, JSON.
import { describe, expect, test } from "vitest";

import { type InjectedRequest, MissingArgumentError, type RequestHandler } from "../../../host/index.js";
import { answerOf } from "../support/websupport.js";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

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

describe("arguments", () => {
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

  test("of the query, of the body and of both by name, as they came", async () => {
    const request = { method: "POST", target: "/?a=1&b=+2", headers: FORM, body: "b=3&c=4&c=5" };
    const answer = await show(
      (handler) => [handler.queryArguments, handler.bodyArguments, handler.arguments].map((all) => [...all]),
      request,
    );
    expect(answer.json()).toEqual({
      value: [
        [
          ["a", ["1"]],
          ["b", [" 2"]],
        ],
        [
          ["b", ["3"]],
          ["c", ["4", "5"]],
        ],
        [
          ["a", ["1"]],
          ["b", [" 2", "3"]],
          ["c", ["4", "5"]],
        ],
      ],
    });
  });

  test("are of another encoding where a handler says so", async () => {
    const methods = {
      decodeArgument(this: RequestHandler, value: Buffer) {
        return new TextDecoder(this.request.query.get("encoding") ?? "utf-8", { fatal: true }).decode(value);
      },
      post(this: RequestHandler) {
        this.finish({ value: [this.getArgument("a"), this.getArgument("b", "none")] });
      },
    };
    const value = async (query: string, body: string) => {
      const form = { headers: FORM, body: Buffer.from(body, "latin1"), method: "POST", target: `/?${query}` };
      return answerOf(methods, form);
    };
    expect((await value("encoding=latin1&a=%E9", "b=\xe9+%E4")).json()).toEqual({ value: ["é", "é ä"] });
    expect((await value("encoding=gbk&a=%D5%C5", "b=\xd5\xc5%C8%FD")).json()).toEqual({ value: ["张", "张三"] });
    expect((await value("a=%E9", "")).status).toBe(500);
    expect((await value("encoding=latin1&%E9=1", "")).status).toBe(400);
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
});

describe("arguments of a body", () => {
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
