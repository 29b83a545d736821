// Opening handshakes and frames to the demo's echo, /ws, good and bad: cases in the manner of the Autobahn test suite,
// whose numbers stand in the names.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, start, type Way } from "../support/ways.js";
import {
  ACCEPT,
  BINARY,
  CONTINUATION,
  closeCodeOf,
  type FrameOptions,
  frame,
  handshakeText,
  PING,
  PONG,
  type Received,
  TEXT,
  WsClient,
} from "../support/wsclient.js";

export function websocketSuite(way: Way): void {
  describe("websocket", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way);
    });
    afterAll(() => server.stop());

    const open = (): Promise<WsClient> => WsClient.open(server);

    describe("opening", () => {
      test("the example of RFC 6455 1.3", async () => {
        const { response, client } = await open();
        expect(response.status).toBe(101);
        expect(response.headers.get("sec-websocket-accept")).toBe(ACCEPT);
        expect(response.headers.get("upgrade")?.toLowerCase()).toBe("websocket");
        expect(response.headers.get("connection")?.toLowerCase()).toBe("upgrade");
        expect([...response.headers.keys()]).not.toContain("content-length");
        expect([...response.headers.keys()]).not.toContain("sec-websocket-extensions");
        client.close();
      });

      test("with frames right behind the handshake, in one piece with it or cut anywhere", async () => {
        const sent = Buffer.concat([frame(TEXT, "early"), frame(TEXT, "bird")]);
        const whole = await WsClient.open(server, "/ws", { sent });
        expect((await whole.readMessage()).payload.toString()).toBe("early");
        expect((await whole.readMessage()).payload.toString()).toBe("bird");
        await whole.close();
        const client = await server.connect();
        await client.sendInPieces(Buffer.concat([Buffer.from(handshakeText("/ws")), sent]));
        expect((await client.readResponse()).status).toBe(101);
        expect((await client.readBytes(2 + 5 + 2 + 4)).toString("latin1")).toBe("\x81\x05early\x81\x04bird");
        client.close();
      });

      test("after other requests on the same connection", async () => {
        const client = await server.connect();
        const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        client.send(get + get + handshakeText("/ws"));
        for (const status of [200, 200, 101]) expect((await client.readResponse()).status).toBe(status);
        client.send(frame(TEXT, "hello"));
        expect((await client.readBytes(7)).toString("latin1")).toBe("\x81\x05hello");
        client.close();
      });

      test.each<[string, Record<string, string | undefined>]>([
        ["names in other cases", { Upgrade: "WebSocket", Connection: "keep-alive, UPGRADE" }],
        ["its own origin", { Origin: "http://x" }],
        ["unknown extensions", { "Sec-WebSocket-Extensions": "x-one; a=1, x-two" }],
      ])("with %s", async (_, headers) => {
        const socket = await WsClient.open(server, "/ws", { headers });
        await socket.close();
      });

      test.each<[number, string, Record<string, string | undefined>]>([
        [400, "no Upgrade", { Upgrade: undefined }],
        [400, "another Upgrade", { Upgrade: "h2c" }],
        [400, "no Connection", { Connection: undefined }],
        [400, "no key", { "Sec-WebSocket-Key": undefined }],
        [400, "a key that is too short", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j" }],
        [400, "a key that is no base64", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ!==" }],
        [426, "no version", { "Sec-WebSocket-Version": undefined }],
        [426, "version 8", { "Sec-WebSocket-Version": "8" }],
        [426, "version 14", { "Sec-WebSocket-Version": "14" }],
        [403, "a foreign origin", { Origin: "http://evil.example" }],
        [403, "no origin at all, as a browser says it", { Origin: "null" }],
      ])("is answered with %d for %s", async (status, _, headers) => {
        const response = await server.request(handshakeText("/ws", headers));
        expect(response.status).toBe(status);
        expect(response.headers.get("sec-websocket-version")).toBe(status === 426 ? "13" : undefined);
        expect(response.headers.get("upgrade")).toBe(status === 426 ? "websocket" : undefined);
        expect(response.headers.get("connection")?.includes("Upgrade") ?? false).toBe(status === 426);
      });

      test("is not for POST or HTTP/1.0, and no other path is a websocket", async () => {
        const get = handshakeText("/ws");
        expect((await server.request(get.replace("HTTP/1.1", "HTTP/1.0"))).status).toBe(400);
        expect((await server.request(get.replace("GET", "POST"))).status).toBeGreaterThanOrEqual(400);
        expect((await server.request(handshakeText("/"))).status).toBe(200);
      });
    });

    describe("1 framing", () => {
      const sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 200_000];
      test.each(sizes)("text and binary of %d bytes, whole and in pieces", async (size) => {
        const socket = await open();
        const text = "*".repeat(size);
        const bytes = Buffer.alloc(size, 0xfe);
        socket.send(TEXT, text).send(BINARY, bytes);
        for (const [opcode, sent] of [
          [TEXT, Buffer.from(text)],
          [BINARY, bytes],
        ] as const) {
          const message = await socket.readMessage();
          expect([message.opcode, message.payload.equals(sent)]).toEqual([opcode, true]);
        }
        await socket.client.sendInPieces(frame(TEXT, text), size > 1000 ? 997 : 1);
        expect((await socket.readMessage()).payload.toString() === text).toBe(true);
        await socket.close();
      });

      test.each([65_535, 65_536, 65_537, 1 << 20])(
        "a message of %d bytes is one frame, between pongs",
        async (size) => {
          const socket = await open();
          const bytes = Buffer.alloc(size, "waterspout");
          const pings = Array.from({ length: 40 }, (_, index) => frame(PING, String(index)));
          socket.send(BINARY, bytes).client.send(Buffer.concat([...pings, frame(PING, "last")]));
          const others: Received[] = [];
          let message: Received | undefined;
          while (message === undefined || others.at(-1)?.payload.toString() !== "last") {
            const received = await socket.readFrame();
            if (received.opcode === PONG) others.push(received);
            else if (message === undefined) message = received;
            else throw new Error(`a second frame, of ${received.payload.length} bytes`);
          }
          expect([message.opcode, message.fin, message.payload.equals(bytes)]).toEqual([BINARY, true, true]);
          await socket.close();
        },
      );

      test("frames without a mask are refused", async () => {
        expect(await closeCodeOf(server, frame(TEXT, "x", { masked: false }))).toBe(1002);
        expect(await closeCodeOf(server, frame(PING, "", { masked: false }))).toBe(1002);
      });

      test.each<[string, string, FrameOptions]>([
        ["125 bytes in 2", "x".repeat(125), { lengthBytes: 2 }],
        ["0 bytes in 8", "", { lengthBytes: 8 }],
        ["65,535 bytes in 8", "x".repeat(65_535), { lengthBytes: 8 }],
        ["2^63 bytes", "", { length: 2n ** 63n, lengthBytes: 8 }],
      ])("a length in another form than the shortest is refused: %s", async (_, payload, options) => {
        expect(await closeCodeOf(server, frame(BINARY, payload, options))).toBe(1002);
      });
    });

    describe("2 pings and pongs", () => {
      test.each(["", "Hello, world!", Buffer.from([0, 255, 254, 253, 0]), Buffer.alloc(125, 0xfe)])(
        "a ping is answered with its own payload: %j",
        async (payload) => {
          const socket = await open();
          expect(await socket.send(PING, payload).readFrame()).toMatchObject({
            opcode: PONG,
            payload: Buffer.from(payload),
          });
          await socket.client.sendInPieces(frame(PING, payload));
          expect((await socket.readFrame()).payload).toEqual(Buffer.from(payload));
          await socket.close();
        },
      );

      test("a ping of 126 bytes is refused", async () => {
        expect(await closeCodeOf(server, frame(PING, "x".repeat(126)))).toBe(1002);
      });

      test("unsolicited pongs are ignored", async () => {
        const socket = await open();
        socket.send(PONG).send(PONG, "payload").send(PING, "p");
        expect((await socket.readFrame()).payload.toString()).toBe("p");
        await socket.close();
      });

      test("of many pings at once the last is answered, and of the others none twice or out of order", async () => {
        const socket = await open();
        const pings = Array.from({ length: 10 }, (_, index) => frame(PING, `payload-${index}`));
        socket.client.send(Buffer.concat(pings));
        let last = -1;
        while (last < 9) {
          const { opcode, payload } = await socket.readFrame();
          const index = Number(payload.toString().slice(8));
          expect([opcode, index > last]).toEqual([PONG, true]);
          last = index;
        }
        await socket.close();
      });
    });

    test.each([1, 2, 3, 4, 5, 6, 7])("3 reserved bits: %d is refused", async (reserved) => {
      expect(await closeCodeOf(server, frame(TEXT, "x", { reserved }))).toBe(1002);
      expect(await closeCodeOf(server, frame(PING, "", { reserved }))).toBe(1002);
    });

    test.each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])(
      "4 opcodes: %d is refused, what came before is answered",
      async (opcode) => {
        expect(await closeCodeOf(server, frame(opcode))).toBe(1002);
        const socket = await open();
        socket.send(TEXT, "before");
        expect((await socket.readMessage()).payload.toString()).toBe("before");
        socket.send(opcode, "x").send(PING);
        expect(await socket.readClose()).toBe(1002);
      },
    );

    describe("5 fragmentation", () => {
      test("5.1, 5.2 control frames in fragments are refused", async () => {
        expect(await closeCodeOf(server, frame(PING, "a", { fin: false }), frame(CONTINUATION, "b"))).toBe(1002);
        expect(await closeCodeOf(server, frame(PONG, "a", { fin: false }), frame(CONTINUATION, "b"))).toBe(1002);
      });

      test.each([
        ["two", ["frag", "ment"]],
        ["many", [..."fragmented"]],
        ["empty ones among them", ["", "a", "", "b", ""]],
        ["nothing but empty ones", ["", "", ""]],
      ])("a message in %s", async (_, parts) => {
        for (const pause of [false, true]) {
          const socket = await open();
          for (const [index, part] of parts.entries()) {
            socket.send(index === 0 ? TEXT : CONTINUATION, part, { fin: index === parts.length - 1 });
            if (pause && index < parts.length - 1) await socket.send(PING, String(index)).readFrame();
          }
          expect((await socket.readMessage()).payload.toString()).toBe(parts.join(""));
          await socket.close();
        }
      });

      test("5.6 a ping in the middle is answered before the message", async () => {
        const socket = await open();
        socket.send(TEXT, "frag", { fin: false }).send(PING, "ping").send(CONTINUATION, "ment");
        expect(await socket.readFrame()).toMatchObject({ opcode: PONG, payload: Buffer.from("ping") });
        expect((await socket.readMessage()).payload.toString()).toBe("fragment");
        await socket.close();
      });

      test.each<[string, Buffer[]]>([
        ["5.9 a final continuation of nothing", [frame(CONTINUATION, "x")]],
        ["5.10 a continuation of nothing", [frame(CONTINUATION, "x", { fin: false })]],
        ["5.18 text inside text", [frame(TEXT, "a", { fin: false }), frame(TEXT, "b")]],
        ["binary inside text", [frame(TEXT, "a", { fin: false }), frame(BINARY, "b")]],
        [
          "5.15 a continuation after the end",
          [frame(TEXT, "a", { fin: false }), frame(CONTINUATION, "b", { fin: false }), frame(TEXT, "c")],
        ],
      ])("%s is refused", async (_, frames) => {
        expect(await closeCodeOf(server, ...frames)).toBe(1002);
      });
    });

    describe("6 UTF-8", () => {
      test.each([
        "Hello-µ@ßöäüàá-UTF-8!!",
        "κόσμε",
        "\u{10000}\u{10ffff}\ud7ff\ue000\ufffd\ufffe\uffff\u0080\u07ff\u0800\0\x7f",
      ])("valid: %j, also cut inside characters", async (text) => {
        const socket = await open();
        const bytes = Buffer.from(text);
        socket.send(TEXT, bytes);
        expect((await socket.readMessage()).payload.toString()).toBe(text);
        for (const [at, byte] of bytes.entries()) {
          const options = { fin: at === bytes.length - 1 };
          socket.send(at === 0 ? TEXT : CONTINUATION, Buffer.from([byte]), options);
        }
        expect((await socket.readMessage()).payload.toString()).toBe(text);
        await socket.close();
      });

      const INVALID: [string, string][] = [
        ["a continuation byte alone", "80"],
        ["the last continuation byte", "bf"],
        ["a character that is cut", "cebae1bd"],
        ["two continuation bytes after a start of one", "c3a0a0"],
        ["a first byte without the rest", "c320"],
        ["an overlong slash of 2", "c0af"],
        ["an overlong slash of 3", "e080af"],
        ["an overlong slash of 4", "f08080af"],
        ["the greatest overlong of 2", "c1bf"],
        ["the greatest overlong of 3", "e09fbf"],
        ["the greatest overlong of 4", "f08fbfbf"],
        ["a surrogate", "eda080"],
        ["the last surrogate", "edbfbf"],
        ["a pair of surrogates", "eda080edb080"],
        ["beyond U+10FFFF", "f4908080"],
        ["five bytes", "f8808080af"],
        ["six bytes", "fc80808080af"],
        ["fe", "fe"],
        ["ff", "ff"],
        ["valid text with something in the middle", "cebae1bdb9cf83cebcceb5eda080656469746564"],
      ];
      test.each(INVALID)(
        "invalid: %s is refused with 1007, whole, in fragments and behind plain text",
        async (_, hex) => {
          const bytes = Buffer.from(hex, "hex");
          expect(await closeCodeOf(server, frame(TEXT, bytes))).toBe(1007);
          const pieces = [...bytes].map((byte) => frame(CONTINUATION, Buffer.from([byte]), { fin: false }));
          expect(await closeCodeOf(server, frame(TEXT, "", { fin: false }), ...pieces, frame(CONTINUATION))).toBe(1007);
          expect(await closeCodeOf(server, frame(TEXT, Buffer.concat([Buffer.from("plain".repeat(31)), bytes])))).toBe(
            1007,
          );
        },
      );

      test("6.4 fails as soon as a byte cannot be right, before the frame or the message has ended", async () => {
        const socket = await open();
        socket.client.send(frame(TEXT, Buffer.from("ok then \xff", "latin1"), { length: 1000n, lengthBytes: 2 }));
        expect(await socket.readClose()).toBe(1007);
        const fragmented = await open();
        fragmented.send(TEXT, Buffer.from("cebae1bdb9cf83cebcceb5f4", "hex"), { fin: false });
        fragmented.send(CONTINUATION, Buffer.from("90", "hex"), { fin: false });
        expect(await fragmented.readClose()).toBe(1007);
      });

      test("binary messages may hold anything", async () => {
        const socket = await open();
        const bytes = Buffer.from([0xff, 0xc0, 0x80]);
        expect((await socket.send(BINARY, bytes).readMessage()).payload).toEqual(bytes);
        await socket.close();
      });
    });
  });
}
