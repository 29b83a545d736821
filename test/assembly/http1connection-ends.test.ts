// How HTTP/1 connections end: refusals, time limits, half-close and resets.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../assembly/buffer";
import {
  BODY_TIMEOUT_MS,
  HEADER_TIMEOUT_MS,
  HEAD_BYTES_MAX,
  IDLE_TIMEOUT_MS,
  LINGER_MS,
  TARGET_BYTES_MAX,
} from "../../assembly/limits";
import { Peer } from "../../assembly/wasi/simnet";
import { CLOSE, chunked, client, exchange, get, handler, ok, post, received, server } from "./httpsupport";
import { pattern, settle, sleep, turn } from "./support";

/** That `answer` is one refusal with this status, whole, and that the connection ends in order. */
function refusal(peer: Peer, answer: string, status: i32): void {
  const start = "HTTP/1.1 " + status.toString() + " ";
  assert(answer.startsWith(start), start + " expected: " + answer);
  const end = answer.indexOf("\r\n\r\n");
  assert(end == answer.lastIndexOf("\r\n\r\n"), "one answer: " + answer);
  const body = answer.substring(end + 4);
  assert(answer.includes("\r\nContent-Length: " + body.length.toString() + "\r\n"), "length: " + answer);
  assert(answer.includes("\r\nConnection: close\r\n") && body.endsWith("\n"), "fields: " + answer);
  over(peer);
}

/** The connection has sent its last byte; what the peer still sends is dropped until its end. */
function over(peer: Peer): void {
  assert(peer.ended, "not ended");
  assert(!peer.wasReset, "reset");
  if (!peer.closed) peer.send(pattern(1000));
  settle();
  peer.end();
  settle();
  assert(peer.closed && !peer.wasReset, "not closed in order");
  assert(server.connections == 0, "connections");
  assert(bytesInUse() == 0, "memory");
}

function refused(data: string, status: i32): void {
  const peer = client();
  refusal(peer, exchange(peer, data), status);
}

