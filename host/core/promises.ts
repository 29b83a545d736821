/**
 * What the language leaves out of promises: settling one from outside, not waiting for one, and waiting only so long.
 */

/** A promise with the functions that settle it. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value | PromiseLike<Value>) => void;
  readonly reject: (error: unknown) => void;
}

/** `Promise.withResolvers`, which Node has from version 22 on. */
export function deferred<Value = void>(): Deferred<Value> {
  let resolve!: Deferred<Value>["resolve"];
  let reject!: Deferred<Value>["reject"];
  const promise = new Promise<Value>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

/**
 * `promise`, whose rejection does not end the process when no code awaits it. Code that awaits it gets the rejection
 * all the same.
 */
export function ignore<Ignored extends Promise<unknown>>(promise: Ignored): Ignored {
  promise.catch(() => {});
  return promise;
}

/** What `promise` resolves with, null when that takes longer than `ms`. */
export async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
