// Clients that leave while a handler works for them, in every way: the handler learns of it at once, the connection
// does not stay, and one that has only ended its side gets what it is answered.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "../support/client.js";
import { eventually, type Server } from "../support/ways.js";

interface Told {
  /** By path: requests that a handler has begun, and those whose client's end it has seen. */
  entered: Record<string, number>;
  told: Record<string, number>;
  open: number;
}

const LEAVING: Record<string, (client: Client) => void> = {
  "closes the connection": (client) => client.close(),
  "resets the connection": (client) => client.reset(),
  "ends its side": (client) => client.halfClose(),
};

export async function toldBy(server: Server): Promise<Told> {
  return JSON.parse((await server.get("/told")).body.toString());
}

/** Stops at once: handlers that see that their client has left have all the time that a stop gives. */
export async function stop(server: Server): Promise<void> {
  await (await server.connect()).send("GET /close-all HTTP/1.1\r\nHost: x\r\n\r\n").gone();
  await server.stop();
}

/** A client for each of `paths`, whose handlers wait and have not seen anything; their streams have begun. */
async function waiting(server: Server, paths: string[], streams: string[]): Promise<Client[]> {
  const before = await toldBy(server);
  const clients = await Promise.all(
    paths.map(async (path) => {
      const client = (await server.connect()).send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      if (streams.includes(path)) await client.readUntil("begun");
      return client;
    }),
  );
  await eventually("their handlers", async () => {
    const { entered } = await toldBy(server);
    return paths.every((path) => (entered[path] ?? 0) === (before.entered[path] ?? 0) + 1);
  });
  expect((await toldBy(server)).told).toEqual(before.told);
  return clients;
}

/**
 * `start` gives a server with this halfCloseTimeoutMs; `paths` are those whose handlers wait, `streams` those that have
 * sent a part.
 */
export function leavingSuite(start: (ms: number) => Promise<Server>, paths: string[], streams: string[]): void {
  const all = [...paths, ...streams];
  describe("a client that leaves", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(60_000); // longer than any test waits
    });
    afterAll(() => stop(server));

    test.each(Object.entries(LEAVING))(
      "and %s: its handler hears of it once, of whatever kind it is",
      async (_manner, leave) => {
        const { told } = await toldBy(server);
        for (const client of await waiting(server, all, streams)) leave(client);
        const expected = Object.fromEntries(all.map((path) => [path, (told[path] ?? 0) + 1]));
        await eventually("all have heard", async () => {
          const now = (await toldBy(server)).told;
          return all.every((path) => now[path] >= expected[path]);
        });
        expect((await toldBy(server)).told).toMatchObject(expected);
      },
    );

    test.each([
      ["/stubborn", "all the same"],
      ["/deaf", "heard nothing"],
    ])("or has ended its side and reads on: %s answers %j", async (path, text) => {
      const client = (await server.connect()).send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).halfClose();
      expect((await client.readResponse()).body.toString()).toBe(text);
      await client.expectEnd();
    });
  });

  test("a client that has left keeps no connection, whatever the handler does", async () => {
    const server = await start(1000);
    try {
      const manners = [...Object.values(LEAVING), (client: Client) => client.halfClose().socket.pause()];
      for (const leave of manners) for (const client of await waiting(server, all, streams)) leave(client);
      await eventually("their connections are closed", async () => (await toldBy(server)).open === 1);
    } finally {
      await stop(server);
    }
  });
}
