// The command on one runtime: how it starts, how it ends, and what it does when a port or an application fails it.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, test } from "vitest";

import { Client } from "../support/client.js";
import { eventually, type Options, run, type Server, start, type Way } from "../support/ways.js";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const slow = (ms: number): string => `GET /slow?ms=${ms} HTTP/1.1\r\nHost: x\r\n\r\n`;

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

export function commandSuite(way: Way): void {
  describe("serving", () => {
    let server: Server | undefined;
    const serve = async (app: string, args: string[] = []): Promise<Server> => (server = await start(way, app, args));
    afterEach(async () => {
      await server?.stop();
      server = undefined;
    });

    test("examples/hello.ts, and one line that says so", async () => {
      const server = await serve("examples/hello.ts");
      expect(server.output.stdout).toBe(`Waterspout serves http://127.0.0.1:${server.port}/ (${way.runtime})\n`);
      const response = await server.get("/anything");
      expect(response).toMatchObject({ status: 200 });
      expect(response.headers.get("content-type")).toMatch(/^text\/plain\b/);
      expect(response.body.toString()).toBe("Hello, world");
    });

    test("a .js module whose default export is an instance", async () => {
      const server = await serve("test/e2e/apps/instance.js");
      expect(server.url).toBe(`tcp://127.0.0.1:${server.port}`);
      expect((await (await server.connect()).readToEnd()).toString()).toBe("instance\n");
    });

    test("on the runtime that the environment names, unless the command line does", async () => {
      const env = { WATERSPOUT_RUNTIME: "abacus" };
      server = await start(way, "examples/hello.ts", [], { env });
      const { code, stderr } = await run(["run", "examples/hello.ts", "--port", "0"], { env });
      expect(code).toBe(2);
      expect(stderr).toMatch(/"abacus"/);
    });

    test.skipIf(!hasIPv6)("on an IPv6 address", async () => {
      const { url, port } = await serve("examples/hello.ts", ["--address", "::1"]);
      expect(url).toBe(`http://[::1]:${port}/`);
      const client = await Client.connect(port, { host: "::1" });
      expect((await client.send(GET).readResponse()).status).toBe(200);
      client.close();
    });

    test("on another address", async () => {
      const { url, port } = await serve("examples/hello.ts", ["--address", "127.0.0.2"]);
      expect(url).toBe(`http://127.0.0.2:${port}/`);
      const client = await Client.connect(port, { host: "127.0.0.2" });
      expect((await client.send(GET).readResponse()).status).toBe(200);
      client.close();
      await expect(Client.connect(port)).rejects.toThrow("ECONNREFUSED");
    });

    test("on a port of one's choice, again right after a server on it has ended", async () => {
      const first = await serve("examples/hello.ts");
      await first.get("/");
      await first.stop();
      const again = await serve("examples/hello.ts", ["--port", String(first.port)]);
      expect(again.port).toBe(first.port);
      expect((await again.get("/")).status).toBe(200);
    });

    describe("SIGTERM", () => {
      test("lets a request in flight finish, takes no other, ends what is idle, exits 0", async () => {
        const server = await serve(way.demo);
        const [idle, busy] = [await server.connect(), await server.connect()];
        await idle.send(GET).readResponse();
        busy.send(slow(2500));
        await idle.send(GET).readResponse(); // by now the slow one is in its handler
        server.signal("SIGTERM");
        await idle.expectEnd();
        await refuses(server.port);
        expect(busy.receivedBytes, "the answer must still be on its way").toBe(0);
        const response = await busy.readResponse();
        expect(response.body.toString()).toBe("slept 2500 ms");
        expect(response.headers.get("connection")).toBe("close");
        await busy.expectEnd();
        expect(await server.exited).toEqual({ code: 0, signal: null });
      });

      test("with nothing to wait for it exits at once", async () => {
        const server = await serve(way.demo);
        await server.get("/");
        const before = performance.now();
        server.signal("SIGTERM");
        expect(await server.exited).toEqual({ code: 0, signal: null });
        expect(performance.now() - before).toBeLessThan(3000);
      });

      test("waits ten seconds for a request that takes longer, no more", { timeout: 30_000 }, async () => {
        const server = await serve(way.demo);
        const busy = (await server.connect()).send(slow(60_000));
        await server.get("/");
        const before = performance.now();
        server.signal("SIGTERM");
        await busy.gone();
        expect(await server.exited).toEqual({ code: 0, signal: null });
        expect(performance.now() - before).toBeGreaterThan(8000);
        expect(performance.now() - before).toBeLessThan(13_000);
      });
    });

    test("SIGINT says what is waited for, how long, and how to end it at once", async () => {
      const server = await serve("examples/demo.ts");
      (await server.connect()).send(slow(60_000));
      await server.get("/");
      server.signal("SIGINT");
      await server.complaint(/^waterspout: waits up to 10 s for 1 request in flight; a second \^C ends it at once$/);
      server.signal("SIGINT");
      expect(await server.exited).toEqual({ code: 130, signal: null });
    });

    test.each([
      ["SIGTERM", 143],
      ["SIGINT", 130],
    ] as const)("a second %s ends it at once with %i", async (signal, code) => {
      const server = await serve(way.demo);
      (await server.connect()).send(slow(60_000));
      await server.get("/");
      server.signal(signal);
      await refuses(server.port);
      const before = performance.now();
      server.signal(signal);
      expect(await server.exited).toEqual({ code, signal: null });
      expect(performance.now() - before).toBeLessThan(3000);
    });
  });

  describe("what cannot be served ends with one clear line", () => {
    const fails = async (args: string[], code: number, line: RegExp, options?: Options): Promise<void> => {
      const result = await run(["run", ...args, "--runtime", way.runtime], options);
      expect(result).toMatchObject({ code, stdout: "" });
      expect(result.stderr).toMatch(/^waterspout: [^\n]+\n$/);
      expect(result.stderr).toMatch(line);
    };

    test("a port in use", async () => {
      const other = net.createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const { port } = other.address() as net.AddressInfo;
      await fails(["examples/hello.ts", "--port", String(port)], 1, new RegExp(`127\\.0\\.0\\.1:${port}\\b.*in use`));
      other.close();
    });

    // A user who runs this as root gives that right away first, which takes no other user: one might not be able to read
    // the project. Some containers let every user have every port; there it cannot be seen.
    const free = Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "latin1")) <= 81;
    const wrap = process.getuid!() === 0 ? ["setpriv", "--bounding-set=-net_bind_service", "--"] : [];
    test.skipIf(free)("a port that needs a right", async () => {
      await fails(["examples/hello.ts", "--port", "81"], 1, /127\.0\.0\.1:81\b.*permi/i, { wrap });
    });

    test("an address that is not this machine's", async () => {
      await fails(["examples/hello.ts", "--port", "0", "--address", "192.0.2.1"], 1, /192\.0\.2\.1/);
    });

    test("a port that is none", async () => {
      for (const port of ["x", "65536", "-1", ""]) await fails(["examples/hello.ts", `--port=${port}`], 2, /port/);
    });

    test("a missing application", () => fails(["examples/nowhere.ts"], 2, /examples\/nowhere\.ts/));
    test("a missing sandboxed application", () => fails(["build/nowhere.wasm"], 2, /build\/nowhere\.wasm/));
    test("an application without a handler", () => fails(["test/e2e/apps/nothing.ts"], 2, /nothing\.ts.*default/));
    test("an application that is no program", () => fails(["README.md"], 2, /README\.md/));
    test("an application that fails while it loads", () => fails(["test/e2e/apps/broken.ts"], 1, /broken on purpose/));
    test("an unknown option", () => fails(["examples/hello.ts", "--speed", "high"], 2, /--speed/));
    test("workers that are no number", () => fails(["examples/hello.ts", "--workers", "many"], 2, /workers/));
    test("no workers", () => fails(["examples/hello.ts", "--workers", "0"], 2, /workers/));
  });
}

async function refuses(port: number): Promise<void> {
  await eventually(`port ${port} refuses`, async () => {
    try {
      (await Client.connect(port)).close();
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
    }
  });
}
