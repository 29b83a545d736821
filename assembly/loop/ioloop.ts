// IOLoop: one turn waits for events, calls their handlers, runs callbacks and timers, and then what was put off to the
// turn's end. It knows neither streams nor HTTP. Invariant: one turn at a time, and the callbacks of atTurnEnd run once
// a turn, after everything else. Reference: Tornado's ioloop.py; the clock is monotonic where Tornado's is not.

import { HANDLES_MAX } from "../core/limits";
import { HANDLES_TRIED, count, countTurn } from "../core/stats";
import { NS_PER_MS } from "../core/units";
import { Timeout, Timers } from "./timers";
import { OVER_HTTP, TIME_WHEN_ASKED } from "../wasi/build";
import * as wasi from "../wasi/index";

export { Timeout };
/** Bytes may have come, or the end; of a listening socket: a connection. */
export const READ = wasi.READ;
/** There may be room to write. */
export const WRITE = wasi.WRITE;

/** What add_handler's function is in Tornado. */
export abstract class EventHandler {
  /** `handle` may be ready for `events` (READ or WRITE): a hint, the operation is the truth. */
  abstract onReady(handle: i32, events: i32): void;
}

/** Something to run in the next turn (addCallback), or at the end of every turn (atTurnEnd). */
export abstract class Callback {
  /** What is to be done. */
  abstract run(): void;
}

/** How stale the Date of an answer may be. */
const WALL_CLOCK_EVERY_NS: i64 = 100 * NS_PER_MS;
let isTimeRead: bool = true;

/** The event loop of this module: Tornado's IOLoop. IOLoop.current() gives it. */
export class IOLoop {
  private static instance: IOLoop | null = null;
  private handlers: StaticArray<EventHandler | null> = new StaticArray<EventHandler | null>(256);
  private timers: Timers = new Timers();
  private callbacks: Array<Callback> = [];
  private running: Array<Callback> = [];
  private turnEnd: Array<Callback> = [];
  private wallSeconds: i64 = 0;
  private wallRead: i64 = -WALL_CLOCK_EVERY_NS;
  private stopped: bool = false;
  private started: bool = false;
  private turnTime: i64 = 0;

  /**
   * The loop of this module; there is one. An application sets itself up while its module is being instantiated, when a
   * host cannot answer yet: so nothing is asked of the platform before the first turn, and callbacks wait for it.
   */
  static current(): IOLoop {
    let loop = IOLoop.instance;
    if (!loop) {
      loop = new IOLoop();
      IOLoop.instance = loop;
    }
    return loop;
  }

  /**
   * Monotonic nanoseconds when this turn's events came; 0 before the first turn. Where each turn is one request, and
   * most of them wait for nothing, the clock is read when it is first asked for.
   */
  get time(): i64 {
    if (TIME_WHEN_ASKED && !isTimeRead) this.readTime();
    return this.turnTime;
  }

  private readTime(): void {
    this.turnTime = wasi.now();
    isTimeRead = true;
  }

  /** Watches `handle` for `events`, READ and WRITE or-ed. A handle has one handler; a second call replaces it. */
  addHandler(handle: i32, handler: EventHandler, events: i32): void {
    if (handle >= this.handlers.length) this.growHandlers(handle);
    unchecked((this.handlers[handle] = handler));
    wasi.watch(handle, events);
  }

  /** Watches `handle` for other `events`; 0: for none, until the next call. */
  @inline updateHandler(handle: i32, events: i32): void {
    wasi.watch(handle, events);
  }

  /** Unknown handles are fine. */
  removeHandler(handle: i32): void {
    if (handle >= this.handlers.length) return;
    unchecked((this.handlers[handle] = null));
    wasi.watch(handle, 0);
  }

  /** Runs `callback` in the next turn. */
  addCallback(callback: Callback): void {
    this.callbacks.push(callback);
  }

  /** Runs `callback` at the end of every turn from now on; the last one registered runs first. */
  atTurnEnd(callback: Callback): void {
    this.turnEnd.push(callback);
  }

