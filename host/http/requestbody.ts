/**
 * The body of one request: taken in as frames bring it, given out as its handler asks.
 *
 * Invariant: at most `bodyWindow` bytes wait here; a byte's credit goes back when the handler has taken it. The amount
 * is held against Content-Length, since the sandbox is believed no more than the network.
 */

import type { Bridge } from "../bridge/bridge.js";
import { FRAME_BODY_CREDIT } from "../bridge/frames.js";
import { ByteQueue } from "../core/bytequeue.js";
import { AlreadyReadingError, BodyTooLargeError, HTTPInputError, ProtocolError } from "../core/errors.js";
import { BodyReader } from "./bodyreader.js";
import type { HeldBody } from "./heldbodies.js";

interface Waiter {
  resolve(block: Buffer | null): void;
  reject(error: Error): void;
}

/** The body of one request, as its frames bring it. */
export class RequestBody extends BodyReader {
  readonly #bridge: Bridge;
  readonly #id: number;
  /** Content-Length, -1 for a chunked body. */
  readonly #expected: number;
  readonly #window: number;
  readonly #queue = new ByteQueue();
  #waiter: Waiter | null = null;
  #received = 0;
  #credited = 0;
  /** Taken by the handler and not credited yet. */
  #owed = 0;
  #ended = false;
  #error: Error | null = null;
  /** What a handler allows; the rest of a larger body is dropped. */
  #maxBytes = Number.POSITIVE_INFINITY;
  #tooLarge: BodyTooLargeError | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** `asked`: the peer waits for `100 Continue`, which goes out with the window for the first read. */
  constructor(bridge: Bridge, id: number, expected: number, asked: boolean, held: HeldBody | null = null) {
    super(held);
    this.#bridge = bridge;
    this.#id = id;
    this.#expected = expected;
    this.#window = bridge.settings.bodyWindow;
    if (asked) this.#credited = -this.#window;
  }

  /** All of it has come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reading fails with BodyTooLargeError when the body is, or gets, larger than `maxBytes`. */
  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#checkSize();
  }

  /** Reading fails with HTTPInputError (408) when the body is not complete after `timeoutMs`. */
  limitTime(timeoutMs: number): void {
    this.#stopTimer();
    if (this.#ended || this.#error !== null) return;
    const late = () => this.fail(new HTTPInputError("the request's body did not come in time", 408, "BODY_TIMEOUT"));
    this.#timer = setTimeout(late, timeoutMs).unref();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #checkSize(): void {
    if (Math.max(this.#expected, this.#received) <= this.#maxBytes) return;
    this.#tooLarge ??= new BodyTooLargeError(this.#maxBytes);
    this.#bridge.letGo(this.#id, this.#queue.length);
    this.#queue.clear();
    this.#wake();
  }

  /** Takes bytes of the body; `last` says that they complete it. */
  push(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.#ended) throw new ProtocolError("BODY after the end of the body");
    const bytes = end - start;
    this.#received += bytes;
    const limit = this.#expected >= 0 ? this.#expected : this.#bridge.settings.bodyBytesMax;
    const ahead = this.#received - this.#credited;
    if (this.#received > limit || (!last && (bytes === 0 || ahead > this.#window))) {
      throw new ProtocolError(`BODY of ${bytes} bytes too many`);
    }
    if (last && this.#expected >= 0 && this.#received !== this.#expected) throw new ProtocolError("BODY_END too early");
    this.#ended = last;
    if (last) this.#stopTimer();
    this.#checkSize();
    if (bytes > 0 && this.#error === null && this.#tooLarge === null) {
      this.#queue.push(chunk, start, end);
      this.#bridge.hold(this.#id, bytes);
    }
    this.#wake();
  }

  /** No more will come: reading fails with `error` once what has come is taken, or at once if it was not complete. */
  fail(error: Error): void {
    this.#stopTimer();
    if (this.#ended && this.#queue.length > 0) return;
    this.#error ??= error;
    if (!this.#ended) this.#queue.clear();
    this.#wake();
  }

  /** What waits is given up, too. */
  shed(error: Error): void {
    this.#queue.clear();
    this.#ended = false;
    this.fail(error);
  }

  override takeNow(): Buffer | null {
    return this.#waiter === null ? this.#take() : null;
  }

  override next(): Promise<Buffer | null> {
    if (this.#waiter !== null) return Promise.reject(new AlreadyReadingError());
    if (this.#credited < 0) this.#give(this.#window);
    const promise = new Promise<Buffer | null>((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
    this.#wake();
    return promise;
  }

  override readAll(maxBytes: number): Promise<Buffer> {
    if (this.#expected > maxBytes) return Promise.reject(new BodyTooLargeError(maxBytes));
    return super.readAll(maxBytes);
  }

  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const block = this.#take();
    if (block !== null) {
      this.#waiter = null;
      waiter.resolve(block);
    } else if (this.#tooLarge !== null) {
      this.#waiter = null;
      waiter.reject(this.#tooLarge);
    } else if (this.#ended) {
      this.#waiter = null;
      waiter.resolve(null);
    } else if (this.#error !== null) {
      this.#waiter = null;
      waiter.reject(this.#error);
    }
  }

  #take(): Buffer | null {
    const block = this.#queue.shift();
    if (block !== null) {
      this.#bridge.letGo(this.#id, block.length);
      this.#credit(block.length);
    }
    return block;
  }

  /** Credit is given back in quarters of the window, so that small blocks do not each cost a frame. */
  #credit(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed * 4 < this.#window) return;
    this.#give(this.#owed);
    this.#owed = 0;
  }

  #give(bytes: number): void {
    this.#credited += bytes;
    if (this.#ended || this.#error !== null) return;
    this.#bridge.writer.number(FRAME_BODY_CREDIT, this.#id, bytes);
    this.#bridge.written();
  }
}
