// TCPClient over the scripted network: names, families of addresses, failures, and that nothing stays open.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { ConnectHandler, PendingConnect, TCPClient } from "../../../assembly/client/tcpclient";
import { Address } from "../../../assembly/core/address";
import { parseHost } from "../../../assembly/core/addresstext";
import {
  REASON_BAD_ADDRESS,
  REASON_DENIED,
  REASON_REFUSED,
  REASON_UNKNOWN_NAME,
  REASON_UNREACHABLE,
  connectReasonText,
} from "../../../assembly/core/connectreasons";
import { REASON_BUFFER_FULL, REASON_RESET, REASON_TIMEOUT } from "../../../assembly/core/errors";
import { CONNECT_ADDRESSES_MAX, CONNECT_NAME_BYTES_MAX, SECOND_FAMILY_MS } from "../../../assembly/core/limits";
import { IOStream } from "../../../assembly/stream/iostream";
import { Peer, network } from "../../../assembly/wasi/sim/net";
import { Lookup, asked as lookups, deny, dialled as peers } from "../../../assembly/wasi/sim/outgoing";
import { Recorder, bytes, settle, sleep, write } from "../support/sim";

/** Notes what it is told, and records its stream. */
class Outcome extends ConnectHandler {
  log: string = "";
  recorder: Recorder | null = null;

  onConnect(stream: IOStream): void {
    this.log += "connected " + stream.address!.toString();
    const recorder = new Recorder(stream);
    stream.setHandler(recorder);
    this.recorder = recorder;
    stream.consume();
  }
  onConnectFailed(reason: i32): void {
    this.log += "failed " + reason.toString();
  }
}

const outcome = new Outcome();
const client = new TCPClient();

function connect(host: string, port: i32 = 80): PendingConnect {
  const pending = client.connect(host, port, outcome);
  expect(outcome.log).toBe("");
  settle();
  return pending;
}

/** The peers that were dialled and that the sandbox has not closed. */
function dialled(): string {
  const open: Array<string> = [];
  for (let i = 0; i < peers.length; i++) if (!peers[i].closed) open.push(peers[i].address!.toString());
  return open.join(" ");
}

function peer(index: i32): Peer {
  return peers[index];
}

function asked(index: i32 = 0): Lookup {
  return lookups[index];
}

function addresses(hosts: Array<string>): Array<Address> {
  const found: Array<Address> = [];
  for (let i = 0; i < hosts.length; i++) {
    const address = new Address();
    const host = bytes(hosts[i]);
    assert(parseHost(changetype<usize>(host), host.length, address), "no address: " + hosts[i]);
    found.push(address);
  }
  return found;
}

function failure(reason: i32): string {
  return "failed " + reason.toString();
}

test("an address is connected to without a lookup, and the stream is one like any other", () => {
  connect("192.0.2.7", 8080);
  expect(dialled()).toBe("192.0.2.7:8080");
  expect(outcome.log).toBe("");
  peer(0).accept();
  settle();
  expect(outcome.log).toBe("connected 192.0.2.7:8080");
  expect(lookups.length).toBe(0);
  peer(0).send("hello");
  settle();
  expect(write(outcome.recorder!.stream, "there")).toBe(true);
  expect(peer(0).received).toBe("there");
  peer(0).end();
  settle();
  expect(outcome.recorder!.take()).toBe("bytes(hello) end");
  expect(peer(0).closed).toBe(false); // a half-close: this side may write on
  outcome.recorder!.stream.finish(false);
  settle();
  expect(peer(0).closed).toBe(true);
});

test("IPv6 addresses are connected to as well", () => {
  connect("2001:db8::7", 443);
  peer(0).accept();
  settle();
  expect(outcome.log).toBe("connected [2001:db8::7]:443");
});

test("a reset in the middle ends the stream", () => {
  connect("192.0.2.7");
  peer(0).accept();
  settle();
  peer(0).reset();
  settle();
  expect(outcome.recorder!.take()).toBe("close(" + REASON_RESET.toString() + ")");
});

test("refused is said to be, and nothing stays open", () => {
  connect("192.0.2.7");
  peer(0).refuse(REASON_REFUSED);
  settle();
  expect(outcome.log).toBe(failure(REASON_REFUSED));
  expect(dialled()).toBe("");
});

