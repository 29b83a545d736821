/** `node:timers/promises`. Reference: Node's documentation of `timers/promises`. */
import type { AbortSignal } from "../../events.js";
import { timerGlobals } from "../../timers.js";

interface Options {
  signal?: AbortSignal;
}

/** Resolves with `value` after `delayMs`; rejects with an AbortError when `signal` is aborted before. */
export function setTimeout<Value = void>(delayMs = 1, value?: Value, { signal }: Options = {}): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timerGlobals.clearTimeout(timer);
      const { reason } = signal as AbortSignal;
      reject(Object.assign(new Error("The operation was aborted", { cause: reason }), { name: "AbortError" }));
    };
    const timer = timerGlobals.setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value as Value);
    }, delayMs);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

export default { setTimeout };
