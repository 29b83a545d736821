// The questions that a bridge asks its sandbox: STATS and CLOSE_ALL, their order, and answers without a question.
import { expect, test } from "vitest";

import type { Acceptor } from "../../../host/bridge/bridge.js";
import * as f from "../../../host/bridge/frames.js";
import { STAT_NAMES } from "../../../host/bridge/statnames.js";
import { FakeWorker, frame } from "../support/fakeworker.js";

const acceptor: Acceptor = {
  kind: 1,
  accept: () => ({ noun: "record", run: () => {}, receive: () => {}, shed: () => {}, lost: () => {} }),
};

const table = (connectionsNow: number): Buffer => {
  const bytes = Buffer.alloc(f.STATS_BYTES);
  bytes.writeBigUInt64LE(BigInt(connectionsNow));
  return bytes;
};

async function ready(): Promise<FakeWorker> {
  const worker = new FakeWorker(() => acceptor, {});
  worker.ready();
  await worker.received();
  return worker;
}

test("an answer is one to its question and to all before it", async () => {
  const worker = await ready();
  const asked = [worker.bridge.stats(), worker.bridge.stats(), worker.bridge.stats()];
  const heard = (await worker.received()).filter(({ type }) => type === f.FRAME_GET_STATS);
  expect(heard.map(({ id, payload }) => [id, payload.length])).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
  ]);
  worker.emit(frame(f.FRAME_STATS, 2, table(7)));
  worker.emit(frame(f.FRAME_STATS, 3, table(8)));
  expect((await Promise.all(asked)).map((stats) => stats?.connectionsNow)).toEqual([7, 7, 8]);
  expect(worker.failure).toBe(null);
});

test("numbers beyond 2 ** 53 are rounded: nanoseconds of turns get there in 105 busy days", async () => {
  const worker = await ready();
  const asked = worker.bridge.stats();
  const bytes = Buffer.alloc(f.STATS_BYTES);
  bytes.writeBigUInt64LE(2n ** 53n + 1n, STAT_NAMES.indexOf("turnNs") * 8);
  bytes.writeBigUInt64LE(2n ** 64n - 1n, STAT_NAMES.indexOf("bytesOut") * 8);
  await worker.received();
  worker.emit(frame(f.FRAME_STATS, 1, bytes));
  expect(await asked).toMatchObject({ turnNs: 2 ** 53, bytesOut: 2 ** 64 });
  expect(worker.failure).toBe(null);
});

test("a worker that ends has no answer, nor one that has ended", async () => {
  const worker = await ready();
  const asked = [worker.bridge.stats(), worker.bridge.closeAll()];
  worker.bridge.end();
  expect(await Promise.all(asked)).toEqual([null, undefined]);
  expect(await worker.bridge.stats()).toBe(null);
  await worker.bridge.closeAll();
});

test("closing all connections is done when what follows it is answered", async () => {
  const worker = await ready();
  let done = false;
  const closing = worker.bridge.closeAll().then(() => {
    done = true;
  });
  const heard = await worker.received();
  expect(heard.map(({ type, payload }) => [type, payload.length]).slice(0, 2)).toEqual([
    [f.FRAME_CLOSE_ALL, 0],
    [f.FRAME_GET_STATS, 0],
  ]);
  expect(done).toBe(false);
  worker.emit(frame(f.FRAME_STATS, 1, table(0)));
  await closing;
});

test.each([
  ["that the host has not asked for", 2, table(0)],
  ["for no question", 0, table(0)],
  ["of the wrong size", 1, table(0).subarray(8)],
])("STATS %s ends the worker", async (_what, id, payload) => {
  const worker = await ready();
  const asked = worker.bridge.stats();
  worker.emit(frame(f.FRAME_STATS, id, Buffer.from(payload)));
  expect(worker.failure?.message).toMatch(/malformed/);
  expect(worker.killed).toBe(true);
  expect(await asked).toBe(null);
});

test("STATS a second time ends the worker", async () => {
  const worker = await ready();
  const asked = worker.bridge.stats();
  worker.emit(frame(f.FRAME_STATS, 1, table(0)), frame(f.FRAME_STATS, 1, table(0)));
  expect(await asked).not.toBe(null);
  expect(worker.failure?.message).toMatch(/STATS/);
});
