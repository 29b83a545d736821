// Many streams in one thread: limits of each, and none that waits for another.
import { afterEach, describe, expect, test } from "vitest";

import type { Client } from "../support/client.js";
import { activity } from "../support/processes.js";
import { eventually, type Server, start, type Way } from "../support/ways.js";

const APP = "test/e2e/apps/stopping.ts";

export function crowdSuite(way: Way): void {
  describe("many streams", () => {
    const servers: Server[] = [];
    const serve = async (options: object): Promise<Server> => {
      const server = await start(way, APP, [], { env: { SERVER_OPTIONS: JSON.stringify(options) } });
      servers.push(server);
      return server;
    };
    afterEach(async () => {
      await Promise.all(servers.splice(0).map((server) => server.stop()));
    });
    const echoes = async (client: Client, line: string): Promise<void> => {
      expect(await client.send(line).readUntil("\n")).toBe(line);
    };

    test("one that is silent for the idle time is closed in order, one that speaks goes on", async () => {
      const server = await serve({ idleTimeoutMs: 400 });
      const [silent, dripping, talking] = [await server.connect(), await server.connect(), await server.connect()];
      const drip = setInterval(() => dripping.ended || dripping.send("x"), 50);
      const gone = Promise.all([silent.expectEnd(), dripping.expectEnd()]);
      for (let over = false; !over; ) {
        await echoes(talking, "hello\n");
        over = await Promise.race([gone.then(() => true), new Promise<boolean>((next) => setTimeout(next, 50, false))]);
      }
      clearInterval(drip);
      await echoes(talking, "still here\n");
    });

    test("one that takes nothing of what waits for it is closed, and its handler learns why", async () => {
      const server = await serve({ writeTimeoutMs: 400 });
      (await server.connect({ silent: true })).send("flood\n");
      expect(await server.complaint(/closed: /)).toBe("closed: TIMEOUT");
    });

    test("more than may be open wait without a spin, and each place that is free lets one in", async () => {
      const server = await serve({ connectionsMax: 20 });
      const held = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
      await Promise.all(held.map((client) => echoes(client, "in\n")));
      const waiting = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
      for (const client of waiting) client.send("in too\n");
      const { cpuShare, wakeUpsPerSecond } = await activity(server.pid);
      expect(cpuShare).toBeLessThan(0.05);
      expect(wakeUpsPerSecond).toBeLessThan(50);
      const inside = (): number => waiting.filter((client) => client.receivedBytes > 0).length;
      expect(inside()).toBe(0);
      for (let count = 1; count <= 20; count++) {
        held[count - 1].close();
        await eventually(`${count} let in`, () => inside() === count);
      }
    });

    test("slow clients never delay another: half a line, no reading, a byte at a time", {
      timeout: 90_000,
    }, async () => {
      const server = await serve({});
      for (let i = 0; i < 50; i++) (await server.connect()).send("half a li");
      for (let i = 0; i < 5; i++) (await server.connect({ silent: true })).send("flood\n");
      const dripping = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
      const drip = setInterval(() => {
        for (const client of dripping) client.send("x");
      }, 20);
      const fast = await server.connect();
      const times: number[] = [];
      for (let i = 0; i < 200; i++) {
        const began = performance.now();
        await echoes(fast, `line ${i}\n`);
        times.push(performance.now() - began);
      }
      clearInterval(drip);
      times.sort((a, b) => a - b);
      expect(times[100], "the median").toBeLessThan(20);
      expect(times[199], "the longest").toBeLessThan(1000);
      await echoes(await server.connect(), "a new one\n");
    });

    test("three thousand in one thread: each is answered, also after all the others were silent", async () => {
      const server = await serve({});
      const clients: Client[] = [];
      while (clients.length < 3000) {
        clients.push(...(await Promise.all(Array.from({ length: 250 }, () => server.connect()))));
      }
      await Promise.all(clients.map((client, index) => echoes(client, `line ${index}\n`)));
      for (let i = 0; i < 300; i++) await echoes(clients[(i * 997) % 3000], `again ${i}\n`);
      expect((await activity(server.pid)).cpuShare).toBeLessThan(0.05);
      for (const client of clients) client.close();
    });
  });
}
