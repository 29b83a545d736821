// core.wasm's application with streams: what the host hears for what peers do, and the other way round.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { connect } from "../../../assembly/wasi/sim/net";
import {
  STREAMS,
  begun,
  close,
  config,
  ends,
  heard,
  heardAfter,
  readBytes,
  readUntil,
  stop,
  tell,
  write,
} from "../support/bridge";
import { pattern, settle, sleep } from "../support/sim";

describe("streams", () => {
  test("nothing is accepted before CONFIG", () => {
    connect();
    sleep(1000);
    expect(begun(config(STREAMS))).toBe("OPEN#1(102,0)");
  });

  test("open, reads, writes, the peer's end, close", () => {
    begun(config(STREAMS));
    const peer = connect();
    expect(heard()).toBe("OPEN#1(102,0)");
    peer.send("hello\nworld");
    expect(heard()).toBe("");
    expect(tell(readUntil(1, "\n"))).toBe("DATA_END#1(hello\n)");
    expect(tell(write(1, "answer"))).toBe("SENT#1(6)");
    expect(peer.take()).toBe("answer");
    expect(tell(readBytes(1, 3))).toBe("DATA_END#1(wor)");
    expect(tell(readBytes(1, 100, 1))).toBe("DATA_END#1(ld)");
    expect(tell(readUntil(1, "\n"))).toBe("");
    peer.end();
    expect(heard()).toBe("READ_FAILED#1(2) END#1()");
    expect(tell(write(1, "bye") + close(1, 0))).toBe("CLOSED#1(1)");
    expect(peer.take()).toBe("bye");
    expect(peer.closed).toBe(true);
  });

  test("the whole reads of a batch, one after the other", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.send("one\ntwo\nthree\n");
    expect(tell(readUntil(1, "\n"))).toBe("DATA_END#1(one\n)");
    expect(tell(readUntil(1, "\n") + write(1, "x"))).toBe("DATA_END#1(two\n) SENT#1(1)");
  });

  test("a second read is BUSY, and the first gets all that it asked for", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    expect(tell(readBytes(1, 10) + readBytes(1, 5) + readUntil(1, "\n"))).toBe("READ_FAILED#1(9) READ_FAILED#1(9)");
    peer.send("0123456");
    expect(heard()).toBe("DATA#1(0123456)");
    peer.send("789");
    expect(heard()).toBe("DATA_END#1(789)");
  });

  test("a long read comes in parts and needs no memory here", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    const data = pattern(500000);
    tell(readBytes(1, 500000));
    peer.send(data + "more");
    let got = "";
    let said = heard();
    while (said.length) {
      for (let at = 0; at < said.length;) {
        const end = said.substr(at, 11) == "DATA_END#1(";
        const start = at + (end ? 11 : 7);
        const stop = said.indexOf(")", start);
        got += said.substring(start, stop);
        at = stop + 2;
        assert(got.length < data.length || end, "DATA_END is the last");
      }
      said = heard();
    }
    expect(got == data).toBe(true);
    expect(tell(readBytes(1, 4))).toBe("DATA_END#1(more)");
  });

  test("too long for its maxBytes", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    tell(readUntil(1, "\n", 5));
    peer.send("hello\n");
    expect(heard()).toBe("READ_FAILED#1(5) CLOSED#1(5)");
  });

  test("SENT tells that all has left, and nothing while the socket refuses a part of it", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.room = 4;
    expect(tell(write(1, "0123456789"))).toBe("");
    peer.room = 1;
    expect(heard()).toBe("");
    peer.room = 100;
    expect(heard()).toBe("SENT#1(10)");
  });
});

describe("streams: the end", () => {
  test("close after what was written, close at once", () => {
    begun(config(STREAMS));
    const slow = connect();
    const other = connect();
    heard();
    slow.room = 0;
    other.room = 0;
    tell(write(1, "arrives") + close(1, 0) + write(2, "does not") + close(2, 1));
    slow.room = other.room = 100;
    slow.end();
    settle();
    sleep(10);
    expect(slow.take()).toBe("arrives");
    expect(other.take()).toBe("");
    expect(other.closed).toBe(true);
  });

  test("a reset, and frames that cross it", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.reset();
    expect(heard()).toBe("CLOSED#1(3)");
    expect(tell(write(1, "x") + readUntil(1, "\n") + readBytes(1, 1) + close(1, 1))).toBe("");
  });

  test("the next stream of a slot has another id", () => {
    begun(config(STREAMS));
    for (let i = 1; i < 5; i++) {
      const peer = connect();
      expect(heard()).toBe("OPEN#" + i.toString() + "(102,0)");
      peer.reset();
      expect(heard()).toBe("CLOSED#" + i.toString() + "(3)");
    }
    connect();
    heard();
    expect(tell(close(1, 1))).toBe("");
  });

  test("an idle stream ends with its time limit", () => {
    begun(config(STREAMS, 0, 1000));
    connect();
    heard();
    sleep(500);
    tell(write(1, "still here"));
    sleep(999);
    expect(heard()).toBe("");
    expect(heardAfter(1)).toBe("CLOSED#1(1)");
  });

  test("a peer that is in the middle of a line when the idle time is over reads an end, and no reset", () => {
    begun(config(STREAMS, 0, 1000));
    const peer = connect();
    heard();
    tell(readUntil(1, "\n"));
    sleep(990);
    peer.send("hel");
    expect(heardAfter(10)).toBe("");
    expect(peer.ended).toBe(true);
    peer.send("lo");
    expect(heard()).toBe("");
    peer.end();
    expect(heard()).toBe("CLOSED#1(1)");
    expect(peer.wasReset).toBe(false);
  });

  test("a peer that is not read from is not listened to without bound", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.send(pattern(1 << 20));
    expect(heard()).toBe("");
    expect(peer.input.size).toBeGreaterThan(500000);
    expect(i32(bytesInUse())).toBeLessThan(300000);
  });

  test("stop: no new connections, open ones go on until the grace is over", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    expect(tell(stop(1000))).toBe("");
    expect(connect().closed).toBe(true);
    expect(tell(write(1, "still"))).toBe("SENT#1(5)");
    expect(peer.take()).toBe("still");
    expect(heardAfter(999)).toBe("");
    expect(heardAfter(1)).toBe("CLOSED#1(7) DRAINED()");
    expect(ends()).toBe(true);
  });

  test("stop with nothing open, and together with CONFIG", () => {
    expect(begun(config(STREAMS) + stop(1000))).toBe("DRAINED()");
    expect(ends()).toBe(true);
    expect(connect().closed).toBe(true);
  });
});
