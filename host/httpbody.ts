/**
 * The body of one request: taken in as frames bring it, given out as its handler asks.
 *
 * Invariant: at most `bodyWindow` bytes wait here; a byte's credit goes back when the handler has taken it. The amount is
 * held against Content-Length, since the sandbox is believed no more than the network.
 */
import type { Bridge } from "./bridge.js";
import { ByteQueue } from "./bytequeue.js";
import { AlreadyReadingError, BodyTooLargeError, OptionError, ProtocolError } from "./errors.js";
import { FRAME_BODY_CREDIT } from "./frames.js";

interface Waiter {
  resolve(block: Buffer | null): void;
  reject(error: Error): void;
}

export class RequestBody implements AsyncIterable<Buffer> {
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

  constructor(bridge: Bridge, id: number, expected: number) {
    this.#bridge = bridge;
    this.#id = id;
    this.#expected = expected;
    this.#window = bridge.options.bodyWindow;
  }

  /** Takes bytes of the body; `last` says that they complete it. */
  push(chunk: Buffer, start: number, end: number, last: boolean): void {
    if (this.#ended) throw new ProtocolError("BODY after the end of the body");
    const bytes = end - start;
    this.#received += bytes;
    const limit = this.#expected >= 0 ? this.#expected : this.#bridge.options.bodyBytesMax;
    const ahead = this.#received - this.#credited;
    if (this.#received > limit || (!last && (bytes === 0 || ahead > this.#window))) {
      throw new ProtocolError(`BODY of ${bytes} bytes too many`);
    }
    if (last && this.#expected >= 0 && this.#received !== this.#expected) throw new ProtocolError("BODY_END too early");
    this.#ended = last;
    if (bytes > 0 && this.#error === null) this.#queue.push(chunk, start, end);
    this.#wake();
  }

  /** No more will come: reading fails with `error` once what has come is taken, or at once if it was not complete. */
  fail(error: Error): void {
    if (this.#ended && this.#queue.length > 0) return;
    this.#error ??= error;
    if (!this.#ended) this.#queue.clear();
    this.#wake();
  }

  /** The next block, or null at the end. */
  next(): Promise<Buffer | null> {
    if (this.#waiter !== null) return Promise.reject(new AlreadyReadingError());
    const promise = new Promise<Buffer | null>((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
    this.#wake();
    return promise;
  }

  /** All that is left of the body. Rejects with BodyTooLargeError beyond `maxBytes`. */
  async readAll(maxBytes: number): Promise<Buffer> {
    if (!(maxBytes >= 0)) throw new OptionError(`maxBytes must be a number from 0 up, not ${String(maxBytes)}`);
    if (this.#expected > maxBytes) throw new BodyTooLargeError(maxBytes);
    const blocks: Buffer[] = [];
    let bytes = 0;
    for (let block = await this.next(); block !== null; block = await this.next()) {
      bytes += block.length;
      if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
      blocks.push(block);
    }
    return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks, bytes);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (let block = await this.next(); block !== null; block = await this.next()) yield block;
  }

  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const block = this.#queue.shift();
    if (block !== null) {
      this.#waiter = null;
      this.#credit(block.length);
      waiter.resolve(block);
    } else if (this.#ended) {
      this.#waiter = null;
      waiter.resolve(null);
    } else if (this.#error !== null) {
      this.#waiter = null;
      waiter.reject(this.#error);
    }
  }

  /** Credit is given back in quarters of the window, so that small blocks do not each cost a frame. */
  #credit(bytes: number): void {
    this.#owed += bytes;
    if (this.#ended || this.#error !== null || this.#owed * 4 < this.#window) return;
    this.#bridge.writer.number(FRAME_BODY_CREDIT, this.#id, this.#owed);
    this.#bridge.written();
    this.#credited += this.#owed;
    this.#owed = 0;
  }
}
