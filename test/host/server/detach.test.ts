// Between DETACH and DETACHED: what may cross, and what no sandbox of ours sends.
import { expect, test } from "vitest";
import * as f from "../../../host/bridge/frames.js";
import { READ_CHUNK_BYTES } from "../../../host/core/limits.js";
import { detach } from "../../../host/server/detach.js";
import type { IOStream } from "../../../host/stream/iostream.js";
import { ID, serve } from "../support/exchange.js";
import { type FakeWorker, frame, requestFrame, u16, u32 } from "../support/fakeworker.js";

const SETTINGS = { bufferBytesMax: 0, readChunkBytes: READ_CHUNK_BYTES, writeBufferBytesMax: 0 };
const END = 2;

async function detaching(): Promise<{ worker: FakeWorker; given: [IOStream, number][] }> {
  const given: [IOStream, number][] = [];
  const worker = serve((request) => detach(request, SETTINGS, (stream, ahead) => given.push([stream, ahead])));
  worker.emit(requestFrame(ID));
  expect((await worker.receivedAnswers()).map(({ type }) => type)).toEqual([f.FRAME_DETACH]);
  return { worker, given };
}

test("the id is a stream's from DETACHED on; the request's END before it is sent again", async () => {
  const { worker, given } = await detaching();
  worker.emit(frame(f.FRAME_END, ID), frame(f.FRAME_DETACHED, ID, u32(5)));
  const [[stream, ahead]] = given as [[IOStream, number]];
  expect([ahead, stream.ended]).toEqual([5, false]);
  const read = stream.readBytes(5);
  worker.emit(frame(f.FRAME_DATA_END, ID, "ahead"));
  expect((await read).toString()).toBe("ahead");
  const next = stream.readBytes(1);
  worker.emit(frame(f.FRAME_READ_FAILED, ID, u16(END)), frame(f.FRAME_END, ID));
  await expect(next).rejects.toMatchObject({ reason: "END" });
  expect([stream.ended, worker.killed]).toEqual([true, false]);
});

test("a client that has left before gets no stream, and its id is free", async () => {
  const { worker, given } = await detaching();
  worker.emit(frame(f.FRAME_ABORT, ID, u16(END)));
  expect([given.length, worker.killed]).toEqual([0, false]);
  worker.emit(frame(f.FRAME_DETACHED, ID, u32(0)));
  expect(worker.killed).toBe(true);
});

test.each([
  ["DETACHED of another size", [frame(f.FRAME_DETACHED, ID, u16(0))]],
  ["DETACHED with more than can have come", [frame(f.FRAME_DETACHED, ID, u32(f.FRAME_BYTES_MAX + 1))]],
  ["DETACHED twice", [frame(f.FRAME_DETACHED, ID, u32(0)), frame(f.FRAME_DETACHED, ID, u32(0))]],
  ["ABORT without a reason", [frame(f.FRAME_ABORT, ID)]],
  ["END of some size", [frame(f.FRAME_END, ID, "x")]],
  ["a body", [frame(f.FRAME_BODY, ID, "x")]],
  ["a stream's frame before", [frame(f.FRAME_DATA_END, ID, "x")]],
  ["a request's frame behind", [frame(f.FRAME_DETACHED, ID, u32(0)), frame(f.FRAME_ABORT, ID, u16(END))]],
])("%s ends the worker", async (_name, frames) => {
  const { worker } = await detaching();
  worker.emit(...frames);
  expect(worker.failure?.message).toMatch(/^malformed frame/);
  expect(worker.killed).toBe(true);
});

test("DETACHED for a request that the host has not detached", () => {
  const worker = serve(() => {});
  worker.emit(requestFrame(ID), frame(f.FRAME_DETACHED, ID, u32(0)));
  expect(worker.killed).toBe(true);
});
