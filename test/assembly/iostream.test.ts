// Streams over the scripted network: every kind of read with its limits on both sides, half-close, back-pressure, and a
// stream's end. What a handler is told is noted as text: `read(hello) failed(2) end close(1)`; the numbers are reasons.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../assembly/buffer";
import { IOLoop } from "../../assembly/ioloop";
import { IOStream } from "../../assembly/iostream";
import { LINGER_BYTES_MAX, LINGER_MS, READ_CHUNK_BYTES, WRITE_BUFFER_BYTES_MAX } from "../../assembly/limits";
import { Peer, network } from "../../assembly/wasi/simnet";
import {
  MS,
  Recorder,
  accepted,
  listen,
  newest,
  pattern,
  readUntil,
  server,
  settle,
  sleep,
  turn,
  write,
} from "./support";

// Reasons, as docs/protocol.md numbers them.
const CLOSED: string = "close(1)";
const RESET: string = "close(3)";
const TIMEOUT: string = "close(4)";
const TOO_LONG: string = "failed(5) close(5)";
const BUFFER_FULL: string = "close(6)";

let peer: Peer | null = null;

/** A connection; its peer is `peer`. */
function connected(): Recorder {
  listen();
  peer = accepted();
  return newest();
}

/** The peer sends; what the stream's handler is told of that. */
function sent(text: string): string {
  peer!.send(text);
  settle();
  return newest().take();
}

function ended(): string {
  peer!.end();
  settle();
  return newest().take();
}

describe("readUntil", () => {
  test("reads through the delimiter, and the rest stays", () => {
    const seen = connected();
    readUntil(seen.stream, "\n");
    expect(sent("hel")).toBe("");
    expect(sent("lo\nwor")).toBe("read(hello\n)");
    expect(seen.stream.unread).toBe(3);
    readUntil(seen.stream, "\n");
    expect(sent("ld\nx\n")).toBe("read(world\n)");
    readUntil(seen.stream, "\n");
    expect(seen.take()).toBe("read(x\n)");
    expect(seen.stream.unread).toBe(0);
  });

  test("the limit counts the delimiter: 64 bytes fit in 64", () => {
    const seen = connected();
    const line = "x".repeat(63) + "\n";
    readUntil(seen.stream, "\n", 64);
    expect(sent(line)).toBe("read(" + line + ")");
    expect(seen.stream.closed).toBe(false);
  });

  test("one byte more does not, though the delimiter came with it", () => {
    const seen = connected();
    readUntil(seen.stream, "\n", 64);
    expect(sent("x".repeat(64) + "\n")).toBe(TOO_LONG);
    expect(peer!.closed).toBe(true);
    expect(peer!.received).toBe("");
  });

  test("as many bytes as the limit without the delimiter fail at once", () => {
    const seen = connected();
    readUntil(seen.stream, "\n", 64);
    expect(sent("x".repeat(63))).toBe("");
    expect(sent("x")).toBe(TOO_LONG);
  });

  test("65 bytes without the delimiter fail", () => {
    const seen = connected();
    readUntil(seen.stream, "\n", 64);
    expect(sent("x".repeat(65))).toBe(TOO_LONG);
  });

  test("what follows the delimiter does not count for the limit", () => {
    const seen = connected();
    readUntil(seen.stream, "\n", 64);
    expect(sent("ab\n" + "x".repeat(1000))).toBe("read(ab\n)");
  });

  test("what was read ahead counts as if it had just come", () => {
    const seen = connected();
    sent("x".repeat(64) + "\n");
    readUntil(seen.stream, "\n", 64);
    settle();
    expect(seen.take()).toBe(TOO_LONG);
  });

  test("a delimiter cut at each of its places", () => {
    const seen = connected();
    const message = "some\r\rtext\r\n\r\r\n\r\n";
    for (let cut = 1; cut < message.length; cut++) {
      readUntil(seen.stream, "\r\n\r\n");
      expect(sent(message.substr(0, cut))).toBe("");
      expect(sent(message.substr(cut))).toBe("read(" + message + ")");
    }
  });

  test("a byte at a time", () => {
    const seen = connected();
    const message = "ab\rc\r\n\n\r\n.\r\n";
    readUntil(seen.stream, "\r\n.\r\n");
    for (let i = 0; i < message.length - 1; i++) expect(sent(message.charAt(i))).toBe("");
    expect(sent("\n")).toBe("read(" + message + ")");
  });

  test("delimiters of other sizes in turn", () => {
    const seen = connected();
    for (let size = 1; size <= 256; size += 51) {
      const delimiter = "-".repeat(size - 1) + "+";
      readUntil(seen.stream, delimiter);
      expect(sent("a" + delimiter)).toBe("read(a" + delimiter + ")");
    }
  });
});

