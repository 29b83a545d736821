// What waits for slow peers: a bound for each of them and one for all together, on both sides of each.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import {
  PIECE_BYTES,
  WRITE_BUFFER_BYTES_MAX,
  WRITE_COST,
  WRITE_WINDOW_BYTES_FIRST,
  WRITES_HELD_BYTES_MAX,
} from "../../../host/core/limits.js";
import { Application, HTTPServer, type IOStream, RequestHandler, TCPServer } from "../../../host/index.js";
import { FakeWorker, frame, idOf, requestFrame, u16, u32 } from "../support/fakeworker.js";
import { type Noting, open, type Rig, serve } from "../support/websocketsupport.js";

const ID = idOf(7);
const MIB = 1 << 20;
const BLOCK = Buffer.alloc(MIB);
const FULL = expect.objectContaining({ code: "STREAM_BUFFER_FULL" });

/** A websocket whose peer has taken nothing of a whole window: what is written waits. */
async function slow(options = {}): Promise<{ rig: Rig; handler: Noting }> {
  const rig = serve(() => {}, {}, options);
  const { handler } = await open(rig);
  void handler.writeMessage(BLOCK.subarray(0, WRITE_WINDOW_BYTES_FIRST));
  expect(handler.bufferedBytes).toBe(0);
  await rig.worker.receivedAnswers();
  return { rig, handler };
}

describe("a websocket", () => {
  test("is closed with 1013 by the message that is too much, in place of all that waits", async () => {
    const { rig, handler } = await slow();
    const waiting = handler.writeMessage(BLOCK);
    void handler.writeMessage(Buffer.alloc(WRITE_BUFFER_BYTES_MAX - MIB - 2 * WRITE_COST));
    expect(handler.isOpen).toBe(true);
    await expect(handler.writeMessage("x")).rejects.toEqual(FULL);
    await expect(waiting).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED", reason: "BUFFER_FULL" });
    await expect(handler.writeMessage("y")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED", reason: "BUFFER_FULL" });
    expect([handler.isOpen, handler.bufferedBytes]).toEqual([false, 0]);
    const frames = await rig.worker.receivedAnswers();
    expect(frames.map(({ type, payload }) => [type, payload])).toEqual([[f.FRAME_WS_CLOSE, u16(1013)]]);
    expect(rig.worker.log).toEqual([expect.stringMatching(/^warn \d+ bytes wait for the websocket \/ws .*1013$/)]);
    rig.worker.emit(frame(f.FRAME_SENT, ID, u32(1000)));
    expect(await rig.worker.receivedAnswers()).toEqual([]);
    handler.abort();
  });

  test("counts tiny messages for more than their bytes", async () => {
    const { handler } = await slow({ writeBufferBytesMax: 100 * (WRITE_COST + 1) });
    for (let count = 0; count < 100; count++) void handler.writeMessage("x");
    expect(handler.isOpen).toBe(true);
    void handler.writeMessage("x");
    expect(handler.isOpen).toBe(false);
    handler.abort();
  });

  test("takes a message of any size when none waits before it", async () => {
    const { handler } = await slow({ writeBufferBytesMax: 1000 });
    void handler.writeMessage(BLOCK);
    expect(handler.isOpen).toBe(true);
    handler.abort();
  });

  test("in the middle of a large message is closed, too, and what is being compressed goes nowhere", async () => {
    const rig = serve(
      (handler) => {
        handler.getCompressionOptions = () => ({});
      },
      {},
      { writeBufferBytesMax: 2 * MIB },
    );
    const { handler } = await open(rig, [["sec-websocket-extensions", "permessage-deflate"]]);
    const messages = [MIB, MIB - 1000, 1000].map((bytes) => handler.writeMessage(BLOCK.subarray(0, bytes)));
    for (const message of messages) await expect(message).rejects.toThrow();
    expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_CLOSE]);
    expect(handler.bufferedBytes).toBe(0);
    handler.abort();
  });
});

