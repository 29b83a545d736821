// core.wasm's application over the scripted network: what the host hears for what peers do, and the other way round.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../assembly/bridge/frames";
import { bytesInUse } from "../../assembly/buffer";
import { CHANNEL_BYTES_MAX, INLINE_BODY_BYTES } from "../../assembly/limits";
import { connect, network } from "../../assembly/wasi/simnet";
import {
  HTTP,
  STREAMS,
  begun,
  config,
  echo,
  ends,
  frame,
  heard,
  heardAfter,
  idOf,
  marked,
  response,
  stop,
  stopEchoing,
  tell,
  u16s,
  u32s,
} from "./bridgesupport";
import { get, post, received } from "./httpsupport";
import { pattern, settle, sleep, turn } from "./support";

const LAST: i32 = frames.RESPONSE_LAST;

function readUntil(number: i32, delimiter: string, maxBytes: u32 = 1000): string {
  return frame(frames.FRAME_READ_UNTIL, idOf(number), u32s(maxBytes) + delimiter);
}

function readBytes(number: i32, bytes: u32, partial: u32 = 0): string {
  return frame(frames.FRAME_READ_BYTES, idOf(number), u32s(bytes) + u32s(partial));
}

function write(number: i32, data: string): string {
  return frame(frames.FRAME_WRITE, idOf(number), data);
}

function close(number: i32, how: u32): string {
  return frame(frames.FRAME_CLOSE, idOf(number), u32s(how));
}

// --- streams ---

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
        const end = said.startsWith("DATA_END#1(", at);
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

  test("SENT tells what has left, as it leaves", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.room = 4;
    expect(tell(write(1, "0123456789"))).toBe("SENT#1(4)");
    peer.room = 1;
    expect(heard()).toBe("SENT#1(1)");
    peer.room = 100;
    expect(heard()).toBe("SENT#1(5)");
  });

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

// --- HTTP ---

