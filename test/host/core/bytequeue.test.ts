// What waits in the host: bytes for a reader (ByteQueue), bytes for a peer (WriteWindow).
import { describe, expect, test } from "vitest";
import { WriteWindow } from "../../../host/bridge/writewindow.js";
import { ByteQueue, piece } from "../../../host/core/bytequeue.js";
import { StreamClosedError } from "../../../host/core/errors.js";

describe("a byte queue", () => {
  test("gives out what went in, whatever the sizes", () => {
    const chunk = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
    const queue = new ByteQueue();
    const out: Buffer[] = [];
    let at = 0;
    for (const size of [1, 5000, 5000, 1, 8192, 20_000, 3, 40_000, 1, 1]) {
      queue.push(chunk, at, at + size);
      at += size;
      if (size % 2 === 0) {
        const block = queue.shift();
        if (block !== null) out.push(block);
      }
    }
    expect(queue.length).toBe(at - Buffer.concat(out).length);
    out.push(queue.all());
    expect(Buffer.concat(out).equals(chunk.subarray(0, at))).toBe(true);
    expect(queue.length).toBe(0);
    expect(queue.shift()).toBeNull();
  });

  test("does not keep a chunk for a small piece of it", () => {
    const chunk = Buffer.alloc(65_536, "a");
    const queue = new ByteQueue();
    for (let i = 0; i < 100; i++) queue.push(chunk, i, i + 1);
    const block = queue.shift();
    expect(block?.toString()).toBe("a".repeat(100));
    expect(block?.buffer).not.toBe(chunk.buffer);
    expect(piece(chunk, 0, 10).buffer).not.toBe(chunk.buffer);
    expect(piece(chunk, 0, 60_000).buffer).toBe(chunk.buffer);
  });
});

describe("a write window", () => {
  const make = (window: number) => {
    const sent: string[] = [];
    const writeWindow = new WriteWindow(window, (source, start, end, last) => {
      sent.push(Buffer.from(source.subarray(start, end)).toString() + (last ? "|" : ""));
    });
    return { sent, writeWindow };
  };

  test("keeps to its window and a piece, and goes on when it is given back", () => {
    const { sent, writeWindow } = make(4);
    writeWindow.push(Buffer.from("abcdef"));
    writeWindow.push(Buffer.from("gh"));
    expect(sent).toEqual(["abcd"]);
    expect(writeWindow.waiting).toBe(8);
    writeWindow.sent(1);
    expect(sent).toEqual(["abcd", "ef"]);
    writeWindow.sent(1);
    expect(sent).toEqual(["abcd", "ef"]);
    writeWindow.sent(2);
    expect(sent).toEqual(["abcd", "ef", "gh"]);
    writeWindow.end();
    expect(sent.at(-1)).toBe("|");
  });

  test("marks the last piece when it is still to go", () => {
    const { sent, writeWindow } = make(4);
    writeWindow.push(Buffer.from("abcdef"));
    writeWindow.end();
    writeWindow.sent(4);
    expect(sent).toEqual(["abcd", "ef|"]);
  });

  test("a write is done when its last byte has left", async () => {
    const { writeWindow } = make(4);
    const order: string[] = [];
    writeWindow.push(Buffer.from("ab"));
    const first = writeWindow.done().then(() => order.push("first"));
    writeWindow.push(Buffer.from("cd"));
    const second = writeWindow.done().then(() => order.push("second"));
    writeWindow.sent(3);
    await first;
    expect(order).toEqual(["first"]);
    writeWindow.sent(1);
    await second;
    await writeWindow.done();
  });

  test("refuses a report of more than was sent", () => {
    const { writeWindow } = make(4);
    writeWindow.push(Buffer.from("ab"));
    expect(() => writeWindow.sent(3)).toThrow(/SENT/);
    expect(() => writeWindow.sent(0)).toThrow(/SENT/);
  });

  test("fails what waits", async () => {
    const { sent, writeWindow } = make(1);
    writeWindow.push(Buffer.from("ab"));
    const done = writeWindow.done();
    writeWindow.fail(() => new StreamClosedError("RESET"));
    await expect(done).rejects.toMatchObject({ code: "STREAM_CLOSED", reason: "RESET" });
    writeWindow.sent(1);
    writeWindow.end();
    expect(sent).toEqual(["a"]);
  });
});