  /** Runs `timeout` once, `delayMs` from now; less than 0 counts as 0. An armed one is moved. */
  callLater(delayMs: i64, timeout: Timeout): void {
    this.timers.add(timeout, this.time + max<i64>(delayMs, 0) * NS_PER_MS);
  }

  /** Runs `timeout` once at `deadline`, in monotonic nanoseconds (see `time`); one that has passed counts as now. */
  callAt(deadline: i64, timeout: Timeout): void {
    this.timers.add(timeout, max<i64>(deadline, this.time));
  }

  /** Safe at any time, also after it ran. */
  removeTimeout(timeout: Timeout): void {
    this.timers.remove(timeout);
  }

  /** Seconds since 1970, at most 0.1 s old. */
  unixSeconds(): i64 {
    if (this.time - this.wallRead >= WALL_CLOCK_EVERY_NS) {
      this.wallSeconds = wasi.unixSeconds();
      this.wallRead = this.time;
    }
    return this.wallSeconds;
  }

  /**
   * The current turn is the last. What was written by its end leaves as far as the system takes it at once; drain() is
   * the stop that finishes first what has begun. Over wasi:http nothing stops: the runtime ends its instances, when
   * their requests are answered.
   */
  stop(): void {
    this.stopped = !OVER_HTTP;
  }

  /**
   * One turn, waiting at most `maxWaitNs` (wasi.FOREVER: no limit). Returns the nanoseconds until the next one is
   * wanted even without an event, wasi.FOREVER for never, and -1 once the loop has been stopped.
   */
  turn(maxWaitNs: i64): i64 {
    if (!this.started) this.start();
    let timeout: i64 = 0;
    if (maxWaitNs && !this.callbacks.length) {
      this.turnTime = wasi.now();
      timeout = min<i64>(maxWaitNs, this.untilTimer());
    }
    wasi.wait(timeout);
    if (TIME_WHEN_ASKED) isTimeRead = false;
    else this.turnTime = wasi.now();
    let tried = 0;
    for (let handle = wasi.next(); handle >= 0; handle = wasi.next()) {
      tried++;
      const handler = unchecked(this.handlers[handle]);
      if (handler) handler.onReady(handle, wasi.ready());
    }
    this.runCallbacks();
    this.runTimers();
    for (let i = this.turnEnd.length - 1; i >= 0; i--) unchecked(this.turnEnd[i]).run();
    count(HANDLES_TRIED, tried);
    if (!TIME_WHEN_ASKED) countTurn(wasi.now() - this.time);
    if (this.stopped) return -1;
    return this.callbacks.length ? 0 : min<i64>(wasi.sleepNs(), this.untilTimer());
  }

  private start(): void {
    this.started = true;
    wasi.start();
    this.timers.shift(wasi.now()); // those armed before now counted from 0
  }

  private untilTimer(): i64 {
    const next = this.timers.next;
    return next == i64.MAX_VALUE ? wasi.FOREVER : max<i64>(0, next - this.time);
  }

  /** What a callback adds is for the next turn. */
  private runCallbacks(): void {
    if (!this.callbacks.length) return;
    const callbacks = this.callbacks;
    this.callbacks = this.running;
    this.running = callbacks;
    for (let i = 0; i < callbacks.length; i++) unchecked(callbacks[i]).run();
    callbacks.length = 0;
  }

  private runTimers(): void {
    if (TIME_WHEN_ASKED && !this.timers.size) return;
    const mark = this.timers.mark;
    for (let timeout = this.timers.due(this.time, mark); timeout; timeout = this.timers.due(this.time, mark))
      timeout.run();
  }

  private growHandlers(handle: i32): void {
    const handlers = new StaticArray<EventHandler | null>(min(HANDLES_MAX, max(handle + 1, this.handlers.length * 2)));
    for (let i = 0; i < this.handlers.length; i++) unchecked((handlers[i] = this.handlers[i]));
    this.handlers = handlers;
  }
}
