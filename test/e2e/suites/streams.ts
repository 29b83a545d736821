// TCPServer and IOStream: the line echo of the examples, then each promise of a stream with an application that keeps
// it.
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { MAKE_MS } from "../support/edge.js";
import { residentBytes } from "../support/processes.js";
import { type Server, start, type Way } from "../support/ways.js";

const MIB = 1024 * 1024;

interface Options {
  /** Starts an application: one that becomes a component is built first. */
  serve?: (way: Way, app: string) => Promise<Server>;
  /** Large amounts are so many times smaller, where the handler's language is interpreted. */
  less?: number;
}

/** `app`: an example that sends lines back, in either language. */
export function echoSuite(way: Way, app = "examples/echo.ts", { serve = start, less = 1 }: Options = {}): void {
  const inTypeScript = app.endsWith(".ts");
  describe("echo", () => {
    let server: Server;
    beforeAll(async () => {
      server = await serve(way, app);
    }, MAKE_MS);
    afterAll(() => server.stop());

    test.runIf(inTypeScript && way.runtime !== "bare")("says where it serves", () => {
      expect(server.output.stdout).toBe(`Waterspout serves tcp://127.0.0.1:${server.port} (${way.runtime})\n`);
    });

    test("a line", async () => {
      const client = await server.connect();
      expect(await client.send("hello\n").readUntil("\n")).toBe("hello\n");
    });

    test("a line in two parts", async () => {
      const client = await server.connect();
      client.send("hel");
      // The answer to another connection shows that the first part has had its turn.
      await (await server.connect()).send("turn\n").readUntil("\n");
      expect(await client.send("lo\n").readUntil("\n")).toBe("hello\n");
    });

    test("a byte at a time, all bytes that there are", async () => {
      const client = await server.connect();
      const line = `${String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i).filter((i) => i !== 10))}\n`;
      await client.sendInPieces(line);
      expect(await client.readUntil("\n")).toBe(line);
    });

    test("many lines in one packet, empty ones among them", async () => {
      const client = await server.connect();
      const lines = Array.from({ length: 1000 }, (_, i) => (i % 7 ? `line ${i}\n` : "\n")).join("");
      expect((await client.send(lines).readBytes(lines.length)).toString()).toBe(lines);
    });

    test("16,000 lines of a kilobyte, and everything comes back", async () => {
      const client = await server.connect();
      const lines = Buffer.from(`${randomBytes(500).toString("hex")}\n`.repeat(16_000 / less));
      client.send(lines);
      expect((await client.readBytes(lines.length)).equals(lines)).toBe(true);
    });

    test("a client that ends its side gets the answers it has asked for", async () => {
      const client = await server.connect();
      expect((await client.send("one\ntwo\n").halfClose().readToEnd()).toString()).toBe("one\ntwo\n");
    });

    test("a last line without its end is no line", async () => {
      const client = await server.connect();
      expect((await client.send("one\ntw").halfClose().readToEnd()).toString()).toBe("one\n");
    });

    test("a line of 64 KiB, its end included, is the longest", async () => {
      const client = await server.connect();
      const longest = `${"x".repeat(65_535)}\n`;
      expect(await client.send(longest).readUntil("\n")).toBe(longest);
      await client.send(`x${longest}`).gone();
    });

    test("a line that never ends closes its own stream and no other", async () => {
      const bystander = await server.connect();
      const client = await server.connect();
      await client.send("x".repeat(70_000)).gone();
      if (inTypeScript) await server.complaint(/UnsatisfiableRead/);
      expect(await bystander.send("still here\n").readUntil("\n")).toBe("still here\n");
    });

    test("a client that connects and says nothing disturbs no other", async () => {
      const silent = await Promise.all(Array.from({ length: 50 }, () => server.connect()));
      const client = await server.connect();
      expect(await client.send("hello\n").readUntil("\n")).toBe("hello\n");
      expect(await silent[25].send("me too\n").readUntil("\n")).toBe("me too\n");
    });

    test("a client that never reads is not read either, and holds up no other", async () => {
      const before = residentBytes(server.pid);
      const [greedy, client] = [await server.connect({ silent: true }), await server.connect()];
      const line = Buffer.from(`${"x".repeat(999)}\n`);
      const taken = await greedy.flood(Buffer.concat(Array<Buffer>(64).fill(line)), 64 * MIB);
      expect(taken, "the kernel's buffers hold less than this").toBeLessThan(48 * MIB);
      expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(32 * MIB);
      expect(await client.send("hello\n").readUntil("\n")).toBe("hello\n");
    });
  });
}

