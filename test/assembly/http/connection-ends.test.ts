// How HTTP/1 connections end without a fault, or by a fault of the network: time limits, half-close and resets.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import {
  BODY_RATE_BYTES_MIN,
  BODY_TIMEOUT_MS,
  HEADER_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
} from "../../../assembly/core/limits";
import {
  CLOSE,
  chunked,
  client,
  exchange,
  get,
  handler,
  isOver,
  isRefusal,
  ok,
  post,
  received,
  server,
} from "../support/http";
import { pattern, settle, sleep, turn } from "../support/sim";

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
    isRefusal(peer, received(peer), 408);
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
    exchange(peer, "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    for (let i = 0; i < 5; i++) {
      sleep(BODY_TIMEOUT_MS - 1);
      expect(exchange(peer, pattern((BODY_TIMEOUT_MS / 1000) * BODY_RATE_BYTES_MIN))).toBe("");
    }
    sleep(BODY_TIMEOUT_MS);
    isRefusal(peer, received(peer), 408);
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
      peer.room = 20000; // it takes a little all the time
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
});

describe("half-close in the middle", () => {
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
  isOver(peer);
});
