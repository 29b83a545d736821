// Files over HTTP: which are served, which parts of them, and when not again.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  Application,
  type FileContent,
  HTTPError,
  type InjectedRequest,
  type Logger,
  RequestHandler,
  StaticFileHandler,
  type StaticSettings,
} from "../../../host/index.js";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const BIG = randomBytes(300_000);
const MODIFIED = "Sat, 01 Feb 2025 10:20:30 GMT";

const quiet = (): void => {};
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const base = mkdtempSync(path.join(tmpdir(), "waterspout-static-"));
const root = path.join(base, "public");
afterAll(() => rmSync(base, { recursive: true }));

beforeAll(() => {
  const put = (name: string, text: string | Buffer) => writeFileSync(path.join(base, name), text);
  for (const folder of ["public", "public/folder", "public/empty", "public-not", "shared"])
    mkdirSync(path.join(base, folder));
  put("secret.txt", "secret");
  put("public-not/secret.txt", "secret");
  put("shared/shared.txt", "shared");
  put("public/letters.txt", LETTERS);
  put("public/a b ü.html", "<p>");
  put("public/big.bin", BIG);
  put("public/none", "");
  put("public/favicon.ico", "icon");
  put("public/folder/index.html", "index");
  const at = Date.parse(MODIFIED) / 1000;
  utimesSync(path.join(root, "letters.txt"), at + 0.5, at + 0.5);
  symlinkSync("letters.txt", path.join(root, "inside.txt"));
  symlinkSync("../secret.txt", path.join(root, "outside.txt"));
  symlinkSync("../shared", path.join(root, "shared"));
  symlinkSync("nowhere", path.join(root, "dangling"));
  symlinkSync("../gone.txt", path.join(root, "gone.txt"));
  symlinkSync("folder/../../gone/../public/nowhere", path.join(root, "roundabout"));
  symlinkSync("../public/folder/../nowhere", path.join(root, "back"));
  symlinkSync(path.join(base, "gone"), path.join(root, "absolute"));
  symlinkSync("loop", path.join(root, "loop"));
  execFileSync("mkfifo", [path.join(root, "pipe")]);
});

const application = () =>
  new Application(
    [
      ["/s/(.*)", StaticFileHandler, { path: root }],
      ["/d/(.*)", StaticFileHandler, { path: root, defaultFilename: "index.html" }],
      ["/w/(?<path>.*)", StaticFileHandler, { path: root, allowedSymlinkDirectories: [path.join(base, "shared")] }],
    ],
    { logger },
  );
const ask = (request: InjectedRequest | string) => application().inject(request);
const get = (headers: Record<string, string>, target = "/s/letters.txt") => ask({ target, headers });

describe("a file", () => {
  test("is served with what is known of it", async () => {
    const answer = await ask("/s/letters.txt");
    expect(answer).toMatchObject({ status: 200, text: LETTERS });
    expect(Object.fromEntries(answer.headers)).toEqual({
      "content-type": "text/plain",
      "accept-ranges": "bytes",
      etag: `"${createHash("sha512").update(LETTERS).digest("hex").slice(0, 32)}"`,
      "last-modified": MODIFIED,
      "content-length": "26",
    });
  });

  test.each(["/s/letters.txt", "/s/big.bin", "/s/none"])("HEAD %s is GET without its body", async (target) => {
    const [get, head] = await Promise.all([ask(target), ask({ target, method: "HEAD" })]);
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect([...head.headers].sort()).toEqual([...get.headers].sort());
  });

  test("of any size comes whole", async () => {
    expect((await ask("/s/big.bin")).body.equals(BIG)).toBe(true);
    expect(await ask("/s/none")).toMatchObject({ status: 200, text: "" });
  });

  test.each([
    ["/s/a%20b%20%C3%BC.html", 200, "text/html"],
    ["/s/big.bin", 200, "application/octet-stream"],
    ["/s/none", 200, "application/octet-stream"],
    ["/s/inside.txt", 200, "text/plain"],
    ["/s/folder/../letters.txt", 200, "text/plain"],
    ["/w/letters.txt", 200, "text/plain"],
  ])("%s: %i as %s", async (target, status, type) => {
    const answer = await ask(target);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([status, type]);
  });

  test("is not there: 404", async () => {
    for (const name of [
      "nothing",
      "letters.txt/x",
      "dangling",
      "dangling/x",
      "back",
      "loop",
      "letters.txt/",
      "folder/index.html/.",
      "x".repeat(300),
      "%00",
      "letters.txt%00.html",
    ]) {
      expect((await ask(`/s/${name}`)).status, name).toBe(404);
    }
  });

  test("is only read", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const answer = await ask({ method, target: "/s/letters.txt" });
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
  });
});

