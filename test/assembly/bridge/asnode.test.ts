// core.wasm's application as servers of Node's kind use it: trailers of answers, what is said of the connection, and
// requests that are the handler's to judge.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import * as frames from "../../../assembly/bridge/frames";
import { HEADER_TIMEOUT_MS, REFUSALS_PER_SECOND } from "../../../assembly/core/limits";
import { CONNECTIONS_NOW, REQUESTS_EVER, REQUESTS_NOW, REQUESTS_REFUSED, stat } from "../../../assembly/core/stats";
import { Peer, connect } from "../../../assembly/wasi/sim/net";
import {
  HTTP,
  begun,
  close,
  config,
  frame,
  heard,
  heardAfter,
  idOf,
  readBytes,
  response,
  stop,
  tell,
  u16s,
  write,
} from "../support/bridge";
import { get, received } from "../support/http";

const LAST: i32 = frames.RESPONSE_LAST;
const AS_NODE: i32 = HTTP | (frames.CONFIG_NODE << 8);

function trailers(number: i32, name: string, value: string): string {
  const payload = u16s(1) + u16s(0) + u16s(name.length) + u16s(value.length) + name + value;
  return frame(frames.FRAME_RESPONSE_TRAILERS, idOf(number), payload);
}

function end(number: i32): string {
  return frame(frames.FRAME_RESPONSE_END, idOf(number), "");
}

let malformed: string = "";

const REQUEST_MS: i64 = 10_000;
const SLOW_HEAD_MS: i64 = 7_000;
let sender: Peer | null = null;

describe("trailers of an answer", () => {
  test("stand behind the last chunk; the connection goes on", () => {
    begun(config(HTTP));
    const peer = connect();
    for (let i = 1; i <= 2; i++) {
      peer.send(get("/"));
      heard();
      tell(response(i, 200, 0, -1, "one") + trailers(i, "x-Sum", "7") + end(i));
      expect(received(peer)).toBe(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nx-Sum: 7\r\n\r\n",
      );
    }
  });

  test("are dropped where nothing is chunked, and what follows them is no part of the body", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(response(1, 200, 0, 3, "one") + trailers(1, "x-sum", "7") + end(1));
    expect(received(peer)).toBe("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
    peer.send(get("/"));
    heard();
    const more = frame(frames.FRAME_RESPONSE_BODY, idOf(2), "more");
    tell(response(2, 200, 0, -1, "one") + trailers(2, "x-sum", "7") + more + end(2));
    expect(received(peer)).toContain("0\r\nx-sum: 7\r\n\r\n");
  });

  test("that would frame the message cut the connection", () => {
    begun(config(HTTP));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(response(1, 200, 0, -1, "one") + trailers(1, "content-length", "7") + end(1));
    expect(received(peer).includes("content-length")).toBe(false);
    expect(peer.closed).toBe(true);
  });

  test("whose sizes do not add up are malformed", () => {
    waiting();
    const short = frame(frames.FRAME_RESPONSE_TRAILERS, idOf(1), u16s(1) + u16s(0) + u16s(9) + u16s(9) + "x");
    isMalformed(response(1, 200, 0, -1, "one") + short);
  });
  test("in front of the head are malformed", () => {
    waiting();
    isMalformed(trailers(1, "x-sum", "7"));
  });
});

function waiting(): void {
  begun(config(HTTP));
  connect().send(get("/"));
  heard();
}

function isMalformed(data: string): void {
  malformed = data;
  expect(() => {
    tell(malformed);
  }).toThrowError("exit 70");
}

