// Lines for a stream that may be slow: gathered, in order, bounded, and never waited for.
import { describe, expect, test } from "vitest";

import { LOG_BUFFER_BYTES_MAX } from "../../../host/core/limits.js";
import { type LineStream, LineWriter } from "../../../host/core/linewriter.js";

/** A stream whose reader takes nothing until the test lets it. */
class Reader implements LineStream {
  readonly writes: string[] = [];
  writableLength = 0;
  fail: () => void = () => {};

  write(text: string): void {
    this.writes.push(text);
    this.writableLength += text.length;
  }

  on(_event: "error", listener: () => void): void {
    this.fail = listener;
  }
}

function start(): { reader: Reader; lines: LineWriter } {
  const reader = new Reader();
  return { reader, lines: new LineWriter(() => reader) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const LINE = `${"x".repeat(1023)}\n`;
const FITTING = LOG_BUFFER_BYTES_MAX / LINE.length;

describe("lines", () => {
  test("of a turn leave in one write at its end", async () => {
    const { reader, lines } = start();
    lines.gather("one\n");
    lines.gather("two\n");
    expect(reader.writes).toEqual([]);
    await turn();
    lines.gather("three\n");
    await turn();
    expect(reader.writes).toEqual(["one\ntwo\n", "three\n"]);
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
    for (let index = 0; index < FITTING + 3; index++) {
      lines.gather(LINE);
      await turn();
    }
    lines.write("lost too\n");
    expect(reader.writes.length).toBe(FITTING);
    reader.writes.length = 0;
    reader.writableLength = 0;
    lines.gather("back\n");
    lines.gather("again\n");
    await turn();
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
