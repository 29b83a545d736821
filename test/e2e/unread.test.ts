// What the host and its sandbox hold for readers that do not read: the pieces of their answers that can still be
// reached. How much memory a process takes would depend on the machine; this does not.
import { afterEach, describe, expect, test } from "vitest";

import type { Client } from "./support/client.js";
import { eventually, NODE, type Server, start, WASMTIME } from "./support/ways.js";

const READERS = 20;
const FILE_BYTES = 10 << 20;
const KIB = 1024;
/** So long the same is held, and so often in a row: twice as long as a block is kept for a client that takes nothing. */
const STILL_MS = 600;
const TURNS_STILL = 10;
/** The kernel may go on to take a piece of some of the readers for long. */
const STILL_BYTES = 4 * 64 * KIB + 1;

let server: Server;
afterEach(() => server.stop());

async function ask(path: string, readers: number): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: readers }, () => server.connect({ silent: true })));
  for (const client of clients) client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return clients;
}

async function bytesHeld(): Promise<number> {
  return Number((await server.get("/memory")).body);
}

/** The same, once they are as many as `isSo` wants and do not change any more. */
async function held(isSo: (bytes: number) => boolean): Promise<number> {
  let last: number[] = [];
  let since = 0;
  await eventually("as much is held, and no more", async () => {
    const bytes = await bytesHeld();
    const isStill = last.every((other) => Math.abs(bytes - other) < STILL_BYTES);
    if (!isSo(bytes) || !isStill) last = [];
    if (last.length === 0) since = performance.now();
    last.push(bytes);
    return isSo(bytes) && last.length >= TURNS_STILL && performance.now() - since >= STILL_MS;
  });
  return last[0];
}

/**
 * In Node, in KiB of each reader; a piece has 64. Each has a block in its socket at least. Between the two there is half
 * a piece: the kernel may take one more of some of the readers that were there before. What a static file costs is in
 * test/host/web/filepart.test.ts: here the pools' spare blocks, more on a busy machine, would be most of it.
 */
const ANSWERS = [
  { kind: "", path: "/bytes", least: 45, most: 96, what: "a Response whose stream does not read ahead" },
  { kind: "", path: "/stream", least: 100, most: 160, what: "a Response whose stream reads a piece ahead" },
  { kind: "node", path: "/write", least: 45, most: 96, what: "a Node handler that waits for drain" },
  { kind: "node", path: "/pipe", least: 100, most: 160, what: "a file's stream, which reads ahead, piped" },
];

describe("readers that do not read cost a piece of their answer, and what its source reads ahead", () => {
  test.each(ANSWERS)("$what", async ({ kind, path, least, most }) => {
    server = await start(NODE, "test/e2e/apps/unread.ts", [], { env: { ANSWERS: kind } });
    const fresh = await held(() => true); // without what the start has left
    await ask(path, READERS); // the first ones fill pools of blocks as well
    const before = await held((bytes) => bytes - fresh > READERS * least * KIB);
    await ask(path, READERS);
    const ofEach = (bytes: number): number => (bytes - before) / READERS / KIB;
    const after = await held((bytes) => ofEach(bytes) > least && ofEach(bytes) < most);
    expect(ofEach(after)).toBeLessThan(most);
  });
});

test.each([NODE, WASMTIME])("a reader that goes on gets the rest of a file as it is: $name", async (way) => {
  server = await start(way, "test/e2e/apps/unread.ts", [], { env: { ANSWERS: "files" } });
  const [client] = await ask("/file", 1);
  await held(() => true); // for longer than a block is kept
  client.resume();
  const { body } = await client.readResponse();
  const wanted = Uint32Array.from({ length: FILE_BYTES / 4 }, (_, index) => index);
  expect(Buffer.compare(body, Buffer.from(wanted.buffer))).toBe(0);
});
