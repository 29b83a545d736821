// Pings and pongs: the handler's own, and those that keep a websocket open.
import { afterEach, describe, expect, test, vi } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { REASONS } from "../../../host/core/errors.js";
import { frame } from "../support/fakeworker.js";
import { closed, data, ID, open, sent, serve, settle, TEXT, text } from "../support/websocketsupport.js";

afterEach(() => {
  vi.useRealTimers();
});

describe("pings", () => {
  test("come and go", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    rig.worker.emit(frame(f.FRAME_WS_PING, ID, "in"), frame(f.FRAME_WS_PONG, ID, ""));
    handler.ping("out");
    handler.ping();
    handler.ping(Buffer.alloc(125));
    expect(() => handler.ping(Buffer.alloc(126))).toThrow(/125/);
    const frames = await rig.worker.receivedAnswers();
    expect(frames.map(({ type, payload }) => [type, payload.length])).toEqual([
      [f.FRAME_WS_SEND_PING, 3],
      [f.FRAME_WS_SEND_PING, 0],
      [f.FRAME_WS_SEND_PING, 125],
    ]);
    expect(handler.notes).toEqual([["open"], ["ping", "in"], ["pong", ""]]);
  });

  test("are not reported once the handler has closed", async () => {
    const rig = serve();
    const { handler } = await open(rig);
    handler.close();
    rig.worker.emit(frame(f.FRAME_WS_PING, ID, "in"), frame(f.FRAME_WS_PONG, ID, "in"));
    handler.ping("out");
    expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_CLOSE]);
    expect(handler.notes).toEqual([["open"]]);
  });
});

const kept = { websocketPingIntervalMs: 1000, websocketPingTimeoutMs: 300 };
const fake = (): void => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

describe("pings that keep a websocket open", () => {
  test("wait for the end of a message on its way, and the time for their pongs begins then", async () => {
    fake();
    const rig = serve(() => {}, kept, { writeWindow: 16384 });
    const { handler } = await open(rig);
    void handler.writeMessage(Buffer.alloc(20_000));
    void handler.writeMessage("next");
    handler.ping("own");
    vi.advanceTimersByTime(5000);
    const types = async (): Promise<unknown[]> => (await rig.worker.receivedAnswers()).map(({ type }) => type);
    expect(await types()).toEqual([f.FRAME_WS_SEND]);
    rig.worker.emit(sent(16384));
    const pings = [f.FRAME_WS_SEND_PING, f.FRAME_WS_SEND_PING];
    expect(await types()).toEqual([f.FRAME_WS_SEND, ...pings, f.FRAME_WS_SEND]);
    vi.advanceTimersByTime(299);
    expect(await types()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await types()).toEqual([f.FRAME_WS_CLOSE]);
  });

  test("are sent at intervals while pongs come back, and not after the end", async () => {
    fake();
    const rig = serve(() => {}, kept);
    const { handler } = await open(rig);
    for (const life of [frame(f.FRAME_WS_PONG, ID), frame(f.FRAME_WS_PONG, ID, "unasked")]) {
      vi.advanceTimersByTime(999);
      expect(await rig.worker.receivedAnswers()).toEqual([]);
      vi.advanceTimersByTime(1);
      expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_SEND_PING]);
      rig.worker.emit(life);
      vi.advanceTimersByTime(0);
    }
    expect(handler.isOpen).toBe(true);
    rig.worker.emit(closed(1000, REASONS.CLOSED));
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
    rig.worker.emit(frame(f.FRAME_WS_PONG, ID, "before the ping"));
    vi.advanceTimersByTime(1000);
    rig.worker.emit(frame(f.FRAME_WS_PING, ID), text("alive"), data(TEXT, 0, "a piece"));
    vi.advanceTimersByTime(ms - 1);
    expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WS_SEND_PING]);
    vi.advanceTimersByTime(1);
    const [close] = await rig.worker.receivedAnswers();
    expect([close.type, close.payload.readUInt16LE(0), close.payload.toString("utf8", 2)]).toEqual([
      f.FRAME_WS_CLOSE,
      1011,
      "ping timed out",
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("need no answer where the timeout is 0", async () => {
    fake();
    const rig = serve(() => {}, { websocketPingIntervalMs: 1000, websocketPingTimeoutMs: 0 });
    const { handler } = await open(rig);
    vi.advanceTimersByTime(3500);
    expect((await rig.worker.receivedAnswers()).map(({ type }) => type)).toEqual(Array(3).fill(f.FRAME_WS_SEND_PING));
    expect(handler.isOpen).toBe(true);
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
    rig.worker.emit(text("x".repeat(4000)), text("x".repeat(12320)));
    vi.advanceTimersByTime(10_000);
    expect(handler.isOpen).toBe(true);
    release();
    await settle();
    vi.advanceTimersByTime(3000);
    expect(handler.isOpen).toBe(false);
  });
});
