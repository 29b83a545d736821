// WebSocketHandler over a scripted sandbox: the handshake's answers, messages both ways, flow control, pings and the
// end.
import { afterEach, describe, expect, test, vi } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import { WS_DATA_COST } from "../../../host/core/limits.js";
import { HTTPServer, WebSocketHandler } from "../../../host/index.js";
import { FakeWorker, type Frame, frame, idOf, u16 } from "../support/fakeworker.js";
import {
  BINARY,
  closed,
  creditOf,
  data,
  fieldsOf,
  HANDSHAKE,
  handshake,
  ID,
  messagesOf,
  Noting,
  OTHER_ID,
  open,
  sent,
  serve,
  settle,
  TEXT,
  text,
} from "../support/websocketsupport.js";

const LAST = f.WS_LAST;

afterEach(() => {
  vi.useRealTimers();
});

function statusOf({ type, payload }: Frame): number {
  expect(type).toBe(f.FRAME_RESPONSE);
  return payload.readUInt16LE(0);
}

describe("the opening handshake", () => {
  test("is accepted: the default size, no extension, no further fields", async () => {
    const { accept, handler } = await open(serve());
    expect(accept.payload.toString("hex")).toBe("0000a0000000" + "0000");
    expect(handler.notes).toEqual([["open"]]);
    expect([handler.isOpen, handler.closeCode, handler.closeReason, handler.selectedSubprotocol]).toEqual([
      true,
      null,
      null,
      null,
    ]);
    expect(handler.request.path).toBe("/ws");
  });

  const without = (name: string): [string, string][] => HANDSHAKE.filter(([field]) => field !== name);
  const instead = (name: string, value: string): [string, string][] => [...without(name), [name, value]];
  test.each([
    ["POST", { method: 3, headers: HANDSHAKE }, 405, "Method Not Allowed"],
    ["without Upgrade", { headers: without("upgrade") }, 400, 'Can "Upgrade" only to "WebSocket".'],
    ["to h2c", { headers: instead("upgrade", "h2c") }, 400, 'Can "Upgrade" only to "WebSocket".'],
    ["without Connection", { headers: without("connection") }, 400, '"Connection" must be "Upgrade".'],
    ["of version 8", { headers: instead("sec-websocket-version", "8") }, 426, "Upgrade Required"],
    ["without a key", { headers: without("sec-websocket-key") }, 400, "Sec-WebSocket-Key is missing"],
    ["without a version", { headers: without("sec-websocket-version") }, 400, "The opening handshake is malformed"],
  ])("%s is refused", async (_, parts, status, body) => {
    const { worker, handlers } = serve();
    worker.say(handshake(ID, [], { flags: f.REQUEST_END, ...parts }));
    const [answer] = await worker.hearAnswers();
    expect(statusOf(answer)).toBe(status);
    expect(answer.payload.toString("latin1")).toContain(body);
    const head = answer.payload.toString("latin1").toLowerCase();
    expect(head.includes("sec-websocket-version13")).toBe(status === 426);
    expect(head.includes("allowget")).toBe(status === 405);
    expect(handlers.map(({ notes }) => notes)).toEqual([[]]);
  });

  test.each([
    ["http://example.com", true],
    ["http://EXAMPLE.com:80", true],
    ["https://example.com", true],
    ["http://example.com:8080", false],
    ["http://other.com", false],
    ["http://sub.example.com", false],
    ["http://example.com, http://example.com", false],
    ["null", false],
    ["file://", false],
    ["", false],
  ])("from the origin %j: %s", async (origin, accepted) => {
    const { worker, handlers } = serve();
    worker.say(handshake(ID, [["origin", origin]]));
    const [answer] = await worker.hearAnswers();
    if (accepted) expect(answer.type).toBe(f.FRAME_WS_ACCEPT);
    else expect(statusOf(answer)).toBe(403);
    expect(handlers[0].notes).toEqual(accepted ? [["open"]] : []);
  });

  test("from the same origin on another port, where Host names it", async () => {
    const { worker } = serve();
    const headers: [string, string][] = [...HANDSHAKE.slice(1), ["host", "x:81"], ["origin", "http://x:81"]];
    worker.say(handshake(ID, [], { headers }));
    expect((await worker.hearAnswers())[0].type).toBe(f.FRAME_WS_ACCEPT);
  });

  test("from an origin that the handler allows", async () => {
    const { worker, handlers } = serve((handler) => {
      handler.checkOrigin = (origin) => origin === "http://friend";
    });
    worker.say(handshake(ID, [["origin", "http://friend"]]), handshake(OTHER_ID, [["origin", "http://foe"]]));
    const [first, second] = await worker.hearAnswers();
    expect([first.type, statusOf(second)]).toEqual([f.FRAME_WS_ACCEPT, 403]);
    expect(handlers.map(({ notes }) => notes)).toEqual([[["open"]], []]);
  });

  test("with subprotocols: the handler chooses, and sees all lists", async () => {
    let seen: readonly string[] = [];
    const rig = serve((handler) => {
      handler.selectSubprotocol = (list) => {
        seen = list;
        return list[1];
      };
    });
    const { accept, handler } = await open(rig, [
      ["sec-websocket-protocol", "a , b"],
      ["sec-websocket-protocol", "c"],
    ]);
    expect(seen).toEqual(["a", "b", "c"]);
    expect(fieldsOf(accept)).toEqual([["Sec-WebSocket-Protocol", "b"]]);
    expect(handler.selectedSubprotocol).toBe("b");
  });

  test("with a choice that was not offered: 500", async () => {
    const { worker } = serve((handler) => {
      handler.selectSubprotocol = () => "other";
    });
    worker.say(handshake(ID, [["sec-websocket-protocol", "a"]]));
    expect(statusOf((await worker.hearAnswers())[0])).toBe(500);
    expect(worker.log[0]).toMatch(/error the handler of GET \/ws failed: .*"other"/);
  });

  test("with malformed extensions: 400, also where nothing is compressed", async () => {
    const { worker } = serve();
    worker.say(handshake(ID, [["sec-websocket-extensions", "permessage-deflate; =1"]]));
    expect(statusOf((await worker.hearAnswers())[0])).toBe(400);
  });

  test("that has been answered cannot be answered again, nor the other way round", async () => {
    const errors: unknown[] = [];
    const attempt = (code: () => void): void => {
      try {
        code();
      } catch (error) {
        errors.push((error as Error).name);
      }
    };
    const makeAcceptor = () =>
      new HTTPServer((request) => {
        const { connection } = request;
        if (request.path === "/ws") Noting.serve(request);
        else request.respond(200);
        attempt(() => request.respond(200));
        attempt(() => Noting.serve(request));
        if (request.path === "/ws") void connection.writeHeaders(200).catch((error) => errors.push(error.name));
        expect(request.finished).toBe(true);
      }).acceptor();
    const worker = new FakeWorker(makeAcceptor).ready();
    worker.say(handshake(ID), handshake(OTHER_ID, [], { target: "/" }));
    expect((await worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_ACCEPT, f.FRAME_RESPONSE]);
    await settle();
    expect(errors).toEqual([...Array(4).fill("HTTPOutputError"), "StreamClosedError"]);
  });

  test("meets the end of its connection: ABORT, then onClose with 1006", async () => {
    const { worker, handlers } = serve();
    worker.say(handshake(), frame(f.FRAME_END, ID), frame(f.FRAME_ABORT, ID, u16(REASONS.RESET)));
    await settle();
    expect(handlers[0].notes).toEqual([["open"], ["close", 1006, ""]]);
    await expect(handlers[0].writeMessage("x")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED", reason: "RESET" });
  });

  test("whose peer had left before the handler accepted it makes no websocket", async () => {
    let accept = (): void => {};
    const handlers: Noting[] = [];
    class Late extends Noting {
      constructor(...given: ConstructorParameters<typeof Noting>) {
        super(...given);
        handlers.push(this);
      }
    }
    const worker = new FakeWorker(() =>
      new HTTPServer((request) => {
        accept = () => Late.serve(request);
      }).acceptor(),
    ).ready();
    worker.say(handshake(), frame(f.FRAME_ABORT, ID, u16(REASONS.END)));
    accept();
    expect(await worker.hearAnswers()).toEqual([]);
    expect(handlers[0].notes).toEqual([]);
    expect(() => handlers[0].writeMessage("x")).toThrow(/not open/);
  });

  test("gives open what serve was given, and settings win over the class's", async () => {
    class Small extends Noting {
      static override maxMessageBytes = 100;
    }
    const handlers: Small[] = [];
    const worker = new FakeWorker(() =>
      new HTTPServer((request) => {
        class Kept extends Small {
          override open(...args: unknown[]): void {
            handlers.push(this);
            super.open(...args);
          }
        }
        Kept.serve(request, ["room", 1], request.path === "/ws" ? {} : { maxMessageBytes: 200 });
      }).acceptor(),
    ).ready();
    worker.say(handshake(ID), handshake(OTHER_ID, [], { target: "/other" }));
    const accepts = await worker.hearAnswers();
    expect(accepts.map(({ payload }) => payload.readUInt32LE(0))).toEqual([100, 200]);
    expect(handlers[0].notes).toEqual([["open", "room", 1]]);
  });

  test.each([
    ["maxMessageBytes", 0],
    ["maxMessageBytes", 2 ** 31],
    ["websocketPingIntervalMs", -1],
    ["websocketPingIntervalMs", 1.5],
    ["websocketPingTimeoutMs", 0],
  ])("with the setting %s %d: 500", async (name, value) => {
    const { worker } = serve(() => {}, { websocketPingIntervalMs: 1000, [name]: value });
    worker.say(handshake());
    expect(statusOf((await worker.hearAnswers())[0])).toBe(500);
    expect(worker.log[0]).toContain(name);
  });
});

describe("messages to the handler", () => {
  test("are text or binary, whole, whatever pieces they come in", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    rig.worker.say(
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
    rig.worker.say(text("one"), text("two"), text("three"));
    await settle();
    expect(handler.notes).toEqual([]);
    for (const seen of [["one"], ["one", "two"], ["one", "two", "three"]]) {
      release();
      await settle();
      expect(handler.notes).toEqual(seen);
    }
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
    rig.worker.say(...Array.from({ length: 15 }, () => message));
    expect(rig.worker.failure).toBeNull();
    expect(creditOf(await rig.worker.hearAnswers())).toBe(0);
    for (let taken = 0; taken < 14; taken++) {
      release[taken]();
      await settle();
    }
    expect(handler.notes.length).toBe(16);
    const credited = creditOf(await rig.worker.hearAnswers());
    expect(credited % cost).toBe(0);
    expect(15 * cost - credited).toBeLessThan(16384 / 4);
    expect(rig.worker.failure).toBeNull();
  });

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
    rig.worker.say(...Array.from({ length: 16384 / WS_DATA_COST + 1 }, () => text("")));
    expect(rig.worker.failure).toBeNull();
    rig.worker.say(text(""));
    expect(rig.worker.failure?.message).toMatch(/malformed frame.*too many/);
  });

  test("that are larger than the window come through while nothing waits", async () => {
    const rig = serve(() => {}, {}, { bodyWindow: 16384 });
    const { handler } = await open(rig);
    let credit = 16384;
    let pieces = 0;
    for (let left = 1_000_000; left > 0; left -= 10_000) {
      rig.worker.say(data(BINARY, left > 10_000 ? 0 : LAST, Buffer.alloc(10_000)));
      credit -= 10_000 + WS_DATA_COST;
      credit += creditOf(await rig.worker.hearAnswers());
      expect(credit).toBeGreaterThan(0);
      pieces++;
    }
    expect(pieces).toBe(100);
    expect((handler.notes[1] as Buffer).length).toBe(1_000_000);
  });

  test("of the largest size are taken, one byte more ends the worker", async () => {
    const rig = serve(() => {}, { maxMessageBytes: 1000 });
    const { handler } = await open(rig);
    rig.worker.say(data(BINARY, 0, Buffer.alloc(600)), data(BINARY, LAST, Buffer.alloc(400)));
    expect((handler.notes[1] as Buffer).length).toBe(1000);
    rig.worker.say(data(BINARY, 0, Buffer.alloc(600)), data(BINARY, LAST, Buffer.alloc(401)));
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
    rig.worker.say(text("bye"), text("late"), data(BINARY, 0, "half"));
    expect((await rig.worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_CLOSE]);
    for (let round = 0; round < 5; round++) {
      rig.worker.say(data(BINARY, round === 4 ? LAST : 0, Buffer.alloc(5000)));
      expect(creditOf(await rig.worker.hearAnswers())).toBeGreaterThan(0);
    }
    rig.worker.say(text("later"), closed(1000, REASONS.CLOSED));
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
    rig.worker.say(text("one"), text("two"));
    await settle();
    const frames = await rig.worker.hearAnswers();
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
    rig.worker.say(text("one"), text("two"), closed(1001, REASONS.CLOSED, "gone"));
    expect([handler.isOpen, handler.closeCode, handler.closeReason]).toEqual([false, 1001, "gone"]);
    release();
    await settle();
    expect(handler.notes).toEqual([["open"], "one", "two"]);
    release();
    await settle();
    expect(handler.notes).toEqual([["open"], "one", "two", ["close", 1001, "gone"]]);
  });
});