describe("readBytes", () => {
  test("so many, neither less nor more", () => {
    const seen = connected();
    seen.stream.readBytes(5);
    expect(sent("1234")).toBe("");
    expect(sent("56")).toBe("read(12345)");
    seen.stream.readBytes(1);
    expect(seen.take()).toBe("read(6)");
  });

  test("partial: what there is, up to so many", () => {
    const seen = connected();
    seen.stream.readBytes(5, true);
    expect(sent("12")).toBe("read(12)");
    seen.stream.readBytes(5, true);
    expect(sent("1234567")).toBe("read(12345)");
    seen.stream.readBytes(5, true);
    expect(seen.take()).toBe("read(67)");
  });

  test("none are read at once", () => {
    const seen = connected();
    seen.stream.readBytes(0);
    settle();
    expect(seen.take()).toBe("read()");
    seen.stream.readBytes(0, true);
    settle();
    expect(seen.take()).toBe("read()");
  });

  test("as many as the buffer's limit; one more fails and the stream goes on", () => {
    const seen = connected();
    seen.stream.bufferBytesMax = 1000;
    seen.stream.readBytes(1001);
    expect(seen.take()).toBe("failed(5)");
    seen.stream.readBytes(1000);
    expect(sent(pattern(999))).toBe("");
    expect(sent("x")).toBe("read(" + pattern(999) + "x)");
  });

  test("more than one read of the socket", () => {
    const seen = connected();
    const data = pattern(3 * READ_CHUNK_BYTES + 100);
    seen.stream.readBytes(data.length);
    expect(sent(data) == "read(" + data + ")").toBe(true);
  });
});

describe("readUntilClose", () => {
  test("all until the peer's end", () => {
    const seen = connected();
    seen.stream.readUntilClose();
    expect(sent("one ")).toBe("");
    expect(sent("two")).toBe("");
    expect(ended()).toBe("read(one two) end");
    expect(write(seen.stream, "answer")).toBe(true);
    expect(peer!.received).toBe("answer");
  });

  test("nothing, when nothing comes", () => {
    const seen = connected();
    seen.stream.readUntilClose();
    expect(ended()).toBe("read() end");
  });

  test("as much as the buffer's limit, and no more", () => {
    const seen = connected();
    seen.stream.bufferBytesMax = 10;
    seen.stream.readUntilClose();
    expect(sent("0123456789")).toBe("");
    expect(sent("x")).toBe(TOO_LONG);
  });

  test("a reset is no end", () => {
    const seen = connected();
    seen.stream.readUntilClose();
    sent("some");
    peer!.reset();
    settle();
    expect(seen.take()).toBe(RESET);
  });

  test("a read that its result begins finds the end", () => {
    const seen = connected();
    seen.reaction = (seen, event) => {
      if (event == "read") readUntil(seen.stream, "\n");
    };
    seen.stream.readUntilClose();
    sent("all");
    expect(ended()).toBe("read(all) failed(2) end");
  });
});

