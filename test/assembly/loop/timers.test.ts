// The heap of timeouts: order, ties, removal, and a hundred thousand random operations against a plain list.
import { TestOptions, expect, test } from "vitest-pool-assemblyscript/assembly";
import { Timeout, Timers } from "../../../assembly/loop/timers";
import { below, seed } from "../protocol/http/support/random";

class Named extends Timeout {
  constructor(readonly name: string) {
    super();
  }
  run(): void {}
}

const timers: Timers = new Timers();
const NEVER: u64 = u64.MAX_VALUE;

/** The names of all that are due, taken in order. */
function due(now: i64, mark: u64 = NEVER): string {
  const names: Array<string> = [];
  for (let timeout = timers.due(now, mark); timeout; timeout = timers.due(now, mark))
    names.push((timeout as Named).name);
  return names.join(" ");
}

function add(name: string, deadline: i64): Named {
  const timeout = new Named(name);
  timers.add(timeout, deadline);
  return timeout;
}

test("the earliest is first, whatever the order of adding", () => {
  add("c", 30);
  add("a", 10);
  add("d", 40);
  add("b", 20);
  expect(timers.next).toBe(10);
  expect(due(9)).toBe("");
  expect(due(20)).toBe("a b");
  expect(timers.next).toBe(30);
  expect(due(i64.MAX_VALUE)).toBe("c d");
  expect(timers.next).toBe(i64.MAX_VALUE);
  expect(timers.size).toBe(0);
});

test("equal deadlines fire in the order added", () => {
  for (let i = 0; i < 10; i++) add(i.toString(), 5);
  expect(due(5)).toBe("0 1 2 3 4 5 6 7 8 9");
});

test("one that is armed moves, and counts as added now", () => {
  const a = add("a", 10);
  add("b", 20);
  timers.add(a, 20);
  expect(timers.size).toBe(2);
  expect(timers.next).toBe(20);
  expect(due(20)).toBe("b a");
  expect(a.armed).toBe(false);
  timers.add(a, 5);
  expect(a.armed).toBe(true);
  expect(due(5)).toBe("a");
});

test("removing is safe at any time", () => {
  const a = add("a", 10);
  const b = add("b", 10);
  const c = add("c", 10);
  timers.remove(b);
  expect(b.armed).toBe(false);
  timers.remove(b);
  timers.remove(new Named("never added"));
  expect(due(10)).toBe("a c");
  timers.remove(a);
  timers.remove(c);
  expect(timers.size).toBe(0);
});

test("what is added after the mark is for the next turn", () => {
  add("a", 10);
  const mark = timers.mark;
  add("b", 10);
  expect(due(10, mark)).toBe("a");
  expect(due(10, timers.mark)).toBe("b");
});

test("all deadlines move together", () => {
  add("a", 10);
  add("b", 20);
  timers.shift(1000);
  expect(due(1000)).toBe("");
  expect(timers.next).toBe(1010);
  expect(due(1020)).toBe("a b");
});

test("extreme deadlines", () => {
  add("never", i64.MAX_VALUE - 1);
  add("long ago", i64.MIN_VALUE);
  expect(timers.next).toBe(i64.MIN_VALUE);
  expect(due(0)).toBe("long ago");
  expect(timers.next).toBe(i64.MAX_VALUE - 1);
});

// --- against a plain list ---

const OPERATIONS: i32 = 100000;
const COUNT: i32 = 200; // more than the heap's first room

/** What is armed, in no order. */
const list: Array<Named> = [];

function isBefore(a: Named, b: Named): bool {
  return a.deadline < b.deadline || (a.deadline == b.deadline && a.order < b.order);
}

function first(): Named {
  let found = list[0];
  for (let i = 1; i < list.length; i++) if (isBefore(list[i], found)) found = list[i];
  return found;
}

function forget(timeout: Named): void {
  const at = list.indexOf(timeout);
  if (at < 0) return;
  list[at] = list[list.length - 1];
  list.pop();
}

/** Takes what is due and holds it against the list. */
function takeDue(now: i64): void {
  for (let timeout = timers.due(now, NEVER); timeout; timeout = timers.due(now, NEVER)) {
    const expected = first();
    assert(timeout === expected, "due out of order");
    assert(expected.deadline <= now, "due too early");
    forget(expected);
  }
  assert(!list.length || first().deadline > now, "one that is due was left");
}

test("random operations, against a plain list", TestOptions.timeout(20000), () => {
  seed(20);
  const all: Array<Named> = [];
  for (let i = 0; i < COUNT; i++) all.push(new Named(i.toString()));
  let now: i64 = 0;
  for (let i = 0; i < OPERATIONS; i++) {
    const timeout = all[below(COUNT)];
    const what = below(10);
    if (what < 6) {
      forget(timeout);
      timers.add(timeout, now + below(50));
      list.push(timeout);
    } else if (what < 9) {
      forget(timeout);
      timers.remove(timeout);
    } else takeDue((now += below(20)));
    assert(timers.size == list.length, "size");
    assert(timeout.armed == list.includes(timeout), "armed");
    assert(!list.length || timers.next == first().deadline, "next");
  }
  takeDue(i64.MAX_VALUE);
  expect(timers.size).toBe(0);
});
