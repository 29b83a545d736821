// The web layer in AssemblyScript, and files of a folder that was opened for it: one suite for the ways to run it.

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Response } from "./support/response.js";
import {
  COMPONENT,
  COMPONENT_ASYNC,
  eventually,
  HTTP,
  HTTP_ASYNC,
  run,
  SANDBOXED_BARE,
  SANDBOXED_NODE,
  SANDBOXED_WAYS,
  type Server,
  start,
} from "./support/ways.js";

const BIG_BYTES = 64 << 20;
let top = "";
let folder = "";

beforeAll(() => {
  top = mkdtempSync(path.join(os.tmpdir(), "waterspout-web-"));
  folder = path.join(top, "public");
  mkdirSync(path.join(folder, "sub"), { recursive: true });
  mkdirSync(path.join(folder, "empty"));
  writeFileSync(path.join(top, "secret.txt"), "secret");
  writeFileSync(path.join(folder, "a.txt"), "0123456789");
  writeFileSync(path.join(folder, "b.txt"), "9876543210");
  for (const name of ["a.txt", "b.txt"]) utimesSync(path.join(folder, name), 1_700_000_000, 1_700_000_000);
  writeFileSync(path.join(folder, "none.css"), "");
  writeFileSync(path.join(folder, ".hidden"), "dots");
  writeFileSync(path.join(folder, "sub", "index.html"), "<p>sub");
  writeFileSync(path.join(folder, "big.bin"), "");
  truncateSync(path.join(folder, "big.bin"), BIG_BYTES);
  symlinkSync("../secret.txt", path.join(folder, "out"));
  symlinkSync(path.join(top, "secret.txt"), path.join(folder, "absolute"));
  symlinkSync("..", path.join(folder, "up"));
  symlinkSync("sub/index.html", path.join(folder, "in"));
  symlinkSync("loop", path.join(folder, "loop"));
  execFileSync("mkfifo", [path.join(folder, "fifo")]);
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

describe.each([...SANDBOXED_WAYS, COMPONENT, COMPONENT_ASYNC, HTTP, HTTP_ASYNC])("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, way.demo.replace("demo", "web"), ["--dir", `${folder}::/static`]);
  }, 300_000);
  afterAll(() => server.stop());

  const get = (target: string, fields = "", method = "GET"): Promise<Response> =>
    server.request(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);

  describe("pages and files", () => {
    test("the article's examples", async () => {
      expect((await server.get("/")).body.toString()).toBe("<h1>Hello World<h1>");
      expect((await server.get("/hello")).body.toString()).toBe("hello World");
      expect((await server.get("/hello?name=J%C3%BCrgen+X")).body.toString()).toBe("hello Jürgen X");
      expect((await server.get("/add?a=40&b=2")).body.toString()).toBe("42");
      const form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=3&b=4";
      expect((await server.request(`POST /add?a=9 HTTP/1.1\r\nHost: x\r\n${form}`)).body.toString()).toBe("7");
      expect(JSON.parse((await server.get("/users/a%2fb%22")).body.toString())).toEqual({
        id: 'a/b"',
        url: "/users/a%2Fb%22",
      });
    });

    test.each([
      ["GET", "/nope", 404],
      ["GET", "/users/", 404],
      ["GET", "/users/%ff", 400],
      ["GET", "/hello?name=%ff", 400],
      ["GET", "/add?a=1", 400],
      ["GET", `/hello?${"a&".repeat(1001)}`, 400],
      ["GET", "/old", 301],
      ["DELETE", "/add", 405],
      ["BREW", "/add", 405],
    ])("%s %s is answered with %i", async (method, target, status) => {
      const response = await get(target, "", method);
      expect(response.status).toBe(status);
      if (status === 405) expect(response.headers.get("allow")).toBe("GET, HEAD, POST");
      if (status === 301) expect(response.headers.get("location")).toBe("/");
    });

    test("a page that the client has is not sent again", async () => {
      const etag = (await server.get("/")).headers.get("etag");
      expect(etag).toBe('"4234fd2242a58e6b6fd8774d356dd01b53303b17"');
      const again = await get("/", `If-None-Match: "x", W/${etag}\r\n`);
      expect([again.status, again.body.toString()]).toEqual([304, ""]);
      const head = await get("/", "", "HEAD");
      expect([head.status, head.headers.get("content-length"), head.body.toString()]).toEqual([200, "19", ""]);
    });

    test("a file, its head, its conditions", async () => {
      const file = await server.get("/static/a.txt");
      expect([file.status, file.body.toString()]).toEqual([200, "0123456789"]);
      expect(file.headers.get("content-type")).toBe("text/plain");
      const date = new Date(Math.floor(statSync(path.join(folder, "a.txt")).mtimeMs / 1000) * 1000).toUTCString();
      expect(file.headers.get("last-modified")).toBe(date);
      const head = await get("/static/a.txt", "", "HEAD");
      expect([head.headers.get("content-length"), head.body.toString()]).toEqual(["10", ""]);
      const etag = file.headers.get("etag");
      expect((await get("/static/a.txt", `If-None-Match: ${etag}\r\n`)).status).toBe(304);
      expect((await get("/static/a.txt", `If-Modified-Since: ${date}\r\n`)).status).toBe(304);
      expect((await get("/static/a.txt", "If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT\r\n")).status).toBe(200);
      expect((await get("/static/a.txt", `If-None-Match: "x"\r\nIf-Modified-Since: ${date}\r\n`)).status).toBe(200);
    });

    test("files of the same size and time have tags of their own", async () => {
      const etags = await Promise.all(
        ["a.txt", "b.txt", "a.txt"].map(async (name) => (await server.get(`/static/${name}`)).headers.get("etag")),
      );
      expect(etags[0]).not.toBe(etags[1]);
      expect(etags[0]).toBe(etags[2]);
    });

    test("requests behind a file that takes several turns are answered", async () => {
      const client = await server.connect();
      const file = `GET /static/big.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=0-${(1 << 20) - 1}\r\n\r\n`;
      client.send(
        `${file}GET /hello?name=a HTTP/1.1\r\nHost: x\r\n\r\n${file}${file}GET /hello HTTP/1.1\r\nHost: x\r\n\r\n`,
      );
      const sizes: number[] = [];
      for (let i = 0; i < 5; i++) sizes.push((await client.readResponse()).body.length);
      expect(sizes).toEqual([1 << 20, 7, 1 << 20, 1 << 20, 11]);
    });

    test.each([
      ["bytes=2-4", 206, "234", "bytes 2-4/10"],
      ["bytes=7-", 206, "789", "bytes 7-9/10"],
      ["bytes=-3", 206, "789", "bytes 7-9/10"],
      ["bytes=8-99", 206, "89", "bytes 8-9/10"],
      ["bytes=-99", 200, "0123456789", null],
      ["bytes=0-9", 200, "0123456789", null],
      ["bytes=10-", 416, "", "bytes */10"],
      ["bytes=-0", 416, "", "bytes */10"],
      ["bytes=5-4", 416, "", "bytes */10"],
      ["bytes=1-2,4-5", 200, "0123456789", null],
      ["bytes=99999999999999999999-", 200, "0123456789", null],
    ])("Range: %s", async (range, status, text, contentRange) => {
      const response = await get("/static/a.txt", `Range: ${range}\r\n`);
      expect([response.status, response.body.toString(), response.headers.get("content-range") ?? null]).toEqual([
        status,
        text,
        contentRange,
      ]);
      const other = await get("/static/a.txt", `Range: ${range}\r\nIf-Range: "other"\r\n`);
      expect([other.status, other.body.toString()]).toEqual([200, "0123456789"]);
    });
  });

  describe("what is inside, and many clients", () => {
    test.each([
      ["/static/../secret.txt", 403],
      ["/static/%2e%2e/secret.txt", 403],
      ["/static/%2e%2e%2fsecret.txt", 403],
      ["/static/sub/../../secret.txt", 403],
      ["/static//etc/passwd", 403],
      ["/static/%2fetc/passwd", 403],
      ["/static/..%5csecret.txt", 404],
      ["/static/a.txt%00.html", 404],
      ["/static/out", 403],
      ["/static/absolute", 403],
      ["/static/up/secret.txt", 403],
      ["/static/loop", 404],
      ["/static/fifo", 403],
      ["/static/empty/", 404],
      ["/static/nope", 404],
      [`/static/${"x".repeat(300)}`, 404],
      ["/static/a.txt/b", 404],
      ["/static/%ff", 400],
    ])("%s is answered with %i", async (target, status) => {
      const response = await get(target);
      expect(response.status).toBe(status);
      expect(response.body.toString()).not.toContain("secret");
    });

    test("what is inside is found", async () => {
      expect((await get("/static/in")).body.toString()).toBe("<p>sub");
      expect((await get("/static/sub/")).body.toString()).toBe("<p>sub");
      expect((await get("/static/sub/.././a.txt")).body.toString()).toBe("0123456789");
      expect((await get("/static/.hidden")).body.toString()).toBe("dots");
      expect((await get("/static/none.css")).headers.get("content-length")).toBe("0");
      const folderItself = await get("/static/sub");
      expect([folderItself.status, folderItself.headers.get("location")]).toEqual([301, "/static/sub/"]);
      const long = `/static/${"./".repeat(8000)}sub`;
      const longOne = await server.get(long);
      expect([longOne.status, longOne.headers.get("location")]).toEqual([301, `${long}/`]);
    });

    test("a slow reader of a big file costs no memory, and holds up no other client", { timeout: 60_000 }, async () => {
      const sockets = await Promise.all(Array.from({ length: 4 }, () => open(server.port)));
      for (const socket of sockets) {
        socket.pause();
        socket.write("GET /static/big.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      }
      for (let i = 0; i < 20; i++) expect((await server.get("/static/a.txt")).body.toString()).toBe("0123456789");
      const grown = residentBytes(server.pid);
      expect(grown).toBeLessThan(600 << 20);
      const [first, ...others] = sockets as [net.Socket, ...net.Socket[]];
      for (const socket of others) socket.destroy();
      expect(await bytesOf(first)).toBeGreaterThan(BIG_BYTES);
      expect(residentBytes(server.pid) - grown).toBeLessThan(BIG_BYTES / 2);
    });

    test("many at once, each gets its own", async () => {
      const texts = await Promise.all(
        Array.from({ length: 100 }, async (_, i) =>
          (await get("/static/a.txt", `Range: bytes=${i % 9}-${i % 9}\r\n`)).body.toString(),
        ),
      );
      expect(texts).toEqual(Array.from({ length: 100 }, (_, i) => String(i % 9)));
      await eventually("files closed", () => openFiles(server.pid, folder) === 0);
    });
  });
});

test.each([SANDBOXED_BARE, COMPONENT, COMPONENT_ASYNC])("$name: without descriptors for files 503", async (way) => {
  const wrap = ["sh", "-c", 'ulimit -n 60 && exec "$@"', "-"];
  const server = await start(way, way.demo.replace("demo", "web"), ["--dir", `${folder}::/static`], { wrap });
  try {
    const clients = await Promise.all(Array.from({ length: 40 }, () => server.connect()));
    for (const client of clients) await client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
    const statuses = new Set<string>();
    for (const client of clients) {
      client.send("GET /static/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
      statuses.add((await client.readUntil("\r\n")).split(" ")[1]);
      client.socket.pause(); // so that the file stays open
    }
    expect([...statuses].sort()).toEqual(["200", "503"]);
    for (const client of clients) client.reset();
    await eventually("files closed", () => openFiles(server.pid, folder) === 0);
    expect((await server.get("/static/a.txt")).body.toString()).toBe("0123456789");
  } finally {
    await server.stop();
  }
});

test("folders that are none are refused", async () => {
  const none = await run(["run", "build/web.wasm", "--dir", "/does/not/exist::/static"]);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no folder /does/not/exist")]);
  const script = await run(["run", "examples/demo.ts", "--dir", `${folder}::/static`]);
  expect([script.code, script.stderr]).toEqual([2, expect.stringContaining("--dir is for .wasm applications")]);
});

test("an application whose folder was not opened says so", async () => {
  const server = await start(SANDBOXED_NODE, "build/web.wasm");
  expect((await server.get("/static/a.txt")).status).toBe(500);
  await server.complaint(/there is no folder \/static/);
  await server.stop();
});

function open(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(socket)).on("error", reject);
  });
}

function bytesOf(socket: net.Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    socket.on("data", (chunk) => (bytes += chunk.length));
    socket
      .on("end", () => resolve(bytes))
      .on("error", reject)
      .resume();
  });
}

function residentBytes(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}

/** Files below a folder that a process has open. */
function openFiles(pid: number, below: string): number {
  const descriptors = `/proc/${pid}/fd`;
  return readdirSync(descriptors).filter((fd) => {
    try {
      return readlinkSync(`${descriptors}/${fd}`).startsWith(`${below}/`);
    } catch {
      return false; // closed since it was listed
    }
  }).length;
}
