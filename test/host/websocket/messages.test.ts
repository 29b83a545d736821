// Messages of a WebSocketHandler over a scripted sandbox, both ways, with their flow control.
import { describe, expect, test } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import { WS_DATA_COST } from "../../../host/core/limits.js";
import { HTTPServer, WebSocketHandler } from "../../../host/index.js";
import { FakeWorker, u16 } from "../support/fakeworker.js";
import {
  BINARY,
  closed,
  creditOf,
  data,
  handshake,
  messagesOf,
  open,
  restOf,
  sent,
  serve,
  settle,
  TEXT,
  text,
} from "../support/websocketsupport.js";

const LAST = f.WS_LAST;

describe("messages to the handler", () => {
  test("are text or binary, whole, whatever pieces they come in", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    rig.worker.emit(
      text("hello"),
      data(BINARY, LAST, Buffer.from([0, 255])),
      data(TEXT, 0, Buffer.from("grü\u00df").subarray(0, 3)),
      data(TEXT, 0, ""),
      data(TEXT, LAST, Buffer.from("grü\u00df").subarray(3)),
      text(""),
      data(BINARY, LAST),
      data(BINARY, 0, "x".repeat(100_000)),
      data(BINARY, LAST, "y".repeat(100_000)),
    );
    const [, ...messages] = handler.notes;
    expect(messages.slice(0, 5)).toEqual(["hello", Buffer.from([0, 255]), "grüß", "", Buffer.alloc(0)]);
    expect(messages[5]).toEqual(Buffer.from("x".repeat(100_000) + "y".repeat(100_000)));
    expect(messages.length).toBe(6);
  });

  test("wait for the promise that onMessage returns, and for open's", async () => {
    let release = (): void => {};
    const gate = (): Promise<void> => new Promise((resolve) => (release = resolve));
    const rig = serve((handler) => {
      handler.open = gate;
      handler.answer = gate;
    });
    const { handler } = await open(rig);
    rig.worker.emit(text("one"), text("two"), text("three"));
    await settle();
    expect(handler.notes).toEqual([]);
    for (const seen of [["one"], ["one", "two"], ["one", "two", "three"]]) {
      release();
      await settle();
      expect(handler.notes).toEqual(seen);
    }
  });

  test("do not wait for a write that was taken at once, and are answered in one turn", async () => {
    const rig = serve((handler) => {
      handler.answer = (message) => handler.writeMessage(message);
    });
    const { handler } = await open(rig);
    const pieces = [data(TEXT, 0, "ma"), data(TEXT, LAST, "ny")];
    rig.worker.emit(text("one"), ...pieces, data(BINARY, LAST, "bytes"), text("end"));
    const messages = ["one", "many", Buffer.from("bytes"), "end"];
    expect(handler.notes).toEqual([["open"], ...messages]);
    const answers = messages.map((message) => [typeof message === "string" ? TEXT : BINARY, String(message)]);
    const frames = await rig.worker.receivedAnswers();
    expect(frames.map(({ type }) => type)).toEqual(messages.map(() => f.FRAME_WS_SEND));
    expect(frames.map(({ payload }) => [payload[0], payload.subarray(f.WS_SEND_BYTES).toString()])).toEqual(answers);
  });

  test("that come while a handler closes within onMessage are dropped, and their end is heard once", async () => {
    const rig = serve((handler) => {
      handler.answer = () => handler.abort();
    });
    const { handler } = await open(rig);
    rig.worker.emit(text("one"), text("two"));
    await settle();
    expect(handler.notes).toEqual([["open"], "one", ["close", 1006, ""]]);
    expect(rig.worker.failure).toBeNull();
  });

  test("are not credited while the handler has not taken them, and are at most the window", async () => {
    const release: (() => void)[] = [];
    const rig = serve(
      (handler) => {
        handler.answer = () => new Promise((resolve) => release.push(resolve));
      },
      {},
      { bodyWindow: 16384 },
    );
    const { handler } = await open(rig);
    const cost = 1000 + WS_DATA_COST;
    const message = text("x".repeat(1000));
    rig.worker.emit(...Array.from({ length: 15 }, () => message));
    expect(rig.worker.failure).toBeNull();
    expect(creditOf(await rig.worker.receivedAnswers())).toBe(0);
    for (let taken = 0; taken < 14; taken++) {
      release[taken]();
      await settle();
    }
    expect(handler.notes.length).toBe(16);
    const credited = creditOf(await rig.worker.receivedAnswers());
    expect(credited % cost).toBe(0);
    expect(15 * cost - credited).toBeLessThan(16384 / 4);
    expect(rig.worker.failure).toBeNull();
  });
});

