import { describe, expect, test } from "vitest";

import type { RequestHandler } from "../../../host/index.js";
import { answerOf } from "../support/websupport.js";

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

describe("a condition", () => {
  const MODIFIED = "Mon, 01 Jun 2020 12:00:00 GMT";
  const dated = {
    get(this: RequestHandler) {
      this.setHeader("Last-Modified", MODIFIED);
      this.write("page");
    },
  };

  test.each([
    ["If-Modified-Since", MODIFIED, 304],
    ["If-Modified-Since", "Mon, 01 Jun 2020 11:59:59 GMT", 200],
    ["If-Modified-Since", "2099", 200],
    ["If-Unmodified-Since", MODIFIED, 200],
    ["If-Unmodified-Since", "Mon, 01 Jun 2020 11:59:59 GMT", 412],
    ["If-Match", '"x"', 412],
  ])("%s: %s of a handler that says Last-Modified is answered with %i", async (name, value, status) => {
    const answer = await answerOf(dated, { headers: { [name]: value } });
    expect([answer.status, answer.text]).toEqual([status, status === 200 ? "page" : ""]);
    if (status === 412) expect(answer.headers.get("content-length")).toBe("0");
  });

  test("is for what would be 200, of GET and HEAD", async () => {
    const headers = { "If-Match": '"x"', "If-None-Match": "*" };
    const gone = {
      get(this: RequestHandler) {
        this.setStatus(410);
      },
    };
    expect((await answerOf(gone, { headers })).status).toBe(410);
    expect((await answerOf({ post() {} }, { method: "POST", headers })).status).toBe(200);
  });

  // RFC 9110 15.4.5: by the tag of the 304 the client finds what it has.
  test.each([
    ["x".repeat(2000), "gzip"],
    ["x".repeat(2000), "identity"],
    ["short", "gzip"],
  ])("304 has the tag and the Vary of its 200, compressed or not", async (text, coding) => {
    const handler = {
      get(this: RequestHandler) {
        this.setHeader("Content-Location", "/here");
        this.write(text);
      },
    };
    const ask = (headers: Record<string, string>) =>
      answerOf(handler, { headers: { "Accept-Encoding": coding, ...headers } }, { compressResponse: true });
    const first = await ask({});
    const etag = first.headers.get("etag") as string;
    expect(etag.startsWith("W/")).toBe(first.headers.has("content-encoding"));
    for (const known of [etag, etag.replace("W/", ""), "*"]) {
      const again = await ask({ "If-None-Match": known });
      expect([again.status, again.headers.get("etag"), again.headers.get("vary")]).toEqual([
        304,
        etag,
        "Accept-Encoding",
      ]);
      expect([...again.headers].filter(([name]) => name.startsWith("content-"))).toEqual([
        ["content-location", "/here"],
      ]);
    }
  });
});
