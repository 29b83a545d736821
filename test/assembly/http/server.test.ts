// HTTPServer: its connections together, draining, and what it shares with other servers.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { ACCEPTS_PER_TURN, DRAIN_REQUEST_MS, IDLE_TIMEOUT_MS } from "../../../assembly/core/limits";
import { bindSockets } from "../../../assembly/server/acceptor";
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";
import { CLOSE, chunked, client, exchange, get, handler, isAlive, ok, post, received, server } from "../support/http";
import { newest, server as streams, settle, sleep, turn } from "../support/sim";

test("connections are used again, and begin anew", () => {
  const first = client();
  exchange(first, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc");
  first.reset();
  settle();
  for (let i = 0; i < 3; i++) {
    const peer = client();
    expect(exchange(peer, post("/echo", "mine"))).toBe(ok("mine"));
    expect(isAlive(peer)).toBe(true);
    exchange(peer, "GET /unfinished HTTP/1.1\r\nHo");
    peer.reset();
    settle();
  }
  expect(server.connectionAt(0) != null).toBe(true);
  expect(server.connectionAt(1) == null).toBe(true);
  expect(i32(bytesInUse())).toBe(0);
});

test("requests know their connection and their number", () => {
  const one = client();
  const two = client();
  exchange(one, get("/hello"));
  expect(handler.request!.slot).toBe(0);
  const serial = handler.request!.serial;
  exchange(one, get("/hello"));
  expect(handler.request!.serial).toBe(serial + 1);
  exchange(two, get("/hello"));
  expect(handler.request!.slot).toBe(1);
});

// --- drain ---

test("drain: idle connections close, requests in flight are answered, then all is over", () => {
  const idle = client();
  const busy = client();
  exchange(idle, get("/hello"));
  exchange(busy, get("/later?n=1&ms=1000"));
  received(idle);
  sleep(DRAIN_REQUEST_MS);
  server.drain(10000);
  settle();
  expect(idle.closed).toBe(true);
  expect(received(idle)).toBe("");
  expect(busy.ended).toBe(false);
  expect(connect().closed).toBe(true);
  sleep(1000 - DRAIN_REQUEST_MS);
  expect(received(busy)).toBe(ok("later 1", CLOSE));
  expect(busy.ended).toBe(true);
  busy.end();
  settle();
  expect(server.connections).toBe(0);
});

test("drain: one that is new, or was answered a moment ago, may still bring a request", () => {
  const fresh = client();
  const silent = client();
  const busy = client();
  exchange(busy, get("/hello?n=1"));
  sleep(DRAIN_REQUEST_MS - 1);
  exchange(busy, get("/hello?n=2"));
  received(busy);
  server.drain(10000);
  settle();
  expect(silent.closed).toBe(false);
  expect(exchange(fresh, get("/hello?n=3"))).toBe(ok("hello 3", CLOSE));
  sleep(1);
  expect(silent.closed).toBe(true);
  sleep(DRAIN_REQUEST_MS - 2);
  expect(exchange(busy, get("/hello?n=4"))).toBe(ok("hello 4", CLOSE));
  expect(busy.ended).toBe(true);
});

test("drain: a request that has come and was not read yet is answered, however long its connection was idle", () => {
  const peer = client();
  exchange(peer, get("/hello?n=1"));
  received(peer);
  sleep(10 * DRAIN_REQUEST_MS);
  peer.send(get("/hello?n=2"));
  server.drain(10000);
  settle();
  expect(received(peer)).toBe(ok("hello 2", CLOSE));
});

test("drain: begun by a handler, in the middle of what was read of its connection", () => {
  const peer = client();
  const requests = exchange(peer, get("/drain") + get("/hello?n=1").repeat(3000));
  expect(requests).toBe(ok("last but one") + ok("hello 1", CLOSE));
});

test("drain: connections that wait in the queue are taken and answered", () => {
  client();
  const peers: Array<Peer> = [];
  for (let i = 0; i < 3 * ACCEPTS_PER_TURN; i++) {
    peers.push(connect());
    peers[i].send(get("/hello?n=" + i.toString()));
  }
  server.drain(10000);
  settle();
  expect(server.accepting).toBe(false);
  for (let i = 0; i < peers.length; i++) expect(received(peers[i])).toBe(ok("hello " + i.toString(), CLOSE));
  expect(connect().closed).toBe(true);
});

test("drain: a head that has come in part is still answered", () => {
  const peer = client();
  exchange(peer, "GET /hello?n=1 HTTP/1.1\r\nHo");
  server.drain(10000);
  settle();
  expect(exchange(peer, "st: x\r\n\r\n")).toBe(ok("hello 1", CLOSE));
  expect(peer.ended).toBe(true);
});

test("drain: a body that is coming is still taken", () => {
  const peer = client();
  exchange(peer, chunked("/echo", "5\r\nabcde\r\n"));
  server.drain(10000);
  settle();
  expect(exchange(peer, "0\r\n\r\n")).toBe(ok("abcde", CLOSE));
  expect(peer.ended).toBe(true);
});

test("drain: a pipelined request behind the one in flight does not cost its answer", () => {
  const peer = client();
  exchange(peer, get("/later?n=1&ms=50"));
  peer.send(get("/hello?n=2"));
  server.drain(10000);
  sleep(50);
  expect(received(peer)).toBe(ok("later 1", CLOSE));
  expect(peer.wasReset).toBe(false);
});

test("drain: when the grace is over what is left is closed", () => {
  const peer = client();
  exchange(peer, get("/never"));
  server.drain(1000);
  sleep(999);
  expect(peer.closed).toBe(false);
  sleep(1);
  expect(peer.closed).toBe(true);
  expect(handler.log).toBe("/never finish gone(7)");
  expect(server.connections).toBe(0);
});

test("drain: idle connections that may still bring a request do so until their own time is over", () => {
  const used = client();
  const silent = client();
  exchange(used, get("/hello?n=1"));
  exchange(silent, get("/hello?n=2"));
  received(used);
  received(silent);
  sleep(10 * DRAIN_REQUEST_MS);
  server.drain(10 * IDLE_TIMEOUT_MS, 10 * IDLE_TIMEOUT_MS);
  sleep(IDLE_TIMEOUT_MS - 10 * DRAIN_REQUEST_MS - 1);
  expect(exchange(used, get("/hello?n=3"))).toBe(ok("hello 3", CLOSE));
  expect(used.ended).toBe(true);
  expect(silent.closed).toBe(false);
  sleep(1);
  expect(silent.closed).toBe(true);
});

test("drain: an answer that has begun could not say that it is the last, so its connection has one more", () => {
  const peer = client();
  exchange(peer, get("/open"));
  server.drain(10000);
  settle();
  handler.request!.finish();
  settle();
  expect(peer.ended).toBe(false);
  received(peer);
  expect(exchange(peer, get("/hello?n=2"))).toBe(ok("hello 2", CLOSE));
  expect(peer.ended).toBe(true);
});

test("drain: an answer that has begun is the last one when no request follows", () => {
  const peer = client();
  exchange(peer, get("/open"));
  server.drain(10000);
  settle();
  handler.request!.finish();
  sleep(DRAIN_REQUEST_MS);
  expect(peer.ended).toBe(true);
});

test("drain: a second one shortens the first", () => {
  const idle = client();
  const busy = client();
  exchange(idle, get("/hello?n=1"));
  exchange(busy, get("/never"));
  sleep(DRAIN_REQUEST_MS);
  server.drain(10 * IDLE_TIMEOUT_MS, 10 * IDLE_TIMEOUT_MS);
  settle();
  expect(idle.closed).toBe(false);
  server.drain(1000);
  settle();
  expect(idle.closed).toBe(true);
  sleep(999);
  expect(busy.closed).toBe(false);
  sleep(1);
  expect(busy.closed).toBe(true);
});

test("drain twice, and without connections", () => {
  client().reset();
  settle();
  server.drain(1000);
  server.drain(1000);
  sleep(3000);
  expect(server.connections).toBe(0);
});

test("closeAllConnections", () => {
  const idle = client();
  const busy = client();
  exchange(busy, get("/never"));
  server.closeAllConnections();
  settle();
  expect(idle.closed).toBe(true);
  expect(busy.closed).toBe(true);
  expect(handler.log).toBe("/never finish gone(7)");
  expect(connect().closed).toBe(false); // it still listens
});

// --- beside another server ---

test("closing all its connections touches none of another server's", () => {
  network().listen(2);
  turn();
  server.addSockets([bindSockets()[0]]);
  streams.addSockets([bindSockets()[1]]);
  const own = connect(0);
  settle();
  own.reset();
  settle();
  const other = connect(1); // it takes over the stream of the one that is gone
  settle();
  expect(streams.connections).toBe(1);
  server.closeAllConnections();
  server.drain(100);
  sleep(200);
  expect(other.closed).toBe(false);
  newest().stream.consume();
  other.send("still here");
  settle();
  expect(newest().take()).toBe("bytes(still here)");
});

test("hundreds of connections, each with its own answer", () => {
  network().descriptorsMax = 1000;
  const peers = [client()];
  while (peers.length < 500) peers.push(client());
  for (let i = 0; i < peers.length; i++) {
    peers[i].send(get("/later?ms=" + (i % 7).toString() + "&n=" + i.toString()));
  }
  sleep(20);
  for (let i = 0; i < peers.length; i++) {
    const answer = received(peers[i]);
    assert(answer == ok("later " + i.toString()), "connection " + i.toString() + ": " + answer);
  }
});
