// Two thousand slow clients at once: heads, bodies and readers that hardly move. None of them is kept for long, and
// clients that are not slow do not notice them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "../support/client.js";
import { eventually, type Server, start, type Way } from "../support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const HEADS = 950;
const BODIES = 950;
const READERS = 100;
/** Every limit of apps/slow.ts is 2 s; what is beyond this is not bounded by it. */
const GONE_MS_MAX = 12_000;
const DRIP_MS = 500;

/** `build` names the application, and makes it if need be. */
export function slowSuite(way: Way, build: () => string): void {
  describe("slow clients", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, build());
    });
    afterAll(() => server.stop());

    /** So many clients that send `bytes` as soon as they are connected, since their time runs from there. */
    const open = async <T>(count: number, bytes: string, use: (client: Client) => T, silent = false): Promise<T[]> => {
      const used: T[] = [];
      let left = count;
      const one = async (): Promise<void> => {
        while (left-- > 0) used.push(use((await server.connect({ silent })).send(bytes)));
      };
      await Promise.all(Array.from({ length: 20 }, one));
      return used;
    };

    test(`${HEADS} heads, ${BODIES} bodies and ${READERS} readers are ended in time, beside others that are served`, {
      timeout: 120_000,
    }, async () => {
      const healthy = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
      const stop = new AbortController();
      const times: number[] = [];
      const serving = Promise.all(
        healthy.map(async (client) => {
          while (!stop.signal.aborted) {
            const began = performance.now();
            expect((await client.send(GET).readResponse()).status).toBe(200);
            times.push(performance.now() - began);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }),
      );

      const dripping: Client[] = [];
      const readers: Client[] = [];
      const drip = setInterval(() => {
        for (const client of dripping) if (!client.ended && !client.error) client.send("x");
        for (const client of readers) client.socket.read(1);
      }, DRIP_MS);
      const life = (client: Client): Promise<Life> => {
        dripping.push(client);
        return lifeOf(client);
      };
      await open(READERS, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n", (client) => readers.push(client), true);
      const lives = await Promise.all([
        ...(await open(HEADS, "GET / HTTP/1.1\r\nX: ", life)),
        ...(await open(BODIES, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", life)),
      ]);
      const cut = async (): Promise<number> => Number((await server.get("/cut")).body);
      await eventually(`${READERS} readers cut`, async () => (await cut()) === READERS, GONE_MS_MAX);
      clearInterval(drip);
      stop.abort();
      await serving;

      expect(new Set(lives.map(({ end }) => end))).toEqual(new Set(["408 close"]));
      expect(Math.max(...lives.map(({ ms }) => ms)), "the longest life of a slow one").toBeLessThan(GONE_MS_MAX);
      times.sort((a, b) => a - b);
      expect(times.length).toBeGreaterThan(100);
      expect(times[times.length >> 1], "the median").toBeLessThan(50);
      expect(times[times.length - 1], "the longest").toBeLessThan(2000);
      expect((await server.request(GET)).status).toBe(200);
    });
  });
}

interface Life {
  /** The answer that it got at its end. */
  end: string;
  ms: number;
}

/** How a client ends that is refused, and after how long. */
async function lifeOf(client: Client): Promise<Life> {
  const began = performance.now();
  let end: string;
  try {
    const response = await client.readResponse();
    end = `${response.status} ${response.headers.get("connection")}`;
    await client.gone();
  } catch (error) {
    end = (error as Error).message;
  }
  client.close();
  return { end, ms: performance.now() - began };
}
