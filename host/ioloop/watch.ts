/**
 * Readiness of Node's own streams, in the words of Tornado's add_handler.
 *
 * Node gives a program no readiness of bare descriptors: what can be watched is an object with a readable or a writable
 * side. And events come on a change, not as long as a state lasts. Invariants: a handler is called from the loop, never
 * from inside another call; several reasons of one iteration are one call; after `end` there is none.
 */
import type { Readable, Writable } from "node:stream";

export const NONE = 0;
export const READ = 0x001;
export const WRITE = 0x004;
export const ERROR = 0x018;

/** What can be watched: a socket, a pipe, any Readable, Writable or Duplex. */
export type Watchable = Readable | Writable;

/** Called with the object and what it is ready for: READ, WRITE and ERROR or-ed. */
export type IOHandler<T = Watchable> = (target: T, events: number) => unknown;

type EitherSide = Partial<Readable> & Partial<Writable> & NodeJS.EventEmitter;

export class Watch {
  readonly #target: EitherSide;
  readonly #fire: (events: number) => void;
  readonly #readable = (): void => this.#note(READ);
  readonly #writable = (): void => this.#note(WRITE);
  readonly #failed = (): void => this.#note(ERROR);
  #events = NONE;
  #pending = NONE;
  #ended = false;

  constructor(target: Watchable, fire: (events: number) => void) {
    this.#target = target as EitherSide;
    this.#fire = fire;
    target.on("drain", this.#writable).on("error", this.#failed).on("close", this.#failed);
  }

  /** Watches for `events` from now on; an event that is ready already is reported in the next iteration. */
  update(events: number): void {
    const target = this.#target;
    const added = events & ~this.#events;
    const removed = this.#events & ~events;
    this.#events = events;
    // Listening for "readable" decides how a stream flows, so it is done only for those that want to read.
    if (added & READ) target.on("readable", this.#readable).on("end", this.#readable);
    if (removed & READ) target.removeListener("readable", this.#readable).removeListener("end", this.#readable);
    const { readableLength = 0, readableEnded, writable, writableNeedDrain } = target;
    if (added & READ && (readableLength > 0 || readableEnded)) this.#note(READ);
    if (added & WRITE && writable && !writableNeedDrain) this.#note(WRITE);
  }

  end(): void {
    this.update(NONE);
    this.#ended = true;
    const target = this.#target;
    target.removeListener("drain", this.#writable);
    target.removeListener("error", this.#failed).removeListener("close", this.#failed);
  }

  /** ERROR is reported whatever was asked for. */
  #note(events: number): void {
    const wanted = events & (this.#events | ERROR);
    if (wanted === NONE) return;
    if (this.#pending === NONE) setImmediate(() => this.#tell());
    this.#pending |= wanted;
  }

  #tell(): void {
    const events = this.#pending & (this.#events | ERROR);
    this.#pending = NONE;
    if (!this.#ended && events !== NONE) this.#fire(events);
  }
}
