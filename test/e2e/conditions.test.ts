// Conditional requests, ranges and paths of files: each row of test/corpus/conditional-requests.md, in both languages
// and on every way to run.

import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Response } from "./support/response.js";
import { ROOT, type Server, start, WAYS } from "./support/ways.js";

const TEXT = "0123456789";
const MODIFIED = new Date("2020-06-01T12:00:00.500Z");
const OLD = new Date("1960-06-01T12:00:00.500Z");
/** Several blocks, also when it is compressed. */
const PACKED = randomBytes(200_000);
const OF_1960 = "A file of 1960";

interface Vector {
  request: string;
  fields: string[];
  status: number;
  /** The answer's Content-Range. */
  range: string | null;
}

const spans = (cell: string): string[] => [...cell.matchAll(/`([^`]*)`/g)].map(([, text]) => text);

/** The rows of each section, by its heading. */
const sections: [string, Vector[]][] = readFileSync(path.join(ROOT, "test/corpus/conditional-requests.md"), "utf8")
  .split("\n## ")
  .slice(1)
  .map((section) => {
    const rows = [...section.matchAll(/^\| `([^`|]*)` \|([^|]*)\| `(\d{3})(?: ([^`]+))?` \|$/gm)];
    const read = ([, request, fields, status, range]: string[]): Vector => ({
      request,
      fields: spans(fields),
      status: Number(status),
      range: range ?? null,
    });
    if (rows.length !== section.split("\n| `").length - 1) throw new Error(`a row that is none: ${section}`);
    return [section.slice(0, section.indexOf("\n")), rows.map(read)];
  });

let top = "";
let folder = "";
beforeAll(() => {
  top = mkdtempSync(path.join(os.tmpdir(), "waterspout-conditions-"));
  folder = path.join(top, "public");
  mkdirSync(path.join(folder, "sub"), { recursive: true });
  writeFileSync(path.join(top, "secret.txt"), "secret");
  writeFileSync(path.join(folder, "sub", "index.html"), "<p>sub");
  for (const [name, time] of [["a.txt", MODIFIED] as const, ["old.txt", OLD] as const]) {
    writeFileSync(path.join(folder, name), TEXT);
    utimesSync(path.join(folder, name), time, time);
  }
  writeFileSync(path.join(folder, "big.bin"), "");
  truncateSync(path.join(folder, "big.bin"), 65 << 20);
  writeFileSync(path.join(folder, "packed.bin"), PACKED);
  writeFileSync(path.join(folder, "packed.bin.gz"), gzipSync(PACKED));
  const links = { out: "../secret.txt", gone: "../nothing", up: "..", dangling: "nowhere", loop: "loop" };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, path.join(folder, name));
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

describe.each(WAYS)("$name", (way) => {
  const sandboxed = way.demo.endsWith(".wasm");
  let server: Server;
  const tags: Record<string, string> = {};
  beforeAll(async () => {
    const options = { env: { FILES: folder, TZ: "America/New_York" } };
    server = sandboxed
      ? await start(way, "build/web.wasm", ["--dir", `${folder}::/static`], options)
      : await start(way, "test/e2e/apps/files.ts", [], options);
    for (const [name, target] of [["file", "/static/a.txt"] as const, ["page", "/"] as const]) {
      tags[name] = (await server.get(target)).headers.get("etag") as string;
      expect(tags[name]).toMatch(/^"[^"]+"$/);
    }
  });
  afterAll(() => server.stop());

  const ask = ({ request, fields }: Vector): Promise<Response> => {
    const lines = fields.map((field) => `${field.replaceAll(/\{(\w+)\}/g, (_, name) => tags[name])}\r\n`);
    return server.request(`${request} HTTP/1.1\r\nHost: x\r\n${lines.join("")}\r\n`);
  };

  const inWasmtime = sandboxed && way.runtime !== "node";
  test.each(sections.filter(([title]) => !(inWasmtime && title === OF_1960)))("%s", async (_, rows) => {
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      const response = await ask(row);
      const asked = [row.request, ...row.fields].join(" | ");
      const range = response.headers.get("content-range") ?? null;
      expect([asked, response.status, range]).toEqual([asked, row.status, row.range]);
      checkBody(row, response);
    }
  });

  test.runIf(!sandboxed)("a file that is there compressed, too, comes so to who accepts it", async () => {
    const get = (fields: string) => server.request(`GET /packed/packed.bin HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
    const [plain, coded] = [await get(""), await get("Accept-Encoding: gzip\r\n")];
    expect([plain.headers.get("content-encoding"), plain.body.equals(PACKED)]).toEqual([undefined, true]);
    expect([coded.headers.get("content-encoding"), gunzipSync(coded.body).equals(PACKED)]).toEqual(["gzip", true]);
    expect([plain.headers.get("vary"), coded.headers.get("vary")]).toEqual(["Accept-Encoding", "Accept-Encoding"]);
    const etag = coded.headers.get("etag") as string;
    expect(etag).not.toBe(plain.headers.get("etag"));
    expect((await get(`Accept-Encoding: gzip\r\nIf-None-Match: ${etag}\r\n`)).status).toBe(304);
    expect((await get(`If-None-Match: ${etag}\r\n`)).status).toBe(200);
  });

  /** What belongs to the status. */
  function checkBody({ request, status, range }: Vector, { headers, body }: Response): void {
    const [method, target] = request.split(" ");
    const isFile = /\/(?:a|old)\.txt$/.test(target);
    if (method === "HEAD" || status === 304 || status === 416) expect(body.length).toBe(0);
    if (status === 200 && isFile) {
      expect(headers.get("content-length")).toBe("10");
      if (method === "GET") expect(body.toString()).toBe(TEXT);
    }
    if (status === 206) {
      const [, first, last] = /(\d+)-(\d+)/.exec(range ?? "") as RegExpExecArray;
      expect(body.toString()).toBe(TEXT.slice(Number(first), Number(last) + 1));
    }
    if (status === 304 && target !== "/static/big.bin" && !target.endsWith("old.txt"))
      expect(headers.get("etag")).toBe(target === "/" ? tags.page : tags.file);
    expect(body.toString()).not.toContain("secret");
  }
});
