// WATERSPOUT_TRACE: each frame of a worker on stderr, in both directions, and nothing without the variable.
import { afterEach, describe, expect, test, vi } from "vitest";

import type { Acceptor } from "../../../host/bridge/bridge.js";
import * as f from "../../../host/bridge/frames.js";
import { FrameWriter } from "../../../host/bridge/framewriter.js";
import { TRACE_BYTES_MAX } from "../../../host/core/limits.js";
import { stderrLines } from "../../../host/core/linewriter.js";
import { FakeWorker, frame, idOf, requestFrame } from "../support/fakeworker.js";

const acceptor: Acceptor = {
  kind: 1,
  accept: () => ({ noun: "record", shed() {}, run() {}, receive() {}, lost() {} }),
};
const ID = idOf(3);

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** A worker that is traced, and the lines of its trace without what begins each of them. */
function traced(level: string): { worker: FakeWorker; lines: () => string[] } {
  vi.stubEnv("WATERSPOUT_TRACE", level);
  const spy = vi.spyOn(stderrLines, "gather").mockImplementation(() => {});
  const worker = new FakeWorker(() => acceptor);
  const start = new RegExp(`^waterspout: trace: worker ${process.pid}\\.\\d+ (.+)\\n$`);
  return { worker, lines: () => spy.mock.calls.map(([line]) => start.exec(line)?.[1] ?? line) };
}

describe("WATERSPOUT_TRACE", () => {
  test("frames: each frame in and out by name, id and size, without its payload", async () => {
    const { worker, lines } = traced("frames");
    await worker.received();
    worker.ready();
    worker.emit(requestFrame(ID));
    worker.bridge.writer.bytes(f.FRAME_RESPONSE_BODY, ID, Buffer.from("secret"), 0, 6);
    worker.bridge.written();
    await worker.received();
    expect(lines()[0]).toBe(`out CONFIG 0 ${f.CONFIG_BYTES} bytes`);
    expect(lines()).toContain("in READY 0 4 bytes");
    expect(lines().some((line) => new RegExp(`^in REQUEST ${ID} \\d+ bytes$`).test(line))).toBe(true);
    expect(lines()).toContain(`out RESPONSE_BODY ${ID} 6 bytes`);
    expect(lines().join()).not.toContain("secret");
  });

  test("frames+data: the payload, too, up to its bound, in ASCII and on one line", async () => {
    const { worker, lines } = traced("frames+data");
    await worker.received();
    const payload = Buffer.concat([Buffer.from('a\n"\\\xff', "latin1"), Buffer.alloc(TRACE_BYTES_MAX, "b")]);
    worker.bridge.writer.bytes(f.FRAME_RESPONSE_BODY, ID, payload, 0, payload.length);
    worker.bridge.written();
    await worker.received();
    const line = lines().find((each) => each.startsWith("out RESPONSE_BODY")) ?? "";
    expect(line).toContain(`${payload.length} bytes "a\\x0a\\x22\\x5c\\xffbbb`);
    expect(line.endsWith('bbb" and 5 more')).toBe(true);
  });

  test("a frame that the bridge refuses is shown before the worker ends; what does not leave is not shown", async () => {
    const { worker, lines } = traced("frames");
    await worker.received();
    worker.bridge.writer.empty(f.FRAME_CANCEL, ID);
    worker.emit(frame(0x3f, 7));
    expect(worker.killed).toBe(true);
    expect(lines().at(-1)).toBe("in 0x3f 7 0 bytes");
  });

  test("every type of frame has its name", async () => {
    const { worker, lines } = traced("frames");
    await worker.received();
    for (const type of f.FRAME_NAMES.keys()) worker.bridge.writer.empty(type, ID);
    worker.bridge.written();
    await worker.received();
    for (const name of f.FRAME_NAMES.values()) expect(lines()).toContain(`out ${name} ${ID} 0 bytes`);
  });

  test("is off without a value: the bridge has the plain writer", () => {
    vi.stubEnv("WATERSPOUT_TRACE", "");
    expect(Object.getPrototypeOf(new FakeWorker(() => acceptor).bridge.writer)).toBe(FrameWriter.prototype);
  });

  test("another value is refused with the ones that there are", () => {
    vi.stubEnv("WATERSPOUT_TRACE", "all");
    expect(() => new FakeWorker(() => acceptor)).toThrow('WATERSPOUT_TRACE is frames or frames+data, not "all"');
  });
});
