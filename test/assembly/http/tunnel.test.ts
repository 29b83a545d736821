// A tunnel over the scripted network: bytes both ways behind a 101, its ends and its time.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { ConnectHandler, TCPClient } from "../../../assembly/client/tcpclient";
import { ClientConnectionOwner, HTTP1ClientConnection, ResponseHandler } from "../../../assembly/http/clientconnection";
import { OutgoingHead } from "../../../assembly/http/outgoinghead";
import { openTunnel } from "../../../assembly/http/tunnel";
import { IOStream } from "../../../assembly/stream/iostream";
import { Peer, network } from "../../../assembly/wasi/sim/net";
import { dialled } from "../../../assembly/wasi/sim/outgoing";
import { client, exchange, get, handler, received, server } from "../support/http";
import { bytes, pattern, settle, sleep } from "../support/sim";

const IDLE_MS: i32 = 1000;
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

/** Asks the other server for an upgrade, and opens the tunnel when it agrees. */
class Upgrading extends ConnectHandler implements ResponseHandler, ClientConnectionOwner {
  opened: bool = false;
  onConnect(stream: IOStream): void {
    const head = new OutgoingHead();
    const upgrade = bytes("Upgrade");
    head.begin(changetype<usize>(bytes("GET")), 3, changetype<usize>(bytes("/")), 1);
    head.addField(changetype<usize>(upgrade), 7, changetype<usize>(upgrade), 7);
    head.end(0, false);
    const connection = new HTTP1ClientConnection(this);
    connection.start(stream);
    connection.startRequest(head, this);
    connection.finishRequest();
  }
  onConnectFailed(reason: i32): void {}
  informationReceived(upstream: HTTP1ClientConnection): void {
    const connection = server.connectionAt(handler.request!.slot)!;
    connection.startResponse(101, 0, 0, -1);
    connection.endInformation();
    this.opened = openTunnel(connection, upstream, IDLE_MS);
  }
  headersReceived(upstream: HTTP1ClientConnection): void {}
  dataReceived(upstream: HTTP1ClientConnection, source: usize, size: i32): i32 {
    return 0;
  }
  responseComplete(upstream: HTTP1ClientConnection): void {}
  requestSent(upstream: HTTP1ClientConnection): void {}
  connectionLost(upstream: HTTP1ClientConnection, reason: i32): void {}
  connectionIdle(upstream: HTTP1ClientConnection): void {}
  connectionClosed(upstream: HTTP1ClientConnection): void {}
}

let near: Peer = new Peer();
let far: Peer = new Peer();

/** A tunnel between `near` and `far`. */
function open(): void {
  const upgrading = new Upgrading();
  near = client();
  exchange(near, get("/never"));
  new TCPClient().connect("192.0.2.1", 80, upgrading);
  settle();
  far = dialled[dialled.length - 1];
  far.accept();
  settle();
  far.take();
  far.send(SWITCH);
  settle();
  expect(upgrading.opened).toBe(true);
  expect(received(near)).toBe(SWITCH);
}

test("bytes go both ways, and the slot is free when the tunnel has closed", () => {
  open();
  near.send("to");
  far.send("fro");
  settle();
  expect(far.take()).toBe("to");
  expect(received(near)).toBe("fro");
  far.send("last");
  far.end();
  settle();
  expect(received(near)).toBe("last");
  near.end();
  settle();
  expect(near.closed && far.closed).toBe(true);
  expect(server.connections).toBe(0);
});

test("a reset of either end closes the other", () => {
  for (let i = 0; i < 2; i++) {
    open();
    (i ? near : far).reset();
    settle();
    (i ? far : near).end();
    settle();
    expect(near.closed && far.closed).toBe(true);
  }
});

test("a tunnel is closed when nothing has come for so long, either way", () => {
  open();
  for (let i = 0; i < 4; i++) {
    sleep(IDLE_MS - 1);
    (i & 1 ? near : far).send("x");
    settle();
  }
  sleep(IDLE_MS - 1);
  near.take();
  expect(near.ended || far.ended).toBe(false);
  sleep(1);
  near.end();
  far.end();
  settle();
  expect(near.closed && far.closed).toBe(true);
});

test("with every fault of the network but resets all bytes arrive in order", () => {
  const data = pattern(200_000);
  for (let seed: u64 = 1; seed <= 20; seed++) {
    const faults = network().faults;
    faults.shortReads = faults.shortWrites = faults.again = faults.late = faults.spurious = 0;
    open();
    network().seed(seed);
    faults.shortReads = faults.shortWrites = faults.again = faults.late = faults.spurious = 300;
    near.send(data);
    far.send(data);
    sleep(500);
    let there = far.take();
    let here = received(near);
    for (let i = 0; i < 100 && there.length + here.length < data.length * 2; i++) {
      sleep(100);
      there += far.take();
      here += received(near);
    }
    expect(there == data).toBe(true);
    expect(here == data).toBe(true);
    near.end();
    far.end();
    sleep(100);
    expect(near.closed && far.closed).toBe(true);
  }
});