test("a runtime that denies is a reason, not the end", () => {
  deny(REASON_DENIED);
  connect("192.0.2.7");
  expect(outcome.log).toBe(failure(REASON_DENIED));
  expect(connectReasonText(REASON_DENIED).startsWith("access denied")).toBe(true);
  outcome.log = "";
  connect("example.com");
  expect(outcome.log).toBe(failure(REASON_DENIED));
});

test("out of descriptors is a reason, not the end", () => {
  network().descriptorsMax = 1; // the listener's
  connect("192.0.2.7");
  expect(outcome.log).toBe(failure(REASON_BUFFER_FULL));
  outcome.log = "";
  connect("example.com");
  expect(outcome.log).toBe(failure(REASON_BUFFER_FULL));
});

test("the time is over for a peer that does not answer", () => {
  client.timeoutMs = 500;
  connect("192.0.2.7");
  sleep(499);
  expect(outcome.log).toBe("");
  sleep(1);
  expect(outcome.log).toBe(failure(REASON_TIMEOUT));
  expect(dialled()).toBe("");
});

test("the time is over for a resolver that does not answer", () => {
  client.timeoutMs = 500;
  connect("example.com");
  sleep(500);
  expect(outcome.log).toBe(failure(REASON_TIMEOUT));
  expect(asked().closed).toBe(true);
});

test("what was cancelled is closed, and its handler is not called", () => {
  const connecting = connect("192.0.2.7");
  const resolving = connect("example.com");
  const begun = client.connect("192.0.2.8", 80, outcome);
  connecting.cancel();
  resolving.cancel();
  begun.cancel();
  peer(0).accept();
  settle();
  connecting.cancel();
  expect(dialled()).toBe("");
  expect(asked().closed).toBe(true);
  expect(peers.length).toBe(1);
  expect(outcome.log).toBe("");
});

test("a name is looked up, and its addresses are tried one after the other", () => {
  connect("example.com", 8080);
  expect(asked().name).toBe("example.com");
  expect(dialled()).toBe("");
  asked().find(addresses(["192.0.2.1", "192.0.2.2", "192.0.2.3"]));
  settle();
  expect(asked().closed).toBe(true);
  expect(dialled()).toBe("192.0.2.1:8080");
  peer(0).refuse(REASON_REFUSED);
  settle();
  expect(dialled()).toBe("192.0.2.2:8080");
  peer(1).refuse(REASON_UNREACHABLE);
  settle();
  peer(2).accept();
  settle();
  expect(outcome.log).toBe("connected 192.0.2.3:8080");
});

test("when no address answers, the last reason is given", () => {
  connect("example.com");
  asked().find(addresses(["192.0.2.1", "2001:db8::1"]));
  settle();
  peer(0).refuse(REASON_REFUSED);
  settle();
  peer(1).refuse(REASON_UNREACHABLE);
  settle();
  expect(outcome.log).toBe(failure(REASON_UNREACHABLE));
  expect(dialled()).toBe("");
});

test("a name without an address, and a lookup that fails", () => {
  connect("example.com");
  asked().find([]);
  settle();
  expect(outcome.log).toBe(failure(REASON_UNKNOWN_NAME));
  outcome.log = "";
  connect("nowhere.example");
  asked(1).fail(REASON_UNKNOWN_NAME);
  settle();
  expect(outcome.log).toBe(failure(REASON_UNKNOWN_NAME));
  expect(asked(0).closed && asked(1).closed).toBe(true);
});

test("the second family starts after its time, and the first connection wins", () => {
  connect("example.com");
  asked().find(addresses(["2001:db8::1", "2001:db8::2", "192.0.2.1"]));
  settle();
  sleep(SECOND_FAMILY_MS - 1);
  expect(dialled()).toBe("[2001:db8::1]:80");
  sleep(1);
  expect(dialled()).toBe("[2001:db8::1]:80 192.0.2.1:80");
  peer(1).accept();
  settle();
  expect(outcome.log).toBe("connected 192.0.2.1:80");
  expect(dialled()).toBe("192.0.2.1:80");
  sleep(1000);
  expect(peers.length).toBe(2);
});

