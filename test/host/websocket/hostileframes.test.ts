// Frames about websockets that no sandbox of ours sends: the host ends the worker.
import { describe, expect, test } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import { HTTPServer } from "../../../host/index.js";
import { FakeWorker, frame, idOf, u16 } from "../support/fakeworker.js";
import { BINARY, closed, data, handshake, ID, open, sent, serve, TEXT, text } from "../support/websocketsupport.js";

const LAST = f.WS_LAST;

describe("what the sandbox must not send", () => {
  test.each<[string, (id: number) => Buffer[]]>([
    ["WS_DATA that is cut short", (id) => [frame(f.FRAME_WS_DATA, id, Buffer.from([TEXT, LAST, 0]))]],
    [
      "WS_DATA with a number that has no meaning",
      (id) => [frame(f.FRAME_WS_DATA, id, Buffer.from([TEXT, LAST, 1, 0]))],
    ],
    ["a continuation of nothing", () => [data(0, LAST, "x")]],
    ["an unknown opcode", () => [data(3, LAST, "x")]],
    ["unknown flags", () => [data(TEXT, 4, "x")]],
    ["another kind in the middle of a message", () => [data(TEXT, 0, "x"), data(BINARY, LAST, "x")]],
    ["a compressed message that was not agreed on", () => [data(TEXT, LAST | f.WS_COMPRESSED, "x")]],
    ["a long ping", (id) => [frame(f.FRAME_WS_PING, id, Buffer.alloc(126))]],
    ["a long pong", (id) => [frame(f.FRAME_WS_PONG, id, Buffer.alloc(126))]],
    ["SENT for nothing", () => [sent(1)]],
    ["SENT of another size", (id) => [frame(f.FRAME_SENT, id, Buffer.alloc(8))]],
    ["WS_CLOSED that is cut short", (id) => [frame(f.FRAME_WS_CLOSED, id, u16(1000))]],
    ["WS_CLOSED with a code that no peer may send", () => [closed(1015, REASONS.CLOSED)]],
    ["WS_CLOSED for an unknown reason", () => [closed(1000, 99)]],
    ["WS_CLOSED with a long text", () => [closed(1000, REASONS.CLOSED, "x".repeat(124))]],
    [
      "WS_CLOSED with a text that is not UTF-8",
      (id) => [frame(f.FRAME_WS_CLOSED, id, Buffer.from([232, 3, 1, 0, 255]))],
    ],
    ["WS_ENDING that holds something", (id) => [frame(f.FRAME_WS_ENDING, id, "x")]],
    ["WS_ENDING twice", (id) => [frame(f.FRAME_WS_ENDING, id), frame(f.FRAME_WS_ENDING, id)]],
    ["a message after WS_ENDING", (id) => [frame(f.FRAME_WS_ENDING, id), text("x")]],
    ["a pong after WS_ENDING", (id) => [frame(f.FRAME_WS_ENDING, id), frame(f.FRAME_WS_PONG, id)]],
    ["ABORT for an unknown reason", (id) => [frame(f.FRAME_ABORT, id, u16(99))]],
    ["a body", (id) => [frame(f.FRAME_BODY, id, "x")]],
    ["the same id again", (id) => [handshake(id)]],
    ["a second end", () => [closed(1000, REASONS.CLOSED), closed(1000, REASONS.CLOSED)]],
  ])("%s", async (_, frames) => {
    const rig = serve();
    await open(rig);
    rig.worker.emit(...frames(ID));
    expect(rig.worker.failure?.message).toMatch(/^malformed frame/);
    expect(rig.worker.killed).toBe(true);
    expect(rig.handlers[0].notes.at(-1)).toEqual(["close", rig.handlers[0].closeCode, ""]);
  });

  test("an opening handshake that cannot be one", () => {
    for (const parts of [
      { method: 3 },
      { minor: 0 },
      { flags: f.REQUEST_WEBSOCKET, contentLength: -1 },
      { body: "x" },
      { flags: 16 | f.REQUEST_END },
    ]) {
      const { worker } = serve();
      worker.emit(handshake(idOf(1), [], parts));
      expect(worker.failure?.message, JSON.stringify(parts)).toMatch(/malformed frame/);
    }
  });

  test("frames of a websocket for an ordinary request", () => {
    for (const type of [f.FRAME_WS_DATA, f.FRAME_WS_PING, f.FRAME_WS_PONG, f.FRAME_WS_ENDING, f.FRAME_WS_CLOSED]) {
      const worker = new FakeWorker(() => new HTTPServer(() => {}).acceptor()).ready();
      worker.emit(handshake(), frame(type, ID, Buffer.from([1, 1, 0, 0])));
      expect(worker.failure?.message).toMatch(/for a request/);
    }
  });
});
