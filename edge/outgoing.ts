/**
 * The body of an answer, or of a request to another server, that goes piece by piece.
 * Invariant: who waits for `taken` gives another piece only while fewer than `WRITE_WINDOW_BYTES` have not left.
 */
import type { ReadableStream, ReadableStreamDefaultReader } from "web-streams-polyfill";
import { type Bytes, pieceOf } from "./body.js";
import { inspect } from "./inspect.js";
import { contentOf, NOTHING, push } from "./queue.js";
import { report } from "./report.js";

const WRITE_WINDOW_BYTES = 256 * 1024;
/** What a unit of a string takes at most as UTF-8. */
const UNIT_BYTES_MAX = 3;

export class OutgoingBody {
  readonly #id: number;
  readonly #action: "piece" | "request-piece";
  #reader: ReadableStreamDefaultReader<unknown> | null = null;
  #gone = false;
  #ahead = 0;
  #waiting: (() => void)[] = [];

  /** `piece`: the action that sends one. */
  constructor(id: number, piece: "piece" | "request-piece" = "piece") {
    this.#id = id;
    this.#action = piece;
  }

  /** The client has left. */
  get isGone(): boolean {
    return this.#gone;
  }

  write(piece: Bytes): void {
    if (this.#gone || piece.length === 0) return;
    push({ tag: this.#action, val: { id: this.#id, content: contentOf(piece), last: false } });
    this.#ahead += typeof piece === "string" ? piece.length * UNIT_BYTES_MAX : piece.length;
  }

  /** Resolves when there is room for more, or the client has left. */
  async taken(): Promise<void> {
    while (this.#ahead >= WRITE_WINDOW_BYTES && !this.#gone) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  finish(): void {
    if (!this.#gone) push({ tag: this.#action, val: { id: this.#id, content: NOTHING, last: true } });
  }

  /** Writes all of a stream, unless the client leaves before. Never rejects. */
  async send(stream: ReadableStream<unknown>): Promise<void> {
    const reader = stream.getReader();
    this.#reader = reader;
    try {
      for (let next = await reader.read(); !next.done && !this.#gone; next = await reader.read()) {
        this.write(pieceOf(next.value));
        await this.taken();
      }
      this.finish();
    } catch (error) {
      if (this.#gone) return;
      report(`the body of an answer broke off: ${inspect(error)}`);
      push({ tag: "abort", val: this.#id });
    }
  }

  /** All that was given has left. */
  sent(): void {
    this.#ahead = 0;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  closed(reason: unknown): void {
    this.#gone = true;
    this.sent();
    if (this.#reader !== null) void this.#reader.cancel(reason).catch(() => {});
  }
}