describe("as Node's server: refused requests", () => {
  test("a client that sends nothing is refused with 408", () => {
    begun(config(AS_NODE));
    const peer = connect();
    const said = heardAfter(HEADER_TIMEOUT_MS + 1);
    expect(said.startsWith("REFUSED#1(408,")).toBe(true);
    expect(said.endsWith(" DETACHED#1(0)")).toBe(true);
    expect(tell(write(1, "late") + close(1, 0))).toBe("SENT#1(4)");
    expect(received(peer)).toBe("late");
    expect(peer.ended).toBe(true);
  });

  test("the packet that is refused waits, and nothing of those before it", () => {
    begun(config(AS_NODE));
    const peer = connect();
    peer.send("GET / HTTP/1.1\r\nHo");
    expect(heard()).toBe("");
    peer.send(" st: x\r\n\r\n");
    expect(heard().endsWith(" DETACHED#1(10)")).toBe(true);
    expect(tell(readBytes(1, 10, 0))).toBe("DATA_END#1( st: x\r\n\r\n)");
    peer.send("more");
    expect(tell(readBytes(1, 100, 1))).toBe("DATA_END#1(more)");
    expect(tell(close(1, 1))).toBe("CLOSED#1(1)");
  });

  test("the host answers a refused request; the connection's next client has another id", () => {
    begun(config(AS_NODE));
    for (let i = 1; i <= 2; i++) {
      const peer = connect();
      peer.send("( / HTTP/1.1\r\n\r\n");
      const id = "#" + i.toString();
      expect(heard().startsWith("REFUSED" + id + "(400,0,")).toBe(true);
      expect(i32(stat(REQUESTS_NOW))).toBe(0);
      expect(i32(stat(CONNECTIONS_NOW))).toBe(1);
      expect(tell(readBytes(i, 100, 1))).toBe("DATA_END" + id + "(( / HTTP/1.1\r\n\r\n)");
      tell(write(i, "no") + close(i, 0));
      expect(received(peer)).toBe("no");
      peer.end();
      expect(heard()).toBe("CLOSED" + id + "(1)");
      expect(i32(stat(CONNECTIONS_NOW))).toBe(0);
    }
    expect(i32(stat(REQUESTS_EVER))).toBe(0);
    expect(i32(stat(REQUESTS_REFUSED))).toBe(2);
  });

  test("a request that is refused in its body is aborted first; one whose answer has begun is not the host's", () => {
    begun(config(AS_NODE));
    const post = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const peer = connect();
    peer.send(post);
    heard();
    peer.send("x");
    const said = heard();
    expect(said.startsWith("ABORT#1(")).toBe(true);
    expect(said).toContain(" REFUSED#2(400,");
    expect(said).toContain(" DETACHED#2(");
    expect(received(peer)).toBe("");
    tell(close(2, 1));
    const other = connect();
    other.send(post);
    heard();
    tell(response(3, 200, 0, -1, "a"));
    other.send("x");
    expect(heard()).toContain(" REFUSED(400,");
  });

  test("what is beyond the refusals of a second is answered by the sandbox", () => {
    begun(config(AS_NODE));
    for (let i = 0; i < REFUSALS_PER_SECOND; i++) {
      connect().send("(");
      expect(heard()).toContain("DETACHED#");
    }
    const peer = connect();
    peer.send("(");
    expect(heard()).toBe("");
    expect(received(peer)).toBe("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    expect(peer.ended).toBe(true);
  });
});

describe("as Node's server: times", () => {
  test("a request that is not whole when its time is over is refused, however head and body share it", () => {
    const refused = slowRequest(REQUEST_MS - SLOW_HEAD_MS);
    expect(refused.startsWith("ABORT#1(")).toBe(true);
    expect(refused).toContain(" REFUSED#2(408,");
  });

  test("one whose last byte comes in time is answered when the handler likes", () => {
    expect(slowRequest(REQUEST_MS - SLOW_HEAD_MS - 1)).toBe("");
    sender!.send("y");
    heard();
    expect(heardAfter(REQUEST_MS)).toBe("");
    tell(response(1, 200, LAST, -1, "x"));
    expect(received(sender!)).toContain("200 OK");
  });

  test("in a stop the next request's answer is a connection's last", () => {
    begun(config(AS_NODE));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(stop(5_000) + response(1, 200, LAST, -1, "x"));
    expect(received(peer)).toContain("Connection: keep-alive\r\n");
    peer.send(get("/"));
    expect(heard()).toBe("REQUEST#2(1,1,2,0 /|Host=x|)");
    tell(response(2, 503, LAST, -1, "x"));
    expect(received(peer)).toContain("Connection: close\r\n");
    expect(peer.ended).toBe(true);
  });

  test("a connection waits longer for another request than its answers say", () => {
    expect(secondRequest(5_000 + 1_000 - 1)).toBe("REQUEST#2(1,1,3,0 /|Host=x|)");
  });
  test("and no longer", () => {
    expect(secondRequest(5_000 + 1_000)).toBe("");
  });
});

/** A request whose body lacks a byte; what is heard `restMs` behind its head, which took its time. */
function slowRequest(restMs: i64): string {
  begun(config(AS_NODE, 0, 0, 0, 0, 0, 0, 0, 0, u32(REQUEST_MS)));
  const peer = connect();
  sender = peer;
  peer.send("POST / HTTP/1.1\r\nHost: x\r\n");
  expect(heardAfter(SLOW_HEAD_MS)).toBe("");
  peer.send("Content-Length: 2\r\n\r\nx");
  expect(heard().startsWith("REQUEST#1(")).toBe(true);
  return heardAfter(restMs);
}

/** What is heard of a request that comes `idleMs` behind the answer to the first one. */
function secondRequest(idleMs: i64): string {
  begun(config(AS_NODE, 0, 5_000, 0, 0, 0, 0, 0, 0, 0, 1_000));
  const peer = connect();
  peer.send(get("/"));
  heard();
  tell(response(1, 200, LAST, -1, "x"));
  expect(received(peer)).toContain("Keep-Alive: timeout=5\r\n");
  expect(heardAfter(idleMs)).toBe("");
  peer.send(get("/"));
  return heard();
}

describe("as Node's server", () => {
  test("answers say for how long the connection is kept, unless the handler does", () => {
    begun(config(AS_NODE, 0, 5_000));
    const peer = connect();
    peer.send(get("/"));
    heard();
    tell(response(1, 200, LAST, -1, "x"));
    expect(received(peer)).toBe(
      "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 1\r\n\r\nx",
    );
    peer.send(get("/"));
    heard();
    tell(response(2, 200, LAST | frames.RESPONSE_KEPT, -1, "x", "Keep-Alive", "timeout=1"));
    expect(received(peer)).toBe(
      "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
    );
  });

  test("the last request but one that is answered says close; the one behind it is marked, and the last", () => {
    begun(config(AS_NODE, 0, 5_000, 0, 2));
    const peer = connect();
    const heads = [
      "Connection: keep-alive\r\nKeep-Alive: timeout=5, max=2\r\n",
      "Connection: close\r\n",
      "Connection: close\r\n",
    ];
    const flags = ["3", "3", "34"];
    for (let i = 0; i < 3; i++) {
      peer.send(get("/"));
      const id = (i + 1).toString();
      expect(heard()).toBe("REQUEST#" + id + "(1,1," + flags[i] + ",0 /|Host=x|)");
      tell(response(i + 1, 200, LAST, -1, "x"));
      expect(received(peer)).toBe("HTTP/1.1 200 OK\r\n" + heads[i] + "Content-Length: 1\r\n\r\nx");
      expect(peer.ended).toBe(i == 2);
    }
  });

  test("an expectation is the handler's to meet; what frames the request is looked at all the same", () => {
    begun(config(AS_NODE));
    const peer = connect();
    peer.send(get("/", "Expect: tea\r\n"));
    expect(heard()).toContain("Expect=tea");
    tell(response(1, 417, LAST, -1, ""));
    received(peer);
    peer.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
    expect(heard().startsWith("REFUSED#2(400,")).toBe(true);
  });

  test("whatever is in Host, and what is visible in a target, is the handler's to meet", () => {
    begun(config(AS_NODE));
    const peer = connect();
    const targets = ["/", "/", "/", '/<a>?"#', "*"];
    const hosts = ["", "Host: a:b\r\n", "Host: http://a b\r\n", "Host: a\r\n", "Host: a\r\n"];
    for (let i = 0; i < targets.length; i++) {
      peer.send("GET " + targets[i] + " HTTP/1.1\r\n" + hosts[i] + "\r\n");
      expect(heard().startsWith("REQUEST#" + (i + 1).toString() + "(1,1,3,0 " + targets[i] + "|")).toBe(true);
      tell(response(i + 1, 200, LAST, -1, ""));
      received(peer);
    }
    peer.send("GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(heard().startsWith("REFUSED")).toBe(true);
  });
  test("what frames a request is not, nor are several of Host", () => {
    begun(config(AS_NODE));
    const second = ["Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "Host: a\r\nHost: b\r\n"];
    for (let i = 0; i < second.length; i++) {
      connect().send("GET / HTTP/1.1\r\nContent-Length: 1\r\n" + second[i] + "\r\n");
      expect(heard().startsWith("REFUSED")).toBe(true);
    }
  });
});

test("another server closes the connection of a client that sends nothing, and refuses a request without Host", () => {
  begun(config(HTTP));
  silence("");
  isRefused("");
});

function silence(answer: string): void {
  const peer = connect();
  heardAfter(HEADER_TIMEOUT_MS + 1);
  expect(received(peer)).toBe(answer);
  expect(peer.ended).toBe(true);
}

function isRefused(fields: string): void {
  const peer = connect();
  peer.send("GET / HTTP/1.1\r\n" + fields + "\r\n");
  expect(heard().includes("REQUEST")).toBe(false);
  expect(received(peer)).toContain("HTTP/1.1 400 ");
}
