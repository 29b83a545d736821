// IOStream and TCPServer over a scripted sandbox: what is asked for, what is answered, and what is not believed.
import { describe, expect, test } from "vitest";

import * as f from "../../../host/bridge/frames.js";
import { type Address, type IOStream, TCPServer } from "../../../host/index.js";
import { FakeWorker, type Frame, frame, idOf, u16, u32 } from "../support/fakeworker.js";

const ID = idOf(0);
const RESET = u16(3);
const END = u16(2);

interface Opened {
  worker: FakeWorker;
  stream: IOStream;
  address: Address | null;
}

type Handle = (stream: IOStream) => unknown;

function open(handle: Handle = () => {}, options = {}): Opened {
  const opened: Partial<Opened> = {};
  class Server extends TCPServer {
    override handleStream(stream: IOStream, address: Address | null): Promise<void> | void {
      opened.stream = stream;
      opened.address = address;
      const result = handle(stream);
      if (result instanceof Promise) return result;
    }
  }
  const worker = new FakeWorker((logger) => new Server({ ...options, logger }).acceptor(), options);
  worker.peers.set(9, { address: { address: "192.0.2.1", port: 5, family: "IPv4" }, tls: null });
  worker.ready();
  worker.emit(frame(f.FRAME_OPEN, ID, u32(9, 0)));
  return { ...opened, worker } as Opened;
}

const brief = (frames: Frame[]): [number, string][] =>
  frames.map(({ type, payload }) => [type, payload.toString("hex")]);

describe("opening", () => {
  test("calls handleStream with the peer's address", () => {
    expect(open().address).toEqual({ address: "192.0.2.1", port: 5, family: "IPv4" });
  });

  test("a handler that throws is logged and its stream closed", async () => {
    const { worker } = open(() => {
      throw new Error("broken");
    });
    expect(brief(await worker.receivedAnswers())).toEqual([[f.FRAME_CLOSE, "00000000"]]);
    expect(worker.log).toEqual(["error a stream's handler failed: Error: broken"]);
  });

  test("a handler that rejects is logged and its stream closed", async () => {
    const { worker, stream } = open(() => Promise.reject(new Error("broken")));
    expect(brief(await worker.receivedAnswers())).toEqual([[f.FRAME_CLOSE, "00000000"]]);
    expect(worker.log[0]).toMatch(/broken/);
    expect(stream.closed).toBe(true);
  });

  test("a stream whose peer and whose handler have ended is closed behind what was written, whichever was first", async () => {
    for (const endsFirst of [true, false]) {
      let leave = () => {};
      const { worker, stream } = open(async (stream) => {
        void stream.write("answer");
        await new Promise<void>((resolve) => {
          leave = resolve;
        });
      });
      const say = () => worker.emit(frame(f.FRAME_END, ID));
      if (endsFirst) say();
      else leave();
      expect(brief(await worker.receivedAnswers())).toEqual([[f.FRAME_WRITE, Buffer.from("answer").toString("hex")]]);
      expect(stream.closed).toBe(false);
      if (endsFirst) leave();
      else say();
      expect(brief(await worker.receivedAnswers())).toEqual([[f.FRAME_CLOSE, "00000000"]]);
    }
  });

  test("one whose handler gave no promise is not, nor one that is another kind of stream", async () => {
    for (const handle of [() => {}, async (stream: IOStream) => void stream.toNode()]) {
      const { worker, stream } = open(handle);
      await Promise.resolve();
      worker.emit(frame(f.FRAME_END, ID));
      await new Promise((resolve) => setImmediate(resolve));
      expect(stream.closed).toBe(false);
    }
  });

  test("a peer's end calls the close callback, once: at once, or behind the read that rejects", async () => {
    const calls: string[] = [];
    const { worker, stream } = open();
    stream.setCloseCallback(() => calls.push("closed"));
    worker.emit(frame(f.FRAME_END, ID));
    await new Promise((resolve) => setImmediate(resolve));
    expect([calls, stream.closed, stream.ended]).toEqual([["closed"], false, true]);
    stream.close();
    const reading = open((each) => void each.readUntil("x").catch(() => calls.push("read")));
    reading.stream.setCloseCallback(() => calls.push("closed behind it"));
    reading.worker.emit(frame(f.FRAME_READ_FAILED, ID, END), frame(f.FRAME_END, ID));
    await new Promise((resolve) => setImmediate(resolve));
    expect([calls, reading.stream.closed]).toEqual([["closed", "read", "closed behind it"], false]);
    reading.stream.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls.length).toBe(3);
  });

  test("a peer that hangs up is no failure of its handler", async () => {
    const { worker } = open((stream) => stream.readUntil("\n"));
    worker.emit(frame(f.FRAME_READ_FAILED, ID, END));
    await worker.receivedAnswers();
    expect(worker.log[0]).toMatch(/^debug/);
  });

  test("a line that is longer than its handler reads is logged as an error", async () => {
    const { worker } = open((stream) => stream.readUntil("\n"));
    worker.emit(frame(f.FRAME_READ_FAILED, ID, u16(5)));
    await worker.receivedAnswers();
    expect(worker.log[0]).toMatch(/^error/);
  });

  test("a server without handleStream says so", async () => {
    const worker = new FakeWorker((logger) => new TCPServer({ logger }).acceptor());
    worker.ready().emit(frame(f.FRAME_OPEN, ID, u32(0, 0)));
    expect(worker.log[0]).toMatch(/handleStream/);
  });
});

