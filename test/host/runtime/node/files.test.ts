// Files for a sandbox in Node: what a module may ask for, and what it must not get, whatever it names.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { foldersFrom } from "../../../../host/runtime/folders.js";
import { DescriptorTable } from "../../../../host/runtime/node/descriptors.js";
import { FileCalls, OpenFolder } from "../../../../host/runtime/node/files.js";
import { GuestFault } from "../../../../host/runtime/node/wasi.js";

const PAGE = 65_536;
const [PATH, OUT, IOV, DATA] = [1024, 8192, 8300, 16_384];

const memory = new WebAssembly.Memory({ initial: 1 });
const bytes = Buffer.from(memory.buffer);
const table = new DescriptorTable(() => {});
const calls = new FileCalls(table);
calls.attach(memory);
const call = calls.imports() as unknown as Record<string, (...values: (number | bigint)[]) => number>;
let top = "";
let folder = 0;

beforeAll(() => {
  top = mkdtempSync(path.join(os.tmpdir(), "waterspout-files-"));
  mkdirSync(path.join(top, "public"));
  mkdirSync(path.join(top, "public-not"));
  writeFileSync(path.join(top, "secret"), "secret");
  writeFileSync(path.join(top, "public-not", "a"), "secret");
  writeFileSync(path.join(top, "public", "a"), "0123456789");
  symlinkSync("../secret", path.join(top, "public", "out"));
  symlinkSync("../public-not", path.join(top, "public", "beside"));
  for (const one of foldersFrom([`${path.join(top, "public")}::/static`])) folder = table.add(new OpenFolder(one));
});

afterAll(() => rmSync(top, { recursive: true }));

function put(name: string | Buffer): number {
  return bytes.write(name.toString("latin1"), PATH, "latin1");
}

function open(name: string | Buffer): number {
  return call.path_open(folder, 1, PATH, put(name), 0, 6n, 0n, 4, OUT);
}

test("a file is opened, read from where it is asked for, and closed", () => {
  expect(open("a")).toBe(0);
  const fd = bytes.readUInt32LE(OUT);
  expect(call.fd_filestat_get(fd, OUT)).toBe(0);
  expect([bytes[OUT + 16], bytes.readBigUInt64LE(OUT + 32)]).toEqual([4, 10n]);
  bytes.writeUInt32LE(DATA, IOV);
  bytes.writeUInt32LE(4, IOV + 4);
  expect(call.fd_pread(fd, IOV, 1, 8n, OUT)).toBe(0);
  expect(bytes.toString("latin1", DATA, DATA + bytes.readUInt32LE(OUT))).toBe("89");
  expect(call.path_open(fd, 1, PATH, put("a"), 0, 6n, 0n, 4, OUT), "a file is no folder").toBe(8);
  expect(table.close(fd)).toBe(true);
  expect(call.fd_pread(fd, IOV, 1, 0n, OUT)).toBe(8);
});

test.each([
  ["../secret", 63],
  ["x/../../secret", 63],
  ["/etc/passwd", 63],
  ["out", 63],
  ["beside/a", 63],
  ["a\0", 28],
  ["nope", 44],
  ["a/b", 54],
  [".", 31],
  [Buffer.from([0xff]), 25],
])("%s cannot be opened", (name, errno) => {
  expect(open(name)).toBe(errno);
  if (errno !== 31) expect(call.path_filestat_get(folder, 1, PATH, put(name), OUT)).toBe(errno);
});

test("nothing is created", () => {
  expect(call.path_open(folder, 1, PATH, put("new"), 1, 64n, 0n, 0, OUT)).toBe(63);
});

test("the module learns its name, and nothing of where it is", () => {
  expect(call.fd_prestat_get(folder, OUT)).toBe(0);
  expect(bytes.readUInt32LE(OUT + 4)).toBe(7);
  expect(call.fd_prestat_dir_name(folder, DATA, 7)).toBe(0);
  expect(bytes.toString("latin1", DATA, DATA + 7)).toBe("/static");
  expect(call.fd_prestat_dir_name(folder, DATA, 6)).toBe(37);
  expect(call.fd_prestat_get(99, OUT)).toBe(8);
});

test("a pointer out of its memory ends the instance", () => {
  expect(() => call.path_open(folder, 1, PAGE - 1, 2, 0, 6n, 0n, 4, OUT)).toThrow(GuestFault);
  expect(() => call.path_open(folder, 1, -1, 1, 0, 6n, 0n, 4, OUT)).toThrow(GuestFault);
  expect(() => call.fd_prestat_get(folder, PAGE - 4)).toThrow(GuestFault);
  expect(open("a")).toBe(0);
  const fd = bytes.readUInt32LE(OUT);
  bytes.writeUInt32LE(PAGE - 2, IOV);
  bytes.writeUInt32LE(4, IOV + 4);
  expect(() => call.fd_pread(fd, IOV, 1, 0n, OUT)).toThrow(GuestFault);
  table.close(fd);
});

test("folders as the command takes them", () => {
  expect(foldersFrom([top])).toEqual([{ host: top, guest: top }]);
  expect(() => foldersFrom(["::/static"])).toThrow("--dir takes HOST::GUEST");
  expect(() => foldersFrom([path.join(top, "secret")])).toThrow("there is no folder");
  expect(() => foldersFrom(Array(17).fill(top))).toThrow("16 times at most");
});
