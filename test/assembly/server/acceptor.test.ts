// Accepting: bounded a turn, resting without a descriptor, and ended at any time.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { ACCEPTS_PER_TURN, ACCEPT_PAUSE_MS } from "../../../assembly/core/limits";
import { AcceptHandler, Acceptor, addAcceptHandler, bindSockets } from "../../../assembly/server/acceptor";
import * as wasi from "../../../assembly/wasi/index";
import { connect, network } from "../../../assembly/wasi/sim/net";
import { settle, sleep, turn } from "../support/sim";

/** Keeps what it is given. */
class Keeper extends AcceptHandler {
  handles: Array<i32> = [];
  listeners: Array<i32> = [];
  closes: Acceptor | null = null;
  onAccept(handle: i32, listener: i32): void {
    this.handles.push(handle);
    this.listeners.push(listener);
    if (this.closes) this.closes!.close();
  }
}

const keeper: Keeper = new Keeper();

function accepting(): Acceptor {
  turn();
  return addAcceptHandler(bindSockets()[0], 0, keeper);
}

function connectMany(count: i32): void {
  for (let i = 0; i < count; i++) connect();
}

test("bindSockets finds every listener, and the handler hears which", () => {
  network().listen(3);
  turn();
  const sockets = bindSockets();
  expect(sockets.length).toBe(3);
  for (let i = 0; i < 3; i++) addAcceptHandler(sockets[i], i, keeper);
  for (let i = 2; i >= 0; i--) {
    connect(i);
    settle();
  }
  expect(keeper.listeners).toEqual([2, 1, 0]);
});

test("a turn accepts so many and no more; the rest follows", () => {
  accepting();
  connectMany(3 * ACCEPTS_PER_TURN + 1);
  expect(turn()).toBe(0);
  expect(keeper.handles.length).toBe(ACCEPTS_PER_TURN);
  settle();
  expect(keeper.handles.length).toBe(3 * ACCEPTS_PER_TURN + 1);
  expect(turn()).toBe(wasi.FOREVER);
});

test("a connection that died in the queue stops nothing", () => {
  accepting();
  network().faults.again = 500;
  connectMany(20);
  settle();
  expect(keeper.handles.length).toBe(20);
});

test("out of descriptors: it pauses, does not spin, and goes on when there are some", () => {
  accepting();
  network().descriptorsMax = 1 + 10;
  connectMany(12);
  settle();
  expect(keeper.handles.length).toBe(10);
  const accepts = network().accepts;
  const waits = network().waits;
  sleep(10 * ACCEPT_PAUSE_MS);
  expect(network().accepts - accepts).toBeLessThanOrEqual(11);
  expect(network().waits - waits).toBeLessThan(60);
  wasi.close(keeper.handles[0]);
  wasi.close(keeper.handles[1]);
  sleep(ACCEPT_PAUSE_MS);
  expect(keeper.handles.length).toBe(12);
});

test("pause leaves connections in the queue, resume takes them", () => {
  const acceptor = accepting();
  acceptor.pause();
  acceptor.pause();
  connectMany(3);
  expect(turn()).toBe(wasi.FOREVER);
  expect(keeper.handles.length).toBe(0);
  acceptor.resume();
  settle();
  expect(keeper.handles.length).toBe(3);
});

test("a pause outlives the rest of one that was out of descriptors", () => {
  const acceptor = accepting();
  network().descriptorsMax = 1;
  connect();
  settle();
  acceptor.pause();
  network().descriptorsMax = 100;
  sleep(3 * ACCEPT_PAUSE_MS);
  expect(keeper.handles.length).toBe(0);
  acceptor.resume();
  sleep(3 * ACCEPT_PAUSE_MS);
  expect(keeper.handles.length).toBe(1);
});

test("close, twice, also while resting", () => {
  const acceptor = accepting();
  network().descriptorsMax = 1;
  connect();
  settle();
  acceptor.close();
  acceptor.close();
  sleep(3 * ACCEPT_PAUSE_MS);
  expect(connect().closed).toBe(true);
  acceptor.pause();
  acceptor.resume();
  expect(turn()).toBe(wasi.FOREVER);
});

test("close inside onAccept: the rest of the queue is turned away", () => {
  keeper.closes = accepting();
  connectMany(40);
  settle();
  expect(keeper.handles.length).toBe(1);
  expect(connect().closed).toBe(true);
});
