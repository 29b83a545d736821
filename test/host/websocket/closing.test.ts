// How websockets end: closes of either side, lost connections, and what was written before.
import { describe, expect, test } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import { frame } from "../support/fakeworker.js";
import { closed, ID, messagesOf, open, sent, serve, settle, text } from "../support/websocketsupport.js";

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
    rig.worker.emit(text("one"), text("two"), frame(f.FRAME_WS_ENDING, ID));
    for (const message of ["one", "two"]) {
      expect(await rig.worker.receivedAnswers()).toEqual([]);
      expect(handler.isOpen).toBe(true);
      release();
      await settle();
      const [sending, ...more] = await rig.worker.receivedAnswers();
      expect(messagesOf([sending])[0].bytes.toString()).toBe(message);
      expect(more.map(({ type, payload }) => [type, payload])).toEqual(
        message === "two" ? [[f.FRAME_WS_CLOSE, CLOSE_EMPTY]] : [],
      );
    }
    expect(handler.isOpen).toBe(false);
    await expect(handler.writeMessage("late")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED" });
    expect(handler.notes).toEqual([["open"], "one", "two"]);
    rig.worker.emit(closed(1001, REASONS.CLOSED, "bye"));
    expect(handler.notes).toEqual([["open"], "one", "two", ["close", 1001, "bye"]]);
  });

  test("is answered at once when there is nothing to answer, and by the handler's own close when it has closed", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    rig.worker.emit(frame(f.FRAME_WS_ENDING, ID));
    const frames = await rig.worker.receivedAnswers();
    expect(frames.map(({ type, payload }) => [type, payload])).toEqual([[f.FRAME_WS_CLOSE, CLOSE_EMPTY]]);
    handler.close(4000);
    expect(await rig.worker.receivedAnswers()).toEqual([]);

    const other = serve((handler) => {
      handler.answer = () => handler.close(4000, "enough");
    });
    await open(other);
    other.worker.emit(text("one"), text("two"), frame(f.FRAME_WS_ENDING, ID));
    const [close, ...rest] = await other.worker.receivedAnswers();
    expect([close.type, close.payload.readUInt16LE(0), rest]).toEqual([f.FRAME_WS_CLOSE, 4000, []]);
    other.worker.emit(closed(1000, REASONS.CLOSED));
    expect(other.handlers[0].notes).toEqual([["open"], "one", ["close", 1000, ""]]);
  });

  test("whose answers took too long is over: they are refused, and onClose comes after them", async () => {
    let release = (): void => {};
    const rig = serve((handler) => {
      handler.answer = () => new Promise<void>((resolve) => (release = resolve));
    });
    const { handler } = await open(rig);
    rig.worker.emit(text("one"), frame(f.FRAME_WS_ENDING, ID));
    rig.worker.emit(closed(1000, REASONS.CLOSED));
    await expect(handler.writeMessage("late")).rejects.toMatchObject({ code: "WEBSOCKET_CLOSED" });
    expect(handler.notes).toEqual([["open"], "one"]);
    release();
    await settle();
    expect(handler.notes).toEqual([["open"], "one", ["close", 1000, ""]]);
    expect(await rig.worker.receivedAnswers()).toEqual([]);
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
    const frames = await rig.worker.receivedAnswers();
    expect(frames.map(({ type, payload }) => [type, payload.toString("hex")])).toEqual([[f.FRAME_WS_CLOSE, payload]]);
    expect(handler.notes).toEqual([["open"]]);
    rig.worker.emit(closed(1000, REASONS.CLOSED, "ok"));
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
    expect(messagesOf(await rig.worker.receivedAnswers()).length).toBe(1);
    rig.worker.emit(sent(32_768));
    await written;
    const frames = await rig.worker.receivedAnswers();
    expect(frames.map(({ type }) => type)).toEqual([
      ...Array(frames.length - 1).fill(f.FRAME_WS_SEND),
      f.FRAME_WS_CLOSE,
    ]);
  });
});

describe("an end that comes early", () => {
  test("abort drops it at once, and what still comes is ignored", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    handler.abort();
    handler.abort();
    expect(handler.notes).toEqual([["open"], ["close", 1006, ""]]);
    expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_CANCEL]);
    rig.worker.emit(text("late"), frame(f.FRAME_WS_PONG, ID), sent(1), closed(1006, REASONS.CLOSED));
    expect(rig.worker.failure).toBeNull();
    rig.worker.emit(text("after the end"));
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
    rig.worker.emit(text("one"));
    handler.close();
    rig.worker.emit(closed(1000, REASONS.CLOSED));
    expect(handler.notes).toEqual([["open"], "one", ["close", 1000, ""]]);
  });
});
