// START_TLS: what the socket brings goes to the host as it is, and reads are answered from what the host feeds.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { connect } from "../../../assembly/wasi/sim/net";
import {
  STREAMS,
  begun,
  close,
  config,
  feed,
  feedEnd,
  heard,
  readBytes,
  readRaw,
  readUntil,
  startTls,
  tell,
  write,
} from "../support/bridge";
import { pattern } from "../support/sim";

describe("START_TLS", () => {
  test("what had come before it, and what comes after it, is for the TLS engine alone", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.send("STARTTLS\nRSET\n");
    expect(tell(readUntil(1, "\n"))).toBe("DATA_END#1(STARTTLS\n)");
    expect(tell(startTls(1) + readUntil(1, "\n"))).toBe("");
    expect(tell(readRaw(1, 100))).toBe("RAW#1(RSET\n)");
    peer.send("hello");
    expect(heard()).toBe("");
    expect(tell(readRaw(1, 2) + readRaw(1, 100))).toBe("RAW#1(he) RAW#1(llo)");
    expect(tell(feed(1, "QUIT\n"))).toBe("DATA_END#1(QUIT\n)");
    expect(tell(write(1, "encrypted"))).toBe("SENT#1(9)");
    expect(peer.take()).toBe("encrypted");
  });

  test("every kind of read, over what is fed in pieces", () => {
    begun(config(STREAMS));
    connect();
    heard();
    expect(tell(startTls(1) + feed(1, "one\ntw"))).toBe("");
    expect(tell(readUntil(1, "\n"))).toBe("DATA_END#1(one\n)");
    expect(tell(readUntil(1, "\n"))).toBe("");
    expect(tell(feed(1, "o\nthree"))).toBe("DATA_END#1(two\n)");
    expect(tell(readBytes(1, 3))).toBe("DATA_END#1(thr)");
    expect(tell(readBytes(1, 100, 1))).toBe("DATA_END#1(ee)");
    expect(tell(readBytes(1, 5))).toBe("");
    expect(tell(feed(1, "12"))).toBe("DATA#1(12)");
    expect(tell(feed(1, "345six"))).toBe("DATA_END#1(345)");
    expect(tell(readBytes(1, 1, 1) + readBytes(1, 9))).toBe("DATA_END#1(s) DATA#1(ix)");
    expect(tell(readBytes(1, 1) + readUntil(1, "\n"))).toBe("READ_FAILED#1(9) READ_FAILED#1(9)");
  });

  test("the end of what is fed is the end, behind all of it", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.end();
    expect(heard()).toBe("END#1()");
    const other = connect();
    heard();
    expect(tell(startTls(2) + readRaw(2, 10))).toBe("");
    other.end();
    expect(heard()).toBe("RAW_FAILED#2(2)");
    expect(tell(readRaw(2, 10))).toBe("RAW_FAILED#2(2)");
    expect(tell(feed(2, "last") + feedEnd(2))).toBe("");
    expect(tell(readBytes(2, 3))).toBe("DATA_END#2(las)");
    expect(tell(readUntil(2, "\n"))).toBe("READ_FAILED#2(2)");
    expect(tell(readBytes(2, 3))).toBe("DATA#2(t) READ_FAILED#2(2) END#2()");
    expect(tell(write(2, "bye") + close(2, 0))).toBe("CLOSED#2(1)");
  });

  test("a delimiter that does not come closes the stream", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    expect(tell(startTls(1) + readUntil(1, "\n", 5) + feed(1, "12345"))).toBe("READ_FAILED#1(5) CLOSED#1(5)");
    expect(peer.closed).toBe(true);
  });

  test("the slot's next stream begins anew, and no memory stays", () => {
    begun(config(STREAMS));
    const before = bytesInUse();
    connect();
    heard();
    expect(tell(startTls(1) + readUntil(1, "a delimiter") + feed(1, pattern(100000)))).toBe(
      "READ_FAILED#1(5) CLOSED#1(5)",
    );
    expect(bytesInUse()).toBe(before);
    const next = connect();
    expect(heard()).toBe("OPEN#2(102,0)");
    next.send("plain\n");
    expect(tell(readUntil(2, "\n"))).toBe("DATA_END#2(plain\n)");
    expect(tell(startTls(2) + readBytes(2, 1) + feed(2, "x"))).toBe("DATA_END#2(x)");
  });

  test("frames for a stream that has ended meanwhile are dropped", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    tell(startTls(1) + readRaw(1, 1));
    peer.reset();
    expect(heard()).toBe("CLOSED#1(3)");
    expect(tell(readRaw(1, 1) + feed(1, "x") + feedEnd(1))).toBe("");
  });
});

let malformed: string = "";

/** On a stream of its own, whose bufferBytesMax is 1,000. */
function endsTheModule(data: string): void {
  malformed = data;
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
}

function opened(): void {
  begun(config(STREAMS, 0, 0, 1000));
  connect();
  heard();
}

describe("what a host must not say", () => {
  test("START_TLS twice", () => {
    opened();
    endsTheModule(startTls(1) + startTls(1));
  });

  test("START_TLS while a read is pending", () => {
    opened();
    endsTheModule(readUntil(1, "\n") + startTls(1));
  });

  test("READ_RAW without START_TLS", () => {
    opened();
    endsTheModule(readRaw(1, 1));
  });

  test("READ_RAW for nothing", () => {
    opened();
    endsTheModule(startTls(1) + readRaw(1, 0));
  });

  test("FEED without START_TLS", () => {
    opened();
    endsTheModule(feed(1, "x"));
  });

  test("FEED_END without START_TLS", () => {
    opened();
    endsTheModule(feedEnd(1));
  });

  test("FEED of nothing", () => {
    opened();
    endsTheModule(startTls(1) + feed(1, ""));
  });

  test("FEED and FEED_END behind FEED_END", () => {
    opened();
    expect(tell(startTls(1) + feedEnd(1))).toBe("END#1()");
    endsTheModule(feed(1, "x"));
  });

  test("FEED beyond what a read may need, and a frame", () => {
    opened();
    const block = pattern(100000);
    expect(tell(startTls(1) + feed(1, block) + feed(1, block.substr(0, 32072)))).toBe("");
    endsTheModule(feed(1, "x"));
  });
});
