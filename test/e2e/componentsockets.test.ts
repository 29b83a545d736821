// What a component does by itself that a preview1 module leaves to its host: where it listens, who its peers are, and
// that it lets go of all that it takes.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rowsBelow } from "../docs/documents.js";
import { Client } from "./support/client.js";
import { importsOf } from "./support/components.js";
import { type Ended, end } from "./support/programs.js";
import {
  CLI,
  COMPONENT,
  COMPONENT_ASYNC,
  COMPONENT_LATER,
  componentCommand,
  eventually,
  makeComponents,
  onWasmtime,
  ROOT,
  type Server,
  start,
} from "./support/ways.js";

/**
 * Answers with the number of its socket among the component's handles, and with its peer; /pieces in pieces, /endless
 * without end, /stop as the last thing that it does, /drain when it has answered.
 */
const TELLING = `import { HTTPHandler, HTTPServer, HTTPServerRequest, IOLoop, drain } from "waterspout/assembly";
export { _start, turn } from "waterspout/assembly";
const block: usize = memory.data(32768, 16);
class Telling extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    if (request.pathIs("/endless")) {
      request.startResponse(200);
      return this.onSent(request);
    }
    if (request.pathIs("/pieces")) {
      request.startResponse(200);
      for (let i = 0; i < 8; i++) request.write("piece");
      return request.finish();
    }
    if (request.pathIs("/stop")) IOLoop.current().stop();
    if (request.pathIs("/drain")) {
      drain(10000, 0);
      request.startResponse(200, 8000000);
      for (let i = 0; i < 250; i++) request.writeBytes(block, 32000);
      return request.finish();
    }
    const address = request.address;
    const socket = request.connection.socket.descriptor;
    request.respond(200, "text/plain", socket.toString() + " " + (address ? address.toString() : "null"));
  }
  onSent(request: HTTPServerRequest): void {
    while (request.waiting == 0 && request.writeBytes(block, 32768)) {}
  }
}
const server = new HTTPServer(new Telling());
server.parameters.writeTimeoutMs = 300;
server.listen();
`;
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/** Connections at the same time. */
const CROWD = 250;
const MIB = 2 ** 20;
/** For compiling on a busy machine. */
const BUILD_MS = 300_000;