describe("reading", () => {
  test("readUntil asks for the delimiter and resolves with what comes", async () => {
    const { worker, stream } = open();
    const line = stream.readUntil("\r\n", 100);
    expect(brief(await worker.receivedAnswers())).toEqual([[f.FRAME_READ_UNTIL, "640000000d0a"]]);
    worker.emit(frame(f.FRAME_DATA_END, ID, "hello\r\n"));
    expect((await line).toString()).toBe("hello\r\n");
  });

  test("readBytes, in parts and partial", async () => {
    const { worker, stream } = open();
    const first = stream.readBytes(6);
    worker.emit(frame(f.FRAME_DATA, ID, "abc"), frame(f.FRAME_DATA, ID, "d"), frame(f.FRAME_DATA_END, ID, "ef"));
    expect((await first).toString()).toBe("abcdef");
    const second = stream.readBytes(6, { partial: true });
    worker.emit(frame(f.FRAME_DATA_END, ID, "g"));
    expect((await second).toString()).toBe("g");
    expect((await stream.readBytes(0)).length).toBe(0);
    expect(brief(await worker.receivedAnswers())).toEqual([
      [f.FRAME_READ_BYTES, "0600000000000000"],
      [f.FRAME_READ_BYTES, "0600000001000000"],
    ]);
  });

  test("one read at a time", async () => {
    const { stream } = open();
    stream.readBytes(1).catch(() => {});
    await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "ALREADY_READING" });
  });

  test.each([
    [5, "UNSATISFIABLE_READ"],
    [6, "STREAM_BUFFER_FULL"],
    [2, "STREAM_CLOSED"],
  ])("reason %i rejects with %s, and another read may follow", async (reason, code) => {
    const { worker, stream } = open();
    const read = stream.readUntil("\n");
    worker.emit(frame(f.FRAME_READ_FAILED, ID, u16(reason)));
    await expect(read).rejects.toMatchObject({ code });
    expect(stream.closed).toBe(false);
    const again = stream.readBytes(1);
    worker.emit(frame(f.FRAME_DATA_END, ID, "x"));
    expect((await again).toString()).toBe("x");
  });

  test("iterating ends with the peer's side; readUntilClose gathers it", async () => {
    const { worker, stream } = open();
    const all = stream.readUntilClose();
    for (const text of ["one", "two"]) {
      await worker.receivedAnswers();
      worker.emit(frame(f.FRAME_DATA_END, ID, text));
    }
    await worker.receivedAnswers();
    worker.emit(frame(f.FRAME_READ_FAILED, ID, END), frame(f.FRAME_END, ID));
    expect((await all).toString()).toBe("onetwo");
    expect([stream.ended, stream.closed]).toEqual([true, false]);
  });

  test("a connection that breaks is not taken for its end", async () => {
    const { worker, stream } = open();
    const all = stream.readUntilClose();
    await worker.receivedAnswers();
    worker.emit(frame(f.FRAME_CLOSED, ID, RESET));
    await expect(all).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "RESET" });
    await expect(stream.readBytes(1)).rejects.toMatchObject({ reason: "RESET" });
  });

  test("readUntilClose has a limit", async () => {
    const { worker, stream } = open();
    const all = stream.readUntilClose(5);
    worker.emit(frame(f.FRAME_DATA_END, ID, "sixsix"));
    await expect(all).rejects.toMatchObject({ code: "STREAM_BUFFER_FULL" });
  });

  test.each([
    ["an empty delimiter", (stream: IOStream) => stream.readUntil("")],
    ["a delimiter too long", (stream: IOStream) => stream.readUntil("x".repeat(257))],
    ["maxBytes 0", (stream: IOStream) => stream.readUntil("\n", 0)],
    ["half a byte", (stream: IOStream) => stream.readBytes(0.5)],
    ["less than nothing", (stream: IOStream) => stream.readBytes(-1)],
  ])("%s is refused", (_name, read) => {
    expect(() => read(open().stream)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });
});