describe("outside of the folder", () => {
  test.each([
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "folder/../../secret.txt",
    "../public-not/secret.txt",
    "..",
    "/etc/passwd",
    "%2Fetc%2Fpasswd",
    "outside.txt",
    "shared/shared.txt",
    "gone.txt",
    "gone.txt/x",
    "outside.txt/x",
    "absolute",
    "roundabout",
  ])("%s: 403", async (name) => {
    const answer = await ask(`/s/${name}`);
    expect(answer.status).toBe(403);
    expect(answer.text).not.toContain("secret");
  });

  test("is what is allowed", async () => {
    expect((await ask("/w/shared/shared.txt")).text).toBe("shared");
    expect((await ask("/w/../shared/shared.txt")).status).toBe(403); // by the link only
    expect((await ask("/w/outside.txt")).status).toBe(403);
  });
});

describe("what is no file", () => {
  test.each(["pipe", "folder", "folder/", ""])("%s: 403, at once", async (name) => {
    expect((await ask(`/s/${name}`)).status).toBe(403);
  });

  test("a folder has its default, at the address with a slash", async () => {
    expect((await ask("/d/folder/")).text).toBe("index");
    const answer = await ask("/d/folder");
    expect([answer.status, answer.headers.get("location")]).toEqual([301, "/d/folder/"]);
    expect((await ask("/d/empty/")).status).toBe(404);
    expect((await ask("/d/letters.txt")).text).toBe(LETTERS);
  });

  test("a path that a browser takes for a host is not redirected", async () => {
    const open = new Application([["/(.*)", StaticFileHandler, { path: base, defaultFilename: "index.html" }]], {
      logger,
    });
    expect((await open.inject(`//evil.example/..${base}/public/folder`)).status).toBe(403);
  });
});

describe("a part of a file", () => {
  test.each([
    ["bytes=0-9", 206, "bytes 0-9/26", "abcdefghij"],
    ["bytes=25-", 206, "bytes 25-25/26", "z"],
    ["bytes=-3", 206, "bytes 23-25/26", "xyz"],
    ["bytes=20-1000", 206, "bytes 20-25/26", "uvwxyz"],
    ["Bytes = 1-1", 206, "bytes 1-1/26", "b"],
    ["bytes=0-", 200, null, LETTERS],
    ["bytes=0-25", 200, null, LETTERS],
    ["bytes=-26", 200, null, LETTERS],
    ["bytes=-1000", 200, null, LETTERS],
    ["bytes=1-2,4-5", 200, null, LETTERS],
    ["bytes=x-y", 200, null, LETTERS],
    ["bytes=-", 200, null, LETTERS],
    ["lines=1-2", 200, null, LETTERS],
    ["bytes=-0", 416, "bytes */26", ""],
    ["bytes=26-", 416, "bytes */26", ""],
    ["bytes=26-30", 416, "bytes */26", ""],
    ["bytes=9-1", 416, "bytes */26", ""],
  ])("%s: %i, %s", async (range, status, contentRange, text) => {
    const answer = await get({ range });
    expect([answer.status, answer.headers.get("content-range"), answer.text]).toEqual([status, contentRange, text]);
    expect(answer.headers.get("content-length")).toBe(String(text.length));
    const head = await ask({ target: "/s/letters.txt", method: "HEAD", headers: { range } });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "26"]); // a HEAD has no parts
  });

  test("may be large", async () => {
    const answer = await get({ range: "bytes=65000-265000" }, "/s/big.bin");
    expect(answer.status).toBe(206);
    expect(answer.body.equals(BIG.subarray(65_000, 265_001))).toBe(true);
  });

  test("is wanted only of the version that the rest is of", async () => {
    const etag = (await ask("/s/letters.txt")).headers.get("etag") as string;
    const range = "bytes=0-0";
    expect((await get({ range, "if-range": etag })).status).toBe(206);
    expect((await get({ range, "if-range": MODIFIED })).status).toBe(206);
    for (const other of ['"x"', `W/${etag}`, "Sat, 01 Feb 2025 10:20:31 GMT", "x"]) {
      expect((await get({ range, "if-range": other })).status).toBe(200);
    }
  });

  test("of nothing is all of it", async () => {
    expect((await get({ range: "bytes=-5" }, "/s/none")).status).toBe(200);
    expect((await get({ range: "bytes=0-" }, "/s/none")).status).toBe(416);
  });
});

