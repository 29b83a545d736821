// What all streams share, over a Duplex: reads that give back, limits, closing, and the ways to and from other streams.
import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";

import {
  type BaseIOStream,
  StreamClosedError,
  type StreamOptions,
  streamFromNode,
  streamFromWeb,
} from "../../../host/index.js";

/** A stream, and its peer's end of it. */
function pair(
  options: StreamOptions = {},
  highWaterMark = 1 << 20,
): { stream: BaseIOStream; peer: PassThrough; sent: PassThrough } {
  const peer = new PassThrough({ highWaterMark });
  const sent = new PassThrough({ highWaterMark });
  const duplex = Duplex.from({ readable: peer, writable: sent });
  return { stream: streamFromNode(duplex, options), peer, sent };
}

const text = async (read: Promise<Buffer>): Promise<string> => (await read).toString();

describe("reads", () => {
  test("one after the other, from one piece", async () => {
    const { stream, peer } = pair();
    peer.write("line 1\nline 2\nabcdef123 rest");
    expect(await text(stream.readUntil("\n"))).toBe("line 1\n");
    expect(await text(stream.readUntil("\n"))).toBe("line 2\n");
    expect(await text(stream.readBytes(3))).toBe("abc");
    expect(await text(stream.readUntilRegex(/\d+/))).toBe("def123");
    expect(await text(stream.readBytes(100, { partial: true }))).toBe(" rest");
  });

  test("what a regex left is seen first, in order, by every kind of read", async () => {
    const { stream, peer } = pair();
    peer.write("k1:one;two\nthree");
    expect(await text(stream.readUntilRegex(/\w+:/))).toBe("k1:");
    expect(await text(stream.readBytes(2))).toBe("on");
    const target = new Uint8Array(2);
    expect(await stream.readInto(target)).toBe(2);
    expect(Buffer.from(target).toString()).toBe("e;");
    expect(await text(stream.readUntil("\n"))).toBe("two\n");
    const rest = stream.readBytes(8);
    peer.write("four");
    expect(await text(rest)).toBe("threefou");
    peer.end("five");
    expect(await text(stream.readUntilClose())).toBe("rfive");
    expect(stream.ended).toBe(true);
  });

  test("an end that is cut over many pieces", async () => {
    const { stream, peer } = pair();
    const lines = [stream.readUntil("\r\n\r\n")];
    for (const byte of "head\r\n\r\n") {
      peer.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await text(lines[0]!)).toBe("head\r\n\r\n");
    const number = stream.readUntilRegex(/(\d+)\./g);
    for (const byte of "n = 12.5") {
      peer.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await text(number)).toBe("n = 12.");
    expect(await text(stream.readBytes(1))).toBe("5");
  });

  test("bytes are characters to a regex, whatever they are", async () => {
    const { stream, peer } = pair();
    peer.write(Buffer.from([0xff, 0xc3, 0xa9, 0x00, 0x80, 0x41]));
    expect(await stream.readUntilRegex(/\x80/)).toEqual(Buffer.from([0xff, 0xc3, 0xa9, 0x00, 0x80]));
  });

  test.each([
    ["readUntil", (stream: BaseIOStream) => stream.readUntil("\n", 64)],
    ["readUntilRegex", (stream: BaseIOStream) => stream.readUntilRegex(/\n/, 64)],
  ])("%s counts its end in, and closes for the reason", async (_name, read) => {
    const { stream, peer } = pair();
    peer.write(`${"x".repeat(63)}\n`);
    expect((await read(stream)).length).toBe(64);
    peer.write(`${"x".repeat(64)}\n`);
    const tooLong = await read(stream).catch((error) => error);
    expect(tooLong).toMatchObject({ name: "UnsatisfiableReadError", code: "UNSATISFIABLE_READ", reason: "TOO_LONG" });
    expect(tooLong).toBeInstanceOf(StreamClosedError);
    expect(stream.closed).toBe(true);
    await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "TOO_LONG" });
    expect(stream.error).toMatchObject({ reason: "TOO_LONG" });
  });
});

