// Lines for a stream that may be slow: gathered, in order, bounded, and never waited for.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { LOG_BUFFER_BYTES_MAX, LOG_REST_MS, LOG_WRITE_BYTES } from "../../../host/core/limits.js";
import { type LineStream, LineWriter } from "../../../host/core/linewriter.js";

/** A stream whose reader takes nothing until the test lets it. */
class Reader implements LineStream {
  readonly writes: string[] = [];
  writableLength = 0;
  fail: () => void = () => {};

  write(data: Uint8Array | string): void {
    this.writes.push(Buffer.from(data as Uint8Array).toString());
    this.writableLength += data.length;
  }

  on(_event: "error", listener: () => void): void {
    this.fail = listener;
  }
}

function start(): { reader: Reader; lines: LineWriter } {
  const reader = new Reader();
  return { reader, lines: new LineWriter(() => reader) };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterEach(() => void vi.useRealTimers());
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const rest = (): void => void vi.advanceTimersByTime(LOG_REST_MS);
const LINE = `${"x".repeat(1023)}\n`;
const FITTING = LOG_BUFFER_BYTES_MAX / LINE.length;

describe("lines", () => {
  test("of a turn leave in one write at its end", async () => {
    const { reader, lines } = start();
    lines.gather("one\n");
    lines.gather("two\n");
    expect(reader.writes).toEqual([]);
    await turn();
    expect(reader.writes).toEqual(["one\ntwo\n"]);
  });

  test("of turns that follow closely wait for each other, and for no more than the time of a rest", async () => {
    const { reader, lines } = start();
    lines.gather("one\n");
    await turn();
    for (const line of ["two\n", "three\n", "four\n"]) {
      lines.gather(line);
      await turn();
    }
    expect(reader.writes).toEqual(["one\n"]);
    rest();
    expect(reader.writes).toEqual(["one\n", "two\nthree\nfour\n"]);
    rest(); // nothing has come meanwhile
    lines.gather("five\n");
    await turn();
    expect(reader.writes.slice(2)).toEqual(["five\n"]);
  });

  test("of many bytes do not wait, and each write is a whole number of lines", () => {
    const { reader, lines } = start();
    for (let index = 0; index < (4 * LOG_WRITE_BYTES) / LINE.length; index++) lines.gather(LINE);
    expect(reader.writes.length).toBeGreaterThanOrEqual(4);
    for (const text of reader.writes) {
      expect(text.length).toBeLessThanOrEqual(LOG_WRITE_BYTES);
      expect(text.length % LINE.length).toBe(0);
    }
  });

  test("are UTF-8, and longer ones leave by themselves, in order", () => {
    const { reader, lines } = start();
    const long = `${"é".repeat(LOG_WRITE_BYTES)}\n`;
    lines.gather("ü\n");
    lines.write(long);
    lines.write("€\n");
    expect(reader.writes).toEqual(["ü\n", long, "€\n"]);
  });

  test("that are left when the process exits are written then", () => {
    const before = process.listeners("exit");
    const { reader, lines } = start();
    lines.write("one\n");
    lines.gather("two\n");
    const [atExit] = process.listeners("exit").filter((listener) => !before.includes(listener));
    atExit?.(0);
    expect(reader.writes).toEqual(["one\n", "two\n"]);
  });

  test("that cannot wait take along what was gathered before them", () => {
    const { reader, lines } = start();
    lines.gather("one\n");
    lines.write("two\n");
    expect(reader.writes).toEqual(["one\ntwo\n"]);
  });

  test("are kept up to the bound within a turn, and no more", async () => {
    const { reader, lines } = start();
    for (let index = 0; index < FITTING + 5; index++) lines.gather(LINE);
    await turn();
    expect(reader.writes.join("").length).toBe(LOG_BUFFER_BYTES_MAX);
  });

  test("are dropped while the reader is slow, and counted when it reads again", async () => {
    const { reader, lines } = start();
    for (let index = 0; index < FITTING + 3; index++) lines.gather(LINE);
    lines.write("lost too\n");
    await turn();
    expect(reader.writes.join("").length).toBe(LOG_BUFFER_BYTES_MAX);
    reader.writes.length = 0;
    reader.writableLength = 0;
    lines.gather("back\n");
    lines.gather("again\n");
    rest();
    expect(reader.writes).toEqual([
      "waterspout: warning: 4 lines were dropped: the log is read too slowly\nback\nagain\n",
    ]);
  });

  test("are dropped when the reader has gone, and nothing else happens", async () => {
    const { reader, lines } = start();
    lines.write("one\n");
    reader.fail();
    lines.write("two\n");
    lines.gather("three\n");
    await turn();
    expect(reader.writes).toEqual(["one\n"]);
  });
});