describe("what the client has", () => {
  test("is not sent again", async () => {
    const etag = (await ask("/s/letters.txt")).headers.get("etag") as string;
    for (const headers of [
      { "if-none-match": etag },
      { "if-none-match": `W/${etag}` },
      { "if-none-match": `"x", ${etag}` },
      { "if-none-match": "*" },
      { "if-modified-since": MODIFIED },
      { "if-modified-since": "Sat, 01 Feb 2025 10:20:31 GMT" },
    ]) {
      const answer = await get(headers as Record<string, string>);
      expect([answer.status, answer.text, answer.headers.get("etag")]).toEqual([304, "", etag]);
    }
    for (const headers of [
      { "if-none-match": '"x"' },
      { "if-none-match": '"x"', "if-modified-since": MODIFIED }, // the tag alone counts
      { "if-modified-since": "Sat, 01 Feb 2025 10:20:29 GMT" },
      { "if-modified-since": "x" },
    ]) {
      expect((await get(headers as Record<string, string>)).status).toBe(200);
    }
  });

  test.each(["gzip", "identity"])("304 and HEAD say of it what GET does, with %s accepted", async (coding) => {
    writeFileSync(path.join(root, "long.txt"), "long ".repeat(1000));
    const compressing = new Application([["/(.*)", StaticFileHandler, { path: root }]], { compressResponse: true });
    const send = (method: string, headers = {}) =>
      compressing.inject({ method, target: "/long.txt", headers: { "accept-encoding": coding, ...headers } });
    const whole = await send("GET");
    const etag = whole.headers.get("etag") as string;
    expect([whole.text.length > 0, etag.startsWith("W/")]).toEqual([true, coding === "gzip"]);
    const again = await send("GET", { "if-none-match": etag });
    expect([again.status, again.headers.get("etag")]).toEqual([304, etag]);
    expect([...again.headers].filter(([name]) => name.startsWith("content-"))).toEqual([]);
    const head = await send("HEAD");
    const told = (answer: typeof head) => [...answer.headers].filter(([name]) => name !== "content-length").sort();
    expect(told(head)).toEqual(told(whole));
    const length = head.headers.get("content-length");
    if (length !== null) expect(length).toBe(whole.headers.get("content-length"));
  });

  test("is another file when it has been written to", async () => {
    const file = path.join(root, "changing.txt");
    writeFileSync(file, "one");
    const before = (await ask("/s/changing.txt")).headers.get("etag") as string;
    appendFileSync(file, "two");
    const answer = await get({ "if-none-match": before }, "/s/changing.txt");
    expect([answer.status, answer.text]).toEqual([200, "onetwo"]);
  });
});

test.runIf(process.platform === "linux")("whatever was answered, no file stays open", async () => {
  await ask("/s/big.bin");
  await get({ range: "bytes=99-" });
  await get({ "if-none-match": "*" });
  await ask({ method: "HEAD", target: "/s/letters.txt" });
  class Failing extends StaticFileHandler {
    override getContentType(): string {
      throw new Error("no type");
    }
  }
  const failing = new Application([["/(.*)", Failing, { path: root }]], { logger });
  expect((await failing.inject("/letters.txt")).status).toBe(500);
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // that of the listing itself
    }
  });
  expect(open.filter((file) => file.startsWith(root))).toEqual([]);
});

