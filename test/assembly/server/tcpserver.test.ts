// TCPServer: what it counts, what it hands out, and how it stops.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { Address } from "../../../assembly/core/address";
import { IOStream } from "../../../assembly/stream/iostream";
import { ACCEPT_PAUSE_MS } from "../../../assembly/core/limits";
import { TCPServer } from "../../../assembly/server/tcpserver";
import * as wasi from "../../../assembly/wasi/index";
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";
import { accepted, listen, newest, readUntil, server, settle, sleep, turn, write } from "../support/sim";

function connectMany(count: i32): Array<Peer> {
  const peers: Array<Peer> = [];
  for (let i = 0; i < count; i++) peers.push(connect());
  settle();
  return peers;
}

test("handleStream writes and closes: the client reads exactly that", () => {
  server.greeting = (seen) => {
    write(seen.stream, "data");
    seen.stream.finish(false);
  };
  listen();
  const peer = accepted();
  expect(peer.received).toBe("data");
  expect(peer.closed).toBe(true);
});

test("a line echo", () => {
  server.greeting = (seen) => {
    seen.reaction = (seen, event) => {
      if (event != "read") return;
      const line = seen.take();
      write(seen.stream, line.substring(5, line.length - 1));
      readUntil(seen.stream, "\n");
    };
    readUntil(seen.stream, "\n");
  };
  listen();
  const peer = accepted();
  peer.send("hi\nyo\n");
  settle();
  expect(peer.received).toBe("hi\nyo\n");
});

test("connections counts what is open", () => {
  listen();
  const peers = connectMany(5);
  expect(server.connections).toBe(5);
  peers[0].reset();
  newest().stream.close();
  expect(server.connections).toBe(5);
  settle();
  expect(server.connections).toBe(3);
});

test("the stream knows its listener", () => {
  network().listen(2);
  listen();
  connect(1);
  settle();
  expect(newest().stream.listener).toBe(1);
  connect(0);
  settle();
  expect(newest().stream.listener).toBe(0);
});

test("at connectionsMax accepting pauses, and each close lets one in", () => {
  server.connectionsMax = 3;
  listen();
  const peers = connectMany(5);
  expect(server.connections).toBe(3);
  expect(turn()).toBe(wasi.FOREVER);
  peers[0].reset();
  settle();
  expect(server.connections).toBe(3);
  expect(server.seen.length).toBe(4);
  peers[1].reset();
  peers[2].reset();
  settle();
  expect(server.connections).toBe(2);
  connectMany(2);
  expect(server.connections).toBe(3);
});

test("at connectionsMax no listener accepts, also when one rested meanwhile", () => {
  network().listen(2);
  server.connectionsMax = 3;
  listen();
  network().descriptorsMax = 2 + 1;
  connect(0);
  connect(0);
  settle();
  expect(server.connections).toBe(1); // the first listener is paused
  network().descriptorsMax = 100;
  connect(1);
  connect(1);
  settle();
  expect(server.connections).toBe(3);
  sleep(3 * ACCEPT_PAUSE_MS);
  expect(server.connections).toBe(3);
});

test("a listener that is paused when the server is full accepts again when there is room", () => {
  server.connectionsMax = 2;
  listen();
  network().descriptorsMax = 1 + 1;
  const peers = connectMany(3);
  expect(server.connections).toBe(1);
  network().descriptorsMax = 100;
  sleep(ACCEPT_PAUSE_MS);
  expect(server.connections).toBe(2);
  peers[0].reset();
  sleep(3 * ACCEPT_PAUSE_MS);
  expect(server.seen.length).toBe(3);
});

test("a stream that is given no handler stays, and its end is counted", () => {
  const silent = new Silent();
  silent.listen();
  settle();
  const peer = connect();
  settle();
  peer.send("unread");
  settle();
  expect(silent.connections).toBe(1);
  peer.reset();
  settle();
  expect(silent.connections).toBe(0);
});

test("the address is the platform's, null where it cannot tell, and never that of a connection before", () => {
  listen();
  const address = new Address();
  address.port = 4711;
  const known = connect();
  known.address = address;
  settle();
  expect(newest().stream.address!.toString()).toBe("0.0.0.0:4711");
  known.reset();
  settle();
  accepted();
  assert(newest().stream.address == null);
});

class Silent extends TCPServer {
  handleStream(stream: IOStream, address: Address | null): void {}
}

test("handleStream may close the stream", () => {
  server.greeting = (seen) => seen.stream.close();
  listen();
  const peers = connectMany(100);
  expect(server.connections).toBe(0);
  for (let i = 0; i < peers.length; i++) assert(peers[i].closed);
});

test("stop: new connections are refused, open ones go on", () => {
  listen();
  const peer = accepted();
  server.stop();
  server.stop();
  expect(connect().closed).toBe(true);
  newest().stream.readBytes(1);
  peer.send("x");
  settle();
  expect(newest().take()).toBe("read(x)");
  peer.reset();
  settle();
  expect(server.connections).toBe(0);
  expect(turn()).toBe(wasi.FOREVER);
});

test("stop inside handleStream: 40 connections wait, and nothing traps", () => {
  listen();
  server.greeting = (seen) => server.stop();
  connectMany(40);
  expect(server.seen.length).toBe(1);
  expect(server.connections).toBe(1);
  newest().stream.close();
  settle();
  expect(server.connections).toBe(0);
});

test("stop while full, and a close after it", () => {
  server.connectionsMax = 1;
  listen();
  const peers = connectMany(2);
  server.stop();
  peers[0].reset();
  settle();
  expect(server.seen.length).toBe(1);
  expect(peers[1].wasReset).toBe(true);
});

test("stop before the first turn: it never listens", () => {
  server.listen();
  server.stop();
  settle();
  connect();
  settle();
  expect(server.seen.length).toBe(0);
});

test("a thousand connections, one after the other and all at once", () => {
  network().descriptorsMax = 2000;
  listen();
  for (let i = 0; i < 1000; i++) {
    const peer = accepted();
    peer.reset();
    settle();
  }
  expect(server.connections).toBe(0);
  const peers = connectMany(1000);
  expect(server.connections).toBe(1000);
  for (let i = 0; i < peers.length; i++) peers[i].reset();
  settle();
  expect(server.connections).toBe(0);
});
