// Refused requests on HTTP/1 connections: the status, one whole answer, and an orderly end, wherever the fault is.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import {
  HEADER_TIMEOUT_MS,
  HEAD_BYTES_MAX,
  LINGER_BYTES_MAX,
  LINGER_MS,
  TARGET_BYTES_MAX,
} from "../../../assembly/core/limits";
import { chunked, client, exchange, get, handler, isRefusal, ok, post, received, server } from "../support/http";
import { Peer } from "../../../assembly/wasi/sim/net";
import { pattern, settle, sleep } from "../support/sim";

function refused(data: string, status: i32): void {
  const peer = client();
  isRefusal(peer, exchange(peer, data), status);
}

/** Sends so many bytes, until the connection is closed. */
function flood(peer: Peer, bytes: i32): void {
  for (; bytes > 0 && !peer.closed; bytes -= 1 << 20) exchange(peer, pattern(min(bytes, 1 << 20)));
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
    refused("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501);
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
    isRefusal(peer, answer.substring(ok("hello 1").length), 400);
    expect(handler.log).toBe("/hello finish");
  });

  test("behind an answer that comes later", () => {
    const peer = client();
    peer.send(get("/later?n=1&ms=50") + "nonsense\r\n\r\n");
    sleep(50);
    const answer = received(peer);
    expect(answer.startsWith(ok("later 1"))).toBe(true);
    isRefusal(peer, answer.substring(ok("later 1").length), 400);
  });

  test("of a body whose request is not answered", () => {
    const peer = client();
    isRefusal(peer, exchange(peer, chunked("/sum", "5\r\nabcde\r\nzz\r\n")), 400);
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
});

describe("refusals: what the client gets, and what it still sends", () => {
  test("of a HEAD: the fields, and no body", () => {
    const body = "The request has no Host, which HTTP/1.1 requires\n";
    const start = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ";
    const answer = start + body.length.toString() + "\r\nConnection: close\r\n\r\n";
    const request = "HEAD / HTTP/1.1\r\n\r\n";
    for (let cut = 1; cut <= request.length; cut++) {
      const peer = client();
      exchange(peer, request.substr(0, cut));
      expect(cut == request.length ? answer : exchange(peer, request.substr(cut))).toBe(answer);
      peer.end();
      settle();
    }
    const next = client();
    exchange(next, "HEAD /hello HTTP/1.1\r\nHo");
    exchange(next, "st: x\r\n\r\n");
    expect(exchange(next, "\r\n".repeat(10))).toContain("\r\n\r\nThe request line"); // not of that HEAD
    const late = client();
    exchange(late, "HEAD / HT");
    sleep(HEADER_TIMEOUT_MS);
    expect(received(late).endsWith("\r\n\r\n")).toBe(true);
    const chunks = client();
    const head = "HEAD /never HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(exchange(chunks, head + "zz\r\n").endsWith("\r\n\r\n")).toBe(true);
    expect(exchange(client(), request.replace("HEAD", "GET"))).toBe(answer + body);
    expect(exchange(client(), request.replace("HEAD", "HEADS"))).toBe(answer + body);
  });

  test("are reported to the handler, once each, and never a complete request's", () => {
    exchange(client(), get("/hello?n=1") + "nonsense\r\n\r\n");
    exchange(client(), chunked("/open", "zz\r\n"));
    exchange(client(), chunked("/early", "zz\r\n")); // has its answer
    exchange(client(), "GET / HTTP/1.1\r\nHo");
    sleep(HEADER_TIMEOUT_MS);
    expect(handler.refused).toBe("400 400 408 ");
  });

  test("to a peer that never reads it", () => {
    const peer = client();
    peer.room = 0;
    exchange(peer, "nonsense\r\n\r\n");
    sleep(server.parameters.writeTimeoutMs);
    expect(peer.closed).toBe(true);
  });

  test("what a client goes on sending is taken for a while, and up to an amount: on both sides", () => {
    const rest = LINGER_BYTES_MAX - "nonsense\r\n\r\n".length; // all that is no request counts
    let peer = client();
    exchange(peer, "nonsense\r\n\r\n");
    flood(peer, rest);
    sleep(LINGER_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(peer.closed).toBe(true);
    expect(peer.wasReset).toBe(false);
    peer = client();
    exchange(peer, "nonsense\r\n\r\n");
    flood(peer, rest + 1);
    expect(peer.closed).toBe(true);
  });

  test("a client that goes on sending is cut off", () => {
    const peer = client();
    exchange(peer, "nonsense\r\n\r\n");
    flood(peer, 2 * LINGER_BYTES_MAX);
    expect(peer.closed).toBe(true);
  });

  test("a client that stays is left", () => {
    const peer = client();
    exchange(peer, "nonsense\r\n\r\n");
    sleep(LINGER_MS);
    expect(peer.closed).toBe(true);
  });
});
