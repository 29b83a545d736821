// IOStream's reads, bounds, closing and conversions behind real connections, on both runtimes; then TCPClient, whose
// streams are to behave alike.
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type IOStream, StreamClosedError, TCPServer } from "waterspout";
import { type BaseIOStream, TCPClient } from "../../host/index.js";
import { Authority, type Certificate, missingOpenSSL } from "./support/certificates.js";
import { Client } from "./support/client.js";
import { eventually, NODE, type Server, start, WASMTIME } from "./support/ways.js";

const MIB = 1 << 20;

describe.each([NODE, WASMTIME])("$name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, "test/e2e/apps/reads.ts");
  });
  afterAll(() => server.stop());

  async function answer(sent: string): Promise<string> {
    const client = await server.connect();
    return (await client.send(sent).readToEnd()).toString();
  }

  describe.each(["until", "regex"])("read %s, at most 64 bytes", (command) => {
    test("63 bytes and a line's end are a line", async () => {
      const line = `${"x".repeat(63)}\n`;
      expect(await answer(`${command} 64\n${line}`)).toBe(line);
      expect(await answer(`${command} 64\n${line}and more`)).toBe(line);
    });

    test.each([
      ["65 bytes without an end", "x".repeat(65)],
      ["64 bytes and an end", `${"x".repeat(64)}\n`],
    ])("%s: closed, no bytes", async (_name, sent) => {
      const client = await server.connect();
      await client.send(`${command} 64\n${sent}`).gone();
      expect(client.receivedBytes).toBe(0);
    });

    test("an end that comes in two pieces", async () => {
      const client = await server.connect();
      await client.sendInPieces(`${command} 64\nabc\r\n`);
      expect((await client.readToEnd()).toString()).toBe("abc\r\n");
    });
  });

  test("what a regex has left is read next, in order, in any pieces", async () => {
    const sent = "mixed\nlength: 9\r\n123456789\r\n\r\nthe rest";
    for (const size of [1, 7, sent.length]) {
      const client = await server.connect();
      await client.sendInPieces(sent, size);
      client.halfClose();
      expect((await client.readToEnd()).toString()).toBe("length: |123|456789|\r\n\r\n|the rest");
    }
  });

  test("64 MiB to a reader that waits: the sender stalls; when it reads on, nothing is lost", async () => {
    const client = await server.connect();
    const block = randomBytes(MIB);
    client.send(`slowly ${64 * MIB}\n`);
    const taken = await client.flood(block, 64 * MIB);
    expect(taken, "the buffers of the stream and of the kernel").toBeLessThan(32 * MIB);
    await answer("go\n");
    // The block that stalled is on its way already.
    for (let sent = taken + MIB; sent < 64 * MIB; sent += MIB) client.send(block);
    const hash = createHash("sha256");
    for (let i = 0; i < 64; i++) hash.update(block);
    expect((await client.readToEnd()).toString()).toBe(hash.digest("hex"));
  });

  test("readBytes of more than the buffer may hold is refused", async () => {
    expect(await answer(`more ${5 * MIB + 1}\n`)).toBe("STREAM_BUFFER_FULL");
  });

  test("readInto, partial and whole", async () => {
    const body = randomBytes(300_000);
    const client = await server.connect();
    client.send(`into ${body.length}\n`).send(body);
    expect((await client.readToEnd()).equals(body)).toBe(true);
  });

  test("iteration keeps to readChunkBytes", async () => {
    const client = await server.connect();
    expect(
      (
        await client
          .send(`pieces\n${"x".repeat(50_000)}`)
          .halfClose()
          .readToEnd()
      ).toString(),
    ).toBe("1000");
  });

  test("a write beyond writeBufferBytesMax is refused, and the stream stays open", async () => {
    const client = await server.connect({ silent: true });
    client.send("flood\n");
    const received = (await client.resume().readToEnd()).toString();
    expect(received.slice(2 * MIB)).toBe("STREAM_BUFFER_FULL false");
  });

  test("the close callback runs though data is unread", async () => {
    const client = await server.connect();
    await client.send("unread\n").readUntil("watching\n");
    client.send("no handler reads this");
    await answer("nodelay\n"); // the loop has turned since
    client.reset();
    await server.complaint(/closed with unread data: RESET/);
  });

  test("a read that a reset ends rejects with the reason", async () => {
    const client = await server.connect();
    await client.send("reset\n").readUntil("reading\n");
    client.reset();
    await server.complaint(/it says STREAM_CLOSED RESET/);
  });

  test("setNodelay says whether it could", async () => {
    expect(await answer("nodelay\n")).toBe(way.runtime === "node" ? "true true" : "false false");
  });

  test.each(["web", "node"])("as streams of %s: 8 MiB there and back", async (command) => {
    const client = await server.connect();
    const body = randomBytes(8 * MIB);
    client.send(`${command}\n`).send(body).halfClose();
    expect((await client.readToEnd()).equals(body)).toBe(true);
  });

  describe("TCPClient", () => {
    const connect = (): Promise<BaseIOStream> =>
      new TCPClient().connect("localhost", server.port, { timeoutMs: 10_000 });

    test("GET / HTTP/1.0: the answer, then the end", async () => {
      const web = await start(way);
      try {
        const stream = await new TCPClient().connect("127.0.0.1", web.port);
        await stream.write("GET / HTTP/1.0\r\n\r\n");
        expect((await stream.readUntil("\r\n")).toString()).toBe("HTTP/1.1 200 OK\r\n");
        await stream.readUntilRegex(/\r?\n\r?\n/);
        expect((await stream.readUntilClose()).toString()).toBe("Hello, world");
        stream.close();
      } finally {
        await web.stop();
      }
    });

    test("by a name, on the family that answers; sent bytes arrive though close follows", async () => {
      const stream = await connect();
      const body = randomBytes(8 * MIB);
      void stream.write("node\n");
      const echoed = stream.readBytes(body.length);
      await stream.write(body);
      expect((await echoed).equals(body)).toBe(true);
      const closed = new Promise<void>((resolve) => stream.setCloseCallback(resolve));
      stream.close();
      await closed;
    });

    test("a server that closes", async () => {
      const stream = await connect();
      await stream.write(`until 64\n${"x".repeat(65)}`);
      await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "STREAM_CLOSED" });
    });
  });
});

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "TCPClient with TLS", () => {
  let authority: Authority;
  let certificate: Certificate;
  let server: Server;
  beforeAll(async () => {
    authority = new Authority();
    certificate = authority.issue("server", "server.example");
    const SERVER_OPTIONS = JSON.stringify({ sslOptions: { ...certificate, alpnProtocols: ["echo"] } });
    server = await start(NODE, "test/e2e/apps/secure.ts", [], { env: { SERVER_OPTIONS } });
  });
  afterAll(async () => {
    await server.stop();
    authority.remove();
  });

  test("a verified server, by its name and by its address", async () => {
    const sslOptions = { caCerts: authority.certfile, alpnProtocols: ["echo"] };
    for (const serverName of [undefined, "server.example"]) {
      const stream = await new TCPClient().connect("127.0.0.1", server.port, {
        sslOptions: { ...sslOptions, serverName },
      });
      const { tls } = JSON.parse((await stream.readUntil("\n")).toString());
      expect(tls).toMatchObject({ alpnProtocol: "echo", serverName: serverName ?? null });
      await stream.write("first\nsecond\n");
      expect((await stream.readUntil("\n")).toString()).toBe("second\n");
      stream.close();
    }
  });

  test.each([
    ["an authority that is not trusted", () => ({})],
    ["another name", () => ({ caCerts: authority.certfile, serverName: "other.example" })],
  ])("%s is refused", async (_name, sslOptions) => {
    const connecting = new TCPClient().connect("127.0.0.1", server.port, { sslOptions: sslOptions() });
    await expect(connecting).rejects.toMatchObject({ name: "ConnectError", message: expect.stringMatching(/TLS/) });
  });

  test("unless it has no listener", async () => {
    const sslOptions = { certReqs: "none" as const };
    const stream = await new TCPClient().connect("127.0.0.1", server.port, { sslOptions });
    expect((await stream.readUntil("\n")).toString()).toContain("TLSv1.3");
    stream.abort();
  });

  test("a file that is missing is named", async () => {
    const sslOptions = { caCerts: "/nowhere/ca.pem" };
    const connecting = new TCPClient().connect("127.0.0.1", server.port, { sslOptions });
    await expect(connecting).rejects.toMatchObject({ code: "TLS_CONFIG", path: "/nowhere/ca.pem" });
  });
});

