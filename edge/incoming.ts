/**
 * The body of a request as it comes, when it has not come with the head.
 * Invariant: no more of it comes than `BODY_WINDOW_BYTES` ahead of its reader.
 */
import type { Source } from "./body.js";
import { push } from "./queue.js";

const BODY_WINDOW_BYTES = 256 * 1024;

export class IncomingBody implements Source {
  readonly #id: number;
  readonly #action: "credit" | "answer-credit";
  #pieces: Uint8Array[] = [];
  #ended = false;
  #gone: unknown = null;
  #credit = 0;
  #wake: (() => void) | null = null;

  /** `credit`: the action that asks for more. */
  constructor(id: number, credit: "credit" | "answer-credit" = "credit") {
    this.#id = id;
    this.#action = credit;
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#pieces.length === 0) {
      if (this.#ended) return null;
      if (this.#gone !== null) throw this.#gone;
      this.#grant();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#pieces.shift() as Uint8Array;
  }

  cancel(): void {
    this.#pieces = [];
    this.#ended = true;
  }

  #grant(): void {
    if (this.#credit > BODY_WINDOW_BYTES / 2) return;
    const bytes = BODY_WINDOW_BYTES - this.#credit;
    this.#credit += bytes;
    push({ tag: this.#action, val: { id: this.#id, bytes } });
  }

  receive(data: Uint8Array, last: boolean): void {
    this.#credit -= data.length;
    if (data.length > 0 && !this.#ended) this.#pieces.push(data);
    if (last) this.#ended = true;
    this.#wakeReader();
  }

  /** The client has left: what has not come does not come. */
  closed(reason: unknown): void {
    this.#gone = reason;
    this.#wakeReader();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
