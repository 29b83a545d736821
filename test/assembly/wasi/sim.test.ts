// The scripted network itself: that it does what sockets do, is the same for a seed, and catches what a kernel would
// punish.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { AGAIN, REASON_BUFFER_FULL, REASON_RESET } from "../../../assembly/core/errors";
import * as wasi from "../../../assembly/wasi/index";
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";
import { bytes, pattern, text } from "../support/sim";

const SIZE: i32 = 4096;
const target: usize = memory.data(4096);

function open(): Peer {
  wasi.start();
  return connect();
}

function accept(): i32 {
  return wasi.accept(wasi.listener(0));
}

/** What a read brings: the bytes, or the number. */
function read(handle: i32, size: i32 = SIZE): string {
  const n = wasi.read(handle, target, size);
  return n > 0 ? text(target, n) : n.toString();
}

function write(handle: i32, data: string): i32 {
  const source = bytes(data);
  return wasi.write(handle, changetype<usize>(source), data.length);
}

/** All that the platform has to say now, in order of handles. */
function events(timeoutNs: i64 = 0): string {
  const said: Array<string> = [];
  wasi.wait(timeoutNs);
  for (let handle = wasi.next(); handle >= 0; handle = wasi.next()) {
    said.push(handle.toString() + (wasi.ready() == wasi.READ ? "r" : "w"));
  }
  return said.sort().join(" ");
}

test("bytes go both ways, and a half-close ends one", () => {
  const peer = open();
  const handle = accept();
  expect(read(handle)).toBe(AGAIN.toString());
  peer.send("hello");
  expect(read(handle, 2)).toBe("he");
  peer.end();
  expect(read(handle)).toBe("llo");
  expect(read(handle)).toBe("0");
  expect(write(handle, "still here")).toBe(10);
  expect(peer.received).toBe("still here");
  wasi.shutdown(handle);
  expect(peer.ended).toBe(true);
  expect(peer.closed).toBe(false);
  wasi.close(handle);
  expect(peer.closed).toBe(true);
  expect(peer.wasReset).toBe(false);
});

test("a peer takes what it has room for", () => {
  const peer = open();
  const handle = accept();
  peer.room = 3;
  expect(write(handle, "hello")).toBe(3);
  expect(write(handle, "lo")).toBe(AGAIN);
  wasi.watch(handle, wasi.WRITE);
  expect(events()).toBe("");
  peer.room = 100;
  expect(events()).toBe(handle.toString() + "w");
});

test("a reset loses what was unread, and ends both directions", () => {
  const peer = open();
  const handle = accept();
  peer.send("lost");
  peer.reset();
  expect(read(handle)).toBe((-REASON_RESET).toString());
  expect(write(handle, "x")).toBe(-REASON_RESET);
});

test("what is sent to a peer that closed meets a reset", () => {
  const peer = open();
  const handle = accept();
  peer.close();
  expect(read(handle)).toBe("0");
  expect(write(handle, "x")).toBe(1);
  expect(write(handle, "x")).toBe(-REASON_RESET);
});

test("closing with unread input resets the peer", () => {
  const peer = open();
  const handle = accept();
  peer.send("unread");
  wasi.close(handle);
  expect(peer.wasReset).toBe(true);
});

test("bytes after the close reset the peer", () => {
  const peer = open();
  wasi.close(accept());
  expect(peer.wasReset).toBe(false);
  peer.send("late");
  expect(peer.wasReset).toBe(true);
});

test("handles are used again, listeners close with their queue", () => {
  const first = open();
  const handle = accept();
  wasi.close(handle);
  connect();
  expect(accept()).toBe(handle);
  const queued = connect();
  wasi.close(wasi.listener(0));
  expect(queued.wasReset).toBe(true);
  expect(connect().closed).toBe(true);
  expect(first.closed).toBe(true);
});

test("descriptors run out", () => {
  open();
  network().descriptorsMax = 2;
  expect(accept()).toBeGreaterThan(0);
  connect();
  expect(accept()).toBe(-REASON_BUFFER_FULL);
});

