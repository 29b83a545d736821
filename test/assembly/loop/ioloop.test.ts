// The loop: who runs in which turn and in which order, what turn() returns, and that it waits when there is nothing to
// do.
import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { Callback, EventHandler, IOLoop, READ, Timeout, WRITE } from "../../../assembly/loop/ioloop";
import * as wasi from "../../../assembly/wasi/index";
import { connect, network } from "../../../assembly/wasi/sim/net";
import { MS, sleep, turn } from "../support/sim";

const loop: IOLoop = IOLoop.current();
const log: Array<string> = [];

function logged(): string {
  const text = log.join(" ");
  log.length = 0;
  return text;
}

class Note extends Callback {
  constructor(
    readonly name: string,
    readonly follower: Callback | null = null,
  ) {
    super();
  }
  run(): void {
    log.push(this.name);
    if (this.follower) loop.addCallback(this.follower!);
  }
}

/** Notes when it fires; `again` times it arms itself anew, `againMs` later. */
class Alarm extends Timeout {
  again: i32 = 0;
  againMs: i64 = 0;
  removes: Timeout | null = null;
  constructor(readonly name: string) {
    super();
  }
  run(): void {
    log.push(this.name);
    if (this.removes) loop.removeTimeout(this.removes!);
    if (this.again-- > 0) loop.callLater(this.againMs, this);
  }
}

function later(delayMs: i64, name: string): Alarm {
  const alarm = new Alarm(name);
  loop.callLater(delayMs, alarm);
  return alarm;
}

class Stopper extends Callback {
  run(): void {
    log.push("stop");
    loop.stop();
  }
}

class Events extends EventHandler {
  forgets: i32 = -1;
  constructor(readonly name: string) {
    super();
  }
  onReady(handle: i32, events: i32): void {
    log.push(this.name + (events == READ ? "r" : events == WRITE ? "w" : "?"));
    if (this.forgets >= 0) loop.removeHandler(this.forgets);
  }
}

function accept(): i32 {
  connect();
  return wasi.accept(wasi.listener(0));
}

// --- callbacks ---

test("a callback runs in the next turn, once, in the order added", () => {
  loop.addCallback(new Note("a"));
  loop.addCallback(new Note("b"));
  expect(logged()).toBe("");
  turn();
  expect(logged()).toBe("a b");
  turn();
  expect(logged()).toBe("");
});

test("what a callback adds is for the turn after", () => {
  loop.addCallback(new Note("a", new Note("b", new Note("c"))));
  expect(turn()).toBe(0);
  expect(logged()).toBe("a");
  expect(turn()).toBe(0);
  expect(logged()).toBe("b");
  expect(turn()).toBe(wasi.FOREVER);
  expect(logged()).toBe("c");
});

test("a turn with callbacks does not wait", () => {
  turn();
  const before = network().clock;
  loop.addCallback(new Note("a"));
  loop.turn(100 * MS);
  expect(network().clock).toBe(before);
});

test("the end of a turn comes last, the last registered first", () => {
  loop.atTurnEnd(new Note("end1"));
  loop.atTurnEnd(new Note("end2"));
  loop.addCallback(new Note("callback"));
  later(0, "timeout");
  turn();
  expect(logged()).toBe("callback timeout end2 end1");
  turn();
  expect(logged()).toBe("end2 end1");
});

// --- timeouts ---

test("timeouts fire in the order of their time, equal ones in the order added", () => {
  turn();
  later(20, "c");
  later(10, "a");
  later(10, "b");
  sleep(9);
  expect(logged()).toBe("");
  sleep(1);
  expect(logged()).toBe("a b");
  sleep(10);
  expect(logged()).toBe("c");
});

test("a delay of 0, or less, is the next turn", () => {
  turn();
  later(0, "zero");
  later(-5, "minus five");
  later(i64.MIN_VALUE, "minus all");
  expect(logged()).toBe("");
  turn();
  expect(logged()).toBe("zero minus five minus all");
});

test("a timeout that arms itself for now runs once a turn", () => {
  turn();
  const alarm = later(0, "a");
  alarm.again = 2;
  expect(turn()).toBe(0);
  expect(logged()).toBe("a");
  turn();
  expect(logged()).toBe("a");
  expect(turn()).toBe(wasi.FOREVER);
  expect(logged()).toBe("a");
});

test("a removed timeout does not fire, and removing is safe at any time", () => {
  turn();
  const a = later(5, "a");
  const b = later(5, "b");
  loop.removeTimeout(a);
  sleep(5);
  expect(logged()).toBe("b");
  loop.removeTimeout(b);
  loop.removeTimeout(new Alarm("never added"));
  loop.removeTimeout(a);
});

test("one timeout can remove another that is due in the same turn, and itself", () => {
  turn();
  const a = later(5, "a");
  const b = later(5, "b");
  a.removes = b;
  const c = later(5, "c");
  c.removes = c;
  sleep(5);
  expect(logged()).toBe("a c");
});

