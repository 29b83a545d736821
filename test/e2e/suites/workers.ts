// Workers: the processes that serve, when they are not the command itself. One that dies takes its own connections
// along and no others; it is replaced, and none outlives the command.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "../support/client.js";
import { holdsConnection, isAlive, type ProcessId, workersOf } from "../support/processes.js";
import { eventually, run, type Server, start, type Way } from "../support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const slow = (ms: number): string => `GET /slow?ms=${ms} HTTP/1.1\r\nHost: x\r\n\r\n`;

export function workerSuite(way: Way): void {
  describe("workers", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, way.demo, ["--workers", "2"]);
    });
    afterAll(() => server.stop());
    const twoWorkers = (): Promise<void> => eventually("two workers", () => workersOf(server.pid).length === 2);

    test("are as many as asked for, and each serves the port", async () => {
      await twoWorkers();
      // One that has only just come may not be dealt any of the first ten.
      for (const worker of workersOf(server.pid))
        await eventually("each serves", async () => (await acceptedBy(worker, server)).length > 0);
    });

    test("one that is killed is replaced; the other serves on; the server says so", async () => {
      const [victim, other] = workersOf(server.pid);
      const [cut, kept] = [await acceptedBy(victim, server), await acceptedBy(other, server)];
      process.kill(victim.pid, "SIGKILL");
      for (const client of cut) await client.gone();
      for (const client of kept) expect((await client.send(GET).readResponse()).status).toBe(200);
      await server.complaint(/worker/i);
      for (let i = 0; i < 50; i++) expect((await server.get("/")).status).toBe(200);
      await twoWorkers();
      expect(isAlive(other)).toBe(true);
      const successor = workersOf(server.pid).find(({ pid }) => pid !== other.pid)!;
      await eventually("the new one serves", async () => (await acceptedBy(successor, server)).length > 0);
    });

    test("all of them killed in the middle of answers: who comes next is served", async () => {
      const cut = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
      for (const client of cut) client.send(slow(60_000));
      await server.get("/");
      for (const { pid } of workersOf(server.pid)) process.kill(pid, "SIGKILL");
      for (const client of cut) await client.gone();
      if (way.runtime === "wasmtime")
        await server.complaint(/SIGKILL; lost with it: \d+ requests?; it is started again/);
      if (way.runtime === "wasmtime") expect((await server.get("/")).status).toBe(200); // it waited in the shared queue
      await twoWorkers();
      await eventually("served again", () =>
        server.get("/").then(
          () => true,
          () => false,
        ),
      );
    });

    test("a worker that dies again and again is replaced with pauses, not in a busy loop", async () => {
      const seen = new Set<number>();
      const until = performance.now() + 1000;
      while (performance.now() < until || seen.size <= 2) {
        for (const { pid } of workersOf(server.pid)) {
          seen.add(pid);
          process.kill(pid, "SIGKILL");
        }
        await sleep(5);
      }
      expect(seen.size).toBeGreaterThan(2);
      expect(seen.size).toBeLessThan(60);
      await twoWorkers();
      await eventually("served again", () =>
        server.get("/").then(
          () => true,
          () => false,
        ),
      );
    });

    test("let their requests finish when the server is to stop", async () => {
      const stopping = await start(way, way.demo, ["--workers", "2"]);
      const busy = await Promise.all(Array.from({ length: 8 }, () => stopping.connect()));
      for (const client of busy) client.send(slow(1000));
      await stopping.get("/");
      stopping.signal("SIGTERM");
      for (const client of busy) expect((await client.readResponse()).body.toString()).toBe("slept 1000 ms");
      expect(await stopping.exited).toEqual({ code: 0, signal: null });
      await stopping.stop();
    });

    test("end with the server, however it ends", async () => {
      const doomed = await start(way, way.demo, ["--workers", "2"]);
      const workers = workersOf(doomed.pid);
      expect(workers).toHaveLength(2);
      const busy = await Promise.all(Array.from({ length: 8 }, () => doomed.connect()));
      for (const client of busy) client.send(slow(60_000));
      await doomed.get("/");
      doomed.signal("SIGKILL");
      await doomed.exited;
      await eventually("no worker left", () => !workers.some(isAlive), 5000); // half of what a stop would take
      await doomed.stop();
    });
  });
}

/**
 * Connections that this worker has accepted. Workers of wasmtime share one listener, so the others are held meanwhile;
 * Node's are dealt their connections in turn, and the kernel knows who has which.
 */
async function acceptedBy(worker: ProcessId, server: Server): Promise<Client[]> {
  const others = workersOf(server.pid).filter(({ pid }) => pid !== worker.pid);
  const hold = (signal: "SIGSTOP" | "SIGCONT"): void => {
    if (server.way.runtime === "wasmtime") for (const { pid } of others) process.kill(pid, signal);
  };
  hold("SIGSTOP");
  try {
    const clients = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
    const answers = await Promise.all(clients.map((client) => client.send(GET).readResponse()));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    return clients.filter((client) => holdsConnection(worker.pid, server.port, client.socket.localPort!));
  } finally {
    hold("SIGCONT");
  }
}

/** The binary that the command asks for: for the runtime that needs one. */
export function wasmtimeSuite(): void {
  describe("wasmtime", () => {
    const fails = async (wasmtime: string): Promise<string> => {
      const result = await run(["run", "examples/hello.ts", "--port", "0", "--runtime", "wasmtime"], {
        env: { WATERSPOUT_WASMTIME: wasmtime },
      });
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toMatch(/^waterspout: [^\n]+\n$/);
      return result.stderr;
    };

    test("of another version is refused, naming both", async () => {
      expect(await fails("test/e2e/apps/wasmtime-48")).toMatch(/36.*48\.0\.0|48\.0\.0.*36/);
    });

    test("that is not there", async () => {
      expect(await fails("/nowhere/wasmtime")).toMatch(/\/nowhere\/wasmtime/);
    });

    test("that does not run", async () => {
      expect(await fails("/dev/null")).toMatch(/\/dev\/null/);
    });
  });
}