test("the second family starts at once when an attempt of the first has failed", () => {
  connect("example.com");
  asked().find(addresses(["192.0.2.1", "192.0.2.2", "2001:db8::1"]));
  settle();
  peer(0).refuse(REASON_REFUSED);
  settle();
  expect(dialled()).toBe("192.0.2.2:80 [2001:db8::1]:80");
  peer(2).refuse(REASON_REFUSED);
  settle();
  peer(1).accept();
  settle();
  expect(outcome.log).toBe("connected 192.0.2.2:80");
});

test("both families connected in one turn are one connection", () => {
  connect("example.com");
  asked().find(addresses(["2001:db8::1", "192.0.2.1"]));
  sleep(SECOND_FAMILY_MS);
  peer(0).accept();
  peer(1).accept();
  settle();
  expect(outcome.log.startsWith("connected ")).toBe(true);
  expect(outcome.log.indexOf("connected ", 1)).toBe(-1);
  expect(dialled().includes(" ")).toBe(false);
});

test("a name may be so long and no longer", () => {
  connect("a".repeat(CONNECT_NAME_BYTES_MAX));
  expect(asked().name.length).toBe(CONNECT_NAME_BYTES_MAX);
  connect("a".repeat(CONNECT_NAME_BYTES_MAX + 1));
  expect(outcome.log).toBe(failure(REASON_BAD_ADDRESS));
  outcome.log = "";
  connect("");
  expect(outcome.log).toBe(failure(REASON_BAD_ADDRESS));
  expect(lookups.length).toBe(1);
});

test("so many addresses of a name are tried and no more", () => {
  const hosts: Array<string> = [];
  for (let i = 0; i <= CONNECT_ADDRESSES_MAX; i++) hosts.push("192.0.2." + i.toString());
  connect("example.com");
  asked().find(addresses(hosts));
  settle();
  for (let i = 0; i < CONNECT_ADDRESSES_MAX; i++) {
    expect(outcome.log).toBe("");
    peer(i).refuse(REASON_REFUSED);
    settle();
  }
  expect(outcome.log).toBe(failure(REASON_REFUSED));
  expect(peers.length).toBe(CONNECT_ADDRESSES_MAX);
});

test("ports from 1 to 65535", () => {
  const bad: Array<i32> = [-1, 0, 65536];
  for (let i = 0; i < bad.length; i++) {
    outcome.log = "";
    connect("192.0.2.7", bad[i]);
    expect(outcome.log).toBe(failure(REASON_BAD_ADDRESS));
  }
  outcome.log = "";
  connect("192.0.2.7", 1);
  connect("192.0.2.7", 65535);
  expect(dialled()).toBe("192.0.2.7:1 192.0.2.7:65535");
});

test("with every fault of the network, each connect has one end and leaves nothing", () => {
  for (let seed: u64 = 1; seed <= 200; seed++) {
    const net = network();
    net.seed(seed);
    net.faults.spurious = net.faults.late = net.faults.again = 300;
    net.faults.full = 50;
    outcome.log = "";
    const before = peers.length;
    client.timeoutMs = 2000;
    client.connect("example.com", 80, outcome);
    const names = lookups.length;
    for (let step = 0; step < 40 && !outcome.log.length; step++) {
      sleep(100);
      if (lookups.length > names && net.chance(500)) {
        const lookup = lookups[names];
        if (lookup.isWaiting && net.chance(200)) lookup.fail(REASON_UNKNOWN_NAME);
        else if (lookup.isWaiting) lookup.find(addresses(["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"]));
      }
      for (let i = before; i < peers.length; i++) {
        if (!peers[i].answer || peers[i].closed) continue;
        if (net.chance(200)) peers[i].refuse(REASON_REFUSED);
        else if (net.chance(100)) peers[i].accept();
      }
    }
    const isConnected = outcome.log.startsWith("connected");
    expect(outcome.log.length > 0).toBe(true);
    let open = 0;
    for (let i = before; i < peers.length; i++) if (!peers[i].closed) open++;
    expect(open).toBe(isConnected ? 1 : 0);
    for (let i = names; i < lookups.length; i++) expect(lookups[i].closed).toBe(true);
    if (isConnected) outcome.recorder!.stream.close();
    sleep(10);
  }
});
