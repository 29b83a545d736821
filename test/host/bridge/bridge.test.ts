// The bridge itself: the handshake, echoes, ids, and everything that a sandbox must not send.
import { describe, expect, test, vi } from "vitest";

import type { Acceptor, Bridge, Endpoint } from "../../../host/bridge/bridge.js";
import * as f from "../../../host/bridge/frames.js";
import { FakeWorker, frame, idOf, requestFrame, u16, u32 } from "../support/fakeworker.js";

class Recorder implements Endpoint {
  readonly noun = "record";
  readonly seen: [number, string][] = [];
  ran = false;
  isLost = false;
  constructor(
    readonly bridge: Bridge,
    readonly id: number,
  ) {}
  shed(): void {}
  run(): void {
    this.ran = true;
  }
  receive(type: number, chunk: Buffer, start: number, end: number): void {
    this.seen.push([type, chunk.toString("latin1", start, end)]);
  }
  lost(): void {
    this.isLost = true;
  }
}

function start(kind: 0 | 1 = 1): { worker: FakeWorker; endpoints: Recorder[] } {
  const endpoints: Recorder[] = [];
  const acceptor: Acceptor = {
    kind,
    accept(bridge, id) {
      const endpoint = new Recorder(bridge, id);
      endpoints.push(endpoint);
      return endpoint;
    },
  };
  return { worker: new FakeWorker(() => acceptor, { ...LIMITS, headBytesMax: 1000, bodyBytesMax: 5e9 }), endpoints };
}

const LIMITS = {
  requestsMax: 7,
  bodyRateBytesMin: 8,
  writeRateBytesMin: 9,
  memoryBytesMax: 5 << 20,
  halfCloseTimeoutMs: 10,
};
const ID = idOf(3);

describe("the handshake", () => {
  test("CONFIG is the first frame, and holds the options", async () => {
    const { worker } = start();
    const [config] = await worker.received();
    expect(config.type).toBe(f.FRAME_CONFIG);
    expect(config.payload.length).toBe(f.CONFIG_BYTES);
    expect(config.payload.readUInt16LE(0)).toBe(f.PROTOCOL_VERSION);
    expect(config.payload[2]).toBe(1);
    expect(config.payload.readBigUInt64LE(8)).toBe(5_000_000_000n);
    expect(config.payload.readUInt32LE(16)).toBe(1000);
    expect(config.payload.readUInt32LE(20)).toBe(0);
    expect(config.payload.readUInt32LE(40)).toBe(256 * 1024);
    expect([48, 52, 56, 60, 64].map((at) => config.payload.readUInt32LE(at))).toEqual([7, 8, 9, 5 << 20, 10]);
  });

  test("READY is reported once", () => {
    const { worker } = start();
    expect(worker.isReady).toBe(false);
    worker.ready();
    expect(worker.isReady).toBe(true);
    worker.ready();
    expect(worker.failure?.message).toMatch(/READY/);
  });

  test("another version is named", () => {
    const { worker } = start();
    worker.emit(frame(f.FRAME_READY, 0, u16(9, 1)));
    expect(worker.failure?.message).toMatch(/version 9/);
    expect(worker.killed).toBe(true);
  });
});

describe("echoes", () => {
  test("a MARK is echoed at the end of the turn, the last of several alone", async () => {
    const { worker } = start();
    worker.ready();
    await worker.received();
    worker.emit(requestFrame(ID));
    worker.emit(requestFrame(idOf(4)));
    const echoes = (await worker.received()).filter(({ type }) => type === f.FRAME_ECHO);
    expect(echoes.map(({ id }) => id)).toEqual([3, 3]); // the second ends the batch
    expect(await worker.received()).toEqual([]);
  });

  test("the echo follows what was answered in the same turn", async () => {
    const { worker, endpoints } = start();
    worker.ready();
    await worker.received();
    worker.emit(requestFrame(ID));
    endpoints[0].bridge.writer.empty(f.FRAME_CANCEL, ID);
    endpoints[0].bridge.written();
    expect((await worker.received()).map(({ type }) => type)).toEqual([f.FRAME_CANCEL, f.FRAME_ECHO, f.FRAME_ECHO]);
  });

  test("every batch ends with one, which repeats the last", async () => {
    const { worker, endpoints } = start();
    worker.ready();
    worker.emit(requestFrame(ID));
    await worker.received();
    endpoints[0].bridge.writer.empty(f.FRAME_CANCEL, ID);
    endpoints[0].bridge.written();
    expect((await worker.received()).map(({ type, id }) => [type, id])).toEqual([
      [f.FRAME_CANCEL, ID],
      [f.FRAME_ECHO, 2],
    ]);
  });
});