describe("the bounds of messages to the handler", () => {
  test("beyond the window end the worker", async () => {
    const rig = serve(
      (handler) => {
        handler.answer = () => new Promise(() => {});
      },
      {},
      { bodyWindow: 16384 },
    );
    await open(rig);
    // The first one is credited when it is taken, but that credit is not worth a frame yet.
    rig.worker.emit(...Array.from({ length: 16384 / WS_DATA_COST + 1 }, () => text("")));
    expect(rig.worker.failure).toBeNull();
    rig.worker.emit(text(""));
    expect(rig.worker.failure?.message).toMatch(/malformed frame.*too many/);
  });

  test("that are larger than the window come through while nothing waits", async () => {
    const rig = serve(() => {}, {}, { bodyWindow: 16384 });
    const { handler } = await open(rig);
    let credit = 16384;
    let pieces = 0;
    for (let left = 1_000_000; left > 0; left -= 10_000) {
      rig.worker.emit(data(BINARY, left > 10_000 ? 0 : LAST, Buffer.alloc(10_000)));
      credit -= 10_000 + WS_DATA_COST;
      credit += creditOf(await rig.worker.receivedAnswers());
      expect(credit).toBeGreaterThan(0);
      pieces++;
    }
    expect(pieces).toBe(100);
    expect((handler.notes[1] as Buffer).length).toBe(1_000_000);
  });

  test("of the largest size are taken, one byte more ends the worker", async () => {
    const rig = serve(() => {}, { maxMessageBytes: 1000 });
    const { handler } = await open(rig);
    rig.worker.emit(data(BINARY, 0, Buffer.alloc(600)), data(BINARY, LAST, Buffer.alloc(400)));
    expect((handler.notes[1] as Buffer).length).toBe(1000);
    rig.worker.emit(data(BINARY, 0, Buffer.alloc(600)), data(BINARY, LAST, Buffer.alloc(401)));
    expect(rig.worker.failure?.message).toMatch(/too large/);
  });

  test("do not come any more once the handler closes, and are credited, so that the peer's close gets through", async () => {
    const rig = serve(
      (handler) => {
        handler.answer = (message) => {
          if (message === "bye") handler.close();
        };
      },
      {},
      { bodyWindow: 16384 },
    );
    const { handler } = await open(rig);
    rig.worker.emit(text("bye"), text("late"), data(BINARY, 0, "half"));
    expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_CLOSE]);
    for (let round = 0; round < 5; round++) {
      rig.worker.emit(data(BINARY, round === 4 ? LAST : 0, Buffer.alloc(5000)));
      expect(creditOf(await rig.worker.receivedAnswers())).toBeGreaterThan(0);
    }
    rig.worker.emit(text("later"), closed(1000, REASONS.CLOSED));
    expect(handler.notes).toEqual([["open"], "bye", ["close", 1000, ""]]);
    expect(rig.worker.failure).toBeNull();
  });

  test.each(["throws", "rejects"])("whose handler %s: logged, closed with 1011, others go on", async (how) => {
    const rig = serve((handler) => {
      handler.answer = () => {
        if (how === "throws") throw new Error("spilt");
        return Promise.reject(new Error("spilt"));
      };
    });
    const { handler } = await open(rig);
    rig.worker.emit(text("one"), text("two"));
    await settle();
    const frames = await rig.worker.receivedAnswers();
    expect(frames.map(({ type, payload }) => [type, payload.toString("hex")])).toEqual([[f.FRAME_WS_CLOSE, "f303"]]);
    expect(handler.notes).toEqual([["open"], "one"]);
    expect(rig.worker.log).toEqual(["error onMessage of the websocket /ws failed: Error: spilt"]);
  });

  test("that have come before the peer's close are handed over before onClose", async () => {
    let release = (): void => {};
    const rig = serve((handler) => {
      handler.answer = () => new Promise((resolve) => (release = resolve));
    });
    const { handler } = await open(rig);
    rig.worker.emit(text("one"), text("two"), closed(1001, REASONS.CLOSED, "gone"));
    expect([handler.isOpen, handler.closeCode, handler.closeReason]).toEqual([false, 1001, "gone"]);
    release();
    await settle();
    expect(handler.notes).toEqual([["open"], "one", "two"]);
    release();
    await settle();
    expect(handler.notes).toEqual([["open"], "one", "two", ["close", 1001, "gone"]]);
  });
});

