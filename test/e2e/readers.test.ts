// Readers that do not read: what each of them costs beside the kernel's buffers.
import { describe, test } from "vitest";
import type { ServerStats } from "waterspout";

import { eventually, NODE, type Server, start, WASMTIME } from "./support/ways.js";

const READERS = 10;
/** Of the handlers that write piece by piece. */
const PIECE_BYTES = 16 << 10;
/** Of each reader: the bytes that a handler may write before its peer has taken them. */
const WINDOW_BYTES = 64 << 10;
/**
 * In Node one write is in the socket, and the sandbox has a byte by which it knows that it waits. Small pieces that a
 * handler does not await are several writes: the first of them is in the socket, the others wait in the sandbox.
 */
const WAYS = [
  { way: NODE, bytesMax: 2 << 10, bytesMaxOfPieces: WINDOW_BYTES },
  { way: WASMTIME, bytesMax: WINDOW_BYTES, bytesMaxOfPieces: WINDOW_BYTES },
];

describe.each(WAYS)("$way.name", ({ way, bytesMax, bytesMaxOfPieces }) => {
  test.each([
    ["/whole", bytesMax],
    ["/stream", bytesMax],
    ["/awaited", bytesMax],
    ["/pieces", bytesMaxOfPieces],
  ])(
    "of an answer that its peers do not read, the sandbox holds little, and gives it back: %s",
    async (path, bytesMax) => {
      const server = await start(way, "test/e2e/apps/readers.ts");
      const clients = await Promise.all(Array.from({ length: READERS }, () => server.connect({ silent: true })));
      for (const client of clients) client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      let bufferBytes = 0;
      // The kernel may take more of an answer a little later, so what is held is asked for until it is as little.
      await eventually("little is held", async () => {
        ({ bufferBytes } = await still(server));
        return bufferBytes > 0 && bufferBytes <= READERS * bytesMax;
      });
      for (const client of clients) client.reset();
      await eventually("it is given back", async () => (await statsOf(server)).bufferBytes < bufferBytes / READERS);
      await server.stop();
    },
  );
});

async function statsOf(server: Server): Promise<ServerStats> {
  return JSON.parse((await server.get("/stats")).body.toString());
}

/** The counters when no answer goes on any more: in some turns of the loop nothing has left but these counters. */
async function still(server: Server): Promise<ServerStats> {
  let stats = await statsOf(server);
  let turns = 0;
  await eventually("all readers wait", async () => {
    const before = stats;
    stats = await statsOf(server);
    const isStill = stats.requestsNow === READERS + 1 && stats.bytesOut - before.bytesOut < PIECE_BYTES;
    turns = isStill ? turns + 1 : 0;
    return turns === 5;
  });
  return stats;
}