describe("the setting staticPath", () => {
  class Page extends RequestHandler {
    override async get(name: string): Promise<void> {
      this.write(await this.staticUrl(name));
    }
  }
  const site = new Application([["/page/(.*)", Page]], { logger, staticPath: root, staticUrlPrefix: "/f.s/" });

  test("serves files, and those that browsers want at the root", async () => {
    expect((await site.inject("/f.s/letters.txt")).text).toBe(LETTERS);
    expect((await site.inject("/fxs/letters.txt")).status).toBe(404);
    expect((await site.inject("/favicon.ico")).text).toBe("icon");
    expect((await site.inject("/robots.txt")).status).toBe(404);
  });

  test("gives addresses with a version, whose files are kept for ever", async () => {
    const url = (await site.inject("/page/letters.txt")).text;
    expect(url).toMatch(/^\/f\.s\/letters\.txt\?v=[0-9a-f]{32}$/);
    expect((await site.inject(url)).headers.get("cache-control")).toBe("max-age=315360000, immutable");
    expect((await site.inject("/f.s/letters.txt")).headers.has("cache-control")).toBe(false);
  });

  test("gives none for what is not served", async () => {
    expect((await site.inject("/page/nothing")).status).toBe(404);
    for (const name of ["../secret.txt", "outside.txt", "folder"]) {
      expect((await site.inject(`/page/${name}`)).status).toBe(403);
    }
    expect((await new Application([["/(.*)", Page]], { logger }).inject("/x")).status).toBe(500);
  });
});

describe("a file that is there compressed, too", () => {
  const text = "page ".repeat(1000);
  beforeAll(() => {
    writeFileSync(path.join(root, "page.html"), text);
    writeFileSync(path.join(root, "page.html.br"), brotliCompressSync(text));
    writeFileSync(path.join(root, "page.html.gz"), gzipSync(text));
    writeFileSync(path.join(root, "only.html"), text);
    writeFileSync(path.join(root, "only.html.gz"), gzipSync(text));
    writeFileSync(path.join(root, "alone.html.gz"), gzipSync(text));
    writeFileSync(path.join(root, "led.html"), text);
    symlinkSync("../secret.txt", path.join(root, "led.html.br"));
    mkdirSync(path.join(root, "led.html.gz"));
  });
  const site = (settings = {}) =>
    new Application([["/(.*)", StaticFileHandler, { path: root, precompressed: true }]], { logger, ...settings });
  const ask = (name: string, accepted: string | null, headers = {}, method = "GET") =>
    site().inject({
      method,
      target: `/${name}`,
      headers: { ...(accepted === null ? {} : { "accept-encoding": accepted }), ...headers },
    });

  test.each([
    ["page.html", "gzip, br", "br"],
    ["page.html", "gzip;q=1, br;q=0.5", "gzip"],
    ["page.html", "x-gzip", "gzip"],
    ["page.html", "*", "br"],
    ["page.html", "deflate", null],
    ["page.html", "br;q=0", null],
    ["page.html", null, null],
    ["only.html", "br, gzip", "gzip"],
    ["only.html", "br", null],
    ["led.html", "br, gzip", null],
  ])("%s for %j: %s", async (name, accepted, coding) => {
    const answer = await ask(name, accepted);
    expect([answer.status, answer.headers.get("content-encoding")]).toEqual([200, coding]);
    expect([answer.headers.get("content-type"), answer.headers.get("vary")]).toEqual(["text/html", "Accept-Encoding"]);
    const plain = coding === "br" ? brotliDecompressSync : coding === "gzip" ? gunzipSync : (bytes: Buffer) => bytes;
    expect(plain(answer.body).toString()).toBe(text);
    expect(answer.headers.get("content-length")).toBe(String(answer.body.length));
    const head = await ask(name, accepted, {}, "HEAD");
    expect([...head.headers].sort()).toEqual([...answer.headers].sort());
  });

  test("each form has its own tag, conditions and parts", async () => {
    const forms = await Promise.all(["br", "gzip", null].map((accepted) => ask("page.html", accepted)));
    const tags = forms.map(({ headers }) => headers.get("etag") as string);
    expect(new Set(tags).size).toBe(3);
    const known = await ask("page.html", "br", { "if-none-match": tags[0] });
    expect([known.status, known.headers.get("etag"), known.headers.get("vary")]).toEqual([
      304,
      tags[0],
      "Accept-Encoding",
    ]);
    expect((await ask("page.html", "br", { "if-none-match": tags[1] })).status).toBe(200);
    const part = await ask("page.html", "gzip", { range: "bytes=0-1" });
    expect([part.status, part.body.toString("hex"), part.headers.get("content-encoding")]).toEqual([
      206,
      "1f8b",
      "gzip",
    ]);
  });

  test("is not compressed again, and the plain one must be there", async () => {
    const request = { target: "/page.html", headers: { "accept-encoding": "br" } };
    const answer = await site({ compressResponse: true }).inject(request);
    expect(brotliDecompressSync(answer.body).toString()).toBe(text);
    expect((await ask("alone.html", "gzip")).status).toBe(404);
    expect((await ask("page.html.gz", null)).headers.has("content-encoding")).toBe(false);
  });
});