describe.each(["node", "wasmtime"] as const)("%s: streams that no handler holds any more", (runtime) => {
  class Echo extends TCPServer {
    override async handleStream(stream: IOStream): Promise<void> {
      for (;;) {
        try {
          await stream.write(await stream.readUntil("\n"));
        } catch (error) {
          if (error instanceof StreamClosedError) break;
          throw error;
        }
      }
    }
  }
  class Iterating extends TCPServer {
    override async handleStream(stream: IOStream): Promise<void> {
      for await (const block of stream) await stream.write(block);
    }
  }
  class OneLine extends TCPServer {
    override async handleStream(stream: IOStream): Promise<void> {
      await stream.write(await stream.readUntil("\n"));
    }
  }
  class Leaving extends TCPServer {
    override handleStream(stream: IOStream): void {
      void stream.readUntil("\n").then((line) => stream.write(line));
    }
  }

  test.each([
    [Echo, "a line\n", 60_000],
    [Iterating, "a line\n", 60_000],
    [OneLine, "a line\n", 60_000],
    [OneLine, "a line\nand more that is not read", 500],
    [Leaving, "a line\n", 500],
  ] as const)("%o, %j: none is left when its peer has left", async (Served, text, halfCloseTimeoutMs) => {
    const server = new Served({ runtime, halfCloseTimeoutMs });
    await server.listen(0);
    const [address] = server.addresses;
    for (const leave of ["close", "halfClose"] as const) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(address.port)));
      await Promise.all(clients.map((client) => client.send(text).readUntil("\n")));
      for (const client of clients) client[leave]();
      if (leave === "halfClose") for (const client of clients) await client.expectEnd();
      await eventually("all are closed", async () => (await server.stats()).connectionsNow === 0);
    }
    await server.stop();
  });
});