export function streamSuite(way: Way, { serve = start, less = 1 }: Options = {}): void {
  describe("streams", () => {
    let server: Server;
    beforeAll(async () => {
      server = await serve(way, "test/e2e/apps/streams.ts");
    }, MAKE_MS);
    afterAll(() => server.stop());

    test("the address is the client's, or null where the runtime cannot know it", async () => {
      const client = await server.connect();
      const address = JSON.parse((await client.send("address\n").readToEnd()).toString());
      if (way.runtime === "wasmtime") expect(address).toBeNull();
      else expect(address).toMatchObject({ address: "127.0.0.1", port: client.socket.localPort });
    });

    test.each([1, 1000, 65_536, 1_000_000 / less, (8 * MIB) / less])("readBytes(%i)", async (count) => {
      const client = await server.connect();
      const body = randomBytes(count);
      client.send(`bytes ${count}\n`).send(body).send("and more");
      expect((await client.readToEnd()).toString()).toBe(digest(body));
    });

    test("readBytes that gets less than it asked for", async () => {
      const client = await server.connect();
      expect((await client.send("bytes 10\nnine byte").halfClose().readToEnd()).length).toBe(0);
    });

    test("readBytes with partial takes what is there", async () => {
      const client = await server.connect();
      expect((await client.send("partial 1000\nabc").readToEnd()).toString()).toBe(digest(Buffer.from("abc")));
    });

    test.each([0, 1, (5 * MIB) / less])(
      "readUntilClose of %i bytes, and an answer to the half-closed client",
      async (count) => {
        const client = await server.connect();
        const body = randomBytes(count);
        client.send("rest\n").send(body).halfClose();
        expect((await client.readToEnd()).toString()).toBe(digest(body));
      },
    );

    test("for await takes everything, also more than any buffer", async () => {
      const client = await server.connect();
      const body = randomBytes((40 * MIB) / less);
      client.send("iterate\n").send(body).halfClose();
      expect((await client.readToEnd()).toString()).toBe(digest(body));
    });

    test("write is done when the bytes have left: 64 MiB to a reader that starts late", async () => {
      const before = residentBytes(server.pid);
      const client = await server.connect({ silent: true });
      client.send(`pieces ${64 * MIB}\n`);
      await (await server.connect()).send("address\n").readToEnd();
      expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(32 * MIB);
      expect((await client.resume().readToEnd()).equals(Buffer.alloc(64 * MIB, "x"))).toBe(true);
    });

    test("writes that are not awaited keep their order, and all of them leave before the end", async () => {
      const client = await server.connect();
      const expected = Array.from({ length: 5000 }, (_, i) => `${i}\n`).join("");
      expect((await client.send("unawaited 5000\n").readToEnd()).toString()).toBe(expected);
    });

    test("the close callback runs when the client leaves, though no read is pending", async () => {
      const client = await server.connect();
      await client.send("watch\n").readUntil("watching\n");
      client.reset();
      await server.complaint(/the close callback ran/);
    });

    test("a second read while one is pending is refused, the first goes on", async () => {
      const client = await server.connect();
      expect(await client.send("twice\n").readBytes(8)).toEqual(Buffer.from("refused "));
      expect((await client.send("line\n").readToEnd()).toString()).toBe("line\n");
    });

    test("a handler that rejects is logged, and its stream alone is closed", async () => {
      const bystander = await server.connect();
      await (await server.connect()).send("reject\n").gone();
      expect(await server.complaint(/rejected by the handler/)).not.toBe("");
      expect((await bystander.send("partial 10\nx").readToEnd()).toString()).toBe(digest(Buffer.from("x")));
    });
  });

  test(
    "a handler that throws at once is logged, and its stream alone is closed",
    async () => {
      const server = await serve(way, "test/e2e/apps/thrower.ts");
      try {
        const answers: string[] = [];
        for (let i = 0; i < 20; i++) answers.push((await (await server.connect()).readToEnd()).toString());
        if (answers[0] !== "") answers.push(answers.shift() as string); // to see that it serves, one has connected before
        expect(answers).toEqual(Array.from({ length: 10 }, () => ["", "fine\n"]).flat());
        await server.complaint(/thrown by the handler/);
      } finally {
        await server.stop();
      }
    },
    MAKE_MS,
  );
}

function digest(bytes: Buffer): string {
  return `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
}
