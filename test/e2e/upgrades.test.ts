// `upgrade` and `connect` of a server of Node's kind: each listener runs on Node's own server and on ours, and clients
// see the same.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import type { AddressInfo, Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createServer, type NodeServer } from "waterspout";
import { WebSocket, WebSocketServer } from "ws";

import { Client } from "./support/client.js";
import { eventually } from "./support/ways.js";

type Server = http.Server | NodeServer;
type Socket = Duplex & NetSocket;
type Listener = (req: IncomingMessage, socket: Socket, head: Buffer) => void;

const UPGRADE = "Host: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: test\r\n\r\n";
const ACCEPTED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n";
const CONNECT = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
const LOGGED = { debug() {}, info() {}, warn() {}, error() {} };

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const nothing = () => {};

describe.each(["http", "node", "wasmtime"] as const)("%s", (kind) => {
  let server: Server;
  let upgrade: Listener;

  beforeAll(async () => {
    const plain: http.RequestListener = (req, res) => void res.end(`${req.url} is ordinary`);
    server = kind === "http" ? http.createServer(plain) : createServer(plain, { runtime: kind, logger: LOGGED });
    server.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => upgrade(req, socket, head));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });

  /** A client that has sent an upgrade, and what the listener was given. */
  async function upgraded(
    behind = "",
  ): Promise<{ client: Client; socket: Socket; req: IncomingMessage; head: Buffer }> {
    const given = new Promise<[IncomingMessage, Socket, Buffer]>((resolve) => {
      upgrade = (...all) => resolve(all);
    });
    const client = await Client.connect(portOf(server));
    client.send(`GET /chat?x=1 HTTP/1.1\r\n${UPGRADE}${behind}`);
    const [req, socket, head] = await given;
    onTestFinished(() => {
      socket.destroy();
      client.close();
    });
    return { client, socket, req, head };
  }

  describe("the connection's bytes", () => {
    test("the listener gets the request, the connection and what came behind the head", async () => {
      const { client, socket, req, head } = await upgraded("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
      expect([req.method, req.url, req.headers.upgrade, (req as unknown as { upgrade: boolean }).upgrade]).toEqual([
        "GET",
        "/chat?x=1",
        "test",
        true,
      ]);
      expect(req.socket).toBe(socket);
      expect(head.toString()).toBe("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
      expect([socket.readable, socket.writable, socket.destroyed, socket.readyState]).toEqual([
        true,
        true,
        false,
        "open",
      ]);
      expect(socket.localPort).toBe(portOf(server));
      if (kind !== "wasmtime") expect(socket.remoteAddress).toBe("127.0.0.1");
      socket.write(ACCEPTED);
      expect(await client.readUntil("\r\n\r\n")).toBe(ACCEPTED);
      socket.on("data", (data) => socket.write(`<${data}>`));
      client.send("one");
      expect(await client.readUntil(">")).toBe("<one>");
      client.halfClose();
      await once(socket, "end");
      const closed = once(socket, "close");
      socket.end("bye");
      expect((await client.readToEnd()).toString()).toBe("bye");
      expect(await closed).toEqual([false]);
      expect([socket.bytesRead >= 3, socket.readyState]).toEqual([true, "closed"]);
    });

    test("megabytes go both ways at once", async () => {
      const { client, socket } = await upgraded();
      const bytes = randomBytes(4_000_000);
      socket.pipe(socket);
      client.send(bytes);
      expect((await client.readBytes(bytes.length)).equals(bytes)).toBe(true);
    });

    test("a peer that does not read holds the writer up, and one that the handler does not read is held up itself", async () => {
      const { client, socket } = await upgraded();
      client.socket.pause();
      const block = Buffer.alloc(1 << 20);
      const written = 16 << 20;
      const isWelcome = [...Array(16)].map(() => socket.write(block));
      expect(isWelcome.at(-1)).toBe(false);
      const sent = await client.flood(block, 64 << 20);
      expect(sent).toBeLessThan(64 << 20);
      expect(socket.writableLength).toBeGreaterThan(0);
      const drained = once(socket, "drain");
      client.resume();
      await drained;
      let read = 0;
      socket.on("data", ({ length }) => (read += length));
      await eventually("all has been read", () => read >= sent);
      await eventually("all has come", () => client.receivedBytes === written);
    });
  });

  describe("its ends, and what is no upgrade", () => {
    test("destroy cuts, and what the client then does is not heard", async () => {
      const { client, socket } = await upgraded();
      const closed = once(socket, "close");
      socket.destroy();
      expect(await closed).toEqual([false]);
      await eventually("the client's end", () => client.ended || client.error !== null);
      expect(socket.write("late", nothing)).toBe(false);
    });

    test("a client that resets the connection ends it; an error comes to who listens for it", async () => {
      const { client, socket } = await upgraded();
      const told: unknown[] = [];
      socket.on("error", ({ code }: NodeJS.ErrnoException) => told.push(code));
      socket.on("close", (hadError: boolean) => told.push(hadError));
      socket.resume();
      client.reset();
      await eventually("both", () => told.length === 2);
      expect(told).toEqual(["ECONNRESET", true]);
    });

    test("setTimeout tells of silence", async () => {
      const { socket } = await upgraded();
      const told = new Promise<void>((resolve) => void socket.setTimeout(20, resolve));
      await told;
      expect(socket.destroyed).toBe(false);
      socket.setTimeout(0).setNoDelay(true).setKeepAlive(true).ref().unref();
      socket.cork();
      socket.write("a");
      socket.uncork();
    });

    test("what offers no upgrade is an ordinary request, before and behind", async () => {
      upgrade = () => expect.unreachable();
      const client = await Client.connect(portOf(server));
      const fields = ["", "Upgrade: test\r\n", "Connection: Upgrade\r\n", "Connection: Upgrades\r\nUpgrade: test\r\n"];
      for (const field of fields) {
        client.send(`GET /a HTTP/1.1\r\nHost: x\r\n${field}\r\n`);
        expect((await client.readResponse("GET")).body.toString()).toBe("/a is ordinary");
      }
      client.close();
    });

    test("what a server that stops has upgraded goes on", async () => {
      const own = kind === "http" ? http.createServer() : createServer({ runtime: kind, logger: LOGGED });
      own.on("upgrade", (_req: IncomingMessage, socket: Socket, head: Buffer) => {
        socket.write(head);
        socket.pipe(socket);
      });
      own.listen(0, "127.0.0.1");
      await once(own, "listening");
      const client = await Client.connect(portOf(own));
      client.send(`GET / HTTP/1.1\r\n${UPGRADE}`);
      client.send("before");
      await client.readUntil("before");
      const closed = once(own, "close");
      own.close();
      client.send("behind");
      await client.readUntil("behind");
      client.halfClose();
      await client.readToEnd();
      await closed;
    });
  });
});

describe.each(["http", "node", "wasmtime"] as const)("%s: without a listener", (kind) => {
  async function serving(listeners: Record<string, http.RequestListener | Listener>): Promise<Server> {
    const server = kind === "http" ? http.createServer() : createServer({ runtime: kind, logger: LOGGED });
    for (const [event, listener] of Object.entries(listeners)) server.on(event, listener);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    });
    return server;
  }

  test("an upgrade is an ordinary request", async () => {
    const server = await serving({
      request: (_req: IncomingMessage, res: http.ServerResponse) => void res.end("plain"),
    });
    const client = await Client.connect(portOf(server));
    const isOurs = kind !== "http"; // Node closes when something follows in the same packet
    client.send(`GET / HTTP/1.1\r\n${UPGRADE}${isOurs ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n" : ""}`);
    for (let i = 0; i < (isOurs ? 2 : 1); i++) {
      expect((await client.readResponse("GET")).body.toString()).toBe("plain");
    }
    client.close();
  });

  test("CONNECT is a tunnel for who listens, and nothing for others", async () => {
    const server = await serving({
      connect: (req: IncomingMessage, socket: Socket, head: Buffer) => {
        socket.end(`HTTP/1.1 200 OK\r\n\r\n${req.method} ${req.url} ${head}`);
      },
    });
    const client = await Client.connect(portOf(server));
    client.send(`${CONNECT}hello`);
    expect((await client.readToEnd()).toString()).toBe("HTTP/1.1 200 OK\r\n\r\nCONNECT a.example:443 hello");
    client.close();
    const deaf = await serving({ request: () => expect.unreachable() });
    const other = await Client.connect(portOf(deaf));
    other.send(`${CONNECT}GET / HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect((await other.readToEnd()).toString()).toMatch(kind === "http" ? /^$/ : /^HTTP\/1.1 501 Not Implemented\r\n/);
    other.close();
  });
});

describe.each(["node", "wasmtime"] as const)("%s", (runtime) => {
  test("shouldUpgradeCallback decides", async () => {
    const options = { runtime, shouldUpgradeCallback: (req: IncomingMessage) => req.url === "/yes" };
    const server = createServer(options, (_req, res) => void res.end("plain"));
    server.on("upgrade", (_req, socket: Socket) => void socket.end("raw"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const answers = [];
    for (const target of ["/yes", "/no"]) {
      const client = await Client.connect(portOf(server));
      client.send(`GET ${target} HTTP/1.1\r\n${UPGRADE}`);
      answers.push(
        target === "/yes" ? (await client.readToEnd()).toString() : (await client.readResponse("GET")).status,
      );
      client.close();
    }
    expect(answers).toEqual(["raw", 200]);
    await once(server.close(), "close");
  });

  test("ws: { server }, messages of both kinds, compression, closes of both sides", async () => {
    const server = createServer((_req, res) => void res.end("plain"), { runtime });
    const sockets = new WebSocketServer({ server: server as unknown as http.Server, perMessageDeflate: true });
    const codes: number[] = [];
    sockets.on("connection", (socket, { url }) => {
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
      socket.on("close", (code) => codes.push(code));
      if (url === "/leave") socket.close(4000, "go");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `ws://127.0.0.1:${portOf(server)}`;
    const client = new WebSocket(url);
    await once(client, "open");
    const bytes = randomBytes(1_000_000);
    client.send("text");
    client.send(bytes);
    expect((await once(client, "message"))[0].toString()).toBe("text");
    expect((await once(client, "message"))[0].equals(bytes)).toBe(true);
    client.close(1000);
    await once(client, "close");
    const left = new WebSocket(`${url}/leave`);
    expect((await once(left, "close")).map(String)).toEqual(["4000", "go"]);
    const lost = new WebSocket(url);
    await once(lost, "open");
    lost.terminate();
    await eventually("three closes", () => codes.length === 3);
    expect(codes).toEqual([1000, 4000, 1006]);
    expect(await (await fetch(`http://127.0.0.1:${portOf(server)}`)).text()).toBe("plain");
    sockets.close();
    await once(server.close(), "close");
  });

  test("a proxy for websockets: the connection is piped into another one", async () => {
    const target = createServer({ runtime });
    const sockets = new WebSocketServer({ noServer: true });
    target.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
      sockets.handleUpgrade(req, socket, head, (accepted) => accepted.send(`you want ${req.url}`));
    });
    const proxy = createServer({ runtime });
    proxy.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
      const { method, url: path, headers } = req;
      const asking = http.request({ host: "127.0.0.1", port: portOf(target), method, path, headers });
      asking.on("upgrade", (res, other, otherHead) => {
        const fields = res.rawHeaders.map((each, at) => (at % 2 === 0 ? `${each}: ` : `${each}\r\n`)).join("");
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
        socket.write(otherHead);
        other.pipe(socket).pipe(other);
        for (const each of [other, socket]) each.on("error", nothing);
      });
      socket.unshift(head);
      asking.end();
    });
    for (const server of [target, proxy]) await once(server.listen(0, "127.0.0.1"), "listening");
    const client = new WebSocket(`ws://127.0.0.1:${portOf(proxy)}/a`);
    expect((await once(client, "message"))[0].toString()).toBe("you want /a");
    client.close();
    await once(client, "close");
    for (const server of [proxy, target]) await once(server.close(), "close");
  });
});