describe("messages to the peer", () => {
  test("are text or binary; text that is given as bytes has to be UTF-8", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    await handler.writeMessage("grüß");
    await handler.writeMessage(Buffer.from([0, 255]));
    await handler.writeMessage("text", true);
    await handler.writeMessage(Buffer.from("ü"), false);
    await handler.writeMessage("");
    await handler.writeMessage("\ud800");
    await handler.writeMessage({ text: "</ü>" });
    expect(() => handler.writeMessage(Buffer.from([0xff]), false)).toThrow(TypeError);
    for (const wrong of [5 as unknown as string, ["list"], new Blob(["text"]), new ArrayBuffer(1)]) {
      expect(() => handler.writeMessage(wrong)).toThrow(TypeError);
    }
    expect(messagesOf(await rig.worker.receivedAnswers())).toEqual([
      { opcode: TEXT, flags: LAST, bytes: Buffer.from("grüß") },
      { opcode: BINARY, flags: LAST, bytes: Buffer.from([0, 255]) },
      { opcode: BINARY, flags: LAST, bytes: Buffer.from("text") },
      { opcode: TEXT, flags: LAST, bytes: Buffer.from("ü") },
      { opcode: TEXT, flags: LAST, bytes: Buffer.alloc(0) },
      { opcode: TEXT, flags: LAST, bytes: Buffer.from("\ufffd") },
      { opcode: TEXT, flags: LAST, bytes: Buffer.from('{"text":"<\\/ü>"}') },
    ]);
  });

  test("that are long go out in pieces that say how much follows, within the window, and in order", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    const settled: string[] = [];
    const long = Buffer.alloc(600_000, "abcdefg");
    void handler.writeMessage(long).then(() => settled.push("long"));
    void handler.writeMessage("short").then(() => settled.push("short"));
    expect(handler.bufferedBytes).toBe(600_005 - 32_768);
    const answers = await rig.worker.receivedAnswers();
    expect(restOf(answers[0].payload)).toBe(600_000 - 32_768);
    const sentMessages = messagesOf(answers);
    expect(settled).toEqual([]);
    for (let left = 600_005 - 32_768; left > 0; ) {
      const bytes = Math.min(left, 32_768);
      rig.worker.emit(sent(bytes));
      sentMessages.push(...messagesOf(await rig.worker.receivedAnswers()));
      left -= bytes;
    }
    expect(settled).toEqual(["long", "short"]);
    expect(handler.bufferedBytes).toBe(0);
    const [first, ...rest] = sentMessages.slice(0, -1);
    expect([first.opcode, first.flags]).toEqual([BINARY, 0]);
    expect(rest.map(({ opcode }) => opcode)).toEqual(rest.map(() => 0));
    expect(rest.map(({ flags }) => flags)).toEqual(rest.map((_, index) => (index === rest.length - 1 ? LAST : 0)));
    expect(Buffer.concat([first, ...rest].map(({ bytes }) => bytes)).equals(long)).toBe(true);
    expect(sentMessages.at(-1)).toEqual({ opcode: TEXT, flags: LAST, bytes: Buffer.from("short") });
  });
});

describe("messages that the peer does not take", () => {
  test("beyond writeBufferBytesMax close with 1013, behind the message that has begun", async () => {
    const rig = serve(() => {}, {}, { writeBufferBytesMax: 100_000, writeWindow: 16384 });
    const { handler } = await open(rig);
    void handler.writeMessage(Buffer.alloc(90_000));
    expect(handler.bufferedBytes).toBe(90_000 - 16384);
    const dropped = expect(handler.writeMessage("small")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED" });
    await expect(handler.writeMessage("x".repeat(50_000))).rejects.toMatchObject({ code: "STREAM_BUFFER_FULL" });
    await dropped;
    expect(handler.bufferedBytes).toBe(90_000 - 16384);
    const [begun, ...none] = await rig.worker.receivedAnswers();
    expect([messagesOf([begun]), none]).toMatchObject([[{ flags: 0, bytes: { length: 16384 } }], []]);
    for (let left = 90_000 - 16384; left > 0; left -= 16384) {
      rig.worker.emit(sent(16384));
      const [piece, ...more] = await rig.worker.receivedAnswers();
      const isLast = left <= 16384;
      expect(messagesOf([piece])).toMatchObject([{ opcode: 0, flags: isLast ? LAST : 0 }]);
      expect(more.map(({ type, payload }) => [type, payload])).toEqual(isLast ? [[f.FRAME_WS_CLOSE, u16(1013)]] : []);
    }
    expect(handler.bufferedBytes).toBe(0);
  });

  test("are lost, and their writes reject, when the peer is", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    const waiting = handler.writeMessage(Buffer.alloc(600_000));
    rig.worker.emit(closed(1006, REASONS.TIMEOUT));
    await expect(waiting).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED", reason: "TIMEOUT" });
    await expect(handler.writeMessage("x")).rejects.toMatchObject({ reason: "TIMEOUT" });
    handler.ping();
    handler.close();
    handler.abort();
    expect(handler.notes.at(-1)).toEqual(["close", 1006, ""]);
    expect((await rig.worker.receivedAnswers()).filter(({ type }) => type !== f.FRAME_WS_SEND)).toEqual([]);
  });
});

test("a handler without onMessage says so", async () => {
  const { worker } = serve();
  const bare = new FakeWorker((logger) => {
    return new HTTPServer((request) => WebSocketHandler.serve(request), { logger }).acceptor();
  }).ready();
  bare.emit(handshake(), text("x"));
  expect(bare.log[0]).toMatch(/has no onMessage/);
  expect(worker.log).toEqual([]);
});
