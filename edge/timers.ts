/**
 * `setTimeout`, `setInterval` and `setImmediate`: a binary heap by deadline; of equal deadlines the one that was set
 * first comes first.
 * Invariant: a timer that was cleared is still in the heap, without its callback; at most half of the heap are such.
 */
import { monotonicMs } from "./clock.js";
import { inspect } from "./inspect.js";
import { touch } from "./queue.js";
import { report } from "./report.js";

/** What `setTimeout` gives: a number where one is wanted, and what Node's has that an application may call. */
class Timer {
  order = 0;

  constructor(
    readonly id: number,
    public at: number,
    readonly everyMs: number | null,
    public callback: (() => void) | null,
  ) {}

  /** No timer keeps a component from ending. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return false;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }
}

const heap: Timer[] = [];
const byId = new Map<number, Timer>();
let count = 0;
let cleared = 0; // of those in the heap
/** As Node: a longer time counts as 1 ms. */
const DELAY_MS_MAX = 2 ** 31 - 1;

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function add(timer: Timer): void {
  timer.order = ++count;
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(timer, heap[parent] as Timer)) break;
    heap[at] = heap[parent] as Timer;
    at = parent;
  }
  heap[at] = timer;
}

function removeFirst(): void {
  if (heap[0]?.callback === null) cleared--;
  const last = heap.pop() as Timer;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
    if (!isBefore(heap[child] as Timer, last)) break;
    heap[at] = heap[child] as Timer;
    at = child;
  }
  heap[at] = last;
}

function set(callback: unknown, delay: unknown, given: unknown[], repeats: boolean): Timer {
  const wanted = Number(delay);
  return start(callback, wanted >= 1 && wanted <= DELAY_MS_MAX ? Math.trunc(wanted) : 1, given, repeats);
}

function start(callback: unknown, delayMs: number, given: unknown[], repeats: boolean): Timer {
  if (typeof callback !== "function") throw new TypeError("the callback of a timer must be a function");
  const timer = new Timer(++count, monotonicMs() + delayMs, repeats ? delayMs : null, () => callback(...given));
  byId.set(timer.id, timer);
  add(timer);
  return timer;
}

function clear(id: unknown): void {
  const timer = byId.get(Number(id));
  if (timer === undefined) return;
  byId.delete(timer.id);
  timer.callback = null;
  if (++cleared > heap.length / 2) dropCleared();
}

/** Each request may set a timer of a minute and clear it: those would be many. */
function dropCleared(): void {
  const left = heap.splice(0).filter(({ callback }) => callback !== null);
  for (const timer of left.sort((a, b) => (isBefore(a, b) ? -1 : 1))) heap.push(timer); // a sorted list is a heap
  cleared = 0;
}

/** Runs what is due, but nothing that is set meanwhile. */
export function runTimers(): void {
  const now = monotonicMs();
  const mark = count;
  for (let next = heap[0]; next !== undefined && next.at <= now && next.order <= mark; next = heap[0]) {
    removeFirst();
    const { callback, everyMs } = next;
    if (callback === null) continue;
    if (everyMs === null) byId.delete(next.id);
    else add(Object.assign(next, { at: now + everyMs }));
    touch();
    try {
      callback();
    } catch (error) {
      report(`uncaught in a timer: ${inspect(error)}`);
    }
  }
}

/** Milliseconds until the next one, null: there is none. */
export function untilTimer(): number | null {
  while (heap[0]?.callback === null) removeFirst();
  const next = heap[0];
  return next === undefined ? null : Math.min(Math.max(0, Math.ceil(next.at - monotonicMs())), DELAY_MS_MAX);
}

export const timerGlobals = {
  setTimeout: (callback: unknown, delay?: unknown, ...given: unknown[]): Timer => set(callback, delay, given, false),
  setInterval: (callback: unknown, delay?: unknown, ...given: unknown[]): Timer => set(callback, delay, given, true),
  /** Behind all that is settled now. */
  setImmediate: (callback: unknown, ...given: unknown[]): Timer => start(callback, 0, given, false),
  clearTimeout: clear,
  clearInterval: clear,
  clearImmediate: clear,
};