describe("requests", () => {
  test("a request and its response", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/path?q=1", "X-Name: Value\r\nX-Empty:\r\n"));
    expect(heard()).toBe("REQUEST#1(1,1,3,0 /path?q=1|host=x|x-name=Value|x-empty=|)");
    expect(tell(response(1, 200, LAST, -1, "hello", "X-Answer", "42"))).toBe("");
    expect(received(peer)).toBe("HTTP/1.1 200 OK\r\nX-Answer: 42\r\nContent-Length: 5\r\n\r\nhello");
    peer.send("PATCHY / HTTP/1.0\r\n\r\n");
    expect(heard()).toBe("REQUEST#2(0,0,2,0 PATCHY/|)");
    tell(response(2, 404, LAST, -1, ""));
    expect(received(peer)).toBe("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });

  test("a small body travels with its head", () => {
    begun(config(HTTP));
    const peer = connect();
    const body = pattern(INLINE_BODY_BYTES);
    const head =
      "REQUEST#1(3,1,3," +
      INLINE_BODY_BYTES.toString() +
      " /|host=x|content-length=" +
      INLINE_BODY_BYTES.toString() +
      "|";
    peer.send(post("/", body));
    expect(heard() == head + body + ")").toBe(true);
  });

  test("a body that comes in pieces, and a chunked one", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nab");
    expect(heard()).toBe("REQUEST#1(3,1,1,6 /|host=x|content-length=6|) BODY#1(ab)");
    peer.send("cdef");
    expect(heard()).toBe("BODY#1(cdef) BODY_END#1()");
    tell(response(1, 204, LAST, -1, ""));
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
    expect(heard()).toBe("REQUEST#2(3,1,1,-1 /|host=x|transfer-encoding=chunked|) BODY#2(ab) BODY_END#2()");
  });

  test("a body goes no further than its window", () => {
    begun(config(HTTP, 10));
    const peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
    expect(heard()).toContain(" BODY#1(0123456789)");
    expect(heardAfter(1000)).toBe("");
    expect(tell(frame(frames.FRAME_BODY_CREDIT, idOf(1), u32s(4)))).toBe("BODY#1(abcd)");
    expect(tell(frame(frames.FRAME_BODY_CREDIT, idOf(1), u32s(10)))).toBe("BODY#1(ef) BODY_END#1()");
  });

  test("a small body that is larger than the window still has its window", () => {
    begun(config(HTTP, 4));
    const peer = connect();
    peer.send(post("/", "0123456789"));
    const first = heard();
    expect(first).toContain("(3,1,");
    tell(response(1, 200, LAST, -1, "done"));
    expect(received(peer)).toContain("done");
  });

  test("a streamed response, with SENT as it leaves", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    expect(tell(response(1, 200, 0, -1, "first"))).toBe("SENT#1(5)");
    peer.room = 0;
    expect(tell(frame(frames.FRAME_RESPONSE_BODY, idOf(1), pattern(1000)))).toBe("");
    peer.room = i32.MAX_VALUE;
    expect(heard()).toBe("SENT#1(1000)");
    expect(tell(frame(frames.FRAME_RESPONSE_END, idOf(1), "last"))).toBe("");
    const answer = received(peer);
    expect(answer).toContain("Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n3e8\r\n");
    expect(answer.endsWith("\r\n4\r\nlast\r\n0\r\n\r\n")).toBe(true);
  });

  test("responses cross turns and keep the order of requests", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/1") + get("/2"));
    expect(heard()).toBe("REQUEST#1(1,1,3,0 /1|host=x|)");
    expect(tell(response(1, 200, LAST, -1, "one"))).toBe("REQUEST#2(1,1,3,0 /2|host=x|)");
    tell(response(2, 200, LAST, -1, "two"));
    const answers = received(peer);
    expect(answers.indexOf("one")).toBeLessThan(answers.indexOf("two"));
  });

  test("a client that goes away: ABORT, and what crosses it is dropped", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    peer.reset();
    expect(heardAfter(1000)).toBe("ABORT#1(3)");
    expect(tell(response(1, 200, LAST, -1, "late") + frame(frames.FRAME_CANCEL, idOf(1), ""))).toBe("");
    const next = connect();
    next.send(get("/"));
    expect(heard()).toBe("REQUEST#2(1,1,3,0 /|host=x|)");
    expect(tell(response(1, 200, LAST, -1, "later still"))).toBe("");
    expect(received(next)).toBe("");
  });

  test("CANCEL closes the connection", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(response(1, 200, 0, -1, "some"));
    expect(tell(frame(frames.FRAME_CANCEL, idOf(1), ""))).toBe("");
    expect(peer.closed).toBe(true);
  });

  test("a response that breaks its framing: ABORT with BAD_RESPONSE", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(response(1, 200, 0, 3, "abc"));
    expect(tell(frame(frames.FRAME_RESPONSE_BODY, idOf(1), "more"))).toContain("ABORT#1(10)");
    expect(peer.closed).toBe(true);
  });

  test("a body that is malformed while it is awaited: ABORT with BAD_REQUEST", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    expect(heard()).toContain("ABORT#1(11)");
    expect(received(peer)).toContain("HTTP/1.1 400 ");
  });

  test("stop: the request in flight is answered, then DRAINED and the end", () => {
    begun(config(HTTP));
    const idle = connect();
    const busy = connect();
    busy.send(get("/"));
    heard();
    expect(tell(stop(1000))).toBe("");
    expect(idle.closed).toBe(true);
    const said = tell(response(1, 200, LAST, -1, "done"));
    expect(received(busy)).toContain("Connection: close\r\n\r\ndone");
    busy.end();
    expect(said + heard()).toBe("DRAINED()");
    expect(ends()).toBe(true);
  });

  test("stop: what is left when the grace is over gets ABORT with STOPPING", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(stop(1000));
    expect(heardAfter(1000)).toBe("ABORT#1(7) DRAINED()");
    expect(peer.closed).toBe(true);
    expect(ends()).toBe(true);
  });
});

