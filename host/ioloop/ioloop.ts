/**
 * Tornado's IOLoop, over Node's own loop: there is one, it always runs, and here it has Tornado's names.
 *
 * Invariants: what a callback throws or rejects with is logged, and the loop goes on. After `close` nothing is called
 * any more.
 */

import type { ListeningSocket } from "../core/address.js";
import { UINT31_MAX } from "../core/check.js";
import { IOLoopError, OptionError, TimeoutError } from "../core/errors.js";
import { defaultLogger, type Logger } from "../core/log.js";
import { isListening, ListenerWatch } from "./listenerwatch.js";
import { ERROR, type IOHandler, NONE, READ, Watch, type Watchable, WRITE } from "./watch.js";

/** What `callLater`, `callAt` and `addTimeout` return and `removeTimeout` takes. */
export interface TimeoutHandle {
  /** @internal */
  timer: NodeJS.Timeout | null;
}

/** The event loop of this process under Tornado's names; `IOLoop.current()` gives it. */
export class IOLoop {
  /** No event. Events are bits, with Tornado's values. */
  static readonly NONE = NONE;
  /** Bytes have come, or the end; of a listening socket: connections wait. */
  static readonly READ = READ;
  /** There is room to write. */
  static readonly WRITE = WRITE;
  /** It has failed or is closed. Always reported. */
  static readonly ERROR = ERROR;
  static #current: IOLoop | null = null;
  /** Where failures of callbacks are reported. */
  logger: Logger = defaultLogger;
  readonly #watches = new Map<Watchable | ListeningSocket, Watch | ListenerWatch>();
  readonly #timeouts = new Set<TimeoutHandle>();
  #end: (() => void) | null = null;
  #stopRequested = false;
  #closed = false;

  private constructor() {}

  /** The loop of this process. After `close` it is a new one. */
  static current(): IOLoop {
    IOLoop.#current ??= new IOLoop();
    return IOLoop.#current;
  }

  /** The same as `current`, by its older name. */
  static instance(): IOLoop {
    return IOLoop.current();
  }

  /** Monotonic time in milliseconds: what `callAt` counts in. It is no date. */
  time(): number {
    return performance.now();
  }

  // --- handlers ---

  /**
   * Calls `handler` with `target` and what it is ready for, out of `events` (`IOLoop.READ`, `IOLoop.WRITE`, or-ed) and
   * `IOLoop.ERROR`, which is always reported: it has failed or is closed. READ means that bytes have come, or the end;
   * WRITE that there is room.
   *
   * Node reports changes, not states: a handler reads until `read()` gives null, and writes until `write()` gives
   * false. It has no readiness of bare descriptors, so `target` is a socket or another stream of Node's, or a listening
   * socket of `bindSockets`, of which READ means that connections wait: its handler calls `accept()` until that gives
   * null. A number is refused with OptionError.
   * A second handler for the same target is refused with IOLoopError, as is a listening socket that a server has or
   * that is closed.
   */
  addHandler<T extends Watchable | ListeningSocket>(target: T, handler: IOHandler<T>, events: number): void {
    const fire = (ready: number) => this.run(handler, target, ready);
    if (this.#watches.has(target)) throw new IOLoopError("this target is added twice");
    if (this.#closed) return;
    const watch = watchOf(target, fire);
    this.#watches.set(target, watch);
    watch.update(events);
  }

  /** Changes what a target is watched for. Throws IOLoopError when it is not watched. */
  updateHandler(target: Watchable | ListeningSocket, events: number): void {
    const watch = this.#watches.get(target);
    if (watch === undefined) throw new IOLoopError("this target has no handler");
    watch.update(events);
  }

  /** Stops watching a target; one that is not watched is fine. */
  removeHandler(target: Watchable | ListeningSocket): void {
    this.#watches.get(target)?.end();
    this.#watches.delete(target);
  }

  // --- callbacks ---

  /** Calls `callback` in the next iteration of the loop. */
  addCallback<A extends unknown[]>(callback: (...values: A) => unknown, ...values: A): void {
    setImmediate(() => this.run(callback, ...values));
  }

  /** The same as `addCallback`: what fails is logged there, too. */
  spawnCallback<A extends unknown[]>(callback: (...values: A) => unknown, ...values: A): void {
    this.addCallback(callback, ...values);
  }

  /** The same as `addCallback`: Node calls its signal handlers in the loop. */
  addCallbackFromSignal<A extends unknown[]>(callback: (...values: A) => unknown, ...values: A): void {
    this.addCallback(callback, ...values);
  }

  /** Calls `callback` with `future`, a promise, in an iteration after that is settled, in either way. */
  addFuture<F extends PromiseLike<unknown>>(future: F, callback: (future: F) => unknown): void {
    const settled = () => this.addCallback(callback, future);
    future.then(settled, settled);
  }

  /** Calls `callback` after `delayMs` milliseconds (below 0: as 0). Returns a handle for `removeTimeout`. */
  callLater<A extends unknown[]>(delayMs: number, callback: (...values: A) => unknown, ...values: A): TimeoutHandle {
    if (typeof delayMs !== "number" || Number.isNaN(delayMs)) throw new TypeError("delayMs must be a number");
    return this.callAt(this.time() + delayMs, callback, ...values);
  }

  /**
   * Calls `callback` at `when`, in milliseconds of `time()`; soon when that has passed. Returns a handle for
   * `removeTimeout`.
   */
  callAt<A extends unknown[]>(when: number, callback: (...values: A) => unknown, ...values: A): TimeoutHandle {
    if (typeof when !== "number" || Number.isNaN(when)) throw new TypeError("when must be a number");
    const handle: TimeoutHandle = { timer: null };
    if (!this.#closed) this.#arm(handle, when, () => this.run(callback, ...values));
    return handle;
  }

  /** `callAt` for a number, or for a Date: when that date will be, as the clock stands now. */
  addTimeout<A extends unknown[]>(
    deadline: number | Date,
    callback: (...values: A) => unknown,
    ...values: A
  ): TimeoutHandle {
    const when = deadline instanceof Date ? this.time() + (deadline.getTime() - Date.now()) : deadline;
    return this.callAt(when, callback, ...values);
  }

  /** Takes back a timeout; after it has run this does nothing. */
  removeTimeout(handle: TimeoutHandle): void {
    if (handle.timer !== null) clearTimeout(handle.timer);
    this.#timeouts.delete(handle);
  }

  #arm(handle: TimeoutHandle, when: number, fire: () => void): void {
    const delayMs = Math.ceil(Math.max(0, when - this.time()));
    this.#timeouts.add(handle);
    handle.timer = setTimeout(
      () => {
        if (delayMs > UINT31_MAX) return this.#arm(handle, when, fire);
        this.#timeouts.delete(handle);
        fire();
      },
      Math.min(delayMs, UINT31_MAX),
    );
  }

  // --- running ---

  /**
   * Keeps the process alive until `stop` is called, and resolves then; at once when it was called before. Throws
   * IOLoopError when the loop is running already, or closed.
   */
  start(): Promise<void> {
    this.#checkStart();
    if (this.#stopRequested) {
      this.#stopRequested = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const alive = setInterval(() => {}, UINT31_MAX);
      this.#end = () => {
        clearInterval(alive);
        this.#end = null;
        resolve();
      };
    });
  }

