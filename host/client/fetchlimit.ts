/**
 * The times of one request, and the caller's own signal.
 *
 * Invariant: `signal` aborts once, with the reason that `fetch` rejects with.
 */
import { HTTPTimeoutError } from "./httpclienterrors.js";
import type { ResolvedRequest } from "./httprequest.js";

export class FetchLimit {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #connectTimeoutMs: number;
  readonly #whole: NodeJS.Timeout;
  #waiting: NodeJS.Timeout | undefined;

  constructor({ signal, connectTimeoutMs, requestTimeoutMs }: ResolvedRequest) {
    this.#outer = signal;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#whole = setTimeout(() => this.#timedOut("in the request", requestTimeoutMs), requestTimeoutMs);
    if (signal?.aborted === true) this.#forward();
    else signal?.addEventListener("abort", this.#forward);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until `progressed`: what is waited for. It may take as long as a connection may. */
  waitsFor(what: string): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#timedOut(what, this.#connectTimeoutMs), this.#connectTimeoutMs);
  }

  progressed(): void {
    clearTimeout(this.#waiting);
  }

  /** `promise`, or the reason of the signal if that is sooner. */
  race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      promise.then(resolve, reject);
    });
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  end(): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#waiting);
    this.#outer?.removeEventListener("abort", this.#forward);
  }

  readonly #forward = (): void => this.#controller.abort(this.#outer?.reason);

  #timedOut(what: string, ms: number): void {
    this.#controller.abort(new HTTPTimeoutError(`timed out after ${ms} ms ${what}`));
  }
}