describe("writing", () => {
  test("sends bytes and text, and is done when they have left", async () => {
    const { worker, stream } = open();
    const both = [stream.write("é"), stream.write(Buffer.from([0, 255]))];
    expect(brief(await worker.receivedAnswers())).toEqual([
      [f.FRAME_WRITE, "c3a9"],
      [f.FRAME_WRITE, "00ff"],
    ]);
    worker.emit(frame(f.FRAME_SENT, ID, u32(4)));
    await Promise.all(both);
    await stream.write("");
  });

  test("keeps to the window", async () => {
    const { worker, stream } = open(() => {}, { writeWindow: 16 * 1024 });
    const write = stream.write(Buffer.alloc(20_000));
    const size = async (): Promise<number> =>
      (await worker.receivedAnswers()).reduce((sum, { payload }) => sum + payload.length, 0);
    expect(await size()).toBe(16 * 1024);
    worker.emit(frame(f.FRAME_SENT, ID, u32(16 * 1024)));
    expect(await size()).toBe(20_000 - 16 * 1024);
    worker.emit(frame(f.FRAME_SENT, ID, u32(20_000 - 16 * 1024)));
    await write;
  });

  test("close() lets everything leave first", async () => {
    const { worker, stream } = open(() => {}, { writeWindow: 16 * 1024 });
    const write = stream.write(Buffer.alloc(20_000));
    stream.close();
    stream.close();
    expect(stream.closed).toBe(true);
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WRITE]);
    worker.emit(frame(f.FRAME_SENT, ID, u32(16 * 1024)));
    expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_WRITE, f.FRAME_CLOSE]);
    worker.emit(frame(f.FRAME_CLOSED, ID, u16(1)));
    await write;
    await expect(stream.write("x")).rejects.toMatchObject({ reason: "CLOSED" });
    expect(worker.failure).toBeNull();
  });

  test("abort() does not", async () => {
    const { worker, stream } = open(() => {}, { writeWindow: 16 * 1024 });
    const write = stream.write(Buffer.alloc(20_000));
    stream.abort();
    await expect(write).rejects.toMatchObject({ reason: "CLOSED" });
    expect(brief(await worker.receivedAnswers()).at(-1)).toEqual([f.FRAME_CLOSE, "01000000"]);
  });

  test("a write to a peer that is gone rejects, and the handler need not catch it", async () => {
    const { worker, stream } = open();
    void stream.write("nobody waits for this");
    const write = stream.write("x");
    worker.emit(frame(f.FRAME_CLOSED, ID, RESET));
    await expect(write).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "RESET" });
    void stream.write("nor for this");
  });
});

