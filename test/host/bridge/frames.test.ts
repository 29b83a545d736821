// The codec: numbers that three files share, frames cut anywhere, sizes that a hostile sandbox would like.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FrameReader, type FrameSink, keepBatch } from "../../../host/bridge/framereader.js";
import * as frames from "../../../host/bridge/frames.js";
import { REFUSALS } from "../../../host/bridge/refusals.js";
import { readStats, sumStats, turnTimeBoundNs } from "../../../host/bridge/stats.js";
import { REASONS } from "../../../host/core/errors.js";
import protocol from "../../../protocol/protocol.json" with { type: "json" };
import { type Frame, frame } from "../support/fakeworker.js";

const root = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

describe("the numbers", () => {
  test("stand in protocol/protocol.json once; both languages and docs/protocol.md have what it says", () => {
    execFileSync(process.execPath, [fileURLToPath(new URL("protocol/generate.mjs", root)), "--check"], {
      stdio: "pipe",
    });
  });

  test("are whole, and none stands for two frames of a kind", () => {
    const types = [...protocol.sandboxToHost, ...protocol.hostToSandbox].map(({ type }) => Number(type));
    expect(new Set(types).size).toBe(types.length);
    expect(types.every((type) => type > 0 && type < 0x80)).toBe(true);
    expect(Object.values(REASONS)).toEqual(Object.values(REASONS).map((_, index) => index + 1));
    const document = read("docs/protocol.md");
    expect(document).toContain(`version ${frames.PROTOCOL_VERSION}`);
    expect(document).toContain(`\`FRAME_BYTES_MAX\` = ${frames.FRAME_BYTES_MAX}`);
    expect(document).toContain(`STATS is a table of ${frames.STATS_BYTES / 8} u64`);
    expect(document).toContain(`CONFIG, ${frames.CONFIG_BYTES} bytes`);
  });
});

describe("STATS", () => {
  const table = (...values: bigint[]): Buffer => {
    const bytes = Buffer.alloc(frames.STATS_BYTES);
    for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(value, index * 8);
    return bytes;
  };

  test("is read by name, and added up; the longest turn is the longest of all", () => {
    const first = readStats(table(1n, 2n, 0n, 0n, 5n, 0n, 0n, 0n, 0n, 10n, 100n, 50n, 30n), 0, frames.STATS_BYTES);
    const second = readStats(
      table(10n, 20n, 0n, 0n, 2n ** 53n - 1n - 5n, 0n, 0n, 0n, 0n, 10n, 100n, 70n),
      0,
      frames.STATS_BYTES,
    );
    expect(first).toMatchObject({ connectionsNow: 1, connectionsEver: 2, bytesIn: 5, turns: 10, turnNsMax: 50 });
    const sum = sumStats([first, second]);
    expect(sum).toMatchObject({ connectionsNow: 11, connectionsEver: 22, turns: 20, turnNs: 200, turnNsMax: 70 });
    expect(sum).toMatchObject({ bytesIn: Number.MAX_SAFE_INTEGER, readyPerTurn: 1.5, workers: [first, second] });
    expect(sumStats([])).toMatchObject({ turnNsMax: 0, readyPerTurn: 0, workers: [] });
  });

  test("tells turns by their time and refusals by their reason, and the restarts of workers", () => {
    const values = Array.from({ length: frames.STATS_BYTES / 8 }, (_, index) => BigInt(index));
    const stats = readStats(table(...values), 0, frames.STATS_BYTES);
    expect(stats).toMatchObject({
      connectionsHot: 18,
      turnTimes: Array.from({ length: 20 }, (_, index) => 19 + index),
    });
    expect(Object.values(stats.refused)).toEqual(REFUSALS.map((_, index) => 39 + index));
    expect(Object.keys(stats.refused)).toEqual(REFUSALS.map(([name]) => name));
    const sum = sumStats([stats, stats], 3);
    expect(sum).toMatchObject({ connectionsHot: 36, connectionsCold: 0, workerRestarts: 3 });
    const last = frames.STATS_BYTES / 8 - 1;
    expect([sum.turnTimes[19], sum.refused.bad_method, sum.refused.other]).toEqual([76, 78, 2 * last]);
    expect(sumStats([{ ...stats, connectionsNow: 20 }]).connectionsCold).toBe(2);
    expect([0, 1, 18, 19].map(turnTimeBoundNs)).toEqual([1024, 2048, 2 ** 28, Number.POSITIVE_INFINITY]);
  });

  test("of another size is malformed", () => {
    const whole = frames.STATS_BYTES;
    for (const size of [0, 144, whole - 8, whole + 8]) {
      expect(() => readStats(Buffer.alloc(size), 0, size)).toThrow(/malformed/);
    }
  });
});

