// What a peer cannot stretch: bodies and answers have a minimum rate, an unwanted rest its time, a connection its
// requests.
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { BODY_TIMEOUT_MS, HEADER_TIMEOUT_MS, IDLE_TIMEOUT_MS, WRITE_TIMEOUT_MS } from "../../../assembly/core/limits";
import { Peer, network } from "../../../assembly/wasi/sim/net";
import {
  CLOSE,
  chunked,
  client,
  exchange,
  get,
  handler,
  isAlive,
  isRefusal,
  ok,
  post,
  received,
  server,
} from "../support/http";
import { MS, pattern, settle, sleep, turn } from "../support/sim";

function upload(size: i32): Peer {
  const peer = client();
  exchange(peer, "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: " + size.toString() + "\r\n\r\n");
  return peer;
}

/** How many milliseconds a body lives whose peer sends `bytes` each second. */
function lifeOf(peer: Peer, bytes: i32): i32 {
  const start = network().clock;
  while (!peer.ended && network().clock - start < 600_000 * MS) {
    sleep(1000);
    peer.send(pattern(bytes));
    settle();
  }
  return i32((network().clock - start) / MS);
}

/** The same for a peer that takes `bytes` of its answer each second. */
function readLife(peer: Peer, bytes: i32): i32 {
  const start = network().clock;
  while (!peer.closed && network().clock - start < 600_000 * MS) {
    sleep(1000);
    peer.room = bytes;
    settle();
  }
  return i32((network().clock - start) / MS);
}

describe("a body", () => {
  test("at the minimum rate is waited for, whatever its size", () => {
    expect(lifeOf(upload(1_000_000), 500)).toBe(600_000);
  });

  test("a little below is ended in bounded time", () => {
    const peer = upload(1_000_000);
    const life = lifeOf(peer, 400);
    expect(life).toBeGreaterThan(BODY_TIMEOUT_MS * 4);
    expect(life).toBeLessThan(BODY_TIMEOUT_MS * 5 + 2000);
    isRefusal(peer, received(peer), 408);
    expect(handler.log).toContain("gone(4)");
  });

  test("that trickles lives hardly longer than one that is silent", () => {
    const peer = upload(1000);
    expect(lifeOf(peer, 1)).toBeLessThan(BODY_TIMEOUT_MS + 1001);
    isRefusal(peer, received(peer), 408);
  });

  test("of chunks of one byte, whose framing does not count", () => {
    const peer = client();
    exchange(peer, chunked("/sum", ""));
    for (let i = 0; i < 31; i++) {
      sleep(1000);
      if (!peer.ended) peer.send("1\r\nx\r\n".repeat(50));
      settle();
    }
    expect(peer.ended).toBe(false); // 50 bytes pay for a tenth of a second
    for (let i = 0; i < 4; i++) {
      sleep(1000);
      if (!peer.ended) peer.send("1\r\nx\r\n".repeat(50));
      settle();
    }
    isRefusal(peer, received(peer), 408);
  });

  test("is never far ahead: a burst does not buy a long silence", () => {
    const peer = upload(1_000_000);
    peer.send(pattern(900_000));
    sleep(BODY_TIMEOUT_MS - 1);
    expect(received(peer)).toBe("");
    sleep(1);
    isRefusal(peer, received(peer), 408);
  });

  test("without a minimum may trickle for ever, as long as it comes", () => {
    server.parameters.bodyRateBytesMin = 0;
    expect(lifeOf(upload(1000), 1)).toBe(600_000);
  });
});