describe("closing", () => {
  test("the callback comes once, after the promises", async () => {
    const { worker, stream } = open();
    const order: string[] = [];
    stream.setCloseCallback(() => order.push("callback"));
    const read = stream.readBytes(1).catch(() => order.push("read"));
    worker.emit(frame(f.FRAME_CLOSED, ID, RESET));
    await read;
    await worker.received();
    expect(order).toEqual(["read", "callback"]);
    stream.setCloseCallback(() => order.push("late"));
    await worker.received();
    expect(order).toEqual(["read", "callback", "late"]);
  });

  test("a pending read ends with close()", async () => {
    const { worker, stream } = open();
    const read = stream.readBytes(1);
    stream.close();
    worker.emit(frame(f.FRAME_DATA_END, ID, "x"), frame(f.FRAME_CLOSED, ID, u16(1)));
    await expect(read).rejects.toMatchObject({ reason: "CLOSED" });
    expect(worker.failure).toBeNull();
  });

  test("the worker's end is the stream's", async () => {
    const { worker, stream } = open();
    const read = stream.readBytes(1);
    worker.bridge.end();
    await expect(read).rejects.toMatchObject({ reason: "WORKER" });
    expect(stream.closed).toBe(true);
    await expect(stream.write("x")).rejects.toMatchObject({ reason: "WORKER" });
    stream.close();
    stream.abort();
  });

  test("a close callback that throws is logged", async () => {
    const { worker, stream } = open();
    stream.setCloseCallback(() => {
      throw new Error("broken callback");
    });
    worker.emit(frame(f.FRAME_CLOSED, ID, RESET));
    await worker.received();
    expect(worker.log[0]).toMatch(/broken callback/);
  });
});

describe("is not believed", () => {
  const cases: [string, (stream: IOStream) => unknown, Buffer][] = [
    ["data that the host has not asked for", () => {}, frame(f.FRAME_DATA_END, ID, "x")],
    ["a failure of no read", () => {}, frame(f.FRAME_READ_FAILED, ID, END)],
    ["more than was asked for", (stream) => stream.readBytes(2), frame(f.FRAME_DATA_END, ID, "abc")],
    ["more than was asked for, in parts", (stream) => stream.readBytes(2), frame(f.FRAME_DATA, ID, "abc")],
    ["less than was asked for", (stream) => stream.readBytes(2), frame(f.FRAME_DATA_END, ID, "a")],
    ["nothing", (stream) => stream.readBytes(2, { partial: true }), frame(f.FRAME_DATA_END, ID)],
    ["a line without its end", (stream) => stream.readUntil("\n"), frame(f.FRAME_DATA_END, ID, "abc")],
    ["a line too long", (stream) => stream.readUntil("\n", 3), frame(f.FRAME_DATA_END, ID, "abc\n")],
    ["SENT for nothing", () => {}, frame(f.FRAME_SENT, ID, u32(1))],
    ["SENT of a wrong size", (stream) => stream.write("x"), frame(f.FRAME_SENT, ID, "x")],
    ["an unknown reason", (stream) => stream.readBytes(1), frame(f.FRAME_READ_FAILED, ID, u16(99))],
    ["a reason that is none", () => {}, frame(f.FRAME_CLOSED, ID)],
    ["a request's frame", () => {}, frame(f.FRAME_BODY, ID, "x")],
    ["END with a payload", () => {}, frame(f.FRAME_END, ID, "x")],
  ];
  test.each(cases)("%s", (_name, prepare, sent) => {
    const { worker, stream } = open();
    const pending = prepare(stream);
    if (pending instanceof Promise) pending.catch(() => {});
    worker.emit(sent);
    expect(worker.failure?.message).toMatch(/^malformed frame/);
    expect(worker.killed).toBe(true);
    expect(stream.closed).toBe(true);
  });

  test("a frame after CLOSED", () => {
    const { worker } = open();
    worker.emit(frame(f.FRAME_CLOSED, ID, RESET), frame(f.FRAME_CLOSED, ID, RESET));
    expect(worker.failure).not.toBeNull();
  });
});
