// Worker processes: how they end, who replaces them, and that a connection that waits meanwhile is not lost.
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

import { Clients, KINDS } from "../losses/clients.js";
import { killOne, lossesOfOthers } from "../losses/kills.js";
import { Versioned } from "../losses/server.js";
import { Client } from "./support/client.js";
import { isAlive, workersOf } from "./support/processes.js";
import { ask, Program } from "./support/programs.js";
import { eventually, NODE, run, type Server, start, WASMTIME, wasmtime } from "./support/ways.js";

describe.each(["node", "wasmtime"])("forkProcesses with %s", (runtime) => {
  let program: Program;
  const run = (env: Record<string, string> = {}): Program => {
    const binary = runtime === "wasmtime" ? { WATERSPOUT_WASMTIME: wasmtime() } : {};
    return (program = new Program("test/e2e/apps/forked.ts", { WATERSPOUT_RUNTIME: runtime, ...binary, ...env }));
  };
  afterEach(() => program.end());

  /** Waits until all serve; answers the port. */
  const serving = async (count = 2): Promise<number> => {
    await program.lines(count);
    program.workers();
    return program.port();
  };

  describe("sockets, ends and restarts", () => {
    test("the sockets that were bound before are the same in all of them, in their order", async () => {
      run({ PROCESSES: "3" });
      await serving(3);
      const [ports, ...rest] = new Set((await program.lines(3)).map((line) => line.replace(/^.* port /, "")));
      expect(rest).toEqual([]);
      for (const port of ports.split(" and ")) expect(await ask(Number(port), "who")).toMatch(/^[012] \d+$/);
    });

    // wasmtime takes none.
    if (runtime === "node") {
      test("a Unix-domain socket is shared, too; its file goes with the last", async () => {
        const folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
        onTestFinished(() => rmSync(folder, { recursive: true }));
        const file = path.join(folder, "socket");
        run({ SOCKET: file });
        await serving();
        for (let i = 0; i < 4; i++) {
          const socket = net.connect(file);
          socket.write("who\n");
          expect(String((await once(socket, "data"))[0])).toMatch(/^[01] \d+\n$/);
          socket.destroy();
        }
        process.kill(program.workers()[0].pid, "SIGKILL");
        await program.lines(3);
        expect(existsSync(file)).toBe(true);
        program.workers();
        program.signal("SIGTERM");
        expect(await program.gone()).toEqual({ code: 0, signal: null });
        expect(existsSync(file)).toBe(false);
      });
    }

    test("a worker that ends abnormally is started again with its id; the others serve on", async () => {
      run();
      const port = await serving();
      const client = await Client.connect(port);
      const [task, pid] = (await client.send("who\n").readUntil("\n")).trim().split(" ");
      process.kill(Number(pid), "SIGKILL");
      await client.gone();
      expect(await ask(port, "who")).toMatch(/^\d \d+$/);
      const lines = await program.lines(3);
      expect(lines[2]).toMatch(new RegExp(`^worker ${task} serves port ${port} and \\d+$`));
      expect(program.errors).toContain(`worker process ${task} has ended by SIGKILL; it is started again`);
      const failed = await Client.connect(port);
      failed.send("exit 7\n");
      await failed.gone();
      await program.lines(4);
      expect(program.errors).toContain("has ended with status 7; it is started again");
    });

    test("one that ends in order is not; when all have, the program ends with 0", async () => {
      run();
      const port = await serving();
      const one = (await Client.connect(port)).send("exit 0\n");
      await one.gone();
      expect(await ask(port, "who")).toMatch(/^\d \d+$/);
      const other = (await Client.connect(port)).send("exit 0\n");
      await other.gone();
      expect(await program.gone()).toEqual({ code: 0, signal: null });
      expect(program.output.split("\n").length).toBe(3);
      expect(program.errors).toBe("");
    });

    test("after maxRestarts the program gives up, says why, and takes the others along", async () => {
      run({ FAIL_IN_WORKER: "1", MAX_RESTARTS: "2" });
      await serving(1);
      expect(await program.gone()).toEqual({ code: 1, signal: null });
      expect(program.errors.match(/failed on purpose/g)?.length).toBeGreaterThanOrEqual(3);
      expect(program.errors).toMatch(/WorkerError: gave up after 2 restarts of worker processes.*worker 1.*status 1/);
    });
  });

  describe("signals, and what is left", () => {
    test.each(["SIGTERM", "SIGINT"] as const)(
      "%s is forwarded: what is in flight finishes, then it exits with 0",
      async (signal) => {
        run();
        const port = await serving();
        const client = (await Client.connect(port)).send("sleep 1500\n");
        expect(await client.readUntil("\n")).toBe("asleep\n");
        program.signal(signal);
        await refused(port);
        expect(client.receivedBytes, "the answer must still be on its way").toBe(0);
        expect(await client.readUntil("\n")).toMatch(/^\d \d+\n$/);
        client.close();
        expect(await program.gone()).toEqual({ code: 0, signal: null });
        expect(program.errors).toBe("");
      },
    );

    test("a second signal ends all of them at once", async () => {
      run();
      const port = await serving();
      const client = (await Client.connect(port)).send("sleep 60000\n");
      await client.readUntil("\n");
      program.signal("SIGTERM");
      await refused(port);
      program.signal("SIGTERM");
      expect(await program.gone()).toEqual({ code: 143, signal: null });
      await client.gone();
    });

    test("a worker's own handler of a signal is the one that counts", async () => {
      run({ OWN_HANDLER: "1", PROCESSES: "1" });
      await serving(1);
      program.signal("SIGTERM");
      expect(await program.gone()).toEqual({ code: 3, signal: null });
      expect(program.output).toContain("a handler of its own");
    });

    test("workers end when the process that started them is killed", async () => {
      run();
      await serving();
      program.signal("SIGKILL");
      await program.gone();
    });

    test("with all of them killed no client is refused, and those that wait are answered by the next ones", async () => {
      run();
      const port = await serving();
      for (let round = 0; round < 3; round++) {
        const victims = program.workers();
        for (const { pid } of victims) process.kill(pid, "SIGKILL");
        await eventually("all dead", () => !victims.some(isAlive));
        const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(port)));
        for (const client of clients) client.send("who\n");
        for (const client of clients) {
          const [, pid] = (await client.readUntil("\n")).split(" ");
          expect(victims.map((victim) => victim.pid)).not.toContain(Number(pid));
          client.close();
        }
        await program.lines(2 * (round + 2));
      }
    });

    test("a port in use is reported once, with its address, before any worker is started", async () => {
      const other = net.createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const { port } = other.address() as net.AddressInfo;
      run({ PORT: String(port) });
      expect((await program.exited).code).toBe(1);
      expect(program.errors.match(/BindError: /g)?.length).toBe(1);
      expect(program.errors).toContain(
        `cannot listen on 127.0.0.1:${port}: the address is already in use (EADDRINUSE)`,
      );
      other.close();
    });
  });
});