test("readiness is what is watched and true; an end, a reset and a queue are readable", () => {
  const peer = open();
  const handle = accept();
  const listener = wasi.listener(0);
  wasi.watch(listener, wasi.READ);
  wasi.watch(handle, wasi.READ);
  expect(events()).toBe("");
  expect(wasi.sleepNs()).toBe(wasi.FOREVER);
  peer.end();
  expect(events()).toBe(handle.toString() + "r");
  expect(wasi.sleepNs()).toBe(0);
  wasi.watch(handle, wasi.WRITE);
  connect();
  expect(events()).toBe(listener.toString() + "r " + handle.toString() + "w");
  wasi.hold(true);
  expect(events()).toBe(handle.toString() + "w");
  wasi.watch(handle, wasi.NONE);
  expect(wasi.sleepNs()).toBe(wasi.FOREVER);
});

test("time passes only while nothing is ready", () => {
  const peer = open();
  const handle = accept();
  const begin = wasi.now();
  wasi.watch(handle, wasi.READ);
  events(500);
  expect(wasi.now() - begin).toBe(500);
  peer.send("x");
  events(500);
  expect(wasi.now() - begin).toBe(500);
  read(handle);
  events(wasi.FOREVER);
  expect(wasi.now() - begin).toBe(500);
  expect(network().waitsForEver).toBe(1);
});

test("the channel is ready when a read cannot block", () => {
  wasi.start();
  const channel = wasi.openChannel();
  wasi.watch(channel, wasi.READ);
  const host = network().host;
  expect(events()).toBe("");
  host.input.pushText("1");
  expect(events()).toBe("");
  host.input.pushText("2");
  expect(events()).toBe(channel.toString() + "r");
  expect(read(channel)).toBe("12");
  const source = bytes("out");
  expect(wasi.channelWrite(changetype<usize>(source), 3)).toBe(3);
  expect(host.output.text()).toBe("out");
  host.gone = true;
  expect(read(channel)).toBe("0");
  expect(wasi.channelWrite(changetype<usize>(source), 3)).toBe(-REASON_RESET);
});

test("what a kernel would punish is caught", () => {
  open();
  const handle = accept();
  wasi.close(handle);
  expect(() => {
    wasi.close(1);
  }).toThrowError("not open");
  expect(() => {
    read(1);
  }).toThrowError("not open");
  expect(() => {
    wasi.watch(1, wasi.READ);
  }).toThrowError("not open");
  connect();
  wasi.shutdown(accept());
  expect(() => {
    write(1, "x");
  }).toThrowError("after shutdown");
  wasi.openChannel();
  expect(() => {
    read(2);
  }).toThrowError("would block");
  network().host.room = 2;
  expect(() => {
    wasi.channelWrite(target, 3);
  }).toThrowError("would block");
  expect(() => {
    wasi.exit(70);
  }).toThrowError("exit 70");
});

/** A run with every fault, as text: all events and all that moved. */
function run(seed: u64): string {
  const net = network();
  net.seed(seed);
  const faults = net.faults;
  faults.shortReads = faults.shortWrites = faults.again = faults.spurious = faults.late = 300;
  const peer = connect();
  let trace = "";
  let handle = AGAIN;
  while (handle == AGAIN) handle = accept();
  const data = pattern(2000);
  wasi.watch(handle, wasi.READ | wasi.WRITE);
  peer.send(data);
  peer.end();
  let got = "";
  let sent = 0;
  for (let turns = 0; turns < 1000 && (got.length < data.length || sent < data.length); turns++) {
    trace += "," + events();
    const n = wasi.read(handle, target, 300);
    if (n > 0) got += text(target, n);
    const taken = write(handle, data.substring(sent, sent + 300));
    if (taken > 0) sent += taken;
    trace += ":" + n.toString() + ":" + taken.toString();
  }
  expect(got).toBe(data);
  expect(peer.received).toBe(data);
  wasi.close(handle);
  return trace;
}

test("faults lose nothing, and a seed is a run", () => {
  wasi.start();
  const trace = run(7);
  expect(run(7)).toBe(trace);
  expect(run(8)).not.toBe(trace);
});

test("a wait that may block tells something of what is ready", () => {
  const peer = open();
  const handle = accept();
  wasi.watch(handle, wasi.READ);
  peer.send("x");
  network().faults.late = 1000;
  expect(events()).toBe("");
  expect(wasi.sleepNs()).not.toBe(wasi.FOREVER);
  expect(events(1)).toBe(handle.toString() + "r");
});
