/**
 * Pings at intervals, and the end of a peer that does not answer. Tornado's websocket_ping_interval and
 * websocket_ping_timeout.
 *
 * Invariant: nothing but a pong counts, so a peer that sends a byte now and then is ended all the same. Time in which
 * the handler holds up what comes does not count, since the pong may be behind it, nor does that in which a ping waits
 * for the end of a message.
 */
export interface KeepaliveEvents {
  /** Sends a ping; `left` is called when it has been sent, now or later. */
  ping(left: () => void): void;
  /** Whether the handler holds up what comes. */
  isHeldUp(): boolean;
  timedOut(): void;
}

export class Keepalive {
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #isEndless: boolean;
  readonly #events: KeepaliveEvents;
  #timer: NodeJS.Timeout | null = null;
  #answered = false;
  #stopped = false;

  /** The timeout is at most the interval; 0: the peer need not answer. */
  constructor(intervalMs: number, timeoutMs: number, events: KeepaliveEvents) {
    this.#intervalMs = intervalMs;
    this.#isEndless = timeoutMs === 0;
    this.#timeoutMs = this.#isEndless ? intervalMs : Math.min(timeoutMs, intervalMs);
    this.#events = events;
    this.#arm(intervalMs, () => this.#ping());
  }

  /** A pong has come. */
  answered(): void {
    this.#answered = true;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #ping(): void {
    this.#answered = false;
    this.#events.ping(() => this.#arm(this.#timeoutMs, () => this.#look()));
  }

  #look(): void {
    if (this.#events.isHeldUp()) return this.#arm(this.#timeoutMs, () => this.#look());
    if (!this.#answered && !this.#isEndless) return this.#events.timedOut();
    if (this.#intervalMs > this.#timeoutMs) this.#arm(this.#intervalMs - this.#timeoutMs, () => this.#ping());
    else this.#ping();
  }

  #arm(ms: number, then: () => void): void {
    if (!this.#stopped) this.#timer = setTimeout(then, ms).unref();
  }
}