describe("a body, while the server is slow", () => {
  test("time in which the handler takes nothing is not the peer's", () => {
    const peer = client();
    exchange(peer, "POST /take?credit=3 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123");
    sleep(10 * BODY_TIMEOUT_MS);
    handler.request!.connection.takeBody(100);
    sleep(BODY_TIMEOUT_MS - 1);
    expect(received(peer)).toBe("");
    sleep(3);
    isRefusal(peer, received(peer), 408);
  });

  test("what came in time and waited for the loop counts", () => {
    const peer = upload(10);
    const body = "0123456789";
    network().faults.late = 1000; // the platform reports nothing that is ready
    peer.send(body);
    network().clock += i64(BODY_TIMEOUT_MS) * MS;
    turn();
    network().faults.late = 0;
    settle();
    expect(received(peer)).toBe(ok("10"));
  });

  test("and so does a head", () => {
    const peer = client();
    network().faults.late = 1000;
    peer.send(get("/hello?n=1"));
    network().clock += i64(HEADER_TIMEOUT_MS) * MS;
    turn();
    network().faults.late = 0;
    settle();
    expect(received(peer)).toBe(ok("hello 1"));
    expect(isAlive(peer)).toBe(true);
    network().faults.late = 1000;
    peer.send("GET / HT");
    network().clock += i64(IDLE_TIMEOUT_MS) * MS;
    turn();
    network().faults.late = 0;
    expect(exchange(peer, "TP/1.1\r\n")).toBe("");
    sleep(HEADER_TIMEOUT_MS);
    isRefusal(peer, received(peer), 408);
  });

  test("the rest of a body that the handler does not take has its time limit, also after a handler that was slow", () => {
    const peer = client();
    exchange(peer, "POST /take?credit=3 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n0123456789");
    handler.request!.respond(200, "text/plain", "enough");
    settle();
    expect(received(peer)).toBe(ok("enough"));
    for (let i = 0; i < BODY_TIMEOUT_MS / 1000; i++) {
      expect(peer.ended).toBe(false);
      sleep(1000);
      peer.send("x");
    }
    settle();
    expect(peer.ended).toBe(true);
    expect(received(peer)).toBe("");
  });
});

describe("an answer", () => {
  test("to a reader at the minimum rate leaves, whatever its size", () => {
    const peer = client();
    peer.room = 0;
    exchange(peer, get("/big?n=1000000"));
    expect(readLife(peer, 500)).toBe(600_000);
  });

  test("to a slower one is cut in bounded time", () => {
    const peer = client();
    peer.room = 0;
    exchange(peer, get("/big?n=1000000"));
    const life = readLife(peer, 400);
    expect(life).toBeGreaterThan(WRITE_TIMEOUT_MS * 4);
    expect(life).toBeLessThan(WRITE_TIMEOUT_MS * 5 + 2000);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("to one that takes a byte now and then lives hardly longer than to one that takes none", () => {
    const peer = client();
    peer.room = 0;
    exchange(peer, get("/open"));
    handler.request!.write(pattern(100000));
    settle();
    expect(readLife(peer, 1)).toBeLessThan(WRITE_TIMEOUT_MS + 1001);
    expect(handler.log).toContain("gone(4)");
  });

  test("a burst does not buy a long stall", () => {
    const peer = client();
    peer.room = 0;
    exchange(peer, get("/big?n=1000000"));
    peer.room = 900_000;
    sleep(WRITE_TIMEOUT_MS - 1);
    expect(peer.closed).toBe(false);
    sleep(1);
    expect(peer.closed).toBe(true);
  });

  test("a stream without a minimum may be read a byte at a time", () => {
    server.parameters.writeRateBytesMin = 0;
    const peer = client();
    peer.room = 0;
    exchange(peer, get("/big?n=100000"));
    expect(readLife(peer, 1)).toBe(600_000);
  });
});

describe("requests of a connection", () => {
  test("as many as the limit are answered, the last one closes", () => {
    server.parameters.requestsMax = 3;
    const peer = client();
    expect(exchange(peer, get("/hello?n=1"))).toBe(ok("hello 1"));
    expect(exchange(peer, post("/echo", "two"))).toBe(ok("two"));
    expect(exchange(peer, get("/hello?n=3"))).toBe(ok("hello 3", CLOSE));
    expect(peer.ended).toBe(true);
    expect(handler.request!.keepAlive).toBe(false);
  });

  test("pipelined ones beyond it are not answered", () => {
    server.parameters.requestsMax = 2;
    const peer = client();
    expect(exchange(peer, get("/hello?n=1").repeat(4))).toBe(ok("hello 1") + ok("hello 1", CLOSE));
    peer.end();
    settle();
    expect(server.connections).toBe(0);
  });

  test("the next connection of the pool begins to count anew", () => {
    server.parameters.requestsMax = 2;
    for (let i = 0; i < 3; i++) {
      const peer = client();
      expect(isAlive(peer)).toBe(true);
      peer.end();
      settle();
    }
  });
});
