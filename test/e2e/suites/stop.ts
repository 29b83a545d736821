// What a server counts, and how it stops: no connection that it has accepted is lost, whatever stops it and whatever
// comes meanwhile.
import { afterEach, describe, expect, test } from "vitest";

import { Client } from "../support/client.js";
import { eventually, type Server, start, type Way } from "../support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const COUNTING = "test/e2e/apps/counting.ts";
const STOPPING = "test/e2e/apps/stopping.ts";

/** While it stops, a server waits 500 ms for a connection's next request. A client that was held up for longer may miss that. */
const PAUSE_MS_MAX = 250;

/** Clients of the server that stops. Half of them connect for each request: more than Node accepts between two answers. */
const LANES = 400;

/**
 * Fresh connections that the kernel may reset: those that it completes between the server's last accept, which finds
 * nothing, and the close of the listener, while the server's process waits for a core. No system call closes that gap.
 */
const RESET_BY_KERNEL_MAX = LANES / 40;

interface Stats extends Record<string, number> {
  readonly workers: never;
}

/** `workers`: also with several of them. */
export function stopSuite(way: Way, workers = 1): void {
  const servers: Server[] = [];
  const serve = async (app: string, options = {}): Promise<Server> => {
    const env = { SERVER_OPTIONS: JSON.stringify(options) };
    const server = await start(way, app, workers > 1 ? ["--workers", String(workers)] : [], { env });
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  const statsOf = async (server: Server): Promise<Stats> => JSON.parse((await server.get("/stats")).body.toString());

  describe(`stats, ${workers} workers`, () => {
    test("a thousand connections, each with a request: none now, all ever, and the memory is back", async () => {
      const server = await serve(COUNTING);
      const hundred = async (): Promise<void> => {
        const clients = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
        await Promise.all(clients.map((client) => client.send(GET).readResponse()));
        for (const client of clients) client.close();
      };
      await hundred();
      await eventually("gone", async () => (await statsOf(server)).connectionsNow === 1);
      const before = await statsOf(server);
      for (let i = 0; i < 10; i++) await hundred();
      let after = await statsOf(server);
      await eventually("all are gone but the one that asks", async () => {
        after = await statsOf(server);
        return after.connectionsNow === 1;
      });
      const asked = after.requestsEver - before.requestsEver - 1000;
      expect(after.connectionsEver - before.connectionsEver).toBe(1000 + asked);
      expect(after.requestsNow).toBe(1);
      expect(after.bytesIn - before.bytesIn).toBeGreaterThanOrEqual(1000 * GET.length);
      expect(after.bytesOut - before.bytesOut).toBeGreaterThan(1000 * "Hello, world".length);
      expect(after.bufferBytes).toBeLessThan(64 * 1024);
      if (workers === 1) expect(after.memoryBytes, "what the first round took is used again").toBe(before.memoryBytes);
      expect(after.turns).toBeGreaterThan(before.turns);
      expect(after.turnNsMax).toBeLessThanOrEqual(after.turnNs);
      expect(after.readyPerTurn).toBeGreaterThan(0);
    });

    test("a thousand at once", async () => {
      const server = await serve(COUNTING);
      const clients = await Promise.all(Array.from({ length: 1000 }, () => server.connect()));
      await Promise.all(clients.map((client) => client.send(GET).readResponse()));
      expect((await statsOf(server)).connectionsNow).toBe(1001);
      for (const client of clients) client.reset();
      await eventually("all gone", async () => (await statsOf(server)).connectionsNow === 1);
    });

    test("of what waits in a handler and what was refused", async () => {
      const server = await serve(COUNTING);
      const busy = (await server.connect()).send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
      await (await server.connect()).send("nonsense\r\n\r\n").gone();
      await eventually("two requests", async () => (await statsOf(server)).requestsNow === 2);
      expect((await statsOf(server)).requestsRefused).toBe(1);
      busy.reset();
      await eventually("one request", async () => (await statsOf(server)).requestsNow === 1);
    });
  });

  describe(`a stop, ${workers} workers`, () => {
    test("inside a handler, with forty connections on their way: each is answered", async () => {
      const server = await serve(STOPPING);
      const clients = await Promise.all(Array.from({ length: 40 }, () => server.connect()));
      const answers = clients.map((client, index) =>
        client
          .send(index === 0 ? "stop\n" : `line ${index}\n`)
          .halfClose()
          .readToEnd(),
      );
      const texts = (await Promise.all(answers)).map(String);
      expect(texts).toEqual(texts.map((_, index) => (index === 0 ? "stop\n" : `line ${index}\n`)));
      expect(await server.exited).toEqual({ code: 0, signal: null });
    });

    test("with more waiting than may be open: each is answered", async () => {
      const server = await serve(STOPPING, { connectionsMax: 5 });
      const clients = await Promise.all(Array.from({ length: 60 }, () => server.connect()));
      const answers = clients.map((client, index) => client.send(`line ${index}\n`).halfClose().readToEnd());
      server.signal("SIGTERM");
      expect((await Promise.all(answers)).map(String)).toEqual(clients.map((_, index) => `line ${index}\n`));
      expect(await server.exited).toEqual({ code: 0, signal: null });
    });

    test("under load: each connection that is accepted is answered, also on a connection that is used again and again", async () => {
      const server = await serve(COUNTING);
      const count = { answered: 0, refused: 0, reset: 0 };
      const lost: string[] = [];
      let stopping = false;
      const lane = async (reuse: boolean): Promise<void> => {
        for (;;) {
          const client = await Client.connect(server.port).catch(() => null);
          if (client === null) {
            count.refused++;
            return;
          }
          let askedAt = performance.now();
          let isFresh = true;
          for (let last = false; !last; isFresh = false) {
            const pauseMs = performance.now() - askedAt;
            askedAt += pauseMs;
            const answer = await client
              .send(GET)
              .readResponse()
              .catch((error: Error) => error);
            if (answer instanceof Error) {
              if (stopping && isFresh && client.error !== null && client.receivedBytes === 0) count.reset++;
              else if (pauseMs < PAUSE_MS_MAX) {
                lost.push(`${isFresh ? "fresh" : "kept"}, ${stopping ? "stopping" : "serving"}: ${answer.message}`);
              }
              break;
            }
            count.answered++;
            last = !reuse || answer.headers.get("connection") === "close";
          }
          client.close();
        }
      };
      const lanes = Array.from({ length: LANES }, (_, index) => lane(index % 2 === 0));
      await eventually("load", () => count.answered > 500);
      stopping = true;
      server.signal("SIGTERM");
      await Promise.all(lanes);
      expect(stopping).toBe(true);
      expect(lost.join("; ")).toBe("");
      expect(count.reset).toBeLessThanOrEqual(RESET_BY_KERNEL_MAX);
      expect(count.refused).toBe(LANES);
      expect(await server.exited).toEqual({ code: 0, signal: null });
    });

    test("a burst in the queue when the stop comes: each is answered", async () => {
      const server = await serve(COUNTING);
      await server.get("/");
      const connecting = Array.from({ length: 200 }, () => Client.connect(server.port));
      const clients = await Promise.all(connecting);
      server.signal("SIGTERM");
      const answers = await Promise.all(clients.map((client) => client.send(GET).readResponse()));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      for (const client of clients) client.close();
      expect(await server.exited).toEqual({ code: 0, signal: null });
    });

    test("with a time: what takes longer is closed", async () => {
      const server = await serve(COUNTING);
      const busy = (await server.connect()).send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
      await eventually("two requests", async () => (await statsOf(server)).requestsNow === 2);
      const started = performance.now();
      expect((await server.get("/stop?ms=3000")).body.toString()).toBe("stopping");
      expect(await busy.gone()).toBe("ended");
      expect(performance.now() - started).toBeGreaterThan(2900);
      expect(await server.exited).toEqual({ code: 0, signal: null });
    });
  });

  describe(`closeAllConnections, ${workers} workers`, () => {
    test("closes all that is open, with or without a request, and the server goes on", async () => {
      const server = await serve(COUNTING);
      const idle = await server.connect();
      await idle.send(GET).readResponse();
      const busy = (await server.connect()).send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
      await eventually("two requests", async () => (await statsOf(server)).requestsNow === 2);
      const asking = (await server.connect()).send("GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
      await Promise.all([idle.gone(), busy.gone(), asking.gone()]);
      // Another worker may come to it a little later, and closes what it has taken meanwhile.
      const served = (): Promise<boolean> =>
        server.get("/").then(
          ({ status }) => status === 200,
          () => false,
        );
      await eventually("an answer", served);
      expect((await statsOf(server)).requestsNow).toBe(1);
    });

    test("after a stop ends the server at once", async () => {
      const server = await serve(COUNTING);
      const busy = (await server.connect()).send("GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
      await eventually("two requests", async () => (await statsOf(server)).requestsNow === 2);
      const started = performance.now();
      (await server.connect()).send("GET /stop-and-close HTTP/1.1\r\nHost: x\r\n\r\n");
      await busy.gone();
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - started).toBeLessThan(4000);
    });
  });
}
