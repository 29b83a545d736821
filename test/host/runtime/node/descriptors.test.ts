// Connections inside Node: what waits for the sandbox comes out as it came in, and costs little more than its bytes.
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";

import { Connection, DescriptorTable } from "../../../../host/runtime/node/descriptors.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const MIB = 1 << 20;
const address = { address: "127.0.0.1", port: 1, family: "IPv4" } as const;

function connection(): Connection {
  const socket = new Duplex({ read: () => {}, write: (_bytes, _encoding, done) => done() });
  return new Connection({ socket: socket as Socket, address }, new DescriptorTable(() => {}));
}

/** Reads all that waits, `size` bytes at a time. */
function drain(from: Connection, size: number): Buffer {
  const memory = new Uint8Array(size);
  const parts: Buffer[] = [];
  for (let bytes = from.receive(memory, 0, size); bytes > 0; bytes = from.receive(memory, 0, size)) {
    parts.push(Buffer.from(memory.subarray(0, bytes)));
  }
  return Buffer.concat(parts);
}

function bytesInUse(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test("input that comes byte by byte and is not read takes little memory", () => {
  const from = connection();
  const before = bytesInUse();
  const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, index) => index % 251));
  for (let at = 0; at < bytes.length; at++) from.take(Buffer.from(new Uint8Array([bytes[at] as number]).buffer));
  expect(bytesInUse() - before).toBeLessThan(2 * MIB);
  expect(from.available()).toBe(bytes.length);
  expect(drain(from, 1000).equals(bytes)).toBe(true);
});

test.each([1, 7, 1000, 5000])(
  "chunks of all sizes come in order, also when some are read in between, %i bytes at a time",
  (size) => {
    const from = connection();
    const sent: Buffer[] = [];
    const received: Buffer[] = [];
    const sizes = [1, 1023, 1024, 1, 1, 5000, 4095, 2, 300, 300, 4096, 10];
    for (let round = 0; round < 60; round++) {
      const chunk = Buffer.alloc(sizes[round % sizes.length] as number, round + 1);
      sent.push(Buffer.from(chunk));
      from.take(chunk);
      if (round % 5 !== 4) continue;
      const memory = new Uint8Array(size);
      const bytes = from.receive(memory, 0, size);
      received.push(Buffer.from(memory.subarray(0, bytes)));
    }
    received.push(drain(from, size));
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  },
);

test("who sends as much as is read at once is read by the sandbox at once; what it leaves is copied", () => {
  const memory = new Uint8Array(1000);
  let wanted = 1000;
  let isInTurn = false;
  let wakes = 0;
  const turn = (): boolean => {
    if (!isInTurn && wanted > 0) from.receive(memory, 0, wanted);
    return !isInTurn;
  };
  const socket = new Duplex({ read: () => {}, write: (_bytes, _encoding, done) => done() });
  const table = new DescriptorTable(() => wakes++, turn);
  const from = new Connection({ socket: socket as Socket, address }, table);
  const shared = Buffer.alloc(1000, 1);
  expect(from.takeNow(shared)).toBe(true);
  expect(memory.every((byte) => byte === 1)).toBe(true);
  expect([from.readable, table.ready, wakes]).toEqual([false, 0, 0]);
  wanted = 10;
  from.takeNow(shared.fill(2));
  isInTurn = true;
  from.takeNow(shared.fill(3));
  shared.fill(0);
  expect([from.readable, table.ready, from.available()]).toEqual([true, 1, 1990]);
  expect(drain(from, 300).equals(Buffer.concat([Buffer.alloc(990, 2), Buffer.alloc(1000, 3)]))).toBe(true);
  from.takeNow(shared.fill(4));
  shared.fill(0);
  expect(wakes).toBe(1);
  expect(drain(from, 300).equals(Buffer.alloc(1000, 4))).toBe(true);
});