// --- the channel ---

describe("the channel", () => {
  test("a batch is one write, and ends with its MARK", () => {
    begun(config(STREAMS));
    for (let i = 0; i < 20; i++) connect();
    const before = marked;
    heard();
    expect(marked - before).toBe(1);
  });

  test("frames cut anywhere", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    const batch = write(1, "ab") + readBytes(1, 2) + write(1, "cde");
    for (let cut = 1; cut < batch.length; cut++) {
      peer.send("xy");
      network().host.input.pushText(batch.substr(0, cut));
      settle();
      const said = tell(batch.substr(cut));
      expect(said).toContain("DATA_END#1(xy)");
      expect(peer.take()).toBe("abcde");
    }
  });

  test("a byte at a time", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    network().faults.shortReads = 1000;
    tell(write(1, pattern(3000)) + write(1, "end"));
    expect(peer.take() == pattern(3000) + "end").toBe(true);
  });

  test("the last byte of a long batch is not left behind", () => {
    begun(config(STREAMS));
    const peer = connect();
    heard();
    // As much as one read takes, and one byte, which no event tells of: alone it is not certain. Nothing answers these frames.
    const gone = 12345;
    const first = frame(frames.FRAME_WRITE, gone, pattern(frames.FRAME_BYTES_MAX));
    const second = frame(frames.FRAME_WRITE, gone, pattern(frames.FRAME_BYTES_MAX - 8));
    tell(first + second + write(1, "x"));
    expect(peer.take()).toBe("x");
  });

  test("without ECHO no more is written than the pipe holds, and no socket is read", () => {
    begun(config(STREAMS));
    stopEchoing();
    const peer = connect();
    heard();
    const data = pattern(1 << 20);
    peer.send(data);
    tell(readBytes(1, data.length));
    sleep(100);
    // The network fails the test when a write would block. Nothing more is read, and the loop does not spin.
    const written = marked;
    const left = peer.input.size;
    expect(left).toBeGreaterThan(data.length - CHANNEL_BYTES_MAX - 5 * 65536);
    sleep(100);
    expect(peer.input.size).toBe(left);
    expect(turn()).not.toBe(0);
    expect(marked).toBe(written);
    for (let i = 0; i < 5; i++) tell(echo(marked));
    expect(peer.input.size).toBeLessThan(left);
  });

  test("while the host is behind, what is written still leaves, and frames still come", () => {
    begun(config(STREAMS));
    stopEchoing();
    const flood = connect();
    const peer = connect();
    heard();
    flood.send(pattern(1 << 20));
    tell(readBytes(1, 1 << 20));
    expect(tell(write(2, "it leaves"))).toBe("");
    expect(peer.take()).toBe("it leaves");
    peer.room = 0;
    tell(write(2, "it leaves later"));
    peer.room = 100;
    settle();
    expect(peer.take()).toBe("it leaves later");
  });

  test("everything arrives, through a slow host, in order", () => {
    begun(config(STREAMS));
    stopEchoing();
    const peer = connect();
    heard();
    const data = pattern(700000);
    peer.send(data);
    let said = tell(readBytes(1, data.length));
    for (let i = 0; i < 100; i++) said += tell(echo(marked));
    const got = said.replaceAll("DATA_END#1(", "").replaceAll("DATA#1(", "").replaceAll(")", "").replaceAll(" ", "");
    expect(got == data).toBe(true);
  });

  test("short writes to the host", () => {
    network().faults.shortWrites = 500;
    begun(config(STREAMS));
    const peer = connect();
    heard();
    peer.send(pattern(5000) + ".");
    expect(tell(readUntil(1, ".", 10000)) == "DATA_END#1(" + pattern(5000) + ".)").toBe(true);
  });

  test("the host's end is the module's", () => {
    begun(config(STREAMS));
    network().host.gone = true;
    expect(() => {
      turn();
    }).toThrowError("exit 0");
  });
});