  #checkStart(): void {
    if (this.#closed) throw new IOLoopError("the loop is closed");
    if (this.#end !== null) throw new IOLoopError("the loop is running already");
  }

  #finish(): void {
    this.#end?.();
  }

  /** Ends `start`; the current iteration is finished. Before `start` it makes the next one return at once. */
  stop(): void {
    if (this.#end === null) this.#stopRequested = true;
    else this.#end();
  }

  /**
   * Runs the loop until what `func` returns is settled, and resolves with it or rejects as it does.
   *
   * Rejects with TimeoutError when that takes more than `timeoutMs` (default: no limit), and with IOLoopError when the
   * loop is running already or is stopped before. `func` itself cannot be stopped by that: what it has begun goes on.
   */
  async runSync<T>(func: () => T | PromiseLike<T>, timeoutMs?: number): Promise<T> {
    this.#checkStart();
    const timeouts: TimeoutHandle[] = [];
    try {
      return await new Promise<T>((resolve, reject) => {
        const stopped = new IOLoopError("the loop was stopped before the function was done");
        this.start().then(() => reject(stopped), reject);
        setImmediate(() => new Promise<T>((settle) => settle(func())).then(resolve, reject));
        if (timeoutMs === undefined) return;
        const late = new TimeoutError(`the function was not done after ${timeoutMs} ms`);
        timeouts.push(this.callLater(timeoutMs, reject, late));
      });
    } finally {
      for (const timeout of timeouts) this.removeTimeout(timeout);
      this.#finish();
    }
  }

  /**
   * Forgets every handler, callback and timeout; the loop must not be running. With `allFds` the objects that were
   * watched are destroyed too. Callbacks that are added later are dropped; `IOLoop.current()` is a new loop then.
   */
  close(allFds = false): void {
    if (this.#end !== null) throw new IOLoopError("stop the loop before it is closed");
    this.#closed = true;
    if (IOLoop.#current === this) IOLoop.#current = null;
    for (const handle of this.#timeouts) this.removeTimeout(handle);
    for (const target of this.#watches.keys()) {
      this.removeHandler(target);
      if (!allFds) continue;
      if (isListening(target)) target.close();
      else target.destroy();
    }
  }

  /** @internal Calls back, and logs what goes wrong. */
  run<A extends unknown[]>(callback: (...values: A) => unknown, ...values: A): void {
    if (this.#closed) return;
    try {
      const result = callback(...values);
      if (result instanceof Promise) result.catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.logger.error({ err: error }, "a callback failed");
  }
}

function watchOf(target: Watchable | ListeningSocket, fire: (events: number) => void): Watch | ListenerWatch {
  if (typeof target === "object" && target !== null) {
    if (isListening(target)) return new ListenerWatch(target, fire);
    if (typeof target.on === "function") return new Watch(target, fire);
  }
  throw new OptionError("Node can watch its own streams and listening sockets of bindSockets, not a descriptor");
}
