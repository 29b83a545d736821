// Reading from streams: every kind of read, its limits on both sides, its input cut anywhere.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { READ_CHUNK_BYTES } from "../../../assembly/core/limits";
import { RESET, TOO_LONG, connected, ended, peer, sent } from "../support/streams";
import { pattern, readUntil, settle, turn, write } from "../support/sim";

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
    expect(peer.closed).toBe(true);
    expect(peer.received).toBe("");
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
    expect(peer.received).toBe("answer");
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
    peer.reset();
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

  test("the end is reported behind what was not taken", () => {
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
    expect(peer.input.size).toBe(4);
    seen.appetite = 99;
    seen.stream.resume();
    settle();
    expect(seen.take()).toContain("bytes(left)");
    seen.stream.readAhead = 0;
    seen.stream.resume();
    expect(sent("alone")).toBe("");
    expect(peer.input.size).toBe(5);
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

  test("nothing is read for a stream that its handler does not read, beyond readAhead", () => {
    connected();
    sent(pattern(READ_CHUNK_BYTES + 1000));
    sent(pattern(1000));
    expect(peer.input.size).toBeGreaterThanOrEqual(1000);
    expect(turn()).not.toBe(0);
  });
});