describe("bounds of reads", () => {
  test("a limit also counts for what is held", async () => {
    const { stream, peer } = pair();
    peer.write("a:0123456789\n");
    await stream.readUntilRegex(/:/);
    await expect(stream.readUntil("\n", 10)).rejects.toMatchObject({ code: "UNSATISFIABLE_READ" });
  });

  test.each([/\n/, "\n"])("bufferBytesMax bounds a read until %s, too", async (end) => {
    const { stream, peer } = pair({ bufferBytesMax: 64 });
    const read = typeof end === "string" ? () => stream.readUntil(end) : () => stream.readUntilRegex(end);
    peer.write(`${"x".repeat(63)}\n${"x".repeat(64)}\n`);
    expect((await read()).length).toBe(64);
    await expect(read()).rejects.toMatchObject({ code: "UNSATISFIABLE_READ" });
  });

  test("readInto, whole and partial", async () => {
    const { stream, peer } = pair();
    const target = new Uint8Array(4);
    const filled = stream.readInto(target);
    peer.write("ab");
    await new Promise((resolve) => setImmediate(resolve));
    peer.write("cdef");
    expect(await filled).toBe(4);
    expect(Buffer.from(target).toString()).toBe("abcd");
    expect(await stream.readInto(target, { partial: true })).toBe(2);
    expect(Buffer.from(target).toString()).toBe("efcd");
    expect(await stream.readInto(new Uint8Array(0))).toBe(0);
  });

  test("one at a time, also those of several steps", async () => {
    const { stream, peer } = pair();
    const first = stream.readUntilRegex(/b/);
    peer.write("a");
    await new Promise((resolve) => setImmediate(resolve));
    await expect(stream.readBytes(1)).rejects.toThrow(/^already reading/);
    await expect(stream.readUntilRegex(/x/)).rejects.toMatchObject({ code: "ALREADY_READING" });
    await expect(stream.readInto(new Uint8Array(1))).rejects.toMatchObject({ code: "ALREADY_READING" });
    peer.write("b");
    expect(await text(first)).toBe("ab");
  });

  test("bufferBytesMax bounds what one read may hold, and the stream stays open", async () => {
    const { stream, peer } = pair({ bufferBytesMax: 8 });
    await expect(stream.readBytes(9)).rejects.toMatchObject({ code: "STREAM_BUFFER_FULL" });
    peer.write("12345678");
    expect(await text(stream.readBytes(8))).toBe("12345678");
    peer.end("123456789");
    await expect(stream.readUntilClose()).rejects.toMatchObject({ code: "STREAM_BUFFER_FULL" });
  });

  test("readChunkBytes bounds the pieces", async () => {
    const { stream, peer } = pair({ readChunkBytes: 3 });
    peer.end("12345678");
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(piece.toString());
    expect(pieces).toEqual(["123", "456", "78"]);
  });

  test("the peer's end ends a read, and what it had left is still there", async () => {
    const { stream, peer } = pair();
    peer.end("no line");
    await expect(stream.readUntil("\n")).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "END" });
    expect(await text(stream.readBytes(100, { partial: true }))).toBe("no line");
    expect(stream.closed).toBe(false);
  });

  test("flow control: what the handler does not read stays with the peer", async () => {
    const { stream, peer } = pair({}, 1024);
    const total = 10 << 20;
    let written = 0;
    const sending = (async () => {
      for (; written < total; written += 65_536) if (!peer.write(Buffer.alloc(65_536))) await once(peer, "drain");
      peer.end();
    })();
    await new Promise((resolve) => setTimeout(resolve, 20)); // no more must be taken meanwhile
    expect(written).toBeLessThan(1 << 20);
    let read = 0;
    for (; read < total; read += 1 << 20) expect((await stream.readBytes(1 << 20)).length).toBe(1 << 20);
    await sending;
  });
});