describe("consume", () => {
  test("everything, as it comes", () => {
    const seen = connected();
    sent("before ");
    seen.stream.consume();
    expect(seen.take()).toBe("bytes(before )");
    expect(sent("after")).toBe("bytes(after)");
    expect(ended()).toBe("end");
  });

  test("what is not taken is shown again with what comes, or by resume", () => {
    const seen = connected();
    seen.appetite = 0;
    seen.stream.consume();
    expect(sent("ab")).toBe("bytes()");
    expect(sent("cd")).toBe("bytes()");
    expect(seen.stream.unread).toBe(4);
    seen.appetite = 3;
    seen.stream.resume();
    expect(seen.take()).toBe("bytes(abc) bytes(d)");
    expect(seen.stream.unread).toBe(0);
  });

  test("the end is told behind what was not taken", () => {
    const seen = connected();
    seen.appetite = 0;
    seen.stream.consume();
    sent("ab");
    expect(ended()).toBe("end");
    expect(seen.stream.unread).toBe(2);
    seen.appetite = 9;
    seen.stream.resume();
    expect(seen.take()).toBe("bytes(ab)");
  });

  test("nothing more is read than readAhead; 0 leaves the socket alone", () => {
    const seen = connected();
    seen.appetite = 0;
    seen.stream.readAhead = 10;
    seen.stream.consume();
    sent("0123456789");
    sent("left");
    expect(peer!.input.size).toBe(4);
    seen.appetite = 99;
    seen.stream.resume();
    settle();
    expect(seen.take()).toContain("bytes(left)");
    seen.stream.readAhead = 0;
    seen.stream.resume();
    expect(sent("alone")).toBe("");
    expect(peer!.input.size).toBe(5);
    expect(turn()).not.toBe(0);
  });

  test("a handler can go over to single reads", () => {
    const seen = connected();
    seen.appetite = 3;
    seen.stream.consume();
    seen.reaction = (seen, event) => {
      if (event == "bytes") seen.stream.readAhead = READ_CHUNK_BYTES;
    };
    expect(sent("abcdef")).toBe("bytes(abc) bytes(def)");
  });
});

describe("one read at a time", () => {
  test("a second one is BUSY, and the first goes on", () => {
    const seen = connected();
    readUntil(seen.stream, "\n");
    seen.stream.readBytes(1);
    readUntil(seen.stream, "\n");
    seen.stream.readUntilClose();
    expect(seen.take()).toBe("failed(9) failed(9) failed(9)");
    expect(sent("line\n")).toBe("read(line\n)");
  });

  test("a result may begin the next read", () => {
    const seen = connected();
    seen.reaction = (seen, event) => {
      if (event == "read") seen.stream.readBytes(2);
    };
    seen.stream.readBytes(2);
    expect(sent("aabbccd")).toBe("read(aa) read(bb) read(cc)");
    expect(sent("d")).toBe("read(dd)");
  });

  test("thousands of small reads in one piece of input", () => {
    const seen = connected();
    seen.reaction = (seen, event) => {
      if (event == "read") {
        if (seen.log.length > 100) seen.log = "";
        seen.stream.readBytes(1);
      }
    };
    seen.stream.readBytes(1);
    sent("x".repeat(50000));
    expect(seen.stream.unread).toBe(0);
    expect(seen.stream.closed).toBe(false);
  });

  test("nothing is read for a stream that nobody reads, beyond readAhead", () => {
    connected();
    sent(pattern(READ_CHUNK_BYTES + 1000));
    sent(pattern(1000));
    expect(peer!.input.size).toBeGreaterThanOrEqual(1000);
    expect(turn()).not.toBe(0);
  });
});

describe("half-close", () => {
  test("the pending read fails with END; writing works", () => {
    const seen = connected();
    readUntil(seen.stream, "\n");
    sent("no line");
    expect(ended()).toBe("failed(2) end");
    expect(seen.stream.closed).toBe(false);
    write(seen.stream, "answer");
    expect(peer!.received).toBe("answer");
    sleep(1000);
    expect(seen.take()).toBe("");
  });

  test("the end is told once what came before it has been read", () => {
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
    peer!.send("line\n");
    expect(ended()).toBe("read(line\n) end");
  });

  test("an idle stream is told", () => {
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
    peer!.reset();
    settle();
    expect(seen.take()).toBe(RESET);
    expect(peer!.closed).toBe(true);
  });

  test("a pending read gets the close alone", () => {
    const seen = connected();
    readUntil(seen.stream, "\n");
    sent("part");
    peer!.reset();
    settle();
    expect(seen.take()).toBe(RESET);
  });

  test("a write finds it", () => {
    const seen = connected();
    seen.stream.readAhead = 0;
    seen.stream.resume();
    peer!.reset();
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
    peer!.room = 0;
    write(seen.stream, "x");
    settle();
    peer!.reset();
    settle();
    expect(seen.take()).toBe(RESET);
  });
});

