// What a WebSocketHandler can do, over real connections: for the ways whose handlers are TypeScript.
import { setTimeout as sleep } from "node:timers/promises";
import { constants, deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";

import { MAKE_MS } from "../support/edge.js";
import { holdsConnection, isAlive, type ProcessId, residentBytes, workersOf } from "../support/processes.js";
import { eventually, type Server, start, type Way } from "../support/ways.js";
import { BINARY, CLOSE, closing, frame, handshakeText, PING, PONG, TEXT, WsClient } from "../support/wsclient.js";

const APP = "test/e2e/apps/websockets.ts";
const MIB = 1 << 20;

/** Another project's client, with everything that it has heard. */
class Other {
  readonly messages: Buffer[] = [];
  readonly socket: WebSocket;
  closed: [number, string] | null = null;

  private constructor(url: string, protocols: string[], options: ClientOptions) {
    this.socket = new WebSocket(url, protocols, options);
    this.socket.on("message", (message) => this.messages.push(message as Buffer));
    this.socket.on("close", (code, reason) => (this.closed = [code, reason.toString()]));
  }

  static async open(
    server: Server,
    path: string,
    options: ClientOptions = {},
    protocols: string[] = [],
  ): Promise<Other> {
    const other = new Other(`ws://127.0.0.1:${server.port}${path}`, protocols, {
      perMessageDeflate: false,
      ...options,
    });
    await new Promise((resolve, reject) => other.socket.once("open", resolve).once("error", reject));
    other.socket.on("error", () => {});
    return other;
  }

  async ended(): Promise<[number, string]> {
    await eventually("its close", () => this.closed !== null);
    return this.closed!;
  }
}

/** `serve`: how the handlers are served, if not by the command. */
export function websocketHandlerSuite(way: Way, serve?: () => Promise<Server>): void {
  const isCommand = serve === undefined;
  describe("websocket handlers", () => {
    let server: Server;
    beforeAll(async () => {
      server = await (serve ?? (() => start(way, APP)))();
    }, MAKE_MS);
    afterAll(() => server.stop());

    const notes = async (): Promise<unknown[]> => JSON.parse((await server.get("/notes")).body.toString());
    /** Waits for a note; answers all that came until then. */
    async function noted(isIt: (note: unknown) => boolean): Promise<unknown[]> {
      const seen: unknown[] = [];
      await eventually("the note", async () => seen.push(...(await notes())) >= 0 && seen.some(isIt));
      return seen;
    }

    /** What onClose noted on this path, once it has. */
    async function closesOf(path: string): Promise<unknown[]> {
      const isIt = (note: unknown): boolean => Array.isArray(note) && note[0] === path;
      return (await noted(isIt)).filter(isIt);
    }

    test("choose a subprotocol", async () => {
      const other = await Other.open(server, "/choose", {}, ["first", "second"]);
      expect(other.socket.protocol).toBe("second");
      await eventually("the message", () => other.messages.length === 1);
      expect(other.messages[0].toString()).toBe("second");
      other.socket.close();
      await other.ended();
      expect((await server.request(handshakeText("/choose", { "Sec-WebSocket-Protocol": "x" }))).headers).not.toContain(
        "sec-websocket-protocol",
      );
    });

    test("choose who may come", async () => {
      for (const [origin, status] of [
        ["http://friend.example", 101],
        ["http://x", 403],
        [undefined, 101],
      ] as const) {
        const client = await server.connect();
        expect((await client.send(handshakeText("/friends", { Origin: origin })).readResponse()).status).toBe(status);
        client.close();
      }
    });

    test("close with a code and a reason, behind what they wrote, and hear the answer", async () => {
      await notes();
      const socket = await WsClient.open(server, "/close");
      expect((await socket.readMessage()).payload.toString()).toBe("bye");
      expect(await socket.readFrame()).toMatchObject({ opcode: CLOSE, payload: closing(4000, "that is all") });
      socket.send(TEXT, "too late").send(CLOSE, closing(4001, "fine"));
      await socket.client.expectEnd();
      expect(await closesOf("/close")).toEqual([["/close", 4001, "fine"]]);
    });

    test("hear 1006 of a peer who does not answer a close within five seconds", async () => {
      await notes();
      const socket = await WsClient.open(server, "/close");
      await socket.readMessage();
      const started = performance.now();
      expect((await socket.readFrame()).opcode).toBe(CLOSE);
      await socket.client.expectEnd();
      expect(performance.now() - started).toBeGreaterThan(4000);
      expect(await closesOf("/close")).toEqual([["/close", 1006, ""]]);
    });

    test.each<[string, (socket: WsClient) => unknown, unknown[]]>([
      ["an orderly close", (socket) => socket.send(CLOSE, closing(1001, "bye")), ["/echo", 1001, "bye"]],
      ["a close without a code", (socket) => socket.send(CLOSE), ["/echo", 1005, ""]],
      ["a connection that breaks", (socket) => socket.client.reset(), ["/echo", 1006, ""]],
      ["a peer that ends without a close", (socket) => socket.client.halfClose(), ["/echo", 1006, ""]],
      ["a peer that breaks the protocol", (socket) => socket.send(3), ["/echo", 1006, ""]],
    ])("hear of %s", async (_, end, note) => {
      await notes();
      const socket = await WsClient.open(server, "/echo");
      end(socket);
      expect(await closesOf("/echo")).toEqual([note]);
      socket.client.close();
    });

    test("that throw close with 1011, and are logged", async () => {
      const socket = await WsClient.open(server, "/throw");
      socket.send(TEXT, "x");
      expect(await socket.readFrame()).toMatchObject({ opcode: CLOSE, payload: closing(1011) });
      await server.complaint(/onMessage of the websocket \/throw failed.*thrown by a websocket/);
      socket.client.close();
    });

    test("know their peer where the runtime does", async () => {
      const socket = await WsClient.open(server, "/who");
      const [address, nodelay] = JSON.parse((await socket.readMessage()).payload.toString());
      if (way.runtime === "wasmtime") expect(address).toBeNull();
      else
        expect(address).toMatchObject({ address: "127.0.0.1", port: isCommand ? socket.client.socket.localPort : 0 });
      expect(nodelay).toBe(way.runtime === "node");
      await socket.close();
    });

    test("send pings, hear pongs, and end a peer that does not answer, whatever else it sends", async () => {
      await notes();
      const alive = await Other.open(server, "/ping");
      const silent = await WsClient.open(server, "/ping");
      expect((await silent.readFrame()).opcode).toBe(PING);
      silent.send(TEXT, "alive");
      let close = await silent.readFrame();
      while (close.opcode !== CLOSE) close = await silent.readFrame();
      expect(close).toMatchObject({ opcode: CLOSE, payload: closing(1011, "ping timed out") });
      expect(await noted((note) => note === "pong")).toContain("pong");
      expect(alive.closed).toBeNull();
      alive.socket.close();
      silent.client.close();
    });

    test("hold up their peer by a promise: one message after the other, in order", async () => {
      const socket = await WsClient.open(server, "/slow?ms=50");
      const started = performance.now();
      socket.client.send(Buffer.concat(["1", "2", "3", "4"].map((text) => frame(TEXT, text))));
      for (const text of ["1", "2", "3", "4"]) expect((await socket.readMessage()).payload.toString()).toBe(text);
      expect(performance.now() - started).toBeGreaterThan(190);
      await socket.close();
    });

    test.each([
      ["a close", frame(CLOSE, closing(1000)), 1000],
      ["a frame that cannot be", frame(3), 1002],
    ])("that take their time have it when %s comes behind their messages", async (_, last, code) => {
      await notes();
      const socket = await WsClient.open(server, "/slow?ms=50");
      socket.client.send(Buffer.concat([frame(TEXT, "1"), frame(TEXT, "2"), last]));
      for (const text of ["1", "2"]) expect((await socket.readMessage()).payload.toString()).toBe(text);
      expect(await socket.readClose()).toBe(code);
      expect(await closesOf("/slow")).toEqual([["/slow", code === 1000 ? 1000 : 1006, ""]]);
      socket.client.close();
    });

    test("are not under the time limits of requests", async () => {
      const socket = await WsClient.open(server, "/echo");
      await sleep(1500); // longer than each of those limits
      expect((await socket.send(TEXT, "still here").readMessage()).payload.toString()).toBe("still here");
      await socket.close();
    });

    test("that are slow make their peer wait, not their memory grow, and a flood of tiny messages costs no more", async () => {
      const before = residentBytes(server.pid);
      for (const block of [
        Buffer.concat(Array.from({ length: 64 }, () => frame(BINARY, Buffer.alloc(16_384)))),
        Buffer.concat(Array.from({ length: 50_000 }, () => frame(TEXT))),
        Buffer.concat(Array.from({ length: 50_000 }, () => frame(TEXT, "x"))),
      ]) {
        const client = await server.connect();
        client.send(handshakeText("/slow?ms=60000"));
        expect(await client.flood(block, 96 * MIB), "the kernel's buffers hold less").toBeLessThan(48 * MIB);
        client.reset();
      }
      expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(64 * MIB);
    });

    test("that write more than their peer reads wait for it", async () => {
      await notes();
      const before = residentBytes(server.pid);
      const clients = await Promise.all(Array.from({ length: 10 }, () => server.connect({ silent: true })));
      for (const client of clients) client.send(handshakeText("/push"));
      await sleep(1500); // a handler that does not wait fills more memory than that meanwhile
      expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(64 * MIB);
      for (const client of clients) client.reset();
      const seen = await noted((note) => Array.isArray(note) && note[0] === "push");
      expect(seen).toContainEqual(["push", "WEBSOCKET_CLOSED"]);
    });

    test("that write to many without waiting close a member who does not read with 1013, and the others go on", async () => {
      const before = residentBytes(server.pid);
      const slow = await Promise.all(Array.from({ length: 3 }, () => server.connect({ silent: true })));
      for (const client of slow) client.send(handshakeText("/room"));
      const talker = await WsClient.open(server, "/room");
      const message = Buffer.alloc(65_536, "waterspout");
      for (let said = 0; said < 64 * MIB; said += message.length) {
        talker.send(BINARY, message);
        expect((await talker.readMessage()).payload.length).toBe(message.length);
      }
      expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(160 * MIB);
      for (const client of slow) {
        const all = await client.resume().readToEnd();
        expect(all.subarray(-4)).toEqual(Buffer.from([0x88, 2, 1013 >> 8, 1013 & 255]));
        client.close();
      }
      await talker.close();
      await server.complaint(/bytes wait for the websocket \/room/);
    });

    describe.runIf(isCommand)("compression", () => {
      const SIZES = [0, 1, 16, 63, 64, 1000, 8192, 16_384, 65_536, 131_072];
      const messages = Array.from({ length: 60 }, (_, index) =>
        JSON.stringify({ index, text: "lorem ipsum dolor ".repeat(10_000) }).slice(0, SIZES[index % SIZES.length]),
      );

      test.each<[string, string, ClientOptions["perMessageDeflate"]]>([
        ["12.1 with takeover", "", {}],
        ["12.2 without takeover at the server", "", { serverNoContextTakeover: true }],
        ["12.3 without takeover at the client", "", { clientNoContextTakeover: true }],
        ["12.4 with a small window at the server", "", { serverMaxWindowBits: 9 }],
        ["12.5 with a small window at the client", "", { clientMaxWindowBits: 9 }],
        ["13.1 as the server wants it: no takeover", "notakeover", {}],
        ["13.2 as the server wants it: small windows", "bits=10", {}],
        ["13.3 of all", "notakeover&bits=9", { clientMaxWindowBits: 8, serverMaxWindowBits: 12 }],
      ])("%s: messages of all sizes come back", async (_, query, offer) => {
        const options = { perMessageDeflate: { threshold: 0, ...(offer as object) } };
        const other = await Other.open(server, `/deflate?${query}`, options);
        expect(other.socket.extensions).toMatch(/^permessage-deflate/);
        for (const [index, message] of messages.entries()) other.socket.send(message, { compress: index % 5 !== 4 });
        await eventually("all of them", () => other.messages.length === messages.length || other.closed !== null);
        expect(other.closed).toBeNull();
        for (const [index, message] of messages.entries()) {
          expect(other.messages[index].toString() === message, `message ${index}`).toBe(true);
        }
        other.socket.close(1000);
        expect(await other.ended()).toEqual([1000, ""]);
      });
    });

    const headers = { "Sec-WebSocket-Extensions": "permessage-deflate" };

    describe.runIf(isCommand)("compression, frame by frame", () => {
      /** "Hello", RFC 7692 7.2.3.1. */
      const HELLO = Buffer.from("f248cdc9c90700", "hex");

      test("the examples of RFC 7692 7.2.3, also in fragments and with pings between", async () => {
        const socket = await WsClient.open(server, "/deflate?threshold=100", { headers });
        expect(socket.response.headers.get("sec-websocket-extensions")).toBe("permessage-deflate");
        socket.send(TEXT, HELLO, { reserved: 4 });
        expect((await socket.readMessage()).payload.toString()).toBe("Hello");
        socket.send(TEXT, HELLO.subarray(0, 3), { reserved: 4, fin: false }).send(PING).send(0, HELLO.subarray(3));
        expect((await socket.readFrame()).opcode).toBe(PONG);
        expect((await socket.readMessage()).payload.toString()).toBe("Hello");
        socket.send(TEXT, Buffer.from("f200110000", "hex"), { reserved: 4 });
        expect((await socket.readMessage()).payload.toString()).toBe("Hello");
        socket.send(TEXT, "Hello");
        expect(await socket.readMessage()).toMatchObject({ compressed: false, payload: Buffer.from("Hello") });
        await socket.close();
      });

      test("messages with a close behind them in one piece, small ones and one for another thread, are answered first", async () => {
        const socket = await WsClient.open(server, "/deflate?notakeover&threshold=100000000", { headers });
        const large = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index * 7919).join(","));
        const sent = [HELLO, deflateRawSync(large, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4), HELLO];
        const messages = sent.map((message) => frame(TEXT, message, { reserved: 4 }));
        socket.client.send(Buffer.concat([...messages, frame(CLOSE, closing(1000))]));
        for (const text of ["Hello", large.toString(), "Hello"]) {
          expect((await socket.readMessage()).payload.toString() === text, text.slice(0, 20)).toBe(true);
        }
        expect(await socket.readClose()).toBe(1000);
        socket.client.close();
      });

      test("what cannot be inflated, with messages before it and a close behind it: these are answered, then 1007", async () => {
        const socket = await WsClient.open(server, "/deflate?threshold=100", { headers });
        const frames = [frame(TEXT, HELLO, { reserved: 4 }), frame(TEXT, "\xff\xff\xff", { reserved: 4 })];
        socket.client.send(Buffer.concat([...frames, frame(CLOSE, closing(1000))]));
        expect((await socket.readMessage()).payload.toString()).toBe("Hello");
        expect(await socket.readClose()).toBe(1007);
        socket.client.close();
      });

      test.each<[string, number, (socket: WsClient) => unknown]>([
        ["what is no deflate", 1007, (socket) => socket.send(TEXT, "\xff\xff\xff", { reserved: 4 })],
        ["text that is not UTF-8", 1007, (socket) => socket.send(TEXT, Buffer.from("6a1000", "hex"), { reserved: 4 })],
        [
          "RSV1 on a continuation",
          1002,
          (socket) =>
            socket
              .send(TEXT, HELLO.subarray(0, 3), { reserved: 4, fin: false })
              .send(0, HELLO.subarray(3), { reserved: 4 }),
        ],
        ["RSV1 on a ping", 1002, (socket) => socket.send(PING, "", { reserved: 4 })],
        ["RSV2", 1002, (socket) => socket.send(TEXT, HELLO, { reserved: 6 })],
      ])("%s is refused with %d", async (_, code, send) => {
        const socket = await WsClient.open(server, "/deflate", { headers });
        send(socket);
        const close = await socket.readFrame();
        expect([close.opcode, close.payload.readUInt16BE()]).toEqual([CLOSE, code]);
        socket.client.close();
      });

      test("a message that is too large when it is inflated: 1009", async () => {
        const fits = await Other.open(server, "/small", { perMessageDeflate: { threshold: 0 } });
        fits.socket.send("x".repeat(1000));
        await eventually("the message", () => fits.messages.length === 1);
        fits.socket.send("x".repeat(1001));
        expect(await fits.ended()).toEqual([1009, "message too big"]);
      });

      test("offers that cannot be kept are declined, malformed ones refused", async () => {
        const declined = await WsClient.open(server, "/deflate", {
          headers: { "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=8" },
        });
        expect(declined.response.headers.get("sec-websocket-extensions")).toBeUndefined();
        await declined.close();
        const malformed = handshakeText("/deflate", { "Sec-WebSocket-Extensions": "permessage-deflate; =" });
        expect((await server.request(malformed)).status).toBe(400);
      });
    });

    test("compression is off unless the handler wants it, and the way has it", async () => {
      const socket = await WsClient.open(server, isCommand ? "/echo" : "/deflate", { headers });
      expect(socket.response.headers.get("sec-websocket-extensions")).toBeUndefined();
      await socket.close();
    });
  });

  if (!isCommand) return;

  test("a stop sends 1001, waits for the answers, and the handlers hear them", async () => {
    const server = await start(way, APP);
    const others = await Promise.all(Array.from({ length: 5 }, () => Other.open(server, "/echo")));
    const busy = await WsClient.open(server, "/slow?ms=100");
    busy.send(TEXT, "x");
    server.signal("SIGTERM");
    for (const other of others) expect((await other.ended())[0]).toBe(1001);
    for (let received = await busy.readFrame(); ; received = await busy.readFrame()) {
      if (received.opcode !== CLOSE) continue;
      expect(received.payload.readUInt16BE()).toBe(1001);
      break;
    }
    busy.send(CLOSE, closing(1001));
    await server.exited;
    await server.stop();
  });

  if (way.runtime !== "wasmtime") return;

  test("a worker that is killed: its websockets hear 1006, and those of the other go on", async () => {
    const server = await start(way, APP, ["--workers", "2"]);
    try {
      await eventually("two workers", () => workersOf(server.pid).length === 2);
      const [victim, survivor] = workersOf(server.pid);
      const sockets: WsClient[] = [];
      const heldBy = ({ pid }: ProcessId): WsClient[] =>
        sockets.filter(({ client }) => holdsConnection(pid, server.port, client.socket.localPort!));
      await eventually("websockets of both", async () => {
        sockets.push(await WsClient.open(server, "/echo"));
        return heldBy(victim).length > 0 && heldBy(survivor).length > 0;
      });
      const [lost, kept] = [heldBy(victim), heldBy(survivor)];
      expect(lost.length + kept.length).toBe(sockets.length);
      process.kill(victim.pid, "SIGKILL");
      for (const { client } of lost) await client.gone();
      const seen: unknown[] = [];
      await eventually("a note of each", async () => {
        seen.push(...(JSON.parse((await server.get("/notes")).body.toString()) as unknown[]));
        return seen.length >= lost.length;
      });
      expect(seen).toEqual(lost.map(() => ["/echo", 1006, ""]));
      for (const socket of [...kept, await WsClient.open(server, "/echo")]) {
        expect((await socket.send(TEXT, "still here").readMessage()).payload.toString()).toBe("still here");
      }
      expect(isAlive(survivor)).toBe(true);
    } finally {
      await server.stop();
    }
  });
}