describe("writes", () => {
  test("over writeBufferBytesMax nothing is sent, and the stream stays open", async () => {
    const { stream, sent } = pair({ writeBufferBytesMax: 10 }, 4);
    const first = stream.write("12345678");
    expect(() => stream.write("901")).toThrow(expect.objectContaining({ code: "STREAM_BUFFER_FULL" }));
    expect(stream.closed).toBe(false);
    sent.resume();
    await first;
    await stream.write("more");
  });

  test("close sends what was written first; the callback comes once, though data is unread", async () => {
    const { stream, peer, sent } = pair();
    peer.write("unread");
    const order: string[] = [];
    stream.setCloseCallback(() => order.push("callback"));
    void stream.write("last words");
    const read = stream.readUntil("\n").catch((error) => order.push(error.reason));
    stream.close();
    await read;
    await once(sent.resume(), "end");
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(["CLOSED", "callback"]);
    await expect(stream.write("x")).rejects.toMatchObject({ reason: "CLOSED" });
  });

  test("the peer's end calls the callback when all was read, after the read that it rejects", async () => {
    const idle = pair();
    const order: string[] = [];
    const heard = new Promise<void>((resolve) => idle.stream.setCloseCallback(resolve));
    idle.peer.end("all");
    expect(await text(idle.stream.readBytes(3))).toBe("all");
    await heard;
    expect(idle.stream.ended).toBe(true);
    const reading = pair();
    const called = new Promise<void>((resolve) => {
      reading.stream.setCloseCallback(() => resolve(void order.push("callback")));
    });
    reading.stream.readUntil("\n").catch((error) => order.push(error.reason));
    reading.peer.end();
    await called;
    expect(order).toEqual(["END", "callback"]);
  });

  test("an end that comes while nothing is read calls the callback", async () => {
    const { stream, peer } = pair();
    const heard = new Promise<void>((resolve) => stream.setCloseCallback(resolve));
    peer.end();
    await heard;
  });

  test("says whether it is reading and writing", async () => {
    const { stream, peer, sent } = pair({}, 4);
    expect([stream.reading, stream.writing]).toEqual([false, false]);
    const read = stream.readInto(new Uint8Array(2));
    const written = stream.write("more than has room");
    expect([stream.reading, stream.writing]).toEqual([true, true]);
    peer.write("ab");
    sent.resume();
    await Promise.all([read, written]);
    expect([stream.reading, stream.writing]).toEqual([false, false]);
  });

  test("a Duplex that fails closes with its error, though data is unread", async () => {
    const duplex = new PassThrough();
    const stream = streamFromNode(duplex);
    duplex.write("unread");
    const closed = new Promise<void>((resolve) => stream.setCloseCallback(resolve));
    const failure = Object.assign(new Error("reset"), { code: "ECONNRESET" });
    duplex.destroy(failure);
    await closed;
    await expect(stream.readBytes(1)).rejects.toMatchObject({ reason: "RESET", cause: failure });
    expect(stream.setNodelay(true)).toBe(false);
  });
});

describe("other kinds", () => {
  test("a Web Streams pair, there and back", async () => {
    const { stream, peer, sent } = pair();
    const { readable, writable } = stream.toWeb();
    peer.end("from the peer");
    const writer = writable.getWriter();
    const chunks: Buffer[] = [];
    for await (const chunk of readable) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).toString()).toBe("from the peer");
    await writer.write("to ");
    await writer.write(Buffer.from("the peer"));
    await writer.close();
    const received = await sent.toArray();
    expect(Buffer.concat(received).toString()).toBe("to the peer");
    expect(stream.closed).toBe(true);
  });

  test("a stream made of Web Streams", async () => {
    const echo = new TransformStream<Uint8Array, Uint8Array>();
    const stream = streamFromWeb(echo as never);
    void stream.write("one\ntwo\n");
    expect(await text(stream.readUntil("\n"))).toBe("one\n");
    expect(await text(stream.readUntil("\n"))).toBe("two\n");
  });

  test("cancelling a Web Stream closes", async () => {
    const { stream } = pair();
    await stream.toWeb().readable.cancel();
    expect(stream.closed).toBe(true);
  });

  test("a Duplex, with back-pressure both ways", async () => {
    const { stream, peer, sent } = pair({ writeBufferBytesMax: 1 << 20 });
    const duplex = stream.toNode();
    peer.end("from the peer");
    expect(Buffer.concat(await duplex.toArray()).toString()).toBe("from the peer");
    const other = pair();
    const end = other.stream.toNode();
    end.end("to the peer");
    expect(Buffer.concat(await other.sent.toArray()).toString()).toBe("to the peer");
    void sent;
  });

  test("a Duplex gets the error that broke the stream, and closes it when destroyed", async () => {
    const { stream, peer } = pair();
    const duplex = stream.toNode().resume();
    peer.destroy(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
    const [error] = await once(duplex, "error");
    expect(error).toMatchObject({ code: "STREAM_CLOSED", reason: "RESET" });
    const other = pair();
    other.stream.toNode().destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(other.stream.closed).toBe(true);
  });

  test("objects and text are refused", () => {
    expect(() => streamFromNode(new PassThrough({ objectMode: true }))).toThrow(/bytes/);
    expect(() => streamFromNode(new PassThrough().setEncoding("utf8"))).toThrow(/bytes/);
    expect(() => streamFromNode(new PassThrough(), { readChunkBytes: 0 })).toThrow(/readChunkBytes/);
  });
});