describe("writing", () => {
  test("what the socket does not take waits, and leaves in order", () => {
    const seen = connected();
    const data = pattern(300000);
    peer!.room = 1000;
    expect(write(seen.stream, data)).toBe(true);
    expect(write(seen.stream, "the end")).toBe(true);
    expect(seen.stream.unsent).toBe(data.length + 7 - 1000);
    expect(i32(seen.stream.sent)).toBe(1000);
    settle();
    expect(seen.take()).toBe("");
    while (seen.stream.unsent) {
      peer!.room = 70000;
      settle();
    }
    expect(seen.take().startsWith("sent sent sent")).toBe(true);
    expect(peer!.received == data + "the end").toBe(true);
    expect(i32(seen.stream.sent)).toBe(data.length + 7);
    expect(turn()).not.toBe(0);
  });

  test("short writes and AGAIN lose nothing", () => {
    const seen = connected();
    network().faults.shortWrites = network().faults.again = 500;
    const data = pattern(100000);
    for (let at = 0; at < data.length; at += 1000) write(seen.stream, data.substr(at, 1000));
    for (let i = 0; i < 1000 && seen.stream.unsent; i++) turn();
    expect(peer!.received == data).toBe(true);
  });

  test("nothing of no bytes", () => {
    const seen = connected();
    expect(write(seen.stream, "")).toBe(true);
    expect(peer!.received).toBe("");
    expect(seen.stream.unsent).toBe(0);
  });

  test("more than may wait ends the stream", () => {
    const seen = connected();
    peer!.room = 0;
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
    expect(peer!.received).toBe("piece ".repeat(30));
    expect(peer!.writes).toBe(1);
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
    expect(peer!.received == "first " + pattern(100000) + " last").toBe(true);
  });

  test("a peer that takes nothing for the write timeout", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer!.room = 0;
    write(seen.stream, "waits");
    sleep(999);
    expect(seen.take()).toBe("");
    sleep(1);
    expect(seen.take()).toBe(TIMEOUT);
  });

  test("a peer that takes a little before each write timeout is served", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer!.room = 0;
    write(seen.stream, pattern(10));
    for (let i = 0; i < 10; i++) {
      sleep(900);
      peer!.room = 1;
    }
    settle();
    expect(peer!.received).toBe(pattern(10));
    sleep(5000);
    expect(seen.take().includes("close")).toBe(false);
  });

  test("a write that takes nothing does not put the write timeout off", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer!.room = 0;
    write(seen.stream, "waits");
    network().faults.spurious = 1000;
    for (let i = 0; i < 200 && !seen.stream.closed; i++) IOLoop.current().turn(100 * MS);
    expect(seen.take()).toBe(TIMEOUT);
  });

  test("reading goes on while a write waits", () => {
    const seen = connected();
    peer!.room = 0;
    write(seen.stream, "waits");
    readUntil(seen.stream, "\n");
    expect(sent("line\n")).toBe("read(line\n)");
  });
});

