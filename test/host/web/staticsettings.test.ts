import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";

import { Application, RequestHandler, StaticFileHandler } from "../../../host/index.js";
import { LETTERS, logger, root } from "../support/staticfolder.js";

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
    expect(url).toMatch(/^\/f\.s\/letters\.txt\?v=[0-9a-f]{128}$/);
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
  /** A frame of `text`, made by another Node: 20 has no zstd. */
  const ZSTD = Buffer.from("KLUv/WCIEm0AAChwYWdlIAEAgIO+aAE=", "base64");
  beforeAll(() => {
    writeFileSync(path.join(root, "page.html"), text);
    writeFileSync(path.join(root, "page.html.br"), brotliCompressSync(text));
    writeFileSync(path.join(root, "page.html.gz"), gzipSync(text));
    writeFileSync(path.join(root, "page.html.zst"), ZSTD);
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
    ["page.html", "gzip, zstd", "zstd"],
    ["page.html", "br;q=0.9, zstd", "zstd"],
    ["only.html", "zstd", null],
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
    if (coding === "zstd") expect(answer.body).toEqual(ZSTD);
    else expect(plain(answer.body).toString()).toBe(text);
    expect(answer.headers.get("content-length")).toBe(String(answer.body.length));
    const head = await ask(name, accepted, {}, "HEAD");
    expect([...head.headers].sort()).toEqual([...answer.headers].sort());
  });

  test("each form has its own tag, conditions and parts", async () => {
    const forms = await Promise.all(["br", "gzip", null, "zstd"].map((accepted) => ask("page.html", accepted)));
    const tags = forms.map(({ headers }) => headers.get("etag") as string);
    expect(new Set(tags).size).toBe(4);
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
