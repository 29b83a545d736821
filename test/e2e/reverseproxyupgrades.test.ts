// examples/sandboxed/proxy.ts: what comes before the final answer (1xx), and the tunnel behind an upgrade to WebSocket.
import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Client } from "./support/client.js";
import { BUILD_MS, portOf, proxyBefore, raw, scripted } from "./support/reverseproxy.js";
import { COMPONENT, COMPONENT_ASYNC, eventually, makeComponents, type Server } from "./support/ways.js";

const MIB = 2 ** 20;
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-Hop: 1\r\nConnection: X-Hop\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const UPGRADE =
  "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
  `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";

beforeAll(makeComponents, BUILD_MS);

describe.each([COMPONENT, COMPONENT_ASYNC])("$component", (way) => {
  /** A proxy in front of this upstream, for one test. */
  async function withProxy(
    upstream: net.Server,
    use: (proxy: Server, client: Client) => Promise<void>,
    settings?: Record<string, number>,
  ): Promise<void> {
    const proxy = await proxyBefore(way, portOf(upstream), settings);
    try {
      await use(proxy, await proxy.connect());
    } finally {
      await proxy.stop();
      upstream.close();
    }
  }

  describe("informational answers", () => {
    test("early hints are passed on, without the fields of one hop, but not to a client of HTTP/1.0", async () => {
      await withProxy(await scripted(() => HINTS + HINTS + OK), async (proxy, client) => {
        client.send(GET);
        for (let i = 0; i < 2; i++) {
          const { status, reason, headers } = await client.readResponse();
          expect([status, reason, ...headers]).toEqual([103, "Early Hints", ["link", "</a>"]]);
        }
        expect((await client.readResponse()).body.toString()).toBe("ok");
        expect((await proxy.request("GET / HTTP/1.0\r\n\r\n")).status).toBe(200);
      });
    });

    test("the upstream decides about 100 Continue", async () => {
      const heads: string[] = [];
      const deciding = http
        .createServer((_, response) => response.end("plain"))
        .on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
          heads.push(request.headers.expect!);
          if (heads.length > 1) response.writeHead(417).end();
          else {
            response.writeContinue();
            request.pipe(response);
          }
        });
      await once(deciding.listen(0, "127.0.0.1"), "listening");
      await withProxy(deciding, async (_, client) => {
        expect((await client.send(POST).readResponse()).status).toBe(100);
        expect((await client.send("ab").readResponse()).body.toString()).toBe("ab");
        expect((await client.send(POST).readResponse()).status).toBe(417);
        await client.expectEnd(); // what it would send next, the body or another request, is not known
        expect(heads).toEqual(["100-continue", "100-continue"]);
      });
    });

    test("when the upstream says nothing, the client is let go on; one that has sent its body does not wait", async () => {
      let seen = "";
      const quiet = await raw((socket) =>
        socket.on("data", (data) => {
          seen += data.toString("latin1");
          if (seen.endsWith("ab")) socket.write(OK);
        }),
      );
      await withProxy(quiet, async (_, client) => {
        expect((await client.send(POST).readResponse()).status).toBe(100);
        expect(seen).toContain("Expect: 100-continue");
        expect((await client.send("ab").readResponse()).status).toBe(200);
        seen = "";
        expect((await client.send(`${POST}ab`).readResponse()).status).toBe(200);
        expect(seen).not.toContain("Expect");
      });
    });
  });

  describe("websockets", () => {
    const upstream = http.createServer((_, response) => response.end("plain"));
    const sockets = new WebSocketServer({ server: upstream });
    sockets.on("connection", (socket) =>
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    let proxy: Server;
    beforeAll(async () => {
      await once(upstream.listen(0, "127.0.0.1"), "listening");
      proxy = await proxyBefore(way, portOf(upstream));
    }, BUILD_MS);
    afterAll(async () => {
      await proxy.stop();
      for (const socket of sockets.clients) socket.terminate();
      upstream.close();
    });

    test("messages of all sizes go both ways, and closing does", async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat`);
      await once(socket, "open");
      for (const size of [0, 1, 70_000, MIB]) {
        const message = Buffer.alloc(size, "m");
        socket.send(message);
        const [data] = (await once(socket, "message")) as [Buffer];
        expect(data.equals(message)).toBe(true);
      }
      const [server] = sockets.clients;
      const closed = once(server, "close");
      socket.close(4000, "over");
      const [code] = (await once(socket, "close")) as [number];
      const [codeThere] = (await closed) as [number];
      expect([code, codeThere]).toEqual([4000, 4000]);
    });

    test("more tunnels than connections for requests, and requests beside them", async () => {
      const few = await proxyBefore(way, portOf(upstream), { UPSTREAM_CONNECTIONS_MAX: 1 });
      try {
        const open = [1, 2, 3].map(() => new WebSocket(`ws://127.0.0.1:${few.port}/chat`));
        await Promise.all(open.map((socket) => once(socket, "open")));
        expect((await few.request(GET)).body.toString()).toBe("plain");
        const ends = open.map((socket) => once(socket, "close"));
        for (const socket of open) socket.close();
        await Promise.all(ends);
      } finally {
        await few.stop();
      }
    });

    test("an end that is cut off ends the other one", async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat`);
      await once(socket, "open");
      const [server] = sockets.clients;
      const closed = once(server, "close");
      socket.terminate();
      await closed;
      const other = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat`);
      await once(other, "open");
      for (const one of sockets.clients) one.terminate();
      const [code] = (await once(other, "close")) as [number];
      expect(code).toBe(1006);
    });
  });

  describe("tunnels", () => {
    test("what stands behind the request and behind the 101 is not lost", async () => {
      let seen = "";
      const switching = await raw((socket) =>
        socket.on("data", (data) => {
          seen += data.toString("latin1");
          if (seen.endsWith("first")) socket.end("bye");
          else socket.write(`${SWITCH}greeting`);
        }),
      );
      await withProxy(switching, async (_, client) => {
        client.send(`${UPGRADE}first`);
        const { status, headers } = await client.readResponse();
        expect([status, headers.get("upgrade"), headers.get("connection")]).toEqual([101, "websocket", "Upgrade"]);
        expect(headers.get("sec-websocket-accept")).toBe("x");
        expect((await client.readToEnd()).toString()).toBe("greetingbye");
        expect(seen).toContain("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
        expect(seen).toContain(`\r\nSec-WebSocket-Key: ${KEY}\r\n`);
      });
    });

    test("who does not read holds back who sends", async () => {
      let taken = 0;
      const block = Buffer.alloc(65_536, "x");
      const sending = await raw((socket) =>
        socket.once("data", () => {
          socket.write(SWITCH);
          const more = (): void => {
            for (taken += block.length; socket.write(block); ) taken += block.length;
            socket.once("drain", more);
          };
          more();
        }),
      );
      await withProxy(sending, async (proxy) => {
        const slow = await proxy.connect({ silent: true });
        slow.send(UPGRADE);
        let last = -1;
        await eventually("the upstream held back", async () => {
          const isStill = taken > 0 && taken === last;
          last = taken;
          for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 10));
          return isStill && taken === last;
        });
        expect(taken).toBeLessThan(32 * MIB);
        const held = taken;
        expect((await slow.resume().readBytes(held)).length).toBe(held);
        slow.reset();
      });
    });
  });

  describe("ends and refusals", () => {
    test("a silent tunnel is closed", async () => {
      const switching = await scripted((piece) => (piece === 1 ? SWITCH : null));
      const settings = { TUNNEL_TIMEOUT_MS: 100 };
      await withProxy(
        switching,
        async (_, client) => {
          expect((await client.send(UPGRADE).readResponse()).status).toBe(101);
          await client.expectEnd();
        },
        settings,
      );
    });

    test.each([
      ["was not asked for", GET, SWITCH],
      ["is to another protocol", UPGRADE, SWITCH.replace("WebSocket", "h2c")],
      ["names none", UPGRADE, SWITCH.replace("Upgrade: WebSocket\r\n", "")],
    ])("a switch that %s is a 502", async (_, request, answer) => {
      await withProxy(await scripted(() => answer), async (proxy) => {
        expect((await proxy.request(request)).status).toBe(502);
      });
    });

    test.each([
      ["to another protocol", UPGRADE.replace("websocket", "h2c")],
      ["with a body", UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nab")],
      ["without a key", UPGRADE.replace(KEY, "")],
    ])("an upgrade %s is forwarded as an ordinary request", async (_, request) => {
      let head = "";
      const plain = await raw((socket) =>
        socket.on("data", (data) => {
          head += data.toString("latin1");
          socket.write(OK);
        }),
      );
      await withProxy(plain, async (proxy) => {
        expect((await proxy.request(request)).status).toBe(200);
        expect(head).not.toMatch(/^(upgrade|connection):/im);
      });
    });

    test("an upgrade that the upstream refuses leaves both connections as they were", async () => {
      const heads: number[] = [];
      const refusing = await scripted((_, connection) => {
        heads.push(connection);
        return OK;
      });
      await withProxy(refusing, async (_, client) => {
        expect((await client.send(UPGRADE).readResponse()).status).toBe(200);
        expect((await client.send(GET).readResponse()).status).toBe(200);
        expect(heads).toEqual([1, 1]);
      });
    });
  });
});