// --- malformed frames ---

let malformed: string = "";

/** The sandbox says one line and ends with status 70. */
function isMalformed(data: string, configuration: string): void {
  begun(configuration);
  malformed = data;
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
  const line = network().logged;
  expect(line.startsWith("waterspout: malformed frame from the host: ")).toBe(true);
  expect(line.indexOf("\n")).toBe(line.length - 1);
}

describe("malformed frames end the module", () => {
  test("anything before CONFIG", () => isMalformed(stop(1), ""));
  test("CONFIG twice", () => isMalformed(config(HTTP), config(HTTP)));
  test("CONFIG of another size", () => isMalformed(frame(frames.FRAME_CONFIG, 0, u16s(1)), ""));
  test("CONFIG of another version", () => isMalformed(frame(frames.FRAME_CONFIG, 0, u16s(2) + "\0".repeat(46)), ""));
  test("a type that there is not", () => isMalformed(frame(0x7f, 0, ""), config(HTTP)));
  test("a type of the sandbox's", () => isMalformed(frame(frames.FRAME_OPEN, 1, ""), config(STREAMS)));
  test("a stream's frame to an HTTP server", () => isMalformed(frame(frames.FRAME_WRITE, 1, "x"), config(HTTP)));
  test("a request's frame to a TCP server", () => isMalformed(frame(frames.FRAME_CANCEL, 1, ""), config(STREAMS)));
  test("a frame larger than the cap", () =>
    isMalformed(u32s((0x53 << 24) | (frames.FRAME_BYTES_MAX + 1)) + u32s(1), config(STREAMS)));
  test("ECHO of what was not sent", () => isMalformed(echo(1000), config(STREAMS)));
  test("ECHO backwards", () => isMalformed(echo(1) + echo(0), config(STREAMS)));
  test("STOP of another size", () => isMalformed(frame(frames.FRAME_STOP, 0, ""), config(HTTP)));
  test("READ_UNTIL without a delimiter", () =>
    isMalformed(frame(frames.FRAME_READ_UNTIL, 1, u32s(9)), config(STREAMS)));
  test("READ_UNTIL with a delimiter too long", () =>
    isMalformed(frame(frames.FRAME_READ_UNTIL, 1, u32s(9) + "x".repeat(257)), config(STREAMS)));
  test("READ_BYTES of nothing", () =>
    isMalformed(frame(frames.FRAME_READ_BYTES, 1, u32s(0) + u32s(0)), config(STREAMS)));
  test("READ_BYTES of another size", () => isMalformed(frame(frames.FRAME_READ_BYTES, 1, u32s(5)), config(STREAMS)));
  test("CLOSE of another size", () => isMalformed(frame(frames.FRAME_CLOSE, 1, ""), config(STREAMS)));
  test("BODY_CREDIT of another size", () => isMalformed(frame(frames.FRAME_BODY_CREDIT, 1, ""), config(HTTP)));
  test("RESPONSE that is too short", () => isMalformed(frame(frames.FRAME_RESPONSE, 1, "short"), config(HTTP)));
  test("RESPONSE with a status out of range", () => respondMalformed(u16s(199) + u16s(1) + u16s(0) + u16s(0), ""));
  test("RESPONSE with sizes that do not add up", () =>
    respondMalformed(u16s(200) + u16s(1) + u16s(1) + u16s(0), u16s(1000) + u16s(1000) + "ab"));
  test("RESPONSE with more rows than it holds", () =>
    respondMalformed(u16s(200) + u16s(1) + u16s(1000) + u16s(0), u16s(1) + u16s(1) + "ab"));
});

/** For a request that waits: an unknown one is dropped. */
function respondMalformed(head: string, rest: string): void {
  begun(config(HTTP));
  connect().send(get("/"));
  heard();
  malformed = frame(frames.FRAME_RESPONSE, idOf(1), head + u32s(0) + u32s(0) + rest);
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
  expect(network().logged.length).toBeGreaterThan(0);
}