describe("a stream's end", () => {
  test("close: at the end of the turn, told once", () => {
    const seen = connected();
    seen.stream.close();
    seen.stream.close();
    expect(seen.stream.closed).toBe(true);
    expect(seen.take()).toBe("");
    settle();
    expect(seen.take()).toBe(CLOSED);
    expect(peer!.closed).toBe(true);
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
    peer!.room = 0;
    write(slow.stream, "x");
    peer!.room = 9;
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
    peer!.send("x");
    settle();
    expect(seen.take()).toBe(CLOSED);
    expect(peer!.received).toBe("");
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
    expect(peer!.received).toBe("bye");
  });

  test("finish: once all has left", () => {
    const seen = connected();
    peer!.room = 2;
    write(seen.stream, "answer");
    seen.stream.finish(false);
    settle();
    expect(seen.stream.closed).toBe(false);
    expect(write(seen.stream, "more")).toBe(false);
    peer!.room = 100;
    settle();
    expect(peer!.received).toBe("answer");
    expect(seen.take()).toBe(CLOSED);
  });

  test("finish with linger: shuts down, drops what still comes, closes at the peer's end", () => {
    const seen = connected();
    write(seen.stream, "answer");
    seen.stream.finish(true);
    settle();
    expect(peer!.ended).toBe(true);
    expect(peer!.closed).toBe(false);
    expect(sent("late input")).toBe("");
    expect(peer!.input.size).toBe(0);
    expect(ended()).toBe(CLOSED);
    expect(peer!.wasReset).toBe(false);
  });

  test("lingering ends with its time", () => {
    const seen = connected();
    seen.stream.finish(true);
    sleep(LINGER_MS - 1);
    expect(peer!.closed).toBe(false);
    sleep(1);
    expect(seen.take()).toBe(CLOSED);
  });

  test("lingering ends with its bytes", () => {
    const seen = connected();
    seen.stream.finish(true);
    sent(pattern(LINGER_BYTES_MAX));
    expect(peer!.closed).toBe(false);
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
    expect(peer!.received).toBe("answer");
    expect(peer!.wasReset).toBe(false);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("finish of a stream whose peer has ended closes at once", () => {
    const seen = connected();
    ended();
    write(seen.stream, "answer");
    seen.stream.finish(true);
    settle();
    expect(seen.take()).toBe(CLOSED);
    expect(peer!.received).toBe("answer");
  });

  test("finish for a peer that never reads ends with the write timeout", () => {
    const seen = connected();
    seen.stream.writeTimeoutMs = 1000;
    peer!.room = 0;
    write(seen.stream, "answer");
    seen.stream.finish(false);
    sleep(1000);
    expect(seen.take()).toBe(TIMEOUT);
  });

  test("a write from another stream's close is not left behind", () => {
    const first = connected();
    const other = peer!;
    second();
    first.reaction = (seen, event) => {
      if (event != "close") return;
      newest().stream.cork();
      write(newest().stream, "it has left");
    };
    other.reset();
    settle();
    expect(peer!.received).toBe("it has left");
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

/** Another connection, which `peer` and newest() are from now on. Its handler reacts as the last one did. */
function second(): Recorder {
  const reaction = newest().reaction;
  peer = accepted();
  newest().reaction = reaction;
  return newest();
}

describe("streams are used again", () => {
  /** Leaves a stream in the middle of everything, and returns what the next one does. */
  test("nothing of a connection reaches the next one", () => {
    const first = connected();
    const stream = first.stream;
    sent("unread of the first");
    readUntil(stream, "no such delimiter");
    peer!.room = 0;
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
    expect(peer!.received).toBe("");
    expect(again.stream.unread).toBe(0);
    expect(again.stream.unsent).toBe(0);
    expect(i32(again.stream.sent)).toBe(0);
    expect(again.take()).toBe("");
    again.stream.readBytes(10);
    expect(sent("0123456789")).toBe("read(0123456789)");
    peer!.room = 0;
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
    expect(peer!.received).toBe("");
  });

  test("nor its end, its lingering and the bytes that were dropped", () => {
    const first = connected();
    first.stream.finish(true);
    sent(pattern(LINGER_BYTES_MAX - 10));
    ended();
    const again = second();
    again.stream.consume();
    expect(sent("x")).toBe("bytes(x)");
    again.stream.finish(true);
    sent(pattern(100));
    expect(peer!.closed).toBe(false);
    expect(ended()).toBe(CLOSED);
  });

  test("all memory comes back", () => {
    const before = i32(bytesInUse());
    const first = connected();
    readUntil(first.stream, "delimiter", 100000);
    sent(pattern(50000));
    peer!.room = 0;
    write(first.stream, pattern(50000));
    peer!.reset();
    settle();
    expect(i32(bytesInUse())).toBe(before);
  });
});

test("back-pressure: 10 MB through a handler that takes one at a time; no loss, and the sender stalls", () => {
  const seen = connected();
  const data = pattern(1 << 20);
  for (let i = 0; i < 10; i++) peer!.send(data);
  settle();
  for (let i = 0; i < 10; i++) {
    expect(i32(bytesInUse())).toBeLessThan(1 << 20);
    expect(peer!.input.size).toBeGreaterThan((9 - i) * data.length - 5 * READ_CHUNK_BYTES);
    seen.stream.readBytes(data.length);
    settle();
    expect(seen.take() == "read(" + data + ")").toBe(true);
  }
  expect(peer!.input.size).toBe(0);
});

test("a fast peer does not hold up the others", () => {
  const fast = connected();
  fast.stream.consume();
  fast.reaction = (seen, event) => {
    seen.log = "";
  };
  const flood = peer!;
  const slow = second();
  slow.reaction = null;
  slow.stream.consume();
  flood.send(pattern(1 << 20));
  peer!.send("x");
  turn();
  expect(slow.take()).toBe("bytes(x)");
  expect(flood.input.size).toBeGreaterThan(0);
});
