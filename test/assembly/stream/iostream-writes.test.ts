// Writing to streams: what a peer does not take at once, how pieces are gathered, and how streams share the loop.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { IOLoop } from "../../../assembly/loop/ioloop";
import { READ_CHUNK_BYTES, WRITE_BUFFER_BYTES_MAX } from "../../../assembly/core/limits";
import { network } from "../../../assembly/wasi/sim/net";
import { BUFFER_FULL, TIMEOUT, connected, peer, second, sent } from "../support/streams";
import { MS, pattern, readUntil, settle, sleep, turn, write } from "../support/sim";

describe("writing", () => {
  test("what the socket does not take waits, and leaves in order", () => {
    const seen = connected();
    const data = pattern(300000);
    peer.room = 1000;
    expect(write(seen.stream, data)).toBe(true);
    expect(write(seen.stream, "the end")).toBe(true);
    expect(seen.stream.unsent).toBe(data.length + 7 - 1000);
    expect(i32(seen.stream.sent)).toBe(1000);
    settle();
    expect(seen.take()).toBe("");
    while (seen.stream.unsent) {
      peer.room = 70000;
      settle();
    }
    expect(seen.take().startsWith("sent sent sent")).toBe(true);
    expect(peer.received == data + "the end").toBe(true);
    expect(i32(seen.stream.sent)).toBe(data.length + 7);
    expect(turn()).not.toBe(0);
  });

  test("a socket that can take all that waits is given all of it, in the turn in which it says so", () => {
    const seen = connected();
    peer.room = 0;
    const data = pattern(300000);
    write(seen.stream, data);
    settle();
    peer.room = i32.MAX_VALUE;
    turn();
    expect(seen.stream.unsent).toBe(0);
    expect(seen.take()).toBe("sent");
    expect(peer.received == data).toBe(true);
  });

  test("short writes and AGAIN lose nothing", () => {
    const seen = connected();
    network().faults.shortWrites = network().faults.again = 500;
    const data = pattern(100000);
    for (let at = 0; at < data.length; at += 1000) write(seen.stream, data.substr(at, 1000));
    for (let i = 0; i < 1000 && seen.stream.unsent; i++) turn();
    expect(peer.received == data).toBe(true);
  });

  test("nothing of no bytes", () => {
    const seen = connected();
    expect(write(seen.stream, "")).toBe(true);
    expect(peer.received).toBe("");
    expect(seen.stream.unsent).toBe(0);
  });

  test("more than may wait ends the stream", () => {
    const seen = connected();
    peer.room = 0;
    const size = WRITE_BUFFER_BYTES_MAX / 4;
    const block = heap.alloc(size);
    for (let i = 0; i < 4; i++) expect(seen.stream.write(block, size)).toBe(true);
    expect(seen.stream.unsent).toBe(WRITE_BUFFER_BYTES_MAX);
    expect(seen.stream.write(block, 1)).toBe(false);
    settle();
    expect(seen.take()).toBe(BUFFER_FULL);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("what is written in a call of the handler's leaves in one piece", () => {
    const seen = connected();
    seen.reaction = (seen, event) => {
      if (event != "read") return;
      for (let i = 0; i < 10; i++) write(seen.stream, "piece ");
      seen.stream.readBytes(1);
    };
    seen.stream.readBytes(1);
    sent("123");
    expect(peer.received).toBe("piece ".repeat(30));
    expect(peer.writes).toBe(1);
  });

  test("pieces larger than what is gathered keep their order", () => {
    const seen = connected();
    seen.reaction = (seen, event) => {
      if (event != "read") return;
      write(seen.stream, "first ");
      write(seen.stream, pattern(100000));
      write(seen.stream, " last");
    };
    seen.stream.readBytes(1);
    sent("1");
    expect(peer.received == "first " + pattern(100000) + " last").toBe(true);
  });
});

/**
 * How many pieces of `bytes` a peer takes of at most 100, each `ms` late, when nothing waits for `pauseMs` after each,
 * and it takes `more` bytes at once. It has to take 10 bytes a second, and may be two seconds late.
 */
function lifeOf(bytes: i32, ms: i32, pauseMs: i32, more: i32 = 0): i32 {
  const stream = connected().stream;
  stream.writeTimeoutMs = 2000;
  stream.writeRateBytesMin = 10;
  for (let pieces = 0; pieces < 100; pieces++) {
    peer.room = more;
    write(stream, pattern(more));
    write(stream, pattern(bytes));
    sleep(ms);
    if (stream.closed) return pieces;
    peer.room = bytes;
    settle();
    sleep(pauseMs);
  }
  return 100;
}

describe("writing to a peer that is slow", () => {
  test("a peer that takes nothing for the write timeout", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer.room = 0;
    write(seen.stream, "waits");
    sleep(999);
    expect(seen.take()).toBe("");
    sleep(1);
    expect(seen.take()).toBe(TIMEOUT);
  });

  test("a peer that takes a little before each write timeout is served", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer.room = 0;
    write(seen.stream, pattern(10));
    for (let i = 0; i < 10; i++) {
      sleep(900);
      peer.room = 1;
    }
    settle();
    expect(peer.received).toBe(pattern(10));
    sleep(5000);
    expect(seen.take().includes("close")).toBe(false);
  });

  test("a write that takes nothing does not put the write timeout off", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer.room = 0;
    write(seen.stream, "waits");
    network().faults.spurious = 1000;
    for (let i = 0; i < 200 && !seen.stream.closed; i++) IOLoop.current().turn(100 * MS);
    expect(seen.take()).toBe(TIMEOUT);
  });

  test("at its minimum rate is served, piece by piece", () => {
    expect(lifeOf(10, 1000, 0)).toBe(100);
  });

  test("below it is late, though it takes each piece in time", () => {
    expect(lifeOf(10, 1100, 0)).toBe(9);
  });

  test("may be slower when nothing waits in between", () => {
    expect(lifeOf(10, 1500, 500)).toBe(100);
    expect(lifeOf(10, 1500, 400)).toBe(5);
  });

  test("is given time for what it takes without being waited for", () => {
    expect(lifeOf(10, 1500, 0, 5)).toBe(100);
    expect(lifeOf(10, 1500, 0, 4)).toBe(5);
  });

  test("reading goes on while a write waits", () => {
    const seen = connected();
    peer.room = 0;
    write(seen.stream, "waits");
    readUntil(seen.stream, "\n");
    expect(sent("line\n")).toBe("read(line\n)");
  });
});

test("back-pressure: 10 MB through a handler that takes one at a time; no loss, and the sender stalls", () => {
  const seen = connected();
  const data = pattern(1 << 20);
  for (let i = 0; i < 10; i++) peer.send(data);
  settle();
  for (let i = 0; i < 10; i++) {
    expect(i32(bytesInUse())).toBeLessThan(1 << 20);
    expect(peer.input.size).toBeGreaterThan((9 - i) * data.length - 5 * READ_CHUNK_BYTES);
    seen.stream.readBytes(data.length);
    settle();
    expect(seen.take() == "read(" + data + ")").toBe(true);
  }
  expect(peer.input.size).toBe(0);
});

test("a fast peer does not hold up the others", () => {
  const fast = connected();
  fast.stream.consume();
  fast.reaction = (seen, event) => {
    seen.log = "";
  };
  const flood = peer;
  const slow = second();
  slow.reaction = null;
  slow.stream.consume();
  flood.send(pattern(1 << 20));
  peer.send("x");
  turn();
  expect(slow.take()).toBe("bytes(x)");
  expect(flood.input.size).toBeGreaterThan(0);
});