test("an armed timeout that is armed again moves", () => {
  turn();
  const a = later(5, "a");
  loop.callLater(50, a);
  sleep(49);
  expect(logged()).toBe("");
  sleep(1);
  expect(logged()).toBe("a");
});

test("callAt takes a time of the loop's clock", () => {
  turn();
  const alarm = new Alarm("a");
  loop.callAt(loop.time + 3 * MS, alarm);
  sleep(2);
  expect(logged()).toBe("");
  sleep(1);
  expect(logged()).toBe("a");
});

test("timeouts that were armed before the first turn count from it", () => {
  later(10, "a");
  network().clock += 5000 * MS; // whatever passed before
  turn();
  sleep(9);
  expect(logged()).toBe("");
  sleep(1);
  expect(logged()).toBe("a");
});

class Past extends Timeout {
  left: i32 = 5;
  run(): void {
    log.push("past");
    if (this.left-- > 0) loop.callAt(0, this);
  }
}

test("a timeout that arms itself for the past holds up no other", () => {
  turn();
  loop.callAt(0, new Past());
  later(0, "other");
  turn();
  turn();
  expect(logged()).toContain("other");
});

// --- what turn() returns, and how long it waits ---

test("turn returns the time until the next timeout", () => {
  expect(turn()).toBe(wasi.FOREVER);
  const alarm = later(10, "a");
  expect(turn()).toBe(10 * MS);
  expect(loop.turn(4 * MS)).toBe(6 * MS);
  expect(loop.turn(wasi.FOREVER)).toBe(wasi.FOREVER);
  expect(logged()).toBe("a");
  loop.callLater(10, alarm);
  loop.removeTimeout(alarm);
  expect(turn()).toBe(wasi.FOREVER);
});

test("turn returns 0 while something is ready", () => {
  turn();
  const handle = accept();
  loop.addHandler(handle, new Events("a"), WRITE);
  expect(turn()).toBe(0);
  loop.updateHandler(handle, 0);
  expect(turn()).toBe(wasi.FOREVER);
});

test("an idle loop waits", () => {
  turn();
  const waits = network().waits;
  loop.turn(wasi.FOREVER);
  expect(network().waits).toBe(waits + 1);
  expect(network().waitsForEver).toBe(1);
});

test("the loop's time is that of its events", () => {
  turn();
  const before = loop.time;
  loop.turn(7 * MS);
  expect(loop.time).toBe(before + 7 * MS);
});

test("the wall clock is at most a tenth of a second old", () => {
  turn();
  const begin = loop.unixSeconds();
  sleep(950);
  for (let i = 0; i < 10; i++) sleep(10);
  expect(loop.unixSeconds()).toBe(begin + 1);
});

// --- stop ---

test("stop: the turn finishes, and turn returns -1", () => {
  loop.atTurnEnd(new Note("end"));
  loop.addCallback(new Stopper());
  loop.addCallback(new Note("after"));
  later(0, "timeout");
  expect(turn()).toBe(-1);
  expect(logged()).toBe("stop after timeout end");
});

test("stop before the first turn: it runs, and is the last", () => {
  loop.addCallback(new Note("a"));
  loop.stop();
  expect(turn()).toBe(-1);
  expect(logged()).toBe("a");
});

// --- handlers ---

test("a handler hears what its handle is ready for", () => {
  turn();
  const handle = accept();
  loop.addHandler(handle, new Events("a"), READ);
  turn();
  expect(logged()).toBe("");
  loop.updateHandler(handle, WRITE);
  turn();
  expect(logged()).toBe("aw");
});

test("a second handler replaces the first; removing what is unknown is fine", () => {
  turn();
  const handle = accept();
  loop.addHandler(handle, new Events("a"), WRITE);
  loop.addHandler(handle, new Events("b"), WRITE);
  turn();
  expect(logged()).toBe("bw");
  loop.removeHandler(handle);
  loop.removeHandler(handle);
  loop.removeHandler(30000);
  turn();
  expect(logged()).toBe("");
});

test("a handler that was removed in the same turn is not called", () => {
  turn();
  const first = new Events("a");
  const second = new Events("b");
  const one = accept();
  const two = accept();
  first.forgets = two;
  second.forgets = one;
  loop.addHandler(one, first, WRITE);
  loop.addHandler(two, second, WRITE);
  turn();
  expect(logged().length).toBe(2); // one of them
});

test("hundreds of handles", () => {
  network().descriptorsMax = 2000;
  turn();
  for (let i = 0; i < 700; i++) loop.addHandler(accept(), new Events(i.toString()), WRITE);
  turn();
  expect(log.length).toBe(700);
  expect(log.includes("699w")).toBe(true);
});

test("callbacks, then timeouts, then the end, after the handles", () => {
  turn();
  loop.atTurnEnd(new Note("end"));
  later(0, "timeout");
  loop.addCallback(new Note("callback"));
  loop.addHandler(accept(), new Events("handle"), WRITE);
  turn();
  expect(logged()).toBe("handlew callback timeout end");
});
