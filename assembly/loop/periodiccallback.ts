// PeriodicCallback: a Callback that runs again and again.
// Invariant: runs are counted from the start, so they do not drift; one whose time has passed while another ran is left
// out. Reference: Tornado's ioloop.py, PeriodicCallback.

import { NS_PER_MS } from "../core/units";
import { Callback, IOLoop, Timeout } from "./ioloop";
import * as wasi from "../wasi/index";

/** Runs a Callback again and again: Tornado's PeriodicCallback. */
@final
export class PeriodicCallback extends Timeout {
  private loop: IOLoop = IOLoop.current();
  private running: bool = false;
  private random: u64 = 0;

  /**
   * `callback` runs every `callbackTimeMs` milliseconds, for the first time that long after start(). `jitter`, from 0
   * to 1, is the share of a period by which each may be longer or shorter, half of it to each side: 0.1 gives 95 % to
   * 105 %.
   */
  constructor(
    private callback: Callback,
    /** Milliseconds between runs. */
    readonly callbackTimeMs: i64,
    /** The share of a period by which each may be longer or shorter, half of it to each side. */
    readonly jitter: f64 = 0,
  ) {
    super();
  }

  /**
   * Starts the runs; goes on as before while it is running. False: the time is not above 0 or the jitter not from 0 to
   * 1.
   */
  start(): bool {
    if (this.callbackTimeMs <= 0 || !(this.jitter >= 0 && this.jitter <= 1)) return false;
    if (this.running) return true;
    this.running = true;
    this.loop.callAt(this.loop.time + this.periodNs(), this);
    return true;
  }

  /** Ends the runs. Safe at any time, also in a run; start() may follow. */
  stop(): void {
    this.running = false;
    this.loop.removeTimeout(this);
  }

  /** It has been started and not stopped. */
  isRunning(): bool {
    return this.running;
  }

  /** For the loop. */
  run(): void {
    const due = this.deadline;
    this.callback.run();
    if (!this.running || this.armed) return; // stopped, and perhaps started again, by its own run
    const period = this.periodNs();
    // How long the run took is not in the loop's time, which stands still within a turn.
    const missed = (wasi.now() - due) / period;
    this.loop.callAt(due + (missed + 1) * period, this);
  }

  private periodNs(): i64 {
    const exact = f64(this.callbackTimeMs) * f64(NS_PER_MS);
    return max<i64>(1, i64(exact * (1 + this.jitter * (this.chance() - 0.5))));
  }

  /** From 0 to 1, evenly (splitmix64). It need not be unpredictable. */
  private chance(): f64 {
    this.random += 0x9e3779b97f4a7c15 ^ u64(this.loop.time);
    let mixed = this.random;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return f64((mixed ^ (mixed >> 31)) >> 11) / f64(u64(1) << 53);
  }
}