describe("a subclass", () => {
  const answerOf = (
    handler: typeof StaticFileHandler,
    request: InjectedRequest | string = "/letters.txt",
    options = {},
  ) => new Application([["/(.*)", handler, { path: root, ...options }]], { logger }).inject(request);

  test("says types, times to keep and further fields", async () => {
    const seen: unknown[] = [];
    class Own extends StaticFileHandler {
      override getContentType(path: string): string {
        seen.push(path);
        return "text/own";
      }
      override getCacheTime(path: string, modified: Date | null, mimeType: string): number {
        seen.push(path, modified?.toISOString(), mimeType);
        return 60;
      }
      override setExtraHeaders(path: string): void {
        this.setHeader("X-Name", path);
      }
    }
    const answer = await answerOf(Own);
    const named = ["content-type", "cache-control", "x-name"].map((name) => answer.headers.get(name));
    expect(named).toEqual(["text/own", "max-age=60", "letters.txt"]);
    const absolute = path.join(realpathSync(root), "letters.txt");
    expect(seen).toEqual([absolute, "letters.txt", "2025-02-01T10:20:30.500Z", "text/own"]);
  });

  test("reads addresses in its own way, and leaves the folder by none", async () => {
    class Own extends StaticFileHandler {
      override parseUrlPath(urlPath: string): string {
        return urlPath.replaceAll("~", "/").replace(/^v[0-9]+\//, "");
      }
      static override getAbsolutePath(folder: string, name: string): string {
        return name === "secret" ? path.join(base, "secret.txt") : path.resolve(folder, name);
      }
    }
    expect((await answerOf(Own, "/v12/letters.txt")).text).toBe(LETTERS);
    expect((await answerOf(Own, "/folder~index.html")).text).toBe("index");
    expect((await answerOf(Own, "/..~secret.txt")).status).toBe(403);
    expect((await answerOf(Own, "/secret")).status).toBe(403);
  });

  test("says what may be served, or answers itself", async () => {
    class Own extends StaticFileHandler {
      override async validateAbsolutePath(folder: string, absolutePath: string): Promise<string | null> {
        if (this.path === "hidden.txt") throw new HTTPError(404);
        if (this.path === "moved.txt") {
          this.redirect("/letters.txt");
          return null;
        }
        return super.validateAbsolutePath(folder, absolutePath);
      }
    }
    expect((await answerOf(Own)).text).toBe(LETTERS);
    expect((await answerOf(Own, "/hidden.txt")).status).toBe(404);
    const moved = await answerOf(Own, "/moved.txt");
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "/letters.txt"]);
  });

  /** Files that are nowhere on a disk. */
  class Made extends StaticFileHandler {
    override validateAbsolutePath(_folder: string, absolutePath: string): Promise<string | null> {
      return Promise.resolve(absolutePath);
    }
    override async getContentSize(): Promise<number> {
      return LETTERS.length;
    }
    override async getModifiedTime(): Promise<Date | null> {
      return this.path === "undated" ? null : new Date(MODIFIED);
    }
    override *getContent(_absolutePath: string, start: number, end: number): Generator<string> {
      for (let at = start; at < end; at += 10) yield LETTERS.slice(at, Math.min(at + 10, end));
    }
  }

  test("has content of its own, with its parts and conditions", async () => {
    const whole = await answerOf(Made, "/made");
    expect([whole.status, whole.text, whole.headers.get("content-length")]).toEqual([200, LETTERS, "26"]);
    expect([whole.headers.get("last-modified"), whole.headers.get("etag")]).toEqual([MODIFIED, null]);
    const part = await answerOf(Made, { target: "/made", headers: { range: "bytes=5-20" } });
    expect([part.status, part.text]).toEqual([206, LETTERS.slice(5, 21)]);
    const ask = (name: string, value: string, target = "/made") =>
      answerOf(Made, { target, headers: { [name]: value } }).then(({ status }) => status);
    expect(await ask("if-modified-since", MODIFIED)).toBe(304);
    expect(await ask("if-unmodified-since", "Sat, 01 Feb 2025 10:20:29 GMT")).toBe(412);
    expect(await ask("if-none-match", "*")).toBe(304);
    expect(await ask("if-modified-since", MODIFIED, "/undated")).toBe(200);
    const undated = await answerOf(Made, "/undated");
    expect(undated.headers.has("last-modified")).toBe(false);
  });

  test.each<[string, FileContent]>([
    ["text", LETTERS],
    ["bytes", Buffer.from(LETTERS)],
    ["a list", ["abcdefghijklm", Buffer.from("nopqrstuvwxyz")]],
  ])("may give its content as %s", async (_name, content) => {
    class Own extends Made {
      override getContent(): never {
        return content as never;
      }
    }
    expect((await answerOf(Own, "/made")).text).toBe(LETTERS);
  });

  test("that gives less or more than it has said is cut or 500, and its iterator is ended", async () => {
    let ended = 0;
    const own = (pieces: string[]): typeof StaticFileHandler =>
      class extends Made {
        override *getContent(): Generator<string> {
          try {
            yield* pieces;
          } finally {
            ended++;
          }
        }
      };
    await expect(answerOf(own(["short", "er"]), "/made")).rejects.toThrow();
    await expect(answerOf(own([LETTERS.slice(1), "much more"]), "/made")).rejects.toThrow();
    expect((await answerOf(own([]), "/made")).status).toBe(500);
    expect((await answerOf(own([LETTERS, "more"]), "/made")).text).toBe(LETTERS);
    expect(ended).toBe(4);
  });

  test("has tags of its own, and says who has the content", async () => {
    class Own extends Made {
      override computeEtag(): string | null {
        return '"own"';
      }
    }
    expect((await answerOf(Own, { target: "/x", headers: { "if-none-match": 'W/"own"' } })).status).toBe(304);
    expect((await answerOf(Own, { target: "/x", headers: { "if-match": '"other"' } })).status).toBe(412);
    class Never extends StaticFileHandler {
      override shouldReturn304(): boolean {
        return false;
      }
    }
    expect((await answerOf(Never, { target: "/letters.txt", headers: { "if-none-match": "*" } })).text).toBe(LETTERS);
    class Always extends StaticFileHandler {
      override shouldReturn304(): boolean {
        return true;
      }
    }
    expect((await answerOf(Always)).status).toBe(304);
  });

  test("makes the addresses of the setting staticPath", async () => {
    class Own extends StaticFileHandler {
      static override async getVersion(_settings: StaticSettings, name: string): Promise<string | null> {
        return name === "none" ? null : `v of ${name}`;
      }
    }
    class Elsewhere extends StaticFileHandler {
      static override async makeStaticUrl(settings: StaticSettings, name: string): Promise<string> {
        return `https://cdn.example${settings.staticUrlPrefix}${name}`;
      }
    }
    class Page extends RequestHandler {
      override async get(name: string): Promise<void> {
        const options = {
          includeHost: this.request.query.has("host"),
          includeVersion: !this.request.query.has("bare"),
        };
        this.write(await this.staticUrl(name, options));
      }
    }
    const url = async (staticHandlerClass: typeof StaticFileHandler | undefined, target: string) => {
      const settings = {
        logger,
        staticPath: root,
        staticUrlPrefix: "/s/",
        ...(staticHandlerClass && { staticHandlerClass }),
      };
      return (
        await new Application([["/page/(.*)", Page]], settings).inject({ target, headers: { host: "a.example" } })
      ).text;
    };
    expect(await url(Own, "/page/a.txt")).toBe("/s/a.txt?v=v%20of%20a.txt");
    expect(await url(Own, "/page/none")).toBe("/s/none");
    expect(await url(Elsewhere, "/page/a.txt")).toBe("https://cdn.example/s/a.txt");
    expect(await url(undefined, "/page/letters.txt?bare")).toBe("/s/letters.txt");
    expect(await url(undefined, "/page/letters.txt?host")).toMatch(
      /^http:\/\/a\.example\/s\/letters\.txt\?v=[0-9a-f]{32}$/,
    );
    expect(await url(StaticFileHandler, "/page/letters.txt")).toBe(await url(undefined, "/page/letters.txt"));
    const settings = { staticPath: root };
    expect(await StaticFileHandler.makeStaticUrl(settings, "letters.txt", false)).toBe("/static/letters.txt");
    await expect(StaticFileHandler.getVersion(settings, "../secret.txt")).rejects.toMatchObject({ status: 403 });
  });
});
