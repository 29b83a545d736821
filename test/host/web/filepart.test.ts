// A file on its way to clients that wait: who keeps a block of it, and who reads it again.
import type { FileHandle } from "node:fs/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HTTPConnection } from "../../../host/http/response.js";
import { FilePart } from "../../../host/web/filepart.js";
import type { OpenFile } from "../../../host/web/files.js";

const BLOCK_BYTES = 64 << 10;
const ROOM = BLOCK_BYTES / 2;
const FILE = Buffer.from(Uint32Array.from({ length: (3 * BLOCK_BYTES) / 4 }, (_, index) => index).buffer);
/** That may be in use before clients that wait keep none. */
const BLOCKS_KEPT_MAX = 256;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A client that takes half a block, and then nothing before `goOn`. */
function client() {
  const reads: number[] = [];
  const pieces: Buffer[] = [];
  let goOn = (): void => {};
  const waits = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const handle = {
    async read(target: Buffer, offset: number, size: number, at: number) {
      reads.push(at);
      return { bytesRead: FILE.copy(target, offset, at, at + size) };
    },
  } as unknown as FileHandle;
  const connection = {
    room: ROOM,
    write(piece: Buffer) {
      pieces.push(Buffer.from(piece));
      return waits;
    },
  } as unknown as HTTPConnection;
  const part = new FilePart(Promise.resolve({ handle } as OpenFile), 0, FILE.length);
  return { reads, pieces, goOn, done: part.sendTo(connection) };
}

/** Clients that have taken what they take at first. */
async function stalled(count: number) {
  const clients = Array.from({ length: count }, client);
  while (clients.some(({ pieces }) => pieces.length === 0)) await new Promise((resolve) => setImmediate(resolve));
  return clients;
}

async function finish(clients: readonly ReturnType<typeof client>[]): Promise<void> {
  for (const each of clients) each.goOn();
  for (const { done, pieces } of clients) {
    await done;
    expect(Buffer.concat(pieces).equals(FILE)).toBe(true);
  }
}

test("as many blocks as there may be are kept: each block of the file is read once", async () => {
  const clients = await stalled(BLOCKS_KEPT_MAX);
  await finish(clients);
  for (const { reads } of clients) expect(reads).toEqual([0, BLOCK_BYTES, 2 * BLOCK_BYTES]);
});

test("one more: a client that waits keeps none, and what it has not taken is read again", async () => {
  const clients = await stalled(BLOCKS_KEPT_MAX + 1);
  await finish(clients);
  expect(clients.filter(({ reads }) => reads.includes(ROOM)).length).toBeGreaterThan(0);
});

test("a client that takes nothing for long keeps none", async () => {
  const [one] = await stalled(1);
  vi.advanceTimersByTime(250);
  await finish([one!]);
  expect(one?.reads).toEqual([0, ROOM, ROOM + BLOCK_BYTES, ROOM + 2 * BLOCK_BYTES]);
});