test("all peers together: who holds most is closed first, the others go on, and what has left counts no more", async () => {
  for (const round of ["one", "two"]) {
    const rigs = await Promise.all(Array.from({ length: 40 }, () => slow()));
    for (let block = 0; block < 15; block++) for (const { handler } of rigs) void handler.writeMessage(BLOCK);
    const held = rigs.reduce((sum, { handler }) => sum + handler.bufferedBytes, 0);
    expect(held, round).toBeLessThanOrEqual(WRITES_HELD_BYTES_MAX);
    const other = await slow();
    for (let count = 0; count < 10; count++) void other.handler.writeMessage("one of a few");
    expect(other.handler.isOpen).toBe(true);
    for (const { handler } of [...rigs, other]) handler.abort();
    const alone = await slow();
    for (let block = 0; block < 15; block++) void alone.handler.writeMessage(BLOCK);
    expect(alone.handler.isOpen).toBe(true);
    alone.rig.worker.bridge.end();
  }
});

/** A stream whose peer takes nothing. */
function streamOf(): { stream: IOStream } {
  let stream: IOStream | undefined;
  class Server extends TCPServer {
    override handleStream(given: IOStream): void {
      stream = given;
    }
  }
  const worker = new FakeWorker((logger) => new Server({ logger }).acceptor()).ready();
  worker.emit(frame(f.FRAME_OPEN, ID, Buffer.alloc(f.OPEN_BYTES)));
  return { stream: stream as unknown as IOStream };
}

test("a stream's write is refused, and the stream goes on", async () => {
  const { stream } = streamOf();
  const write = (bytes: number): void => void stream.write(Buffer.alloc(bytes));
  const room = WRITE_BUFFER_BYTES_MAX - PIECE_BYTES - WRITE_COST;
  write(WRITE_WINDOW_BYTES_FIRST + PIECE_BYTES); // a piece of it waits
  expect(() => write(room + 1)).toThrow(FULL);
  write(room);
  expect(() => write(1)).toThrow(FULL);
  expect(stream.closed).toBe(false);
  stream.abort();
});

test("a stream's write of any size may wait, and small ones behind it", () => {
  const { stream } = streamOf();
  void stream.write(Buffer.alloc(3 * WRITE_BUFFER_BYTES_MAX));
  void stream.write("the end");
  expect(() => stream.write(Buffer.alloc(WRITE_BUFFER_BYTES_MAX))).toThrow(FULL);
  stream.abort();
});

describe("an answer", () => {
  const ANSWER = { headers: [] as [string, string][] };

  test.each([false, true])("is cut by the write that is too much, compressed: %s", async (compressResponse) => {
    let blocks = 0;
    const worker = new FakeWorker((logger) =>
      new HTTPServer(
        ({ connection }) => {
          connection.writeHeaders(200, { "Content-Type": "text/plain" });
          for (; blocks < 1000; blocks++) void connection.write(BLOCK);
        },
        { logger, compressResponse },
      ).acceptor(),
    ).ready();
    worker.emit(requestFrame(ID, { headers: [["accept-encoding", "gzip"]] }));
    expect(blocks).toBe(WRITE_BUFFER_BYTES_MAX / MIB);
    const types = (await worker.receivedAnswers()).map(({ type }) => type);
    expect([types[0], types.at(-1)]).toEqual([f.FRAME_RESPONSE, f.FRAME_CANCEL]);
    expect(worker.log).toEqual([expect.stringMatching(/^error the handler of GET \/ failed: .*writeBufferBytesMax/)]);
  });

  test("of any size is sent whole, and one that is waited for has no bound", async () => {
    const worker = new FakeWorker((logger) => {
      return new HTTPServer((request) => request.respond(200, {}, Buffer.alloc(WRITE_BUFFER_BYTES_MAX + 1)), {
        logger,
      }).acceptor();
    }).ready();
    worker.emit(requestFrame(ID, ANSWER));
    expect((await worker.receivedAnswers()).map(({ type }) => type)).not.toContain(f.FRAME_CANCEL);
    expect(worker.log).toEqual([]);
    worker.bridge.end();
  });

  test("of a RequestHandler that does not await its flush is cut, and nothing else comes of it", async () => {
    class Flood extends RequestHandler {
      override get(): void {
        for (let block = 0; block < 20; block++) {
          this.write(BLOCK);
          void this.flush();
        }
      }
    }
    const worker = new FakeWorker((logger) =>
      new HTTPServer(new Application([["/", Flood]], { logger }), { logger }).acceptor(),
    ).ready();
    worker.emit(requestFrame(ID, ANSWER));
    expect((await worker.receivedAnswers()).map(({ type }) => type).at(-1)).toBe(f.FRAME_CANCEL);
  });
});