describe("the peer's last frame", () => {
  const CLOSE_EMPTY = Buffer.from([0, 0]);

  test("waits for the answers to what came before it, however long they take", async () => {
    let release = (): void => {};
    const rig = serve((handler) => {
      handler.answer = async (message) => {
        await new Promise<void>((resolve) => (release = resolve));
        void handler.writeMessage(message);
      };
    });
    const { handler } = await open(rig);
    rig.worker.say(text("one"), text("two"), frame(f.FRAME_WS_ENDING, ID));
    for (const message of ["one", "two"]) {
      expect(await rig.worker.hearAnswers()).toEqual([]);
      expect(handler.isOpen).toBe(true);
      release();
      await settle();
      const [sending, ...more] = await rig.worker.hearAnswers();
      expect(messagesOf([sending])[0].bytes.toString()).toBe(message);
      expect(more.map(({ type, payload }) => [type, payload])).toEqual(
        message === "two" ? [[f.FRAME_WS_CLOSE, CLOSE_EMPTY]] : [],
      );
    }
    expect(handler.isOpen).toBe(false);
    await expect(handler.writeMessage("late")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED" });
    expect(handler.notes).toEqual([["open"], "one", "two"]);
    rig.worker.say(closed(1001, REASONS.CLOSED, "bye"));
    expect(handler.notes).toEqual([["open"], "one", "two", ["close", 1001, "bye"]]);
  });

  test("is answered at once when there is nothing to answer, and by the handler's own close when it has closed", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    rig.worker.say(frame(f.FRAME_WS_ENDING, ID));
    const frames = await rig.worker.hearAnswers();
    expect(frames.map(({ type, payload }) => [type, payload])).toEqual([[f.FRAME_WS_CLOSE, CLOSE_EMPTY]]);
    handler.close(4000);
    expect(await rig.worker.hearAnswers()).toEqual([]);

    const other = serve((handler) => {
      handler.answer = () => handler.close(4000, "enough");
    });
    await open(other);
    other.worker.say(text("one"), text("two"), frame(f.FRAME_WS_ENDING, ID));
    const [close, ...rest] = await other.worker.hearAnswers();
    expect([close.type, close.payload.readUInt16LE(0), rest]).toEqual([f.FRAME_WS_CLOSE, 4000, []]);
    other.worker.say(closed(1000, REASONS.CLOSED));
    expect(other.handlers[0].notes).toEqual([["open"], "one", ["close", 1000, ""]]);
  });

  test("whose answers took too long is over: they are refused, and onClose comes after them", async () => {
    let release = (): void => {};
    const rig = serve((handler) => {
      handler.answer = () => new Promise<void>((resolve) => (release = resolve));
    });
    const { handler } = await open(rig);
    rig.worker.say(text("one"), frame(f.FRAME_WS_ENDING, ID));
    rig.worker.say(closed(1000, REASONS.CLOSED));
    await expect(handler.writeMessage("late")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED" });
    expect(handler.notes).toEqual([["open"], "one"]);
    release();
    await settle();
    expect(handler.notes).toEqual([["open"], "one", ["close", 1000, ""]]);
    expect(await rig.worker.hearAnswers()).toEqual([]);
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
    expect(() => handler.writeMessage(Buffer.from([0xff]), false)).toThrow(TypeError);
    expect(() => handler.writeMessage(5 as unknown as string)).toThrow(TypeError);
    expect(messagesOf(await rig.worker.hearAnswers())).toEqual([
      { opcode: TEXT, flags: LAST, bytes: Buffer.from("grüß") },
      { opcode: BINARY, flags: LAST, bytes: Buffer.from([0, 255]) },
      { opcode: BINARY, flags: LAST, bytes: Buffer.from("text") },
      { opcode: TEXT, flags: LAST, bytes: Buffer.from("ü") },
      { opcode: TEXT, flags: LAST, bytes: Buffer.alloc(0) },
      { opcode: TEXT, flags: LAST, bytes: Buffer.from("\ufffd") },
    ]);
  });

  test("that are long go out in fragments, within the window, and in order", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    const settled: string[] = [];
    const long = Buffer.alloc(600_000, "abcdefg");
    void handler.writeMessage(long).then(() => settled.push("long"));
    void handler.writeMessage("short").then(() => settled.push("short"));
    expect(handler.bufferedBytes).toBe(600_005 - 32_768);
    const sentMessages = messagesOf(await rig.worker.hearAnswers());
    expect(settled).toEqual([]);
    for (let left = 600_005 - 32_768; left > 0; ) {
      const bytes = Math.min(left, 32_768);
      rig.worker.say(sent(bytes));
      sentMessages.push(...messagesOf(await rig.worker.hearAnswers()));
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

  test("beyond writeBufferBytesMax close with 1013, in the middle of a message that has begun", async () => {
    const rig = serve(() => {}, {}, { writeBufferBytesMax: 100_000, writeWindow: 16384 });
    const { handler } = await open(rig);
    void handler.writeMessage(Buffer.alloc(90_000));
    expect(handler.bufferedBytes).toBe(90_000 - 16384);
    await expect(handler.writeMessage("x".repeat(50_000))).rejects.toMatchObject({ code: "STREAM_BUFFER_FULL" });
    const [begun, close, ...more] = await rig.worker.hearAnswers();
    expect(messagesOf([begun])).toMatchObject([{ flags: 0, bytes: { length: 16384 } }]);
    expect([close.type, close.payload, more]).toEqual([f.FRAME_WS_CLOSE, u16(1013), []]);
    expect(handler.bufferedBytes).toBe(0);
  });

  test("are lost, and told so, when the peer is", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    const waiting = handler.writeMessage(Buffer.alloc(600_000));
    rig.worker.say(closed(1006, REASONS.TIMEOUT));
    await expect(waiting).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED", reason: "TIMEOUT" });
    await expect(handler.writeMessage("x")).rejects.toMatchObject({ reason: "TIMEOUT" });
    handler.ping();
    handler.close();
    handler.abort();
    expect(handler.notes.at(-1)).toEqual(["close", 1006, ""]);
    expect((await rig.worker.hearAnswers()).filter(({ type }) => type !== f.FRAME_WS_SEND)).toEqual([]);
  });
});

describe("the end", () => {
  test.each([
    [undefined, undefined, "0000"],
    [1000, undefined, "e803"],
    [undefined, "bye", "e803627965"],
    [4999, "ü", "8713c3bc"],
  ])("close(%s, %j)", async (code, reason, payload) => {
    const rig = serve();
    const { handler } = await open(rig);
    handler.close(code, reason);
    handler.close(1001, "again");
    expect(handler.isOpen).toBe(false);
    await expect(handler.writeMessage("x")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED", reason: "CLOSED" });
    const frames = await rig.worker.hearAnswers();
    expect(frames.map(({ type, payload }) => [type, payload.toString("hex")])).toEqual([[f.FRAME_WS_CLOSE, payload]]);
    expect(handler.notes).toEqual([["open"]]);
    rig.worker.say(closed(1000, REASONS.CLOSED, "ok"));
    expect(handler.notes).toEqual([["open"], ["close", 1000, "ok"]]);
  });

  test.each([
    [999, ""],
    [1004, ""],
    [1005, ""],
    [1006, ""],
    [1015, ""],
    [2999, ""],
    [5000, ""],
    [1.5, ""],
    [1000, "x".repeat(124)],
    [1000, "ü".repeat(62)],
  ])("close(%d, %j) is refused", async (code, reason) => {
    const rig = serve();
    const { handler } = await open(rig);
    expect(() => handler.close(code, reason)).toThrow(/code|reason/);
    expect(handler.isOpen).toBe(true);
    handler.close(1000, "x".repeat(123));
  });

  test("waits for what was written", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    const written = handler.writeMessage(Buffer.alloc(60_000));
    handler.close(1000);
    expect(messagesOf(await rig.worker.hearAnswers()).length).toBe(1);
    rig.worker.say(sent(32_768));
    await written;
    const frames = await rig.worker.hearAnswers();
    expect(frames.map(({ type }) => type)).toEqual([
      ...Array(frames.length - 1).fill(f.FRAME_WS_SEND),
      f.FRAME_WS_CLOSE,
    ]);
  });

  test("abort drops it at once, and what still comes is ignored", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    handler.abort();
    handler.abort();
    expect(handler.notes).toEqual([["open"], ["close", 1006, ""]]);
    expect((await rig.worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_CANCEL]);
    rig.worker.say(text("late"), frame(f.FRAME_WS_PONG, ID), sent(1), closed(1006, REASONS.CLOSED));
    expect(rig.worker.failure).toBeNull();
    rig.worker.say(text("after the end"));
    expect(rig.worker.failure?.message).toMatch(/not open/);
  });

  test("of its worker: 1006, once, and onClose that throws is only logged", async () => {
    const rig = serve((handler) => {
      handler.onClose = () => {
        handler.notes.push(["close", handler.closeCode]);
        throw new Error("in onClose");
      };
    });
    const { handler } = await open(rig);
    rig.worker.bridge.end();
    expect(handler.notes).toEqual([["open"], ["close", 1006]]);
    expect(rig.worker.log).toEqual(["error onClose of the websocket /ws failed: Error: in onClose"]);
    await expect(handler.writeMessage("x")).rejects.toMatchObject({ reason: "WORKER" });
  });

  test("comes to a handler that never finishes a message when it was the handler who closed", async () => {
    const rig = serve((handler) => {
      handler.answer = () => new Promise(() => {});
    });
    const { handler } = await open(rig);
    rig.worker.say(text("one"));
    handler.close();
    rig.worker.say(closed(1000, REASONS.CLOSED));
    expect(handler.notes).toEqual([["open"], "one", ["close", 1000, ""]]);
  });
});

describe("pings", () => {
  test("come and go", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    rig.worker.say(frame(f.FRAME_WS_PING, ID, "in"), frame(f.FRAME_WS_PONG, ID, ""));
    handler.ping("out");
    handler.ping();
    handler.ping(Buffer.alloc(125));
    expect(() => handler.ping(Buffer.alloc(126))).toThrow(/125/);
    const frames = await rig.worker.hearAnswers();
    expect(frames.map(({ type, payload }) => [type, payload.length])).toEqual([
      [f.FRAME_WS_SEND_PING, 3],
      [f.FRAME_WS_SEND_PING, 0],
      [f.FRAME_WS_SEND_PING, 125],
    ]);
    expect(handler.notes).toEqual([["open"], ["ping", "in"], ["pong", ""]]);
  });

  test("are not told of once the handler has closed", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    handler.close();
    rig.worker.say(frame(f.FRAME_WS_PING, ID, "in"), frame(f.FRAME_WS_PONG, ID, "in"));
    handler.ping("out");
    expect((await rig.worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_CLOSE]);
    expect(handler.notes).toEqual([["open"]]);
  });

  const kept = { websocketPingIntervalMs: 1000, websocketPingTimeoutMs: 300 };
  const fake = (): void => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

  test("are sent at intervals while pongs come back, and not after the end", async () => {
    fake();
    const rig = serve(() => {}, kept);
    const { handler } = await open(rig);
    for (const life of [frame(f.FRAME_WS_PONG, ID), frame(f.FRAME_WS_PONG, ID, "unasked")]) {
      vi.advanceTimersByTime(999);
      expect(await rig.worker.hearAnswers()).toEqual([]);
      vi.advanceTimersByTime(1);
      expect((await rig.worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_SEND_PING]);
      rig.worker.say(life);
      vi.advanceTimersByTime(0);
    }
    expect(handler.isOpen).toBe(true);
    rig.worker.say(closed(1000, REASONS.CLOSED));
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ["its timeout", kept, 300],
    ["the interval, by default", { websocketPingIntervalMs: 1000 }, 1000],
    ["the interval at most", { websocketPingIntervalMs: 1000, websocketPingTimeoutMs: 5000 }, 1000],
  ])("that nothing answers within %s close with 1011", async (_, settings, ms) => {
    fake();
    const rig = serve(() => {}, settings);
    await open(rig);
    rig.worker.say(frame(f.FRAME_WS_PONG, ID, "before the ping"));
    vi.advanceTimersByTime(1000);
    rig.worker.say(frame(f.FRAME_WS_PING, ID), text("alive"), data(TEXT, 0, "a piece"));
    vi.advanceTimersByTime(ms - 1);
    expect((await rig.worker.hearAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_SEND_PING]);
    vi.advanceTimersByTime(1);
    const [close] = await rig.worker.hearAnswers();
    expect([close.type, close.payload.readUInt16LE(0), close.payload.toString("utf8", 2)]).toEqual([
      f.FRAME_WS_CLOSE,
      1011,
      "ping timed out",
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("do not blame the peer for a handler that holds it up", async () => {
    fake();
    let release = (): void => {};
    const rig = serve(
      (handler) => {
        handler.answer = () => new Promise((resolve) => (release = resolve));
      },
      kept,
      { bodyWindow: 16384 },
    );
    const { handler } = await open(rig);
    rig.worker.say(text("x".repeat(4000)), text("x".repeat(12320)));
    vi.advanceTimersByTime(10_000);
    expect(handler.isOpen).toBe(true);
    release();
    await settle();
    vi.advanceTimersByTime(3000);
    expect(handler.isOpen).toBe(false);
  });
});

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
    ["WS_CLOSED with a code that nobody may send", () => [closed(1015, REASONS.CLOSED)]],
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
    rig.worker.say(...frames(ID));
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
      worker.say(handshake(idOf(1), [], parts));
      expect(worker.failure?.message, JSON.stringify(parts)).toMatch(/malformed frame/);
    }
  });

  test("frames of a websocket for an ordinary request", () => {
    for (const type of [f.FRAME_WS_DATA, f.FRAME_WS_PING, f.FRAME_WS_PONG, f.FRAME_WS_ENDING, f.FRAME_WS_CLOSED]) {
      const worker = new FakeWorker(() => new HTTPServer(() => {}).acceptor()).ready();
      worker.say(handshake(), frame(type, ID, Buffer.from([1, 1, 0, 0])));
      expect(worker.failure?.message).toMatch(/for a request/);
    }
  });
});

test("a handler without onMessage says so", async () => {
  const { worker } = serve();
  const bare = new FakeWorker((logger) => {
    return new HTTPServer((request) => WebSocketHandler.serve(request), { logger }).acceptor();
  }).ready();
  bare.say(handshake(), text("x"));
  expect(bare.log[0]).toMatch(/has no onMessage/);
  expect(worker.log).toEqual([]);
});