class Collector implements FrameSink {
  readonly frames: Frame[] = [];
  frame(type: number, id: number, chunk: Buffer, start: number, end: number): void {
    this.frames.push({ type, id, payload: Buffer.from(chunk.subarray(start, end)) });
  }
}

function readAll(chunks: Buffer[]): Frame[] {
  const collector = new Collector();
  const reader = new FrameReader(collector);
  for (const chunk of chunks) reader.push(chunk);
  return collector.frames;
}

describe("reading", () => {
  const stream = Buffer.concat([
    frame(0x20, 7, "a request"),
    frame(0x02, 1),
    frame(0x15, 0xffffffff, "\x01\0"),
    frame(0x21, 0x40001, "x".repeat(100)),
    frame(0x02, 2),
  ]);
  const whole = readAll([stream]);

  test("hands on type, id and payload", () => {
    expect(whole.map(({ type, id }) => [type, id])).toEqual([
      [0x20, 7],
      [0x02, 1],
      [0x15, 0xffffffff],
      [0x21, 0x40001],
      [0x02, 2],
    ]);
    expect(whole[0].payload.toString()).toBe("a request");
    expect(whole[3].payload.length).toBe(100);
  });

  test("is the same for every way to cut the stream in two and in three", () => {
    for (let first = 0; first <= stream.length; first++) {
      expect(readAll([stream.subarray(0, first), stream.subarray(first)])).toEqual(whole);
      for (let second = first; second <= stream.length; second += 7) {
        const cut = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        expect(readAll(cut)).toEqual(whole);
      }
    }
  });

  test("is the same a byte at a time", () => {
    expect(readAll([...stream].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test("hands on nothing of a frame that is not whole", () => {
    expect(readAll([stream.subarray(0, 16)])).toEqual([]);
  });

  test("takes the largest frame, and refuses a larger one before any of it has come", () => {
    const largest = frame(0x21, 1, Buffer.alloc(frames.FRAME_BYTES_MAX));
    expect(readAll([largest])[0].payload.length).toBe(frames.FRAME_BYTES_MAX);
    expect(readAll([largest.subarray(0, 1000), largest.subarray(1000)])[0].payload.length).toBe(frames.FRAME_BYTES_MAX);
    const header = Buffer.alloc(8);
    header.writeUInt32LE(0x21000000 + frames.FRAME_BYTES_MAX + 1);
    expect(() => readAll([header])).toThrow(/malformed/);
    expect(() => readAll([header.subarray(0, 3), header.subarray(3)])).toThrow(/malformed/);
  });

  test("does not change or share what it handed on", () => {
    const seen: { chunk: Buffer; start: number; end: number }[] = [];
    const reader = new FrameReader({
      frame: (_type, _id, chunk, start, end) => seen.push({ chunk, start, end }),
    });
    const cut = frame(0x21, 1, "first");
    reader.push(cut.subarray(0, 10));
    reader.push(cut.subarray(10));
    reader.push(frame(0x21, 1, "other").subarray(0, 10));
    expect(seen[0].chunk.toString("latin1", seen[0].start, seen[0].end)).toBe("first");
  });
});

describe("keeping a batch", () => {
  const small = Buffer.concat([frame(0x20, 7, "a request"), frame(0x02, 1)]);
  const large = frame(0x21, 1, Buffer.alloc(4096, "x"));

  test("copies it, a large frame by itself and small ones together", () => {
    const kept: Buffer[] = [];
    const batch = Buffer.concat([small, large, large, small]);
    keepBatch(batch, kept);
    expect(kept).toEqual([small, large, large, small]);
    batch.fill(0);
    expect(Buffer.concat(kept)).toEqual(Buffer.concat([small, large, large, small]));
  });

  test("loses and adds nothing wherever the batch ends, and whatever its sizes say", () => {
    const lies = Buffer.from(small);
    lies.writeUInt32LE(0x21ffffff, 0);
    for (const batch of [Buffer.concat([small, large]), Buffer.concat([large, lies])]) {
      for (let end = 0; end <= batch.length; end++) {
        const kept: Buffer[] = [];
        keepBatch(batch.subarray(0, end), kept);
        expect(Buffer.concat(kept).equals(batch.subarray(0, end))).toBe(true);
      }
    }
  });
});

describe("numbers of 64 bits", () => {
  test("sequences go round", () => {
    expect([0, 1, 0xfffffffe].map((last) => frames.sequenceAfter(last, 0))).toEqual([1, 2, 0xffffffff]);
    expect([frames.sequenceAfter(0xffffffff, 0), frames.sequenceAfter(0xffffffff, 1)]).toEqual([0, 1]);
  });

  test.each([0, 1, 0xffffffff, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER, -1])("put64(%i)", (value) => {
    const bytes = Buffer.alloc(8);
    frames.put64(bytes, 0, value);
    expect(bytes.readBigInt64LE(0)).toBe(BigInt(value));
  });
});
