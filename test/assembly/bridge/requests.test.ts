// core.wasm's application with HTTP: requests as the host sees them, and its responses as clients do.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../../assembly/bridge/frames";
import {
  BODY_TIMEOUT_MS,
  DRAIN_REQUEST_MS,
  INLINE_BODY_BYTES,
  REFUSALS_PER_SECOND,
  WRITE_TIMEOUT_MS,
} from "../../../assembly/core/limits";
import { connect } from "../../../assembly/wasi/sim/net";
import { SLOT_BITS } from "../../../assembly/bridge/frames";
import {
  HTTP,
  begun,
  config,
  ends,
  frame,
  heard,
  heardAfter,
  idOf,
  response,
  stop,
  tell,
  u32s,
} from "../support/bridge";
import { get, post, received } from "../support/http";
import { pattern, settle, sleep } from "../support/sim";

const LAST: i32 = frames.RESPONSE_LAST;

describe("requests", () => {
  test("what gets no frame takes no id: 16,382 of them between two requests do not bring one back", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    expect(heard()).toBe("REQUEST#1(1,1,3,0 /|host=x|)");
    tell(response(1, 204, LAST, -1, ""));
    for (let i = 0; i < 16382; i += 2) {
      peer.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
      settle();
      peer.take();
    }
    peer.send(get("/"));
    expect(heard()).toBe("REQUEST#2(1,1,3,0 /|host=x|)");
    expect(idOf(2) - idOf(1)).toBe(1 << SLOT_BITS);
  });

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
    expect(received(peer)).toBe("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
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

  test("trailers come before the body's end, without those that are not safe", () => {
    begun(config(HTTP));
    const peer = connect();
    const body = "2\r\nab\r\n0\r\nX-Sum:  1 \r\nContent-Length: 3\r\nX-Empty:\r\n\r\n";
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
    expect(heard()).toContain(" BODY#1(ab) TRAILERS#1(x-sum=1|x-empty=|) BODY_END#1()");
    tell(response(1, 204, LAST, -1, ""));
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: y\r\n\r\n");
    expect(heard()).toContain("transfer-encoding=chunked|) BODY_END#2()");
  });

  test("CONFIG's limits on requests and rates hold", () => {
    begun(config(HTTP, 0, 0, 0, 2, 10, 100_000));
    const trickling = connect();
    trickling.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    heard();
    for (let i = 0; i < BODY_TIMEOUT_MS / 500; i++) {
      sleep(1000);
      trickling.send("01234567890"); // 11 a second
    }
    expect(heard()).not.toContain("ABORT");
    expect(received(trickling)).toBe("");
    tell(response(1, 200, LAST, -1, "one"));
    const peer = connect();
    peer.send(get("/2") + get("/3"));
    heard();
    tell(response(2, 200, LAST, -1, "two"));
    expect(received(peer)).not.toContain("close");
    peer.room = 1000;
    tell(response(3, 200, 0, -1, pattern(100_000)));
    expect(received(peer)).toContain("Connection: close\r\n");
    for (let i = 0; i < WRITE_TIMEOUT_MS / 500 && !peer.closed; i++) {
      sleep(1000);
      peer.room = 500;
    }
    expect(heardAfter(1000)).toContain("ABORT#3(4)");
  });
});

