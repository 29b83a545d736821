/**
 * Bytes on their way to one peer: the host's half of the write window (docs/protocol.md, Credit, Writes).
 *
 * Invariant: a piece is sent only while what SENT has not reported is less than the window; the rest waits here in
 * order. A write is done when SENT has covered its last byte. The window is small at first and grows with what the peer
 * has taken.
 */
import { ProtocolError, type WaterspoutError } from "../core/errors.js";
import { holdWrites, isTooMuchToHold } from "../core/heldwrites.js";
import { PIECE_BYTES, WRITE_COST, WRITE_WINDOW_BYTES_FIRST, WRITE_WINDOW_SHARE } from "../core/limits.js";
import { ignore } from "../core/promises.js";

/** Writes one frame that holds `source` from `start` to `end`; `last` says that nothing follows. */
export type SendPiece = (source: Uint8Array, start: number, end: number, last: boolean) => void;

interface Waiter {
  /** The count of bytes that must have left. */
  at: number;
  resolve(): void;
  reject(error: Error): void;
}

const NOTHING = new Uint8Array(0);

/** The window of a peer that has taken `taken` bytes so far; it is never more than `most`. */
export function windowFor(taken: number, most: number): number {
  return Math.min(most, Math.max(WRITE_WINDOW_BYTES_FIRST, Math.floor(taken / WRITE_WINDOW_SHARE)));
}

export class WriteWindow {
  /** Whether end() was called. */
  ending = false;
  readonly #send: SendPiece;
  readonly #window: number;
  #queue: Uint8Array[] = [];
  /** Bytes of the queue's first entry that have been sent. */
  #offset = 0;
  /** What is counted for the queue. */
  #queued = 0;
  #waiters: Waiter[] = [];
  #accepted = 0;
  #sent = 0;
  #reported = 0;
  #over = false;

  constructor(window: number, send: SendPiece) {
    this.#window = window;
    this.#send = send;
  }

  /** Bytes that were given and have not been reported as sent. */
  get waiting(): number {
    return this.#accepted - this.#reported;
  }

  /**
   * Whether a write of so many bytes would be too much beside those that wait, of which `bytesMax` may. Without any it
   * is not: its bytes are the application's already. Those behind a write that is larger than `bytesMax` by itself do
   * not pay for it.
   */
  isFull(bytesMax: number, bytes: number): boolean {
    const head = this.#queue[0];
    if (head === undefined) return false;
    const large = head.length > bytesMax ? head.length - this.#offset : 0;
    return isTooMuchToHold(bytesMax, this.#queued - large, bytes);
  }

  /** Bytes that would be sent, and so copied, at once; 0 or less: a write would wait. */
  get room(): number {
    return this.#queue.length > 0 ? 0 : this.#open;
  }

  get #open(): number {
    return windowFor(this.#reported, this.#window) - (this.#sent - this.#reported);
  }

  /** Bytes that were reported as sent. */
  get reported(): number {
    return this.#reported;
  }

  /** Counts bytes that went out in a frame of another type, before everything else. */
  count(bytes: number): void {
    this.#accepted += bytes;
    this.#sent += bytes;
  }

  /** Queues `bytes`; `done()` resolves when they have left. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#accepted += bytes.length;
    this.#hold(bytes.length + WRITE_COST);
    this.#pump();
  }

  /** Nothing more follows: the last piece, perhaps empty, is marked. */
  end(): void {
    this.ending = true;
    this.#pump();
  }

  /**
   * Resolves when the next write may follow. A peer is waited for as in `done`, until its window has grown: by so much
   * the writer may be ahead, and the sandbox is sent several pieces at once. What was pushed by then has been copied.
   */
  ready(): Promise<void> {
    const ahead = windowFor(this.#reported, this.#window) - WRITE_WINDOW_BYTES_FIRST;
    return this.waiting <= ahead ? Promise.resolve() : this.done();
  }

  /** Resolves when everything that was pushed so far has left the sandbox; rejects when it never will. */
  done(): Promise<void> {
    if (this.#reported === this.#accepted) return Promise.resolve();
    return ignore(
      new Promise<void>((resolve, reject) => {
        this.#waiters.push({ at: this.#accepted, resolve, reject });
      }),
    );
  }

  /** The sandbox reports `bytes` more as sent. */
  sent(bytes: number): void {
    if (bytes === 0 || bytes > this.#sent - this.#reported) throw new ProtocolError(`SENT for ${bytes} bytes too many`);
    this.#reported += bytes;
    let settled = 0;
    for (const waiter of this.#waiters) {
      if (waiter.at > this.#reported) break;
      waiter.resolve();
      settled++;
    }
    if (settled > 0) this.#waiters.splice(0, settled);
    this.#pump();
  }

  /** Says that all has gone the way from which no report comes back. */
  settle(): void {
    this.#reported = this.#accepted;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  /** Forgets what waits: it will never leave. `why` makes the error of those who wait for it, if there are any. */
  fail(why: () => WaterspoutError): void {
    this.#over = true;
    this.#queue = [];
    this.#hold(-this.#queued);
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    const error = why();
    for (const waiter of waiters) waiter.reject(error);
  }

  #pump(): void {
    while (!this.#over) {
      const head = this.#queue[0];
      if (head === undefined) {
        if (this.ending) this.#finish();
        return;
      }
      const room = this.#open;
      if (room <= 0) return;
      const start = this.#offset;
      const pieceBytes = Math.min(PIECE_BYTES, this.#window);
      // What fits into one piece is not cut: all of its memory would be kept here until its second part has left.
      const end = head.length - start <= pieceBytes ? head.length : start + Math.min(room, pieceBytes);
      const last = this.ending && end === head.length && this.#queue.length === 1;
      this.#sent += end - start;
      this.#hold(start - end - (end === head.length ? WRITE_COST : 0));
      this.#offset = end === head.length ? 0 : end;
      if (end === head.length) this.#queue.shift();
      if (last) this.#over = true;
      this.#send(head, start, end, last);
    }
  }

  #hold(bytes: number): void {
    this.#queued += bytes;
    holdWrites(bytes);
  }

  #finish(): void {
    this.#over = true;
    this.#send(NOTHING, 0, 0, true);
  }
}
