// What the command logs: a line for each request that a handler has seen, on stderr, in the form that was asked for,
// and what happens when the reader is slow or gone.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { workersOf } from "../support/processes.js";
import { eventually, run, type Server, start, type Way } from "../support/ways.js";

const APP = "test/e2e/apps/logged.ts";
const get = (target: string, more = ""): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

export function logSuite(way: Way): void {
  describe("the access log", () => {
    let server: Server | undefined;
    const serve = async (app: string, args: string[] = [], env = {}): Promise<Server> =>
      (server = await start(way, app, args, { env }));
    afterEach(async () => {
      await server?.stop();
      server = undefined;
    });
    const address = way.runtime === "node" ? "127.0.0.1" : null;

    /** What is on stderr once it has so many lines. */
    async function lines(count: number): Promise<string[]> {
      const all = (): string[] => (server as Server).output.stderr.split("\n").slice(0, -1);
      await eventually(`${count} lines`, () => all().length >= count).catch((error: Error) => {
        throw new Error(`${error.message}; stderr: ${server?.output.stderr}`);
      });
      return all();
    }
    const entries = async (count: number) => (await lines(count)).map((line) => JSON.parse(line));

    describe("lines", () => {
      test("a reader of stdout and stderr that leaves costs the lines and nothing else", async () => {
        const server = await serve(way.demo, ["--access-log", "text", "--workers", "2"]);
        server.process.stdout?.destroy();
        server.process.stderr?.destroy();
        const [victim] = workersOf(server.pid);
        process.kill(victim.pid, "SIGKILL"); // which stderr has, too
        await eventually("it is replaced", () => {
          const workers = workersOf(server.pid);
          return workers.length === 2 && workers.every(({ pid }) => pid !== victim.pid);
        });
        for (let i = 0; i < 20; i++) expect((await server.get("/")).status).toBe(200);
      });

      test("is one JSON line a request where stderr is no terminal", async () => {
        const server = await serve(way.demo, ["--access-log", "json"]);
        const requests = [
          get("/"),
          "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
          "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
          get("/stream?chunks=3"),
          get("/big?bytes=1000000"),
          get("/nowhere"),
        ];
        // One after the other: the line of a large answer comes when its last byte has left, which may be after the
        // client has it.
        for (const [index, request] of requests.entries()) {
          await server.request(request);
          await lines(index + 1);
        }
        const seen = await entries(6);
        const common = { level: 30, msg: "request", address };
        expect(seen).toMatchObject([
          { ...common, method: "GET", target: "/", status: 200, bytes: 12 },
          { ...common, method: "POST", target: "/echo", status: 200, bytes: 5 },
          { ...common, method: "HEAD", target: "/", status: 200, bytes: 0 },
          { ...common, method: "GET", target: "/stream?chunks=3", status: 200, bytes: 24 },
          { ...common, method: "GET", target: "/big?bytes=1000000", status: 200, bytes: 1_000_000 },
          { ...common, method: "GET", target: "/nowhere", status: 404 },
        ]);
        for (const { time, ms } of seen) {
          expect(Math.abs(Date.now() - time)).toBeLessThan(60_000);
          expect(ms).toBeGreaterThan(0);
        }
        await server.stop();
        expect((await lines(6)).length).toBe(6);
      });

      test("has one line for each of many on one connection", async () => {
        const server = await serve("examples/hello.ts");
        const client = await server.connect();
        client.send(Array.from({ length: 500 }, (_, index) => get(`/${index}`)).join(""));
        for (let index = 0; index < 500; index++) await client.readResponse();
        expect((await entries(500)).map(({ target }) => target)).toEqual(
          Array.from({ length: 500 }, (_, index) => `/${index}`),
        );
      });

      test("knows failed handlers and clients that left", async () => {
        const server = await serve(APP);
        await server.get("/fail");
        await server.complaint(/ GET \/fail 500 21 [\d.]+ms$/);
        await server.complaint(/^waterspout: error: the handler of GET \/fail failed: Error: failed on purpose/);
        const client = await server.connect();
        client.send(get("/wait"));
        await server.get("/"); // by now the handler of /wait has been called
        client.reset();
        const line = await server.complaint(/ GET \/wait /);
        expect(line).toMatch(/ - GET \/wait - 0 [\d.]+ms [A-Z]+$| 127\.0\.0\.1 GET \/wait - 0 [\d.]+ms [A-Z]+$/);
        expect(server.output.stderr.match(/ GET \/wait /g)?.length).toBe(1);
      });

      test("cannot be forged", async () => {
        const server = await serve(APP);
        const bad = ["/\r\n2026 GET /forged 200", "/\n", "/\0", "/\x1b[2J", "/\x7f", "/ 200 0 0ms"];
        for (const target of bad) expect((await server.get(target)).status).toBe(400); // no handler has seen it
        await server.get("/%0d%0a2026%20GET%20/forged");
        await server.complaint(/ GET \/%0d%0a2026%20GET%20\/forged 200 12 /);
        expect(server.output.stderr.match(/ GET /g)?.length).toBe(1);
      });
    });

    describe("its form, and its reader", () => {
      test("takes the form of the flag, else of the application, else of the environment", async () => {
        const env = { WATERSPOUT_ACCESS_LOG: "off" };
        const quiet = await serve("examples/hello.ts", [], env);
        await quiet.get("/");
        await quiet.stop();
        expect(quiet.output.stderr).toBe("");
        const told = await serve(APP, [], env);
        await told.get("/");
        expect((await lines(1))[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \S+ GET \/ 200 12 [\d.]+ms$/);
        await told.stop();
        const flagged = await serve(APP, ["--access-log", "off"]);
        await flagged.get("/");
        await flagged.stop();
        expect(flagged.output.stderr).toBe("");
      });

      test.each([
        ["--access-log", ["--access-log", "xml"], {}],
        ["WATERSPOUT_ACCESS_LOG", [], { WATERSPOUT_ACCESS_LOG: "xml" }],
      ])("%s with another form is wrong usage", async (name, args, env) => {
        const result = await run(["run", "examples/hello.ts", "--runtime", way.runtime, ...args], { env });
        expect(result).toMatchObject({ code: 2, stdout: "" });
        expect(result.stderr).toBe(`waterspout: ${name} must be text, json or off, not "xml"\n`);
      });

      test("has a line for a websocket, when it is accepted", async () => {
        const server = await serve(way.demo);
        const fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        const client = await server.connect();
        client.send(get("/ws", `${fields}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`));
        expect(await client.readUntil("\r\n\r\n")).toMatch(/^HTTP\/1\.1 101 /);
        expect(await entries(1)).toMatchObject([{ target: "/ws", status: 101, bytes: 0 }]);
      });

      test("whose reader is slow holds up no request: lines are dropped, and counted", {
        timeout: 60_000,
      }, async () => {
        const server = await serve(APP);
        const { stderr } = server.process;
        stderr!.pause();
        const client = await server.connect();
        const batch = get(`/${"x".repeat(1900)}`).repeat(100);
        const batches = 30;
        for (let index = 0; index < batches; index++) {
          client.send(batch);
          for (let answer = 0; answer < 100; answer++) expect((await client.readResponse()).status).toBe(200);
        }
        stderr!.resume();
        await eventually("a line that tells of those that were dropped", async () => {
          await server.get("/short");
          return / lines were dropped/.test(server.output.stderr);
        });
        await server.stop();
        const dropped = [...server.output.stderr.matchAll(/^waterspout: warning: (\d+) lines were dropped/gm)];
        const lost = dropped.reduce((sum, [, count]) => sum + Number(count), 0);
        const told = server.output.stderr.match(/ GET \/xxx/g)?.length ?? 0;
        expect(lost).toBeGreaterThan(0);
        expect(told + lost).toBeGreaterThanOrEqual(batches * 100);
        expect(server.output.stderr.split("\n").length).toBeLessThan(batches * 100);
      });

      test("whose reader has gone ends nothing", async () => {
        const server = await serve(APP);
        await server.get("/");
        server.process.stderr!.destroy();
        for (let index = 0; index < 5; index++) expect((await server.get("/")).status).toBe(200);
      });
    });
  });

  describe("a refused request", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way, APP);
    });
    afterAll(() => server.stop());
    const refused = /^waterspout: warning: a request.* was refused with /;
    const told = (): string[] => server.output.stderr.split("\n").filter((line) => refused.test(line));

    test("is a warning with status, reason and peer, and no line of the access log", async () => {
      const client = await server.connect();
      const response = await client.send("GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n").readResponse();
      expect(response.status).toBe(400);
      const line = await server.complaint(refused);
      const peer = way.runtime === "node" ? ` from 127.0.0.1:${client.socket.localPort}` : "";
      const sentence = response.body.toString().trim();
      expect(line).toBe(`waterspout: warning: a request${peer} was refused with 400: ${sentence}`);
      expect(server.output.stderr).not.toMatch(/ GET /);
    });

    test("is logged ten times a second at most, with how many others there were", { timeout: 30_000 }, async () => {
      const before = told().length;
      const startedAt = performance.now();
      for (let index = 0; index < 60; index++) expect((await server.get("/\0")).status).toBe(400);
      await eventually("a line that stands for others", async () => {
        await server.get("/\0");
        return told().some((line) => / more (was|were) refused before it and not logged$/.test(line));
      });
      const seconds = Math.ceil((performance.now() - startedAt) / 1000) + 1;
      expect(told().length - before).toBeLessThanOrEqual(10 * seconds);
    });
  });
}
