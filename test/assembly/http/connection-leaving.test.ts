// Clients that leave while a handler works for them, in every way: what the handler hears, and when the connection is
// freed.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import {
  HALF_CLOSE_TIMEOUT_MS,
  PIPELINE_BYTES_MAX,
  UNREAD_TIMEOUT_MS,
  WATCH_AFTER_MS,
} from "../../../assembly/core/limits";
import { REQUESTS_NOW, stat } from "../../../assembly/core/stats";
import { Peer } from "../../../assembly/wasi/sim/net";
import { client, exchange, get, handler, ok, post, received, server } from "../support/http";
import { pattern, settle, sleep } from "../support/sim";

/** A request that waits for its answer, and its client, which has sent its last byte. */
function halfClosed(requests: string): Peer {
  const peer = client();
  peer.send(requests);
  peer.end();
  settle();
  return peer;
}

function isFreed(peer: Peer): void {
  expect(peer.closed).toBe(true);
  expect(server.connections).toBe(0);
  expect(i32(stat(REQUESTS_NOW))).toBe(0);
  expect(i32(bytesInUse())).toBe(0);
}

describe("a client that ends its side", () => {
  test("is reported when its request has waited for a while, and can be answered all the same", () => {
    const peer = halfClosed(get("/never"));
    sleep(WATCH_AFTER_MS - 1);
    expect(handler.take()).toBe("/never finish");
    sleep(WATCH_AFTER_MS);
    expect(handler.take()).toBe("end");
    expect(i32(stat(REQUESTS_NOW))).toBe(0);
    sleep(HALF_CLOSE_TIMEOUT_MS - 2 * WATCH_AFTER_MS);
    handler.request!.respond(200, "text/plain", "at last");
    settle();
    expect(received(peer)).toBe(ok("at last"));
    expect(handler.take()).toBe("");
    isFreed(peer);
  });

  test("later, while it waits", () => {
    const peer = client();
    exchange(peer, get("/never"));
    sleep(60000);
    expect(handler.take()).toBe("/never finish");
    peer.end();
    settle();
    expect(handler.take()).toBe("end");
    sleep(HALF_CLOSE_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(handler.take()).toBe("gone(2)");
    isFreed(peer);
  });

  test("while its answer is written: the time begins again with each byte that leaves", () => {
    const peer = halfClosed(get("/open"));
    for (let i = 0; i < 4; i++) {
      sleep(HALF_CLOSE_TIMEOUT_MS - 1);
      handler.request!.write("more");
      settle();
    }
    expect(handler.take()).toBe("/open finish end");
    sleep(HALF_CLOSE_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(handler.take()).toBe("gone(2)");
    expect(received(peer).endsWith("4\r\nmore\r\n")).toBe(true);
    isFreed(peer);
  });

  test("and is gone: the first byte that it is sent says so, or nothing does and the time is over", () => {
    const peer = client();
    exchange(peer, get("/open"));
    sleep(1000);
    peer.close();
    settle();
    handler.request!.write("into the void");
    settle();
    handler.request!.write("and again");
    settle();
    expect(handler.take()).toBe("/open finish end gone(3)");
    isFreed(peer);
    const other = client();
    exchange(other, get("/never"));
    other.close();
    sleep(HALF_CLOSE_TIMEOUT_MS + 2 * WATCH_AFTER_MS);
    expect(handler.take()).toBe("/never finish end gone(2)");
    isFreed(other);
  });

  test("and resets the connection then", () => {
    const peer = halfClosed(get("/never"));
    sleep(1000);
    peer.reset();
    handler.request!.write("nobody reads it");
    sleep(HALF_CLOSE_TIMEOUT_MS);
    expect(handler.take()).toBe("/never finish end gone(2)");
    isFreed(peer);
  });
});

describe("a client that ends its side behind several requests", () => {
  test("requests that came whole before are answered, and the end is reported to each when it has waited itself", () => {
    const peer = halfClosed(get("/later?n=1&ms=1000") + get("/hello?n=2") + post("/echo", "3") + get("/never"));
    sleep(2000);
    expect(handler.take()).toBe("/later finish end /hello finish /echo finish /never finish end");
    expect(received(peer)).toBe(ok("later 1") + ok("hello 2") + ok("3"));
    sleep(HALF_CLOSE_TIMEOUT_MS);
    expect(handler.take()).toBe("gone(2)");
    isFreed(peer);
  });

  test("its handler may answer in that call, also with another request behind it", () => {
    handler.answersEnd = true;
    const peer = halfClosed(get("/never") + get("/never") + get("/hello?n=3"));
    sleep(4 * WATCH_AFTER_MS);
    expect(received(peer)).toBe(ok("you have ended") + ok("you have ended") + ok("hello 3"));
    isFreed(peer);
    const later = client();
    exchange(later, get("/never"));
    sleep(1000);
    later.end();
    settle();
    expect(received(later)).toBe(ok("you have ended"));
    isFreed(later);
  });

  test("behind a slow upload: reported when the answer is slow, not before", () => {
    const peer = client();
    exchange(peer, post("/later?n=1&ms=1500", "abc").replace("abc", "ab"));
    sleep(1000);
    peer.send("c");
    peer.end();
    settle();
    expect(handler.take()).toBe("/later data(ab) data(c) finish");
    sleep(500);
    expect(handler.take()).toBe("end");
    expect(received(peer)).toBe(ok("later 1"));
    isFreed(peer);
  });
});

describe("a client whose end cannot be seen, because nothing of it is read", () => {
  test("behind requests beyond what is read ahead", () => {
    const peer = halfClosed(get("/never") + get("/hello?n=2").repeat(PIPELINE_BYTES_MAX / 30));
    sleep(UNREAD_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    expect(handler.take()).toBe("/never finish");
    sleep(1 + 2 * WATCH_AFTER_MS);
    expect(handler.take()).toBe("gone(4)");
    isFreed(peer);
  });

  test("behind a body that the handler does not take: a small rest is read, and the end seen", () => {
    const peer = halfClosed(post("/take?credit=3", pattern(1000)));
    sleep(HALF_CLOSE_TIMEOUT_MS - 1);
    expect(handler.take()).toBe("/take data(000)");
    handler.request!.connection.takeBody(3);
    sleep(HALF_CLOSE_TIMEOUT_MS - 1);
    expect(handler.take()).toBe("data(000)");
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(handler.take()).toBe("gone(2)");
    isFreed(peer);
  });

  test("behind a large rest", () => {
    const peer = halfClosed(post("/take?credit=3", pattern(3 * PIPELINE_BYTES_MAX)));
    handler.take();
    sleep(UNREAD_TIMEOUT_MS - 1);
    handler.request!.connection.takeBody(1);
    sleep(UNREAD_TIMEOUT_MS - 1);
    handler.request!.startResponse(200);
    handler.request!.write("a byte of the answer is a sign of life");
    settle();
    sleep(UNREAD_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(handler.take()).toBe("data(0) gone(4)");
    isFreed(peer);
  });

  test("behind a body that has not been asked for", () => {
    const peer = client();
    exchange(peer, "POST /take?credit=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    peer.end();
    settle();
    expect(handler.take()).toBe("/take");
    sleep(2 * WATCH_AFTER_MS);
    expect(handler.take()).toBe("gone(11)");
    isFreed(peer);
  });
});

describe("a client that ends its side in the middle of a body", () => {
  const BEGUN: string = "POST /take?credit=9 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc";

  test("of a handler that gives credit: its answer may be on its way", () => {
    const peer = halfClosed(BEGUN);
    sleep(WATCH_AFTER_MS - 1);
    expect(handler.take()).toBe("/take data(abc)");
    handler.request!.respond(200, "text/plain", "refused");
    settle();
    expect(received(peer)).toBe(ok("refused"));
    expect(handler.take()).toBe("");
    isFreed(peer);
  });

  test("and gets none: the handler hears of it", () => {
    const peer = halfClosed(BEGUN);
    sleep(2 * WATCH_AFTER_MS);
    expect(handler.take()).toBe("/take data(abc) gone(11)");
    isFreed(peer);
  });

  test("after the answer has begun: it is cut", () => {
    const peer = client();
    exchange(peer, BEGUN);
    handler.take();
    handler.request!.startResponse(200);
    handler.request!.write("part");
    peer.end();
    settle();
    expect(handler.take()).toBe("gone(11)");
    isFreed(peer);
  });
});

describe("a client that resets the connection", () => {
  test("is gone at once, whatever its handler waits for", () => {
    for (let i = 0; i < 3; i++) {
      const peer = client();
      if (i == 0) exchange(peer, get("/never"));
      else if (i == 1) exchange(peer, get("/open"));
      else exchange(peer, post("/take?credit=3", "0123456789"));
      sleep(2 * WATCH_AFTER_MS);
      handler.take();
      peer.reset();
      settle();
      expect(handler.take()).toBe("gone(3)");
      isFreed(peer);
    }
  });
});
