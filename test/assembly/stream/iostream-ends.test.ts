// How streams end: half-close, reset, close and finish, deadlines, and what the next connection of a pooled stream
// sees.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { IOLoop } from "../../../assembly/loop/ioloop";
import { LINGER_BYTES_MAX, LINGER_MS, LINGER_WHOLE_MS } from "../../../assembly/core/limits";
import { network } from "../../../assembly/wasi/sim/net";
import { CLOSED, RESET, TIMEOUT, connected, ended, peer, second, sent } from "../support/streams";
import { MS, newest, pattern, readUntil, server, settle, sleep, turn, write } from "../support/sim";

/** A part of LINGER_BYTES_MAX that is sent at once. */
const MANY: i32 = 1 << 20;

describe("half-close", () => {
  test("the pending read fails with END; writing works", () => {
    const seen = connected();
    readUntil(seen.stream, "\n");
    sent("no line");
    expect(ended()).toBe("failed(2) end");
    expect(seen.stream.closed).toBe(false);
    write(seen.stream, "answer");
    expect(peer.received).toBe("answer");
    sleep(1000);
    expect(seen.take()).toBe("");
  });

  test("the end is reported once what came before it has been read", () => {
    const seen = connected();
    sent("rest");
    expect(ended()).toBe("");
    seen.stream.readBytes(4);
    expect(seen.take()).toBe("read(rest) end");
    seen.stream.readBytes(1);
    settle();
    expect(seen.take()).toBe("failed(2)");
  });

  test("bytes and end in the same turn", () => {
    const seen = connected();
    readUntil(seen.stream, "\n");
    peer.send("line\n");
    expect(ended()).toBe("read(line\n) end");
  });

  test("an idle stream's handler hears of it", () => {
    const seen = connected();
    expect(ended()).toBe("end");
    expect(seen.stream.closed).toBe(false);
    expect(turn()).not.toBe(0);
  });

  test("a silent half-closed peer costs no turns", () => {
    connected();
    ended();
    const waits = network().waits;
    sleep(10000);
    expect(network().waits - waits).toBeLessThan(10);
  });
});

describe("reset", () => {
  test("an idle stream closes", () => {
    const seen = connected();
    peer.reset();
    settle();
    expect(seen.take()).toBe(RESET);
    expect(peer.closed).toBe(true);
  });

  test("a pending read gets the close alone", () => {
    const seen = connected();
    readUntil(seen.stream, "\n");
    sent("part");
    peer.reset();
    settle();
    expect(seen.take()).toBe(RESET);
  });

  test("a write finds it", () => {
    const seen = connected();
    seen.stream.readAhead = 0;
    seen.stream.resume();
    peer.reset();
    settle();
    expect(seen.take()).toBe("");
    expect(write(seen.stream, "x")).toBe(false);
    settle();
    expect(seen.take()).toBe(RESET);
  });

  test("a waiting write finds it", () => {
    const seen = connected();
    seen.stream.readAhead = 0;
    seen.stream.resume();
    peer.room = 0;
    write(seen.stream, "x");
    settle();
    peer.reset();
    settle();
    expect(seen.take()).toBe(RESET);
  });
});

