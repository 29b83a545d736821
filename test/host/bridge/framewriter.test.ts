// What gathers frames for a worker: order and wholeness over its blocks, and who owns a block when.
import { describe, expect, test } from "vitest";

import { FrameReader } from "../../../host/bridge/framereader.js";
import * as frames from "../../../host/bridge/frames.js";
import { FrameWriter } from "../../../host/bridge/framewriter.js";
import type { Frame } from "../support/fakeworker.js";

const PIECE = 65_536;

function readAll(chunks: Buffer[]): Frame[] {
  const heard: Frame[] = [];
  const reader = new FrameReader({
    frame: (type, id, chunk, start, end) => heard.push({ type, id, payload: Buffer.from(chunk.subarray(start, end)) }),
  });
  for (const chunk of chunks) reader.push(chunk);
  return heard;
}

function taken(writer: FrameWriter, bytes = writer.waiting): Buffer {
  const target = Buffer.alloc(bytes + 2, 0xee);
  const size = writer.copyTo(target, 1, bytes);
  expect([target[0], target[size + 1]]).toEqual([0xee, 0xee]);
  return target.subarray(1, 1 + size);
}

/** A frame of `size` bytes that are all its id. */
function write(writer: FrameWriter, id: number, size: number): void {
  writer.bytes(frames.FRAME_WRITE, id, Buffer.alloc(size, id), 0, size);
}

function expectIds(heard: Frame[], ids: number[], size: number): void {
  expect(heard.map(({ id }) => id)).toEqual(ids);
  for (const { id, payload } of heard) expect(payload.equals(Buffer.alloc(size, id))).toBe(true);
}

describe("what is written", () => {
  test("is what reading reads", () => {
    const writer = new FrameWriter();
    writer.empty(frames.FRAME_ECHO, 0x80000001);
    writer.number(frames.FRAME_CLOSE, 5, 1);
    writer.numbers(frames.FRAME_READ_BYTES, 6, 0xffffffff, 1);
    writer.bytes(frames.FRAME_WRITE, 7, Buffer.from("abcdef"), 2, 5);
    expect(readAll([taken(writer)]).map(({ type, id, payload }) => [type, id, payload.toString("hex")])).toEqual([
      [frames.FRAME_ECHO, 0x80000001, ""],
      [frames.FRAME_CLOSE, 5, "01000000"],
      [frames.FRAME_READ_BYTES, 6, "ffffffff01000000"],
      [frames.FRAME_WRITE, 7, Buffer.from("cde").toString("hex")],
    ]);
    expect(writer.waiting).toBe(0);
  });

  test.each([999, 50_008, PIECE, 5 * PIECE])("leaves in order when %i bytes are taken at a time", (amount) => {
    const writer = new FrameWriter();
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    for (const id of ids) write(writer, id, 50_000);
    expect(writer.waiting).toBe(20 * 50_008);
    const parts: Buffer[] = [];
    while (writer.waiting > 0) parts.push(taken(writer, amount));
    expectIds(readAll(parts), ids, 50_000);
  });

  test("may be taken between two frames, also when a part has been taken", () => {
    const writer = new FrameWriter();
    const parts: Buffer[] = [];
    for (let id = 1; id <= 40; id++) {
      write(writer, id, PIECE);
      parts.push(taken(writer, id * 3000));
    }
    parts.push(taken(writer));
    expectIds(
      readAll(parts),
      Array.from({ length: 40 }, (_, index) => index + 1),
      PIECE,
    );
  });

  test("may be a frame larger than a block, whose room is not kept", () => {
    const writer = new FrameWriter();
    write(writer, 1, 100);
    const at = writer.reserve(1 << 20);
    writer.buffer.fill(2, at, at + (1 << 20));
    writer.length += 1 << 20;
    expect(taken(writer).length).toBe(108 + (1 << 20));
    write(writer, 3, 100);
    expect(writer.buffer.length).toBeLessThan(1 << 20);
    expectIds(readAll([taken(writer)]), [3], 100);
  });

  test("is forgotten by clear()", () => {
    const writer = new FrameWriter();
    for (let id = 1; id < 10; id++) write(writer, id, PIECE);
    writer.clear();
    expect(writer.waiting).toBe(0);
    write(writer, 10, 10);
    expectIds(readAll([taken(writer)]), [10], 10);
  });
});

describe("a block that was drained", () => {
  const drain = (writer: FrameWriter, isFree: boolean): Buffer[] => {
    const pieces: Buffer[] = [];
    writer.drain((block, start, end) => {
      pieces.push(block.subarray(start, end));
      return isFree;
    });
    return pieces;
  };

  test("is not written again before it is given back", () => {
    const writer = new FrameWriter();
    for (let id = 1; id <= 10; id++) write(writer, id, PIECE);
    const lent = drain(writer, false);
    expect(writer.waiting).toBe(0);
    for (let id = 11; id <= 40; id++) write(writer, id, PIECE);
    expectIds(readAll(lent), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], PIECE);
    expect(taken(writer).length).toBe(30 * (PIECE + 8));
  });

  test("is used again when it was free at once, and when it has been given back", () => {
    const writer = new FrameWriter();
    const memory = new Set<ArrayBufferLike>();
    for (let round = 0; round < 20; round++) {
      for (let id = 1; id <= 8; id++) write(writer, id, PIECE);
      const isFree = round % 2 === 0;
      for (const piece of drain(writer, isFree)) {
        memory.add(piece.buffer);
        if (!isFree) writer.giveBack(Buffer.from(piece.buffer));
      }
    }
    expect(memory.size).toBeLessThan(10);
  });
});