describe("the command's workers", () => {
  let server: Server;
  afterEach(() => server.stop());

  test.each([
    ["node", NODE],
    ["wasmtime", WASMTIME],
  ])(
    "%s: with all of them killed no client is refused, and those that wait are answered by the next ones",
    async (_, way) => {
      server = await start(way, way.demo, ["--workers", "2"]);
      await eventually("two workers", () => workersOf(server.pid).length === 2);
      for (let round = 0; round < 3; round++) {
        const victims = workersOf(server.pid);
        for (const { pid } of victims) process.kill(pid, "SIGKILL");
        await eventually("all dead", () => !victims.some(isAlive));
        const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
        for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        for (const client of clients) expect((await client.readResponse()).status).toBe(200);
        await eventually("two workers", () => workersOf(server.pid).length === 2);
      }
    },
  );
});

async function refused(port: number): Promise<void> {
  await eventually("no process listens", async () => {
    try {
      (await Client.connect(port)).close();
      return false;
    } catch {
      return true;
    }
  });
}

describe("a worker process that dies before all serve", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "waterspout-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const APP = "test/e2e/apps/dying.ts";
  const victims = (VICTIMS: string) => ({ env: { FOLDER: folder, VICTIMS } });

  test("is replaced, and said, when another has served", async () => {
    const server = await start(NODE, APP, ["--workers", "3"], victims("1,2"));
    onTestFinished(() => server.stop());
    for (const id of [1, 2]) {
      expect(server.output.stderr).toContain(`worker process ${id} has ended by SIGKILL; it is started again`);
    }
    await eventually("each serves", async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => server.get("/")));
      return new Set(answers.map(({ body }) => body.toString())).size === 3;
    });
  });

  test("ends the server when none has, which says so", async () => {
    const ended = await run(["run", APP, "--port", "0", "--workers", "2"], victims("0"));
    expect(ended).toMatchObject({ code: 137, stdout: "" });
    expect(ended.stderr).toBe("waterspout: warning: worker process 0 has ended by SIGKILL before it served\n");
  });
});

const KILLS = 3;

test.each([NODE, WASMTIME])(
  `$name: ${KILLS} kills under load: no connection is refused, and none of another worker's is lost`,
  async (way) => {
    const app = new Versioned();
    onTestFinished(() => app.remove());
    const server = await app.serve(way, ["--workers", "2"]);
    onTestFinished(() => server.stop());
    const clients = new Clients(server.port);
    for (const kind of KINDS) clients.add(kind, Math.ceil(kind.many / 10));
    const cut = new Set<number>();
    for (let i = 0; i < KILLS; i++) await killOne(server, cut);
    await clients.end();
    expect(lossesOfOthers(clients.lost, cut)).toEqual([]);
    const lines = server.output.stderr.trimEnd().split("\n");
    const said =
      way === NODE
        ? /^waterspout: warning: worker process \d has ended by SIGKILL; it is started again/
        : /worker \d has ended: it was killed by SIGKILL(; lost with it: \d+ requests?)?; it is started again/;
    expect(lines).toEqual(Array(KILLS).fill(expect.stringMatching(said)));
  },
);

test("what was lost with a worker of wasmtime is one line with its number", async () => {
  const server = await start(WASMTIME, WASMTIME.demo, ["--access-log", "off"]);
  onTestFinished(() => server.stop());
  const clients = await Promise.all([1, 2, 3].map(() => server.connect()));
  for (const client of clients) {
    await client.send("GET /big?bytes=16777216 HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("\r\n\r\n");
    client.socket.pause();
  }
  const [worker] = workersOf(server.pid);
  process.kill(worker.pid, "SIGKILL");
  await server.complaint(/SIGKILL; lost with it: 3 requests; it is started again$/);
  expect(server.output.stderr.trimEnd().split("\n")).toHaveLength(1);
});