describe("ids", () => {
  test("frames reach the endpoint of their id, cut anywhere", () => {
    const { worker, endpoints } = start();
    worker.ready();
    worker.emit(requestFrame(idOf(1)), requestFrame(idOf(200)));
    const bytes = Buffer.concat([frame(f.FRAME_BODY, idOf(200), "b"), frame(f.FRAME_BODY, idOf(1), "a")]);
    for (const byte of bytes) worker.bridge.receive(Buffer.from([byte]));
    expect(endpoints.map(({ seen }) => seen)).toEqual([[[f.FRAME_BODY, "a"]], [[f.FRAME_BODY, "b"]]]);
    expect(endpoints.every(({ ran }) => ran)).toBe(true);
  });

  test("what crosses the end of an id is dropped; its slot is used again with another generation", () => {
    const { worker, endpoints } = start();
    worker.ready();
    worker.emit(requestFrame(ID));
    worker.bridge.release(ID);
    worker.emit(frame(f.FRAME_BODY, ID, "x"), frame(f.FRAME_SENT, ID, u32(1)), frame(f.FRAME_ABORT, ID, u16(3)));
    worker.emit(requestFrame(idOf(3, 2)));
    expect(worker.failure).toBeNull();
    expect(endpoints.length).toBe(2);
    expect(endpoints[0].seen).toEqual([]);
  });

  test.each([true, false])("one comes again once the sandbox has sent its last frame, and not before: %s", (isLast) => {
    const { worker, endpoints } = start();
    worker.ready();
    worker.emit(requestFrame(ID));
    worker.bridge.release(ID);
    if (isLast) worker.emit(frame(f.FRAME_ABORT, ID, u16(3)));
    worker.emit(requestFrame(ID));
    expect(endpoints.length).toBe(isLast ? 2 : 1);
    expect(worker.failure?.message ?? "").toMatch(isLast ? /^$/ : /opened twice/);
  });

  test("the end of the bridge is the end of every endpoint", () => {
    const { worker, endpoints } = start();
    worker.ready();
    worker.emit(requestFrame(idOf(0)), requestFrame(idOf(30_000)));
    expect(worker.bridge.lost).toBe("");
    worker.bridge.end();
    expect(endpoints.map(({ isLost }) => isLost)).toEqual([true, true]);
    expect(worker.bridge.lost).toBe("2 records");
    worker.emit(requestFrame(idOf(5)));
    expect(endpoints.length).toBe(2);
  });
});

describe("a malformed frame ends the worker", () => {
  const cases: [string, Buffer[]][] = [
    ["an unknown type", [frame(0x7f, 0)]],
    ["a type of the host's", [frame(f.FRAME_RESPONSE, ID)]],
    ["a stream where requests are served", [frame(f.FRAME_OPEN, ID, u16(0, 0, 0, 0))]],
    ["id 0", [requestFrame(0)]],
    ["an id that is live", [requestFrame(ID), requestFrame(ID)]],
    ["a slot that is live", [requestFrame(ID), requestFrame(idOf(3, 2))]],
    ["a body for an id that never was", [frame(f.FRAME_BODY, ID, "x")]],
    ["a body for an id of another generation", [requestFrame(ID), frame(f.FRAME_BODY, idOf(3, 2), "x")]],
    ["a body for a slot beyond all", [frame(f.FRAME_BODY, 0xffffffff, "x")]],
    ["READY twice", [frame(f.FRAME_READY, 0, u16(1, 1))]],
    ["DRAINED unasked", [frame(f.FRAME_DRAINED, 0)]],
    ["a MARK out of order", [frame(f.FRAME_MARK, 7)]],
    ["a MARK with a payload", [frame(f.FRAME_MARK, 2, "x")]],
    ["a frame too large", [Buffer.from([1, 0, 2, 0x21, 0, 0, 0, 0])]],
  ];
  test.each(cases)("%s", (_name, sent) => {
    const { worker, endpoints } = start();
    worker.ready();
    worker.emit(...sent);
    expect(worker.failure?.message).toMatch(/^malformed frame from the sandbox: /);
    expect(worker.killed).toBe(true);
    expect(endpoints.every(({ isLost }) => isLost)).toBe(true);
  });

  test("anything before READY", () => {
    const { worker } = start();
    worker.emit(requestFrame(ID));
    expect(worker.failure).not.toBeNull();
  });

  test("a wrong number of listeners", () => {
    const { worker } = start();
    worker.emit(frame(f.FRAME_READY, 0, u16(1, 2)));
    expect(worker.failure?.message).toMatch(/listeners/);
  });

  test("nothing is written after it", async () => {
    const { worker, endpoints } = start();
    worker.ready();
    worker.emit(requestFrame(ID), frame(0x7f, 0));
    await worker.received();
    endpoints[0].bridge.written();
    expect(await worker.received()).toEqual([]);
  });
});

describe("a batch", () => {
  test("leaves at once when it is large", () => {
    const { worker } = start();
    const send = vi.spyOn(worker, "send");
    const { bridge } = worker;
    for (let i = 0; i < 3; i++) {
      bridge.writer.bytes(f.FRAME_WRITE, ID, Buffer.alloc(60_000), 0, 60_000);
      bridge.written();
    }
    expect(send).toHaveBeenCalledTimes(1);
  });

  test("that its channel cannot take yet is not flushed again for each frame that follows", () => {
    const { worker } = start();
    const send = vi.spyOn(worker, "send").mockImplementation(() => {});
    const { bridge } = worker;
    const write = (bytes: number): void => {
      bridge.writer.bytes(f.FRAME_WRITE, ID, Buffer.alloc(bytes), 0, bytes);
      bridge.written();
    };
    for (let i = 0; i < 3; i++) write(60_000);
    for (let i = 0; i < 50; i++) write(100);
    expect(send).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 3; i++) write(60_000);
    expect(send).toHaveBeenCalledTimes(2);
  });
});
