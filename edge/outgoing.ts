/**
 * The body of an answer that is a stream.
 * Invariant: no more of it goes to the core than `WRITE_WINDOW_BYTES` ahead of its client.
 */
import type { ReadableStream, ReadableStreamDefaultReader } from "web-streams-polyfill";
import { pieceOf } from "./body.js";
import { inspect } from "./inspect.js";
import { log, NOTHING, push } from "./queue.js";

const WRITE_WINDOW_BYTES = 256 * 1024;

export class OutgoingBody {
  readonly #id: number;
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  #gone = false;
  #ahead = 0;
  #drained: (() => void) | null = null;

  constructor(id: number, stream: ReadableStream<unknown>) {
    this.#id = id;
    this.#reader = stream.getReader();
  }

  /** Sends all of it, unless the client leaves before. Never rejects. */
  async send(): Promise<void> {
    try {
      for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
        if (this.#gone) return;
        const piece = pieceOf(next.value);
        if (piece.length === 0) continue;
        push({ tag: "piece", val: { id: this.#id, content: { tag: "bytes", val: piece }, last: false } });
        this.#ahead += piece.length;
        while (this.#ahead >= WRITE_WINDOW_BYTES && !this.#gone) {
          await new Promise<void>((resolve) => (this.#drained = resolve));
        }
      }
      if (!this.#gone) push({ tag: "piece", val: { id: this.#id, content: NOTHING, last: true } });
    } catch (error) {
      if (this.#gone) return;
      log(`the body of an answer broke off: ${inspect(error)}`);
      push({ tag: "abort", val: this.#id });
    }
  }

  /** All that was given has left. */
  sent(): void {
    this.#ahead = 0;
    this.#drained?.();
    this.#drained = null;
  }

  /** Nobody wants it any more. */
  cancel(reason?: unknown): void {
    this.#gone = true;
    this.sent();
    void this.#reader.cancel(reason).catch(() => {});
  }
}