describe("requests: windows, and answers on their way", () => {
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

  test("a 304 claims no length that the handler has not given", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(response(1, 304, LAST, -1, ""));
    const answer = received(peer);
    expect(answer).toContain("HTTP/1.1 304 Not Modified\r\n");
    expect(answer).not.toContain("Content-Length");
    expect(answer).not.toContain("Transfer-Encoding");
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
});

describe("requests: clients that leave or wait", () => {
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

  test("a client that ends its side: END, and it can still be answered", () => {
    begun(config(HTTP, 0, 0, 0, 0, 0, 0, 0, 2000));
    const peer = connect();
    peer.send(get("/"));
    peer.end();
    heard();
    expect(heardAfter(1000)).toBe("END#1()");
    expect(tell(response(1, 200, LAST, -1, "at last"))).toBe("");
    expect(received(peer)).toContain("at last");
    const other = connect();
    other.send(get("/"));
    other.end();
    heard();
    expect(heardAfter(1500)).toBe("END#2()");
    expect(heardAfter(1000)).toBe("ABORT#2(2)");
  });

  test("informational answers leave in front of the final one; HTTP/1.0 does not get them", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(response(1, 103, 0, -1, "", "Link", "</a>") + response(1, 102, 0, -1, "") + response(1, 200, LAST, -1, "x"));
    expect(received(peer)).toBe(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    );
    peer.send("GET / HTTP/1.0\r\n\r\n");
    heard();
    tell(response(2, 103, 0, -1, "") + response(2, 200, LAST, -1, "x"));
    expect(received(peer)).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
  });

  test("a 100 of the host's is the one that is waited for, and the body has its time from the first credit on", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    heard();
    tell(response(1, 100, 0, -1, ""));
    expect(received(peer)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    sleep(BODY_TIMEOUT_MS + 1);
    expect(heard()).toBe("");
    tell(frame(frames.FRAME_BODY_CREDIT, idOf(1), u32s(1000)));
    expect(received(peer)).toBe("");
    sleep(BODY_TIMEOUT_MS + 1);
    expect(heard()).toContain("REFUSED(408,");
  });

  test("a client that waits for 100 Continue gets it when the host gives the window", () => {
    begun(config(HTTP, 10));
    const peer = connect();
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    expect(heard()).toBe("REQUEST#1(3,1,17,3 /|host=x|content-length=3|expect=100-continue|)");
    expect(received(peer)).toBe("");
    tell(frame(frames.FRAME_BODY_CREDIT, idOf(1), u32s(10)));
    expect(received(peer)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    peer.send("abc");
    expect(heard()).toBe("BODY#1(abc) BODY_END#1()");
    tell(response(1, 204, LAST, -1, ""));
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
    expect(heard()).toContain("REQUEST#2(3,1,3,3 ");
  });
});

describe("requests: refusals and broken answers", () => {
  test("refused requests are reported, so many a second", () => {
    begun(config(HTTP));
    connect().send("GET / HTTP/1.1\r\n\r\n");
    expect(heard()).toBe("REFUSED(400,0,102,0 The request has no Host, which HTTP/1.1 requires)");
    for (let i = 1; i < REFUSALS_PER_SECOND + 5; i++) connect().send("GET / HTTP/1.1\r\n\r\n");
    expect(heard().split("REFUSED").length - 1).toBe(REFUSALS_PER_SECOND - 1);
    sleep(1000);
    connect().send("GET / HTTP/2.0\r\nHost: x\r\n\r\n");
    expect(heard()).toContain("REFUSED(505,5,");
    connect().send("GET / HTTP/2.0\r\nHost: x\r\n\r\n");
    expect(heard()).toContain("REFUSED(505,0,");
  });

  test("RESPONSE_BODY without RESPONSE ends the sandbox", () => {
    begun(config(HTTP));
    connect().send(get("/"));
    heard();
    expect(() => {
      tell(frame(frames.FRAME_RESPONSE_BODY, idOf(1), "abc"));
    }).toThrowError("exit 70");
  });

  test("so does RESPONSE_END", () => {
    begun(config(HTTP));
    connect().send(get("/"));
    heard();
    expect(() => {
      tell(frame(frames.FRAME_RESPONSE_END, idOf(1), ""));
    }).toThrowError("exit 70");
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
});

describe("requests: the stop", () => {
  test("stop: the request in flight is answered, then DRAINED and the end", () => {
    begun(config(HTTP));
    const idle = connect();
    const busy = connect();
    busy.send(get("/"));
    heard();
    expect(tell(stop(1000))).toBe("");
    sleep(DRAIN_REQUEST_MS);
    expect(idle.closed).toBe(true);
    const said = tell(response(1, 200, LAST, -1, "done"));
    expect(received(busy)).toContain("Connection: close\r\nContent-Length: 4\r\n\r\ndone");
    busy.end();
    expect(said + heard()).toBe("DRAINED()");
    expect(ends()).toBe(true);
  });

  test("stop: an idle connection may bring a request for as long as STOP says; a second STOP says less", () => {
    begun(config(HTTP));
    const idle = connect();
    const next = connect();
    idle.send(get("/"));
    heard();
    tell(response(1, 200, LAST, -1, "one"));
    received(idle);
    next.send(get("/"));
    heard();
    tell(response(2, 200, LAST, -1, "one"));
    received(next);
    expect(tell(stop(60_000, 60_000))).toBe("");
    sleep(10 * DRAIN_REQUEST_MS);
    expect(idle.closed).toBe(false);
    next.send(get("/"));
    heard();
    tell(response(3, 200, LAST, -1, "two"));
    expect(received(next)).toContain("Connection: close\r\nContent-Length: 3\r\n\r\ntwo");
    next.end();
    expect(tell(stop(1000))).toBe("DRAINED()");
    expect(idle.closed).toBe(true);
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
