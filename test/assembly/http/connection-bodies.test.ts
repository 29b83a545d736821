// Bodies of requests on HTTP/1 connections: in any pieces, with credit, with 100 Continue, and with an answer before
// them.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { BODY_TIMEOUT_MS, DISCARD_BYTES_MAX, LINGER_MS } from "../../../assembly/core/limits";
import {
  CLOSE,
  chunked,
  client,
  exchange,
  get,
  handler,
  isAlive,
  isOver,
  isRefusal,
  ok,
  post,
  received,
  server,
} from "../support/http";
import { pattern, settle, sleep, turn } from "../support/sim";

describe("bodies", () => {
  test("of known length, in any pieces", () => {
    const peer = client();
    const request = post("/echo", "0123456789");
    for (let cut = 1; cut < request.length; cut++) {
      exchange(peer, request.substr(0, cut));
      expect(exchange(peer, request.substr(cut))).toBe(ok("0123456789"));
    }
    expect(i32(bytesInUse())).toBe(0);
  });

  test("chunked, in any pieces", () => {
    const peer = client();
    const request = chunked("/echo", "4\r\nfoo=\r\n3;x=y\r\nbar\r\n0\r\nTrailer: x\r\n\r\n");
    for (let cut = 1; cut < request.length; cut++) {
      exchange(peer, request.substr(0, cut));
      expect(exchange(peer, request.substr(cut))).toBe(ok("foo=bar"));
    }
    expect(isAlive(peer)).toBe(true);
  });

  test("as they come, then finish", () => {
    const peer = client();
    exchange(peer, "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nab");
    exchange(peer, "cd");
    expect(handler.take()).toBe("/never data(ab) data(cd)");
    exchange(peer, "efGET");
    expect(handler.take()).toBe("data(ef) finish");
  });

  test("a large one, in pieces through a small window", () => {
    const peer = client();
    const body = pattern(3000000);
    expect(exchange(peer, post("/sum", body))).toBe(ok("3000000"));
    expect(i32(bytesInUse())).toBe(0);
  });

  test("thousands of chunks of one byte", () => {
    const peer = client();
    const body = "1\r\nx\r\n".repeat(5000) + "0\r\n\r\n";
    expect(exchange(peer, chunked("/sum", body))).toBe(ok("5000"));
  });

  test("credit: no more is taken, and the socket is left alone", () => {
    const peer = client();
    exchange(peer, post("/take?credit=3", "0123456789"));
    expect(handler.take()).toBe("/take data(012)");
    peer.input.pushText(get("/hello?n=2"));
    expect(turn()).not.toBe(0);
    expect(peer.input.size).toBeGreaterThan(0);
    handler.request!.connection.takeBody(5);
    settle();
    expect(handler.take()).toBe("data(34567)");
    handler.request!.connection.takeBody(2);
    settle();
    expect(handler.take()).toBe("data(89) finish");
    handler.request!.respond(200, "text/plain", "taken");
    settle();
    expect(received(peer)).toBe(ok("taken") + ok("hello 2"));
  });

  test("credit inside chunks", () => {
    const peer = client();
    exchange(peer, chunked("/take?credit=3", "5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n"));
    expect(handler.take()).toBe("/take data(abc)");
    for (let i = 0; i < 5; i++) {
      handler.request!.connection.takeBody(1);
      settle();
    }
    expect(handler.take()).toBe("data(d) data(e) data(f) data(g) data(h) finish");
  });

  test("credit for a handler that takes all anyway changes nothing", () => {
    const peer = client();
    exchange(peer, "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
    handler.request!.connection.takeBody(1);
    exchange(peer, "abcd");
    expect(handler.take()).toBe("/never data(abcd) finish");
  });

  test("a slow handler is no slow client", () => {
    server.parameters.bodyTimeoutMs = 1000;
    const peer = client();
    exchange(peer, post("/take?credit=3", "0123456789"));
    sleep(10000);
    expect(received(peer)).toBe("");
    handler.request!.connection.takeBody(100);
    settle();
    expect(handler.take()).toBe("/take data(012) data(3456789) finish");
  });
});

describe("100 Continue", () => {
  test("100 Continue", () => {
    const peer = client();
    const head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    expect(exchange(peer, head)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(exchange(peer, "abc")).toBe(ok("abc"));
    expect(isAlive(peer)).toBe(true);
  });

  test("100 Continue is sent when the handler begins to read", () => {
    const peer = client();
    const head = "POST /take?credit=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-CONTINUE\r\n\r\n";
    expect(exchange(peer, head)).toBe("");
    expect(handler.request!.expectsContinue).toBe(true);
    sleep(10 * BODY_TIMEOUT_MS); // the client waits, and so does its time
    handler.request!.connection.takeBody(100);
    settle();
    expect(received(peer)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    handler.request!.connection.takeBody(100);
    expect(exchange(peer, "abc")).toBe("");
    handler.request!.respond(200, "text/plain", "taken");
    settle();
    expect(received(peer)).toBe(ok("taken"));
    expect(isAlive(peer)).toBe(true);
  });

  test("100 Continue: a client that does not send its body then is refused in time", () => {
    const peer = client();
    const head = "POST /take?credit=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    exchange(peer, head);
    handler.request!.connection.takeBody(100);
    settle();
    received(peer);
    sleep(BODY_TIMEOUT_MS);
    isRefusal(peer, received(peer), 408);
  });

  test("100 Continue is for clients that wait: one that sends its body gets none", () => {
    const peer = client();
    expect(exchange(peer, post("/echo", "abc", "Expect: 100-continue\r\n"))).toBe(ok("abc"));
    const head = "POST /take?credit=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    exchange(peer, head);
    exchange(peer, "ab"); // it has waited long enough
    handler.request!.connection.takeBody(100);
    exchange(peer, "c");
    expect(handler.log).toContain("data(ab) data(c) finish");
  });

  test("100 Continue is not sent before an early answer, which is the last: the body may come or not", () => {
    const head = "POST /early?n=4 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    let peer = client();
    expect(exchange(peer, head)).toBe(ok("early 4", CLOSE));
    expect(exchange(peer, get("/hello?n=5"))).toBe("");
    isOver(peer);
    peer = client();
    expect(exchange(peer, head)).toBe(ok("early 4", CLOSE));
    expect(exchange(peer, "abc" + get("/hello?n=5"))).toBe("");
    isOver(peer);
    peer = client();
    expect(exchange(peer, head.replace("/early?n=4", "/take?credit=0"))).toBe("");
    handler.request!.respond(200, "text/plain", "no, thanks");
    settle();
    expect(received(peer)).toBe(ok("no, thanks", CLOSE));
    isOver(peer);
  });

  test("100 Continue: a client that keeps the connection open behind a refusal does not keep it for ever", () => {
    const peer = client();
    const head = "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    expect(exchange(peer, head)).toContain("403 Forbidden");
    sleep(LINGER_MS);
    expect(peer.closed).toBe(true);
  });
});

describe("an answer before the body", () => {
  test("a small rest is dropped, and the connection goes on", () => {
    const peer = client();
    expect(exchange(peer, "POST /early?n=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")).toBe(ok("early 1"));
    expect(exchange(peer, pattern(999))).toBe("");
    expect(exchange(peer, "x" + get("/hello?n=2"))).toBe(ok("hello 2"));
    expect(exchange(peer, chunked("/early?n=3", "5\r\nabcde\r\n0\r\n\r\n"))).toBe(ok("early 3"));
    expect(isAlive(peer)).toBe(true);
  });

  test("of known length: as much as the limit is dropped, one byte more closes", () => {
    const peer = client();
    expect(exchange(peer, post("/early?n=1", pattern(i32(DISCARD_BYTES_MAX))))).toBe(ok("early 1"));
    expect(isAlive(peer)).toBe(true);
    const last = exchange(peer, post("/early?n=1", pattern(i32(DISCARD_BYTES_MAX) + 1)));
    expect(last).toBe(ok("early 1", CLOSE));
    expect(peer.ended).toBe(true);
    expect(peer.wasReset).toBe(false);
    peer.end();
    settle();
    expect(server.connections).toBe(0);
  });

  test("chunked: a rest without end closes", () => {
    const peer = client();
    expect(exchange(peer, chunked("/early?n=1", ""))).toBe(ok("early 1"));
    const chunk = "10000\r\n" + pattern(65536) + "\r\n";
    for (let i = 0; i < 4; i++) exchange(peer, chunk);
    expect(peer.ended).toBe(false);
    exchange(peer, "1\r\nx\r\n");
    expect(peer.ended).toBe(true);
  });

  test("while the body comes", () => {
    const peer = client();
    exchange(peer, "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
    handler.request!.respond(200, "text/plain", "enough");
    settle();
    expect(received(peer)).toBe(ok("enough"));
    expect(exchange(peer, "def" + get("/hello?n=2"))).toBe(ok("hello 2"));
    expect(handler.log).toBe("/never data(abc) /hello finish");
  });

  test("with its first piece: that is no part of the rest", () => {
    const peer = client();
    const length = (DISCARD_BYTES_MAX + 3).toString();
    const head = "POST /enough HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n";
    expect(exchange(peer, head + "abc")).toBe(ok("enough"));
    exchange(peer, pattern(i32(DISCARD_BYTES_MAX)));
    expect(isAlive(peer)).toBe(true);
  });

  test("a malformed rest ends the connection without a second answer", () => {
    const peer = client();
    expect(exchange(peer, chunked("/early?n=1", "zz\r\n"))).toBe(ok("early 1"));
    expect(peer.ended).toBe(true);
  });

  test("a rest that does not come ends the connection without a second answer", () => {
    const peer = client();
    expect(exchange(peer, post("/early?n=1", "12345").replace("12345", "123"))).toBe(ok("early 1"));
    sleep(40000);
    expect(received(peer)).toBe("");
    expect(peer.closed).toBe(true);
  });

  test("the peer's end instead of the rest: the answer arrives", () => {
    const peer = client();
    peer.room = 5;
    peer.send(post("/early?n=1", "12345").replace("12345", "123"));
    peer.end();
    settle();
    peer.room = 1000;
    settle();
    expect(received(peer)).toBe(ok("early 1"));
    expect(peer.closed).toBe(true);
  });
});
