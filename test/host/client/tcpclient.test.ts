import { createServer, type Server, type Socket } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { TCPClient } from "../../../host/client/tcpclient.js";
import type { Address } from "../../../host/core/address.js";

const servers: Server[] = [];

/** An echo server on a free loopback port. */
async function echo(): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Never answers, and notes when it is given up. */
function silent(log: string[]) {
  return (address: Address, signal: AbortSignal): Promise<Duplex> =>
    new Promise((_resolve, reject) => {
      log.push(`try ${address.address}`);
      signal.addEventListener("abort", () => {
        log.push(`drop ${address.address}`);
        reject(new Error("dropped"));
      });
    });
}

const two = () => Promise.resolve([{ address: "2001:db8::1" }, { address: "192.0.2.1" }]);

describe("a connection", () => {
  test("reads and writes as a server's stream does", async () => {
    const stream = await new TCPClient().connect("127.0.0.1", await echo());
    await stream.write("a line\nand more");
    expect((await stream.readUntil("\n")).toString()).toBe("a line\n");
    expect((await stream.readBytes(8)).toString()).toBe("and more");
    stream.close();
    expect(stream.closed).toBe(true);
  });

  test.each([
    ["our own abort", "CLOSED"],
    ["the peer's reset", "RESET"],
  ])("a write that %s cuts off rejects", async (how, reason) => {
    const accepted: Socket[] = [];
    const server = createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const stream = await new TCPClient().connect("127.0.0.1", (server.address() as { port: number }).port);
    await expect.poll(() => accepted.length).toBe(1);
    const first = stream.write(Buffer.alloc(50 << 20));
    const second = stream.write("behind it");
    if (how === "our own abort") stream.abort();
    else accepted[0]?.resetAndDestroy();
    await expect(first).rejects.toMatchObject({ code: "STREAM_CLOSED", reason });
    await expect(second).rejects.toMatchObject({ code: "STREAM_CLOSED", reason });
    for (const socket of accepted) socket.destroy();
  });

  test("to a port that no process listens on is refused, with the address in the error", async () => {
    const port = await echo();
    await new Promise((resolve) => (servers.pop() as Server).close(resolve));
    await expect(new TCPClient().connect("127.0.0.1", port)).rejects.toMatchObject({
      code: "ECONNREFUSED",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  test("options that cannot be are refused before anything is opened; what a connector brings is closed when it cannot be used", async () => {
    let connections = 0;
    const server = createServer(() => connections++);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    for (const options of [
      { bufferBytesMax: 0 },
      { readChunkBytes: 1.5 },
      { writeBufferBytesMax: -1 },
      { timeoutMs: 0 },
    ]) {
      await expect(new TCPClient().connect("127.0.0.1", port, options)).rejects.toMatchObject({
        code: "INVALID_OPTION",
      });
    }
    const objects = new PassThrough({ objectMode: true });
    const client = new TCPClient({ connector: () => Promise.resolve(objects) });
    await expect(client.connect("127.0.0.1", port)).rejects.toMatchObject({ code: "INVALID_OPTION" });
    expect(objects.destroyed).toBe(true);
    await (await new TCPClient().connect("127.0.0.1", port)).write("x");
    await expect.poll(() => connections).toBe(1);
  });

  test("to a name that is unknown, or has no address of the family", async () => {
    const unknown = Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
    const client = new TCPClient({ resolver: () => Promise.reject(unknown) });
    await expect(client.connect("nowhere.invalid", 1)).rejects.toMatchObject({ code: "ENOTFOUND" });
    const four = new TCPClient({ resolver: () => Promise.resolve([{ address: "192.0.2.1" }]) });
    await expect(four.connect("name", 1, { family: "IPv6" })).rejects.toThrow("it has no IPv6 address");
  });
});

describe("two families", () => {
  test("the second is tried at once when the first has failed", async () => {
    const tried: string[] = [];
    const connector = async ({ address }: Address): Promise<Duplex> => {
      tried.push(address);
      if (address.includes(":")) throw Object.assign(new Error("unreachable"), { code: "ENETUNREACH" });
      return new PassThrough();
    };
    const begun = performance.now();
    const stream = await new TCPClient({ resolver: two, connector }).connect("name", 80);
    expect(performance.now() - begun).toBeLessThan(250);
    expect(tried).toEqual(["2001:db8::1", "192.0.2.1"]);
    stream.abort();
  });

  test("the second is tried when the first stays silent, and the loser is dropped", async () => {
    const log: string[] = [];
    const never = silent(log);
    const connector = async (address: Address, signal: AbortSignal): Promise<Duplex> => {
      if (address.family === "IPv6") return never(address, signal);
      log.push(`try ${address.address}`);
      return new PassThrough();
    };
    const stream = await new TCPClient({ resolver: two, connector }).connect("name", 80);
    expect(log).toEqual(["try 2001:db8::1", "try 192.0.2.1", "drop 2001:db8::1"]);
    stream.abort();
  });

  test("when all fail the error names each", async () => {
    const connector = () => Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
    await expect(new TCPClient({ resolver: two, connector }).connect("name", 80)).rejects.toMatchObject({
      code: "ECONNREFUSED",
      message: "cannot connect to [2001:db8::1]:80 (ECONNREFUSED), 192.0.2.1:80 (ECONNREFUSED)",
    });
  });
});

describe("a time limit", () => {
  test("names the phase: resolving", async () => {
    const client = new TCPClient({ resolver: () => new Promise(() => {}) });
    await expect(client.connect("name", 80, { timeoutMs: 20 })).rejects.toThrow(
      "timed out after 20 ms while resolving name",
    );
  });

  test("names the phase: connecting, and to what; nothing stays open", async () => {
    const log: string[] = [];
    const client = new TCPClient({ resolver: two, connector: silent(log) });
    await expect(client.connect("name", 80, { timeoutMs: 20 })).rejects.toThrow(
      "timed out after 20 ms while connecting to [2001:db8::1]:80, 192.0.2.1:80",
    );
    expect(log).toEqual(["try 2001:db8::1", "drop 2001:db8::1"]);
  });

  test("names the phase: the TLS handshake", async () => {
    const silentServer = createServer((socket) => socket.on("error", () => {}));
    servers.push(silentServer);
    await new Promise<void>((resolve) => silentServer.listen(0, "127.0.0.1", resolve));
    const { port } = silentServer.address() as { port: number };
    const connecting = new TCPClient().connect("127.0.0.1", port, { timeoutMs: 200, sslOptions: {} });
    await expect(connecting).rejects.toThrow("timed out after 200 ms in the TLS handshake with 127.0.0.1");
  });

  test("an AbortSignal ends it, with its reason", async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const connecting = new TCPClient({ resolver: two, connector: silent(log) }).connect("name", 80, {
      signal: controller.signal,
    });
    setImmediate(() => controller.abort(new Error("no more patience")));
    await expect(connecting).rejects.toThrow("no more patience");
    expect(log.at(-1)).toBe("drop 2001:db8::1");
  });
});