describe("a stream's end", () => {
  test("close: at the end of the turn, reported once", () => {
    const seen = connected();
    seen.stream.close();
    seen.stream.close();
    expect(seen.stream.closed).toBe(true);
    expect(seen.take()).toBe("");
    settle();
    expect(seen.take()).toBe(CLOSED);
    expect(peer.closed).toBe(true);
    expect(server.connections).toBe(0);
  });

  test("close inside a call: no more calls but onClose, which is not inside it", () => {
    const seen = connected();
    seen.reaction = (seen, event) => {
      if (event == "read") {
        seen.stream.close();
        seen.stream.readBytes(1);
      }
    };
    seen.stream.readBytes(1);
    expect(sent("abc")).toBe("read(a) " + CLOSED);
  });

  test("close inside onEnd, onSent, onTimeout and a failed read", () => {
    const seen = connected();
    seen.reaction = (seen, event) => seen.stream.close();
    expect(ended()).toBe("end " + CLOSED);
    const timed = second();
    timed.stream.setDeadline(IOLoop.current().time + MS);
    sleep(2);
    expect(timed.take()).toBe("timeout " + CLOSED);
    const slow = second();
    peer.room = 0;
    write(slow.stream, "x");
    peer.room = 9;
    settle();
    expect(slow.take()).toBe("sent " + CLOSED);
    const failed = second();
    readUntil(failed.stream, "\n");
    expect(ended()).toBe("failed(2) " + CLOSED);
  });

  test("nothing can be read or written after it", () => {
    const seen = connected();
    seen.stream.close();
    expect(write(seen.stream, "x")).toBe(false);
    seen.stream.readBytes(1);
    peer.send("x");
    settle();
    expect(seen.take()).toBe(CLOSED);
    expect(peer.received).toBe("");
  });

  test("what was written before close, and the socket takes, leaves", () => {
    const seen = connected();
    seen.reaction = (seen, event) => {
      if (event != "read") return;
      write(seen.stream, "bye");
      seen.stream.close();
    };
    seen.stream.readBytes(1);
    expect(sent("x")).toBe("read(x) " + CLOSED);
    expect(peer.received).toBe("bye");
  });

  test("finish: once all has left", () => {
    const seen = connected();
    peer.room = 2;
    write(seen.stream, "answer");
    seen.stream.finish(false);
    settle();
    expect(seen.stream.closed).toBe(false);
    expect(write(seen.stream, "more")).toBe(false);
    peer.room = 100;
    settle();
    expect(peer.received).toBe("answer");
    expect(seen.take()).toBe(CLOSED);
  });
});