const folder = mkdtempSync(path.join(tmpdir(), "waterspout-components-"));
beforeAll(() => {
  makeComponents();
  mkdirSync(path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "package.json"), "{}");
  symlinkSync(ROOT, path.join(folder, "node_modules/waterspout"));
  writeFileSync(path.join(folder, "telling.ts"), TELLING);
}, BUILD_MS);
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([COMPONENT, COMPONENT_ASYNC])("$component", (way) => {
  const target = way.component!;
  const telling = path.join(folder, `telling.${target}.wasm`);
  beforeAll(async () => {
    const build = [process.execPath, CLI, "build", path.join(folder, "telling.ts"), "--target", target];
    expect(await end(build)).toMatchObject({ code: 0 });
  }, BUILD_MS);

  /** What it says on stderr, when it cannot serve. */
  async function complaint(args: string[], options: string[] = []): Promise<Ended> {
    return end([...componentCommand(target, options), way.demo, ...args]);
  }

  describe("peers", () => {
    test("its imports are the published list of rights, and nothing else", async () => {
      const listed = (heading: string): string[] =>
        rowsBelow("docs/threat-model.md", heading).map(({ import: name }) => name.replaceAll("`", ""));
      const published = listed(`### \`${target}\``);
      const imports = (app: string): Promise<string[]> => importsOf(path.join(ROOT, `build/${app}.${target}.wasm`));
      expect((await imports("demo")).sort()).toEqual(published.sort());
      for (const name of await imports("echo")) expect(published).toContain(name);
      const isOfFiles = (name: string): boolean => name.startsWith("wasi:filesystem/");
      const version = target === "component" ? "@0.2.0." : "@0.3.0.";
      const files = listed("### Files").filter((name) => name.includes(version));
      expect((await imports("web")).filter(isOfFiles).sort()).toEqual(files.sort());
    });

    test.each(["127.0.0.1", "::1"])("on %s the peer's address is the client's", async (host) => {
      const server = await start(way, telling, [], { host });
      try {
        for (let i = 0; i < 3; i++) {
          const client = await Client.connect(server.port, { host });
          const { body } = await client.send(GET).readResponse();
          const where = host.includes(":") ? `[${host}]` : host;
          expect(body.toString().split(" ")[1]).toBe(`${where}:${client.socket.localPort}`);
          client.close();
        }
      } finally {
        await server.stop();
      }
    });

    test("an answer that is written in pieces in one turn leaves in one, for there is no TCP_NODELAY", async () => {
      const server = await start(way, telling);
      try {
        const client = await server.connect();
        let reads = 0;
        client.socket.on("data", () => reads++);
        for (let i = 1; i <= 8; i++) {
          const { body } = await client.send("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n").readResponse();
          expect({ body: body.toString(), reads }).toEqual({ body: "piece".repeat(8), reads: i });
        }
      } finally {
        await server.stop();
      }
    });

    test("whatever a client does, its resources and its descriptor are given back", async () => {
      const server = await start(way, telling);
      try {
        const before = descriptorsOf(server);
        const first = await highestSocket(server);
        for (let round = 0; round < 12; round++) await crowd(server, round);
        await eventually("its descriptors given back", () => descriptorsOf(server) <= before + 2);
        // Numbers are used again: with one handle lost by each connection they would have grown by thousands.
        expect(await highestSocket(server)).toBeLessThan(first + CROWD);
      } finally {
        await server.stop();
      }
    });

    test("an answer of any size arrives whole at a client that has ended its side and reads late", async () => {
      const server = await start(way);
      try {
        const bystander = await server.connect();
        const sizes = Array.from({ length: 200 }, (_, i) => 100_000 + i * 30_011);
        for (let at = 0; at < sizes.length; at += 50) {
          const clients = await Promise.all(
            sizes.slice(at, at + 50).map(async (bytes) => {
              const client = await server.connect({ silent: true });
              client.send(`GET /big?bytes=${bytes} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`).halfClose();
              return client;
            }),
          );
          // By then the kernel holds what it can of each answer.
          for (let i = 0; i < 50; i++) await bystander.send(GET).readResponse();
          for (const [i, client] of clients.entries()) {
            const { body } = await client.resume().readResponse();
            expect(body.length).toBe(sizes[at + i]);
            client.close();
          }
        }
      } finally {
        await server.stop();
      }
    });

    test("a peer that takes nothing is given up, and holds up no other", async () => {
      const server = await start(way);
      try {
        const before = await server.connect();
        for (let i = 0; i < 20; i++) {
          const greedy = await server.connect({ silent: true });
          greedy.send(`GET /big?bytes=${16 * MIB} HTTP/1.1\r\nHost: x\r\n\r\n`);
          await before.send(GET).readResponse();
          greedy.reset();
          await before.send(GET).readResponse();
        }
      } finally {
        await server.stop();
      }
    });
  });

  // wasmtime 48 and 49 wait at the end of an output stream of WASI 0.2 until its peer has taken all of it.
  test.each(way === COMPONENT ? [way, onWasmtime(48, way), COMPONENT_LATER] : [way, onWasmtime(48, way)])(
    "$name: peers that read nothing are given up after writeTimeoutMs, and hold up no other",
    async (way) => {
      const server = await start(way, telling);
      try {
        const bystander = await server.connect();
        await bystander.send(GET).readResponse();
        const before = descriptorsOf(server);
        const greedy = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
        for (const client of greedy) {
          await client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("\r\n\r\n");
          client.socket.pause();
        }
        await eventually("they are given up", () => descriptorsOf(server) <= before);
        expect((await bystander.send(GET).readResponse()).status).toBe(200);
        for (const client of greedy) await client.resume().gone();
      } finally {
        await server.stop();
      }
    },
  );

  test.each(["/stop", "/drain"])(
    "%s: a handler that ends the component is answered, and its end is one in order",
    async (target) => {
      const server = await start(way, telling);
      try {
        const client = await server.connect();
        const { body } = await client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse();
        client.close();
        if (target === "/drain") expect(body.length).toBe(8_000_000);
        else expect(body.toString()).toMatch(/^\d+ 127\.0\.0\.1:\d+$/);
        expect(await server.exited).toEqual({ code: 0, signal: null });
      } finally {
        await server.stop();
      }
    },
  );

  describe("where it listens", () => {
    test.each([
      [["--address", "localhost"], [], "--address must be an IPv4 or IPv6 address, not localhost"],
      [["--address=1.2.3"], [], "--address must be an IPv4 or IPv6 address, not 1.2.3"],
      [["--port", "0"], [], "--port must be a number from 1 to 65535, not 0"],
      [["--port=65536"], [], "--port must be a number from 1 to 65535, not 65536"],
      [["--backlog", "many"], [], "--backlog must be a number from 1 to 65535, not many"],
      [["--port"], [], "--port needs a value"],
      [[], ["--env", "WATERSPOUT_PORT=x"], "WATERSPOUT_PORT must be a number from 1 to 65535, not x"],
      [[], ["--env", "WATERSPOUT_ADDRESS=::g"], "WATERSPOUT_ADDRESS must be an IPv4 or IPv6 address, not ::g"],
      [["--workers", "2"], [], "unknown option --workers; a component has one address and one worker, no TLS"],
      [["app.sock"], [], "unexpected argument app.sock; a component has one address and one worker, no TLS"],
      [["--address", "192.0.2.1"], [], "cannot listen on 192.0.2.1:8888: this machine does not have the address"],
      [["--port", "8888"], ["-S", "inherit-network=n"], "cannot listen on 127.0.0.1:8888: access denied"],
    ])("%j, wasmtime %j: one sentence, and nothing listens", async (args, options, said) => {
      const { code, stdout, stderr } = await complaint(args, options);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr.startsWith(`waterspout: ${said}`), stderr).toBe(true);
    });

    test("the command line wins over the environment, and a port that is taken is said to be", async () => {
      const server = await start(way, way.demo, ["--env", "WATERSPOUT_PORT=1", "--env", "WATERSPOUT_BACKLOG=16"]);
      try {
        const { code, stderr } = await complaint([], ["--env", `WATERSPOUT_PORT=${server.port}`]);
        expect(code).toBe(1);
        expect(stderr).toContain(`cannot listen on 127.0.0.1:${server.port}: the address is in use`);
      } finally {
        await server.stop();
      }
    });
  });
});

function descriptorsOf(server: Server): number {
  return readdirSync(`/proc/${server.pid}/fd`).length;
}

/** The highest number of a socket among as many as a crowd has. */
async function highestSocket(server: Server): Promise<number> {
  const clients = await Promise.all(Array.from({ length: CROWD }, () => server.connect()));
  const answers = await Promise.all(clients.map((client) => client.send(GET).readResponse()));
  for (const client of clients) client.close();
  return Math.max(...answers.map(({ body }) => Number.parseInt(body.toString(), 10)));
}

/** Many that leave, in each way that there is. */
async function crowd(server: Server, round: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: CROWD }, () => server.connect()));
  for (const [i, client] of clients.entries()) {
    const sent = [
      "",
      "GET / HT",
      GET,
      `${GET}${GET}asdf\r\n\r\n`,
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
    ];
    client.send(sent[(i + round) % sent.length]);
    if (i % 3 === 0) client.reset();
    else if (i % 3 === 1) client.halfClose();
    else client.close();
  }
  const last = await server.connect();
  await last.send(GET).readResponse();
  last.close();
  for (const client of clients) client.close();
}
