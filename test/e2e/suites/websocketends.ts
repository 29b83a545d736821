// How websockets of the demo's echo, /ws, end, and what large, many and greedy ones cost: cases in the manner of the
// Autobahn test suite, whose numbers stand in the names. Another project's client, `ws`, shows that proper clients are
// served; a raw one that improper ones are not.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { residentBytes } from "../support/processes.js";
import { eventually, type Server, start, type Way } from "../support/ways.js";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closeCodeOf,
  closing,
  frame,
  handshakeText,
  PING,
  TEXT,
  WsClient,
} from "../support/wsclient.js";

const MIB = 1 << 20;
const MESSAGE_BYTES_MAX = 10 * MIB;

export function websocketEndSuite(way: Way): void {
  describe("websockets at their limits", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start(way);
    });
    afterAll(() => server.stop());

    const open = (): Promise<WsClient> => WsClient.open(server);

    describe("7 closing", () => {
      test("7.1 what follows a close is not looked at", async () => {
        const socket = await open();
        expect((await socket.send(TEXT, "last").readMessage()).payload.toString()).toBe("last");
        socket.send(CLOSE, closing(1000)).send(TEXT, "late").send(PING).send(CLOSE).send(3);
        expect(await socket.readClose()).toBe(1000);
      });

      test.each<[string, Buffer[], string[]]>([
        ["a message and a close", [frame(TEXT, "hello"), frame(CLOSE, closing(1000))], ["81 hello", "88 \x03\xe8"]],
        ["a message and a close without a code", [frame(TEXT, "hello"), frame(CLOSE)], ["81 hello", "88 "]],
        ["a message and an opcode that is none", [frame(TEXT, "hello"), frame(3)], ["81 hello", "88 \x03\xea"]],
        [
          "a message and one that is not UTF-8",
          [frame(TEXT, "hello"), frame(TEXT, Buffer.from([0xff]))],
          ["81 hello", "88 \x03\xef"],
        ],
        ["a ping and a close", [frame(PING, "there?"), frame(CLOSE, closing(1000))], ["8a there?", "88 \x03\xe8"]],
        [
          "fragments with a ping among them and a close",
          [
            frame(TEXT, "frag", { fin: false }),
            frame(PING, "?"),
            frame(CONTINUATION, "ment"),
            frame(CLOSE, closing(4000, "x")),
          ],
          ["8a ?", "81 fragment", "88 \x0f\xa0"],
        ],
        [
          "many messages and a close",
          [...Array.from({ length: 100 }, (_, index) => frame(BINARY, String(index))), frame(CLOSE, closing(1000))],
          [...Array.from({ length: 100 }, (_, index) => `82 ${index}`), "88 \x03\xe8"],
        ],
      ])("in one piece, %s: all is answered, in this order", async (_, sent, answers) => {
        const socket = await open();
        socket.client.send(Buffer.concat(sent));
        for (const answer of answers) {
          const { opcode, payload } = await socket.readFrame();
          expect(`${(0x80 | opcode).toString(16)} ${payload.toString("latin1")}`).toBe(answer);
        }
        await socket.client.expectEnd();
        socket.client.close();
      });

      test("a message, and the end of the client's side behind it: it is answered", async () => {
        const socket = await open();
        socket.send(TEXT, "hello").client.halfClose();
        expect((await socket.readMessage()).payload.toString()).toBe("hello");
        await socket.client.expectEnd();
      });

      test("7.1.6 in the middle of a message", async () => {
        const socket = await open();
        socket.send(TEXT, "half", { fin: false }).send(CLOSE, closing(1001, "going"));
        expect(await socket.readClose()).toBe(1001);
      });

      test("7.3 without a code, with one byte, with the longest reason, with a longer one", async () => {
        expect(await closeCodeOf(server, frame(CLOSE))).toBe(1005);
        expect(await closeCodeOf(server, frame(CLOSE, "x"))).toBe(1002);
        expect(await closeCodeOf(server, frame(CLOSE, closing(1000, "x".repeat(123))))).toBe(1000);
        expect(await closeCodeOf(server, frame(CLOSE, closing(1000, "x".repeat(124))))).toBe(1002);
      });

      test("7.5 with a reason that is not UTF-8", async () => {
        expect(await closeCodeOf(server, frame(CLOSE, closing(1000, Buffer.from("cebae1bdb9eda080", "hex"))))).toBe(
          1007,
        );
      });

      test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])(
        "7.7 the code %d comes back",
        async (code) => {
          expect(await closeCodeOf(server, frame(CLOSE, closing(code)))).toBe(code);
        },
      );

      test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])(
        "7.9 the code %d is refused",
        async (code) => {
          expect(await closeCodeOf(server, frame(CLOSE, closing(code)))).toBe(1002);
        },
      );
    });

    describe("9 large messages", () => {
      test.each([MIB, 4 * MIB, MESSAGE_BYTES_MAX])("text and binary of %d bytes", async (size) => {
        const socket = await open();
        const bytes = Buffer.alloc(size, "0123456789abcdef");
        for (const opcode of [TEXT, BINARY]) {
          const message = await socket.send(opcode, bytes).readMessage();
          expect([message.opcode, message.payload.equals(bytes)]).toEqual([opcode, true]);
        }
        await socket.close();
      });

      test.each([64, 1024, 65_536])("9.3 a mebibyte in fragments of %d bytes", async (size) => {
        const socket = await open();
        const bytes = Buffer.alloc(MIB, "0123456789abcdef");
        const frames: Buffer[] = [];
        for (let at = 0; at < MIB; at += size) {
          const options = { fin: at + size >= MIB };
          frames.push(frame(at === 0 ? BINARY : CONTINUATION, bytes.subarray(at, at + size), options));
        }
        socket.client.send(Buffer.concat(frames));
        expect((await socket.readMessage()).payload.equals(bytes)).toBe(true);
        await socket.close();
      });

      test("one byte more than allowed is refused with 1009, as soon as a header says so", async () => {
        const length = BigInt(MESSAGE_BYTES_MAX + 1);
        expect(await closeCodeOf(server, frame(BINARY, "x", { length }))).toBe(1009);
        const socket = await open();
        socket.send(BINARY, Buffer.alloc(MESSAGE_BYTES_MAX), { fin: false }).send(CONTINUATION, "x");
        expect(await socket.readClose()).toBe(1009);
      });
    });

    describe("10 other people's client", () => {
      test("messages of many sizes, in order, and an orderly end", async () => {
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`);
        const got: string[] = [];
        socket.on("message", (message, isBinary) => got.push(`${isBinary} ${message}`));
        await new Promise((resolve) => socket.once("open", resolve));
        const sizes = Array.from({ length: 300 }, (_, index) => (index * 7919) % 70_000);
        for (const [index, size] of sizes.entries()) socket.send(String(index).repeat(size).slice(0, size));
        await eventually("the last", () => got.length === sizes.length);
        for (const [index, size] of sizes.entries()) {
          expect(got[index] === `false ${String(index).repeat(size).slice(0, size)}`, `message ${index}`).toBe(true);
        }
        const closed = new Promise<[number, string]>((resolve) => {
          socket.once("close", (code, reason) => resolve([code, reason.toString()]));
        });
        socket.close(4321, "enough");
        expect((await closed)[0]).toBe(4321);
      });
    });

    describe("crowds and idlers", () => {
      test("5,000 messages of one byte in one piece: another connection is answered at once", async () => {
        const flood = await open();
        const bystander = await open();
        const plain = await server.connect();
        flood.client.send(Buffer.concat(Array.from({ length: 5000 }, () => frame(TEXT, "x"))));
        let slowestMs = 0;
        const answered = (async () => {
          for (let i = 0; i < 5000; i++) expect((await flood.readMessage()).payload.length).toBe(1);
        })();
        for (let i = 0; i < 10; i++) {
          const started = performance.now();
          bystander.send(TEXT, "hello");
          expect((await bystander.readMessage()).payload.toString()).toBe("hello");
          expect((await plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").readResponse()).status).toBe(200);
          slowestMs = Math.max(slowestMs, performance.now() - started);
        }
        await answered;
        expect(slowestMs).toBeLessThan(5000);
        await flood.close();
        await bystander.close();
      });

      test("who sends for ever and never reads is not read any more, and costs little memory", async () => {
        const before = residentBytes(server.pid);
        const client = await server.connect({ silent: true });
        client.send(handshakeText("/ws"));
        const block = Buffer.concat(Array.from({ length: 16 }, () => frame(BINARY, Buffer.alloc(65_536))));
        const taken = await client.flood(block, 128 * MIB);
        expect(taken, "the kernel's buffers hold less than this").toBeLessThan(64 * MIB);
        expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(48 * MIB);
        const bystander = await open();
        expect((await bystander.send(TEXT, "still here").readMessage()).payload.toString()).toBe("still here");
        await bystander.close();
      });

      test("pings without end that are never read cost little memory", async () => {
        const before = residentBytes(server.pid);
        const client = await server.connect({ silent: true });
        client.send(handshakeText("/ws"));
        await client.flood(Buffer.concat(Array.from({ length: 5000 }, () => frame(PING, "x".repeat(125)))), 16 * MIB);
        expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(48 * MIB);
        await (await open()).close();
      });

      test("a hundred that leave in the middle of things: no other client notices", async () => {
        const bystander = await open();
        for (let i = 0; i < 100; i++) {
          const socket = await open();
          socket.client.send(frame(TEXT, "x".repeat(100_000)).subarray(0, 1 + i * 700));
          if (i % 2 === 0) socket.client.reset();
          else socket.client.close();
        }
        expect((await bystander.send(TEXT, "hello").readMessage()).payload.toString()).toBe("hello");
        await bystander.close();
      });
    });
  });
}