describe("refusals", () => {
  test("malformed requests", () => {
    refused("asdf\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\n\r\n", 400);
    refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
    refused("GET / HTTP/1.1\nHost: x\n\n", 400);
    refused("FOO,BAR / HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    refused("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505);
    refused("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", 501);
    refused(get("/", "Expect: miracles\r\n"), 417);
    expect(handler.log).toBe("");
  });

  test("malformed framing", () => {
    refused(post("/", "", "Content-Length: 0\r\n"), 400);
    refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +10\r\n\r\n", 400);
    refused("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\n", 400);
    refused(chunked("/", "", "Content-Length: 3\r\n"), 400);
    refused(chunked("/", "", "Transfer-Encoding: chunked\r\n"), 400);
    refused("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501);
    expect(handler.log).toBe("");
  });

  test("limits: on both sides", () => {
    const target = "/hello?n=1&x=".padEnd(TARGET_BYTES_MAX, "x");
    let peer = client();
    expect(exchange(peer, get(target))).toBe(ok("hello 1"));
    peer.close();
    settle();
    refused(get(target + "x"), 414);
    refused("GET /" + "x".repeat(TARGET_BYTES_MAX), 414); // nor is more of it awaited
    const room = HEAD_BYTES_MAX - get("/hello?n=1", "X: \r\n").length;
    peer = client();
    expect(exchange(peer, get("/hello?n=1", "X: " + "x".repeat(room) + "\r\n"))).toBe(ok("hello 1"));
    peer.close();
    settle();
    refused(get("/hello?n=1", "X: " + "x".repeat(room + 1) + "\r\n"), 431);
    refused("GET / HTTP/1.1\r\nX: " + "x".repeat(HEAD_BYTES_MAX), 431);
    refused(get("/", "X: y\r\n".repeat(100)), 431);
  });

  test("the limit of a body: on both sides, of known length and chunked", () => {
    server.parameters.bodyBytesMax = 10;
    let peer = client();
    expect(exchange(peer, post("/sum", "0123456789"))).toBe(ok("10"));
    expect(exchange(peer, chunked("/sum", "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"))).toBe(ok("10"));
    peer.close();
    settle();
    handler.take();
    refused(post("/sum", "0123456789a"), 413);
    expect(handler.take()).toBe("");
    refused("POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 413);
    refused(post("/sum", "0123456789a", "Expect: 100-continue\r\n"), 413);
    handler.take();
    refused(chunked("/sum", "5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n"), 413);
    expect(handler.take()).toBe("/sum gone(12)");
  });

  test("behind answers that are complete", () => {
    const peer = client();
    const answer = exchange(peer, get("/hello?n=1") + "nonsense\r\n\r\n" + get("/hello?n=3"));
    expect(answer.startsWith(ok("hello 1"))).toBe(true);
    refusal(peer, answer.substring(ok("hello 1").length), 400);
    expect(handler.log).toBe("/hello finish");
  });

  test("behind an answer that comes later", () => {
    const peer = client();
    peer.send(get("/later?n=1&ms=50") + "nonsense\r\n\r\n");
    sleep(50);
    const answer = received(peer);
    expect(answer.startsWith(ok("later 1"))).toBe(true);
    refusal(peer, answer.substring(ok("later 1").length), 400);
  });

  test("of a body whose request is not answered", () => {
    const peer = client();
    refusal(peer, exchange(peer, chunked("/sum", "5\r\nabcde\r\nzz\r\n")), 400);
    expect(handler.log).toBe("/sum gone(11)");
  });

  test("of a body while the answer is under way: it ends, and nothing of it comes after", () => {
    const peer = client();
    exchange(peer, chunked("/open", "5\r\nabcde\r\n"));
    exchange(peer, "zz\r\n");
    expect(peer.ended).toBe(true);
    handler.request!.write("more");
    handler.request!.finish();
    settle();
    expect(received(peer)).toBe("");
    peer.end();
    settle();
    expect(handler.take()).toBe("/open data(abcde) gone(11)");
  });

  test("to a peer that never reads it", () => {
    const peer = client();
    peer.room = 0;
    exchange(peer, "nonsense\r\n\r\n");
    sleep(server.parameters.writeTimeoutMs);
    expect(peer.closed).toBe(true);
  });

  test("a client that goes on sending is cut off", () => {
    const peer = client();
    exchange(peer, "nonsense\r\n\r\n");
    for (let i = 0; i < 30 && !peer.closed; i++) exchange(peer, pattern(65536));
    expect(peer.closed).toBe(true);
  });

  test("a client that stays is left", () => {
    const peer = client();
    exchange(peer, "nonsense\r\n\r\n");
    sleep(LINGER_MS);
    expect(peer.closed).toBe(true);
  });
});

describe("time limits", () => {
  test("a connection that says nothing is closed without a word", () => {
    const peer = client();
    sleep(HEADER_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(peer.closed).toBe(true);
    expect(received(peer)).toBe("");
    expect(server.connections).toBe(0);
  });

  test("a head that does not come in time, however often it says a byte", () => {
    const peer = client();
    exchange(peer, "GET / HTTP/1.1\r\nX: ");
    for (let i = 0; i < 29; i++) {
      sleep(HEADER_TIMEOUT_MS / 30);
      expect(exchange(peer, "x")).toBe("");
    }
    sleep(HEADER_TIMEOUT_MS / 30);
    refusal(peer, received(peer), 408);
  });

  test("an idle connection is closed without a word", () => {
    const peer = client();
    sleep(10000);
    exchange(peer, get("/hello"));
    sleep(IDLE_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(peer.closed).toBe(true);
    expect(received(peer)).toBe("");
  });

  test("the next head has its own time", () => {
    const peer = client();
    exchange(peer, get("/hello"));
    sleep(IDLE_TIMEOUT_MS - 1);
    exchange(peer, "GET /hello?n=2 HTTP/1.1\r\n");
    sleep(HEADER_TIMEOUT_MS - 1);
    expect(exchange(peer, "Host: x\r\n\r\n")).toBe(ok("hello 2"));
  });

  test("a silence inside a body", () => {
    const peer = client();
    exchange(peer, "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
    for (let i = 0; i < 5; i++) {
      sleep(BODY_TIMEOUT_MS - 1);
      expect(exchange(peer, "x")).toBe("");
    }
    sleep(BODY_TIMEOUT_MS);
    refusal(peer, received(peer), 408);
    expect(handler.log).toBe("/sum gone(4)");
  });

  test("a handler has all the time it wants", () => {
    const peer = client();
    exchange(peer, get("/never"));
    sleep(10 * IDLE_TIMEOUT_MS);
    expect(peer.closed).toBe(false);
    handler.request!.respond(200, "text/plain", "at last");
    settle();
    expect(received(peer)).toBe(ok("at last"));
  });

  test("a request that came in time and waits behind a slow reader is no late head", () => {
    const peer = client();
    peer.room = 1000;
    peer.send(get("/big?n=1000000") + get("/hello?n=2"));
    for (let i = 0; i < 10; i++) {
      sleep(IDLE_TIMEOUT_MS / 3);
      peer.room = 10000; // it takes a little all the time
    }
    peer.room = i32.MAX_VALUE;
    settle();
    expect(received(peer) == ok(pattern(1000000)) + ok("hello 2")).toBe(true);
  });

  test("an idle server waits for ever, or for its time limits", () => {
    client();
    expect(turn()).toBeGreaterThan(i64(HEADER_TIMEOUT_MS - 1) * 1000000);
  });
});

describe("half-close", () => {
  test("the answer still comes, also turns later", () => {
    const peer = client();
    peer.send(get("/later?n=1&ms=2000"));
    peer.end();
    settle();
    sleep(2000);
    expect(received(peer)).toBe(ok("later 1"));
    expect(peer.closed).toBe(true);
    expect(server.connections).toBe(0);
  });

  test("pipelined requests before it are all answered", () => {
    const peer = client();
    peer.send(get("/later?n=1&ms=1000") + get("/hello?n=2") + post("/echo", "three") + get("/later?n=4&ms=500"));
    peer.end();
    sleep(1500);
    expect(received(peer)).toBe(ok("later 1") + ok("hello 2") + ok("three") + ok("later 4"));
    expect(peer.closed).toBe(true);
  });

  test("behind a slow reader, too", () => {
    const peer = client();
    peer.room = 10;
    peer.send(get("/big?n=200000") + get("/hello?n=2"));
    peer.end();
    settle();
    peer.room = i32.MAX_VALUE;
    settle();
    expect(received(peer) == ok(pattern(200000)) + ok("hello 2")).toBe(true);
    expect(peer.closed).toBe(true);
  });

  test("an idle connection closes", () => {
    const peer = client();
    exchange(peer, get("/hello"));
    peer.end();
    settle();
    expect(peer.closed).toBe(true);
    expect(server.connections).toBe(0);
  });

  test("in the middle of a head", () => {
    const peer = client();
    exchange(peer, "GET / HT");
    peer.end();
    settle();
    expect(peer.closed).toBe(true);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("behind half an empty line", () => {
    const peer = client();
    exchange(peer, "\r");
    peer.end();
    settle();
    expect(peer.closed).toBe(true);
  });

  test("in the middle of a body: the handler hears of it", () => {
    const peer = client();
    exchange(peer, "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    peer.end();
    settle();
    expect(peer.closed).toBe(true);
    expect(handler.log).toBe("/sum gone(11)");
    const chunks = client();
    handler.take();
    exchange(chunks, chunked("/sum", "5\r\nabc"));
    chunks.end();
    settle();
    expect(handler.log).toBe("/sum gone(11)");
  });

  test("in the middle of a second request: the answer to the first arrives", () => {
    const peer = client();
    peer.room = 7;
    peer.send(get("/hello?n=1") + "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    peer.end();
    settle();
    peer.room = 1000;
    settle();
    expect(received(peer)).toBe(ok("hello 1"));
    expect(peer.closed).toBe(true);
    expect(server.connections).toBe(0);
  });

  test("behind a body that the handler takes slowly", () => {
    const peer = client();
    peer.send(post("/take?credit=3", "0123456789"));
    peer.end();
    settle();
    sleep(1000);
    expect(handler.take()).toBe("/take data(012)");
    handler.request!.connection.takeBody(100);
    settle();
    expect(handler.take()).toBe("data(3456789) finish");
    handler.request!.respond(200, "text/plain", "taken");
    settle();
    expect(received(peer)).toBe(ok("taken"));
    expect(peer.closed).toBe(true);
  });

  test("a half-closed client that waits costs no turns", () => {
    const peer = client();
    peer.send(get("/never"));
    peer.end();
    sleep(1000);
    expect(turn()).toBeGreaterThan(1000000);
    handler.request!.respond(200, "text/plain", "at last");
    settle();
    expect(received(peer)).toBe(ok("at last"));
  });
});

describe("resets", () => {
  test("at every point of a request, and memory comes back", () => {
    const request = chunked("/echo", "5\r\nabcde\r\n0\r\n\r\n") + get("/never");
    for (let cut = 0; cut <= request.length; cut++) {
      const peer = client();
      exchange(peer, request.substr(0, cut));
      peer.reset();
      sleep(1000);
      assert(server.connections == 0 && bytesInUse() == 0, "cut at " + cut.toString());
    }
  });

  test("while the answer is awaited: the handler hears of it in time", () => {
    const peer = client();
    exchange(peer, get("/never"));
    peer.reset();
    sleep(1000);
    expect(handler.log).toBe("/never finish gone(3)");
    expect(server.connections).toBe(0);
  });

  test("while the answer leaves", () => {
    const peer = client();
    peer.room = 100;
    exchange(peer, get("/open"));
    handler.request!.write(pattern(100000));
    settle();
    peer.reset();
    settle();
    expect(handler.log).toBe("/open finish gone(3)");
    handler.request!.write("more");
    handler.request!.finish();
    settle();
    expect(server.connections).toBe(0);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("of one connection leaves the others alone", () => {
    const one = client();
    const other = client();
    exchange(one, get("/never"));
    one.reset();
    sleep(1000);
    expect(exchange(other, get("/hello?n=1"))).toBe(ok("hello 1"));
  });

  test("an answer after it does nothing", () => {
    const peer = client();
    exchange(peer, get("/later?n=1&ms=2000"));
    peer.reset();
    sleep(3000);
    expect(handler.log).toBe("/later finish gone(3)");
    expect(received(peer)).toBe("");
  });
});

test("Connection: close with more behind it does not cost the answer", () => {
  const peer = client();
  peer.send(get("/later?n=1&ms=50", CLOSE));
  settle();
  peer.send(get("/hello?n=2"));
  sleep(50);
  expect(received(peer)).toBe(ok("later 1", CLOSE));
  over(peer);
});
