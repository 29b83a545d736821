// HTTP/1 connections over the scripted network: sequences of requests and answers, to the byte (dates aside).
import { describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { IOLoop } from "../../../assembly/loop/ioloop";
import { CLOSE, chunked, client, exchange, get, handler, isAlive, ok, post, received, server } from "../support/http";
import { LINGER_MS, REQUESTS_AT_ONCE } from "../../../assembly/core/limits";
import { MS, pattern, settle, sleep, turn } from "../support/sim";

describe("keep-alive", () => {
  test("two requests on one connection", () => {
    const peer = client();
    expect(exchange(peer, get("/hello?n=1"))).toBe(ok("hello 1"));
    expect(exchange(peer, get("/hello?n=2"))).toBe(ok("hello 2"));
    expect(peer.ended).toBe(false);
    expect(server.connections).toBe(1);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("Connection: close", () => {
    const peer = client();
    expect(exchange(peer, get("/hello?n=1", CLOSE))).toBe(ok("hello 1", CLOSE));
    expect(peer.ended).toBe(true);
    peer.end();
    settle();
    expect(server.connections).toBe(0);
  });

  test("HTTP/1.0 closes", () => {
    const peer = client();
    expect(exchange(peer, "GET /hello?n=1 HTTP/1.0\r\n\r\n")).toBe(ok("hello 1", CLOSE));
    expect(peer.ended).toBe(true);
  });

  test("HTTP/1.0 with keep-alive stays", () => {
    const peer = client();
    const request = "GET /hello?n=1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    expect(exchange(peer, request)).toBe(ok("hello 1", "Connection: keep-alive\r\n"));
    expect(exchange(peer, request)).toBe(ok("hello 1", "Connection: keep-alive\r\n"));
    expect(peer.ended).toBe(false);
  });

  test("empty lines between requests are ignored, some", () => {
    const peer = client();
    expect(exchange(peer, "\r\n\r\n" + get("/hello?n=1") + "\r\n" + get("/hello?n=2"))).toBe(
      ok("hello 1") + ok("hello 2"),
    );
    expect(exchange(peer, "\r\n".repeat(9))).toContain("HTTP/1.1 400 ");
  });

  test("a head a byte at a time, and cut in two everywhere", () => {
    const peer = client();
    const request = get("/hello?n=5", "X-Field: something\r\n");
    for (let i = 0; i < request.length - 1; i++) expect(exchange(peer, request.charAt(i))).toBe("");
    expect(exchange(peer, "\n")).toBe(ok("hello 5"));
    for (let cut = 1; cut < request.length; cut++) {
      expect(exchange(peer, request.substr(0, cut))).toBe("");
      expect(exchange(peer, request.substr(cut))).toBe(ok("hello 5"));
    }
    expect(i32(bytesInUse())).toBe(0);
  });

  test("a head in two pieces that asks for close", () => {
    const peer = client();
    exchange(peer, "GET /hello?n=1 HTTP/1.1\r\nHo");
    expect(exchange(peer, "st: x\r\nConnection: close\r\n\r\n")).toBe(ok("hello 1", CLOSE));
    expect(exchange(peer, pattern(5000))).toBe("");
    peer.end();
    settle();
    expect(server.connections).toBe(0);
    expect(i32(bytesInUse())).toBe(0);
  });
});

describe("pipelining", () => {
  test("answers come in order, in one piece", () => {
    const peer = client();
    let requests = "";
    let answers = "";
    for (let i = 0; i < 50; i++) {
      requests += get("/hello?n=" + i.toString());
      answers += ok("hello " + i.toString());
    }
    expect(exchange(peer, requests)).toBe(answers);
    expect(peer.writes).toBe(1);
  });

  test("so many in a row and no more: others have theirs in between, and the rest follows", () => {
    const peer = client();
    const other = client();
    let requests = "";
    let answers = "";
    for (let i = 0; i < REQUESTS_AT_ONCE * 3; i++) {
      requests += get("/hello?n=" + i.toString());
      answers += ok("hello " + i.toString());
    }
    handler.take();
    peer.send(requests);
    other.send(post("/echo", "other"));
    turn();
    const before = handler.take().split("/echo")[0].split("/hello").length - 1;
    expect(before).toBeLessThanOrEqual(REQUESTS_AT_ONCE);
    peer.end();
    settle();
    expect(received(other)).toBe(ok("other"));
    expect(received(peer)).toBe(answers);
    expect(peer.ended).toBe(true);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("a connection that closes while its rest waits leaves nothing to the next one", () => {
    const peer = client();
    peer.send(get("/hello?n=1").repeat(REQUESTS_AT_ONCE * 2));
    turn();
    peer.reset();
    settle();
    expect(server.connections).toBe(0);
    expect(exchange(client(), get("/hello?n=2"))).toBe(ok("hello 2"));
  });

  test("in order also when the first is answered turns later", () => {
    const peer = client();
    peer.send(get("/later?n=1&ms=50") + get("/hello?n=2") + get("/later?n=3&ms=10") + get("/hello?n=4"));
    sleep(49);
    expect(received(peer)).toBe("");
    sleep(1);
    expect(received(peer)).toBe(ok("later 1") + ok("hello 2"));
    sleep(10);
    expect(received(peer)).toBe(ok("later 3") + ok("hello 4"));
  });

  test("with bodies between", () => {
    const peer = client();
    const requests =
      post("/echo", "one") + get("/hello?n=2") + chunked("/echo", "5\r\nthree\r\n0\r\n\r\n") + get("/hello?n=4");
    const answers = ok("one") + ok("hello 2") + ok("three") + ok("hello 4");
    expect(exchange(peer, requests)).toBe(answers);
    for (let cut = 1; cut < requests.length; cut++) {
      const first = exchange(peer, requests.substr(0, cut));
      expect(first + exchange(peer, requests.substr(cut))).toBe(answers);
    }
  });

  test("nothing is read as a request behind one that closes", () => {
    const peer = client();
    expect(exchange(peer, get("/hello?n=1", CLOSE) + get("/hello?n=2"))).toBe(ok("hello 1", CLOSE));
    expect(handler.log).toBe("/hello finish");
  });

  test("requests of a peer that does not read its answers wait, and are answered when it does", () => {
    const peer = client();
    peer.room = 1000;
    peer.send(get("/big?n=200000") + get("/hello?n=2") + get("/hello?n=3"));
    settle();
    expect(handler.log).toBe("/big finish");
    peer.room = i32.MAX_VALUE;
    settle();
    expect(received(peer) == ok(pattern(200000)) + ok("hello 2") + ok("hello 3")).toBe(true);
  });

  test("one connection's late answer holds up no other", () => {
    const slow = client();
    const quick = client();
    exchange(slow, get("/later?n=1&ms=1000"));
    expect(exchange(quick, get("/hello?n=2"))).toBe(ok("hello 2"));
    sleep(1000);
    expect(received(slow)).toBe(ok("later 1"));
  });
});

describe("answers", () => {
  test("HEAD has the fields and no body", () => {
    const peer = client();
    const request = "HEAD /hello?n=1 HTTP/1.1\r\nHost: x\r\n\r\n";
    expect(exchange(peer, request)).toBe(ok("hello 1").replace("\r\n\r\nhello 1", "\r\n\r\n"));
    expect(exchange(peer, "HEAD /chunks?n=2 HTTP/1.1\r\nHost: x\r\n\r\n")).toBe("HTTP/1.1 200 OK\r\n\r\n");
    expect(isAlive(peer)).toBe(true);
  });

  test("of unknown length they are chunked", () => {
    const peer = client();
    const body = "8\r\nchunk 0\n\r\n8\r\nchunk 1\n\r\n0\r\n\r\n";
    expect(exchange(peer, get("/chunks?n=2"))).toBe("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
    expect(isAlive(peer)).toBe(true);
  });

  test("for HTTP/1.0 they end with the connection", () => {
    const peer = client();
    const request = "GET /chunks?n=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    expect(exchange(peer, request)).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nchunk 0\nchunk 1\n");
    expect(peer.ended).toBe(true);
  });

  test("fewer bytes than declared end the connection", () => {
    const peer = client();
    exchange(peer, get("/length?n=42&text=ok"));
    expect(peer.closed).toBe(true);
    expect(received(peer)).not.toContain("\r\n\r\nok\r\n");
  });

  test("more bytes than declared never leave", () => {
    const peer = client();
    expect(exchange(peer, get("/length?n=2&text=hello"))).not.toContain("hello");
    expect(peer.closed).toBe(true);
  });

  test("an answer before one that breaks its framing arrives", () => {
    const peer = client();
    const answers = exchange(peer, get("/hello?n=1") + get("/length?n=2&text=hello"));
    expect(answers.startsWith(ok("hello 1"))).toBe(true);
    expect(answers.endsWith("\r\n\r\n")).toBe(true);
    expect(peer.ended).toBe(true);
    expect(peer.wasReset).toBe(false);
    sleep(LINGER_MS);
    expect(handler.log).toContain("gone(10)");
  });

  test("also when a slow socket has not taken it, and the broken one is cut", () => {
    const peer = client();
    peer.room = 7;
    const first = exchange(peer, get("/big?n=60000") + get("/length?n=42&text=ok") + get("/hello?n=3"));
    peer.room = i32.MAX_VALUE;
    settle();
    const answers = first + received(peer);
    expect(answers.startsWith(ok(pattern(60000)))).toBe(true);
    expect(answers.endsWith("Content-Length: 42\r\n\r\nok")).toBe(true);
    expect(peer.ended).toBe(true);
    expect(peer.wasReset).toBe(false);
    peer.end();
    settle();
    expect(server.connections).toBe(0);
    expect(handler.log.endsWith("/length gone(10)")).toBe(true);
    expect(i32(bytesInUse())).toBe(0);
  });

  test("a chunked one that its handler gives up ends without its last chunk, behind the one before", () => {
    const peer = client();
    peer.room = 7;
    const first = exchange(peer, get("/big?n=60000") + get("/open"));
    server.connectionAt(0)!.cancel();
    peer.room = i32.MAX_VALUE;
    settle();
    const answers = first + received(peer);
    expect(answers.startsWith(ok(pattern(60000)))).toBe(true);
    expect(answers.endsWith("\r\n\r\n5\r\nbegun\r\n")).toBe(true);
    expect(peer.ended).toBe(true);
  });
});

describe("answers without a body, and slow ones", () => {
  test("HEAD, 204 and 304 with a Content-Length: no body, and the connection goes on", () => {
    const peer = client();
    const head = "HEAD /length?n=42&text=";
    const start = "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n";
    expect(exchange(peer, head + " HTTP/1.1\r\nHost: x\r\n\r\n")).toBe(start);
    expect(exchange(peer, head + "abc HTTP/1.1\r\nHost: x\r\n\r\n")).toBe(start);
    expect(exchange(peer, get("/length?n=42&status=304&text="))).toBe(
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 42\r\n\r\n",
    );
    expect(exchange(peer, get("/length?n=42&status=304&text=abc"))).toContain(" 304 ");
    expect(exchange(peer, get("/length?n=0&status=204&text="))).toBe("HTTP/1.1 204 No Content\r\n\r\n");
    expect(isAlive(peer)).toBe(true);
    expect(exchange(peer, head + "x".repeat(43) + " HTTP/1.1\r\nHost: x\r\n\r\n")).not.toContain("xx");
    expect(peer.ended).toBe(true);
  });

  test("an answer with Upgrade names it in Connection", () => {
    const peer = client();
    exchange(peer, get("/never"));
    handler.request!.startResponse(426, 0);
    expect(handler.request!.setHeader("UpGrade", "websocket")).toBe(true);
    handler.request!.finish();
    settle();
    const answer = "HTTP/1.1 426 Upgrade Required\r\nUpGrade: websocket\r\nConnection: Upgrade\r\n";
    expect(received(peer)).toBe(answer + "Content-Length: 0\r\n\r\n");
    exchange(peer, get("/never", CLOSE));
    handler.request!.startResponse(426, 0);
    handler.request!.setHeader("Upgrade", "websocket");
    handler.request!.finish();
    settle();
    expect(received(peer)).toContain("\r\nConnection: Upgrade, close\r\n");
    expect(peer.ended).toBe(true);
  });

  test("OPTIONS * is answered for the server, whatever its handler", () => {
    const peer = client();
    const request = "OPTIONS * HTTP/1.1\r\nHost: x\r\n";
    expect(exchange(peer, request + "\r\n")).toBe("HTTP/1.1 204 No Content\r\n\r\n");
    expect(exchange(peer, request + "Content-Length: 3\r\n\r\nabc")).toBe("HTTP/1.1 204 No Content\r\n\r\n");
    expect(isAlive(peer)).toBe(true);
    expect(handler.take()).toBe("/hello finish");
    exchange(peer, "OPTIONS /hello?n=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(handler.take()).toBe("/hello finish");
  });

  test("in pieces, over turns", () => {
    const peer = client();
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(exchange(peer, get("/open"))).toBe(head + "5\r\nbegun\r\n");
    handler.request!.write("more");
    settle();
    expect(received(peer)).toBe("4\r\nmore\r\n");
    handler.request!.finish();
    settle();
    expect(received(peer)).toBe("0\r\n\r\n");
    expect(isAlive(peer)).toBe(true);
  });

  test("to a slow reader: onSent when some has left", () => {
    const peer = client();
    peer.room = 1000;
    exchange(peer, get("/open"));
    handler.take();
    handler.request!.write(pattern(5000));
    settle();
    expect(handler.take()).toBe("");
    expect(handler.request!.unsent).toBeGreaterThan(4000);
    peer.room = 2000;
    settle();
    expect(handler.take()).toBe("sent");
    peer.room = 9000;
    settle();
    expect(handler.request!.unsent).toBe(0);
  });

  test("given from the close of another request", () => {
    const waiting = client();
    exchange(waiting, get("/never"));
    handler.answeredAtClose = handler.request;
    const going = client();
    exchange(going, get("/never"));
    going.reset();
    while (server.connections == 2) IOLoop.current().turn(10 * MS);
    expect(received(waiting)).toBe(ok("at last"));
  });
});
