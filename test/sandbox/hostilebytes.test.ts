// The same as hostiletext.test.ts for the sandbox: its functions that read a peer's bytes, compiled as they ship and
// run in Node.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";

import { expectLinear, FILLERS } from "../host/support/hostile.js";

interface Hostile {
  memory: WebAssembly.Memory;
  _initialize(): void;
  block(): number;
  run(which: number, size: number): number;
}

let sandbox: Hostile;
let block = 0;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
  const file = join(folder, "hostile.wasm");
  execFileSync("node_modules/.bin/asc", ["test/assembly/apps/hostile.ts", "--outFile", file]);
  const module = new WebAssembly.Module(readFileSync(file));
  rmSync(folder, { recursive: true });
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
  sandbox = new WebAssembly.Instance(module, imports).exports as unknown as Hostile;
  sandbox._initialize();
  block = sandbox.block();
}, 60_000);

const head = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`;
const value = (text: string): string => text.replace(/[^\t -~\x80-\xff]/g, "x");

/** What each function is given, by its number in hostile.ts. */
const FUNCTIONS: readonly [name: string, which: number, bytes: (text: string) => string][] = [
  ["quoteJSON", 1, (text) => text],
  ["escapeHTML", 2, (text) => text],
  ["percentEncode", 3, (text) => text],
  ["an argument", 4, (text) => text],
  ["If-None-Match", 5, (text) => text],
  ["Range", 6, (text) => text],
  ["a field of an answer", 7, (text) => text],
  ["a file's path", 8, (text) => text],
  ["a file's type", 9, (text) => text],
  ["a date", 10, (text) => text],
  ["percentDecode", 20, (text) => text],
  ["arguments", 21, (text) => text],
  ["a path", 22, (text) => `/a/${text}`],
  ["a request", 23, (text) => text],
  ["a target", 23, (text) => `GET /${text} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["a host", 23, (text) => `GET / HTTP/1.1\r\nHost: ${text}\r\n\r\n`],
  ["a field's name", 23, (text) => head(`${text}: x`)],
  ["a field's value", 23, (text) => head(`x: ${text}`)],
  ["Connection", 23, (text) => head(`Connection: ${value(text)}`)],
  ["Transfer-Encoding", 23, (text) => head(`Transfer-Encoding: ${value(text)}`)],
  ["Content-Length", 23, (text) => head(`Content-Length: ${value(text)}`)],
  ["Upgrade", 23, (text) => head(`Connection: upgrade\r\nUpgrade: ${value(text)}`)],
  ["a chunk's line", 24, (text) => text],
  ["a chunk's extension", 24, (text) => `1;${text}`],
  ["a trailer", 24, (text) => `0\r\nx: ${text}`],
  ["trailers", 25, (text) => `x: ${value(text)}\r\n`],
  ["readUntil", 26, (text) => text],
  ["the PROXY protocol", 27, (text) => `PROXY TCP4 ${text}`],
  ["UTF-8", 28, (text) => text],
];

const missing: number[] = [];

test.each(FUNCTIONS)("%s", { timeout: 60_000 }, async (_name, which, bytes) => {
  const run = (text: string): void => {
    const size = Buffer.from(sandbox.memory.buffer, block).write(bytes(text), "latin1");
    if (sandbox.run(which, size) === 0) missing.push(which);
  };
  for (const filler of FILLERS) await expectLinear(run, filler);
  expect(missing).toEqual([]);
});