describe("lingering", () => {
  test("finish with linger: shuts down, drops what still comes, closes at the peer's end", () => {
    const seen = connected();
    write(seen.stream, "answer");
    seen.stream.finish(true);
    settle();
    expect(peer.ended).toBe(true);
    expect(peer.closed).toBe(false);
    expect(sent("late input")).toBe("");
    expect(peer.input.size).toBe(0);
    expect(ended()).toBe(CLOSED);
    expect(peer.wasReset).toBe(false);
  });

  test("lingering ends with its time", () => {
    const seen = connected();
    seen.stream.finish(true);
    sleep(LINGER_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(seen.take()).toBe(CLOSED);
  });

  test("lingering begins again with what comes, and ends with its whole time", () => {
    const seen = connected();
    seen.stream.finish(true);
    for (let ms = 0; ms < LINGER_WHOLE_MS - LINGER_MS; ms += LINGER_MS / 2) {
      expect(sent("x")).toBe("");
      sleep(LINGER_MS / 2);
    }
    sent("x");
    sleep(LINGER_MS - 1);
    expect(sent("x")).toBe("");
    sleep(1);
    expect(seen.take()).toBe(CLOSED);
  });

  test("lingering ends with its bytes", () => {
    const seen = connected();
    seen.stream.finish(true);
    for (let left = LINGER_BYTES_MAX; left > 0; left -= MANY) sent(pattern(MANY));
    expect(peer.closed).toBe(false);
    expect(sent("x")).toBe(CLOSED);
  });

  test("finish with linger inside a call, with input behind", () => {
    const seen = connected();
    sent("half");
    seen.reaction = (seen, event) => {
      if (event != "read") return;
      write(seen.stream, "answer");
      seen.stream.finish(true);
    };
    readUntil(seen.stream, "\n");
    expect(sent(" line\nand more")).toBe("read(half line\n)");
    expect(sent(pattern(5000))).toBe("");
    expect(ended()).toBe(CLOSED);
    expect(peer.received).toBe("answer");
    expect(peer.wasReset).toBe(false);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("finish of a stream whose peer has ended closes at once", () => {
    const seen = connected();
    ended();
    write(seen.stream, "answer");
    seen.stream.finish(true);
    settle();
    expect(seen.take()).toBe(CLOSED);
    expect(peer.received).toBe("answer");
  });
});

describe("the end of a stream that goes on in another way", () => {
  test("finish inside the last bytes of a peer that has ended: what waits still leaves", () => {
    const seen = connected();
    seen.appetite = 0;
    seen.stream.consume();
    sent("x");
    ended();
    peer.room = 2;
    seen.appetite = 1;
    seen.reaction = (seen, event) => {
      if (event != "bytes") return;
      write(seen.stream, "answer");
      seen.stream.finish(true);
    };
    seen.stream.resume();
    settle();
    peer.room = 100;
    settle();
    expect(peer.received).toBe("answer");
    expect(seen.take()).toBe("bytes(x) " + CLOSED);
  });

  test("finish for a peer that never reads ends with the write timeout", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer.room = 0;
    write(seen.stream, "answer");
    seen.stream.finish(false);
    sleep(1000);
    expect(seen.take()).toBe(TIMEOUT);
  });

  test("a write from another stream's close is not left behind", () => {
    const first = connected();
    const other = peer;
    second();
    first.reaction = (seen, event) => {
      if (event != "close") return;
      newest().stream.cork();
      write(newest().stream, "it has left");
    };
    other.reset();
    settle();
    expect(peer.received).toBe("it has left");
  });

  test("a close from another stream's close", () => {
    const first = connected();
    second();
    first.reaction = (seen, event) => {
      if (event == "close") newest().stream.close();
    };
    first.stream.close();
    settle();
    expect(server.connections).toBe(0);
    expect(newest().take()).toBe(CLOSED);
  });
});

describe("deadlines", () => {
  test("onTimeout, once, and the stream goes on", () => {
    const seen = connected();
    seen.stream.setDeadline(IOLoop.current().time + 10 * MS);
    sleep(9);
    expect(seen.take()).toBe("");
    sleep(1);
    expect(seen.take()).toBe("timeout");
    sleep(100);
    expect(seen.take()).toBe("");
    expect(sent("x")).toBe("");
  });

  test("moved later, moved earlier, taken back", () => {
    const seen = connected();
    seen.stream.setDeadline(IOLoop.current().time + 10 * MS);
    seen.stream.setDeadline(IOLoop.current().time + 30 * MS);
    sleep(29);
    expect(seen.take()).toBe("");
    sleep(1);
    expect(seen.take()).toBe("timeout");
    seen.stream.setDeadline(IOLoop.current().time + 30 * MS);
    seen.stream.setDeadline(IOLoop.current().time + 10 * MS);
    sleep(10);
    expect(seen.take()).toBe("timeout");
    seen.stream.setDeadline(IOLoop.current().time + 10 * MS);
    seen.stream.setDeadline(0);
    sleep(100);
    expect(seen.take()).toBe("");
  });
});

describe("streams are used again", () => {
  /** Leaves a stream in the middle of everything, and returns what the next one does. */
  test("nothing of a connection reaches the next one", () => {
    const first = connected();
    const stream = first.stream;
    sent("unread of the first");
    readUntil(stream, "no such delimiter");
    peer.room = 0;
    write(stream, "unsent of the first");
    stream.readAhead = 0;
    stream.bufferBytesMax = 5;
    stream.writeTimeoutMs = 1;
    stream.setDeadline(IOLoop.current().time + 50 * MS);
    stream.close();
    settle();
    expect(first.take()).toBe(CLOSED);
    const again = second();
    again.reaction = null;
    expect(changetype<usize>(again.stream)).toBe(changetype<usize>(stream));
    sleep(100);
    expect(peer.received).toBe("");
    expect(again.stream.unread).toBe(0);
    expect(again.stream.unsent).toBe(0);
    expect(i32(again.stream.sent)).toBe(0);
    expect(again.take()).toBe("");
    again.stream.readBytes(10);
    expect(sent("0123456789")).toBe("read(0123456789)");
    peer.room = 0;
    write(again.stream, "waits");
    sleep(100);
    expect(again.stream.closed).toBe(false);
    expect(first.take()).toBe("");
  });

  test("nor what was gathered for it", () => {
    const first = connected();
    first.stream.cork();
    write(first.stream, "gathered");
    first.stream.close();
    settle();
    second();
    settle();
    expect(peer.received).toBe("");
  });

  test("nor its end, its lingering and the bytes that were dropped", () => {
    const first = connected();
    first.stream.finish(true);
    for (let left = LINGER_BYTES_MAX; left > MANY; left -= MANY) sent(pattern(MANY));
    sent(pattern(MANY - 10));
    ended();
    const again = second();
    again.stream.consume();
    expect(sent("x")).toBe("bytes(x)");
    again.stream.finish(true);
    sent(pattern(100));
    expect(peer.closed).toBe(false);
    expect(ended()).toBe(CLOSED);
  });

  test("all memory comes back", () => {
    const before = i32(bytesInUse());
    const first = connected();
    readUntil(first.stream, "delimiter", 100000);
    sent(pattern(50000));
    peer.room = 0;
    write(first.stream, pattern(50000));
    peer.reset();
    settle();
    expect(i32(bytesInUse())).toBe(before);
  });
});
