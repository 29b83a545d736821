/** `AbortController` and `AbortSignal`, over event-target-shim. Reference: dom.spec.whatwg.org 3. */
import { Event, EventTarget } from "event-target-shim";

const abort = Symbol("abort");

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  #onabort: ((event: Event) => void) | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  get onabort(): ((event: Event) => void) | null {
    return this.#onabort;
  }

  set onabort(listener: ((event: Event) => void) | null) {
    if (this.#onabort !== null) this.removeEventListener("abort", this.#onabort);
    this.#onabort = typeof listener === "function" ? listener : null;
    if (this.#onabort !== null) this.addEventListener("abort", this.#onabort);
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  [abort](reason: unknown = new DOMException("this operation was aborted", "AbortError")): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.dispatchEvent(new Event("abort"));
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal();
    signal[abort](reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal();
    const { setTimeout } = globalThis as unknown as { setTimeout(callback: () => void, ms: number): void };
    setTimeout(() => signal[abort](new DOMException("the time is over", "TimeoutError")), ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const signal = new AbortSignal();
    for (const source of signals) {
      if (source.aborted) signal[abort](source.reason);
      else source.addEventListener("abort", () => signal[abort](source.reason), { once: true });
    }
    return signal;
  }
}

export class AbortController {
  readonly signal = new AbortSignal();

  abort(reason?: unknown): void {
    this.signal[abort](reason);
  }
}

export { Event, EventTarget };
