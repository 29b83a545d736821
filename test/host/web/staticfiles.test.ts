import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

import { Application, StaticFileHandler } from "../../../host/index.js";
import { ask, BIG, base, get, LETTERS, logger, MODIFIED, root } from "../support/staticfolder.js";

describe("a file", () => {
  test("is served with what is known of it", async () => {
    const answer = await ask("/s/letters.txt");
    expect(answer).toMatchObject({ status: 200, text: LETTERS });
    expect(Object.fromEntries(answer.headers)).toEqual({
      "content-type": "text/plain",
      "accept-ranges": "bytes",
      etag: `"${createHash("sha512").update(LETTERS).digest("hex")}"`,
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

  test("has the same type as in AssemblyScript", async () => {
    const table = readFileSync("assembly/web/mime.ts", "utf8").matchAll(/ (\w+):(\w+\/[\w+-]+)/g);
    const types = [...table].map(([, extension, type]) => [extension, type]);
    expect(types.length).toBeGreaterThan(30);
    const { getContentType } = StaticFileHandler.prototype;
    expect(types.map(([extension]) => [extension, getContentType(`a.${extension?.toUpperCase()}`)])).toEqual(types);
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
