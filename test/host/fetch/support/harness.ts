/**
 * Runs files of vectors that are written for testharness.js, the harness of web-platform-tests: `test`, `promise_test`,
 * `async_test` and the assertions that files about fetch call.
 *
 * Invariant: a file sees what it is given as `Request`, `Response` and `Headers`, and what it declares stays its own.
 * Reference: web-platform-tests.org, writing-tests/testharness-api.
 */
import { isDeepStrictEqual } from "node:util";

/** By the name of each vector: null when it passes, else why not. */
export type Outcomes = Map<string, string | null>;

/** What stands for global names in a file. */
export type Scope = Record<string, unknown>;

/** How long an `async_test` may take before it counts as one that does not end. */
const ASYNC_MS = 500;

type Act = (t: Vector) => unknown;

class Failed extends Error {}

function fail(what: string, message?: string): never {
  throw new Failed(message === undefined ? what : `${message}: ${what}`);
}

function shown(value: unknown): string {
  return typeof value === "object" ? Object.prototype.toString.call(value) : String(value);
}

function equals(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) fail(`${shown(actual)} is not ${shown(expected)}`, message);
}

function throwsLike(is: (error: unknown) => boolean, act: () => unknown, message?: string): void {
  try {
    act();
  } catch (error) {
    if (!is(error)) fail(`${shown(error)} was thrown`, message);
    return;
  }
  fail("nothing was thrown", message);
}

async function rejectsLike(is: (error: unknown) => boolean, promise: PromiseLike<unknown>, message?: string) {
  const [isRejected, error] = await promise.then(
    () => [false, undefined],
    (reason) => [true, reason],
  );
  if (!isRejected || !is(error)) fail(isRejected ? `${shown(error)} was the reason` : "it was fulfilled", message);
}

type Errors = abstract new (...given: never[]) => unknown;
const ofClass = (kind: Errors) => (error: unknown) => (error as object | null)?.constructor === kind;
const named = (name: string) => (error: unknown) => error instanceof DOMException && error.name === name;
const exactly = (expected: unknown) => (error: unknown) => Object.is(error, expected);

const ASSERTIONS: Scope = {
  assert_true: (value: unknown, message?: string) => equals(value, true, message),
  assert_false: (value: unknown, message?: string) => equals(value, false, message),
  assert_equals: equals,
  assert_not_equals: (actual: unknown, other: unknown, message?: string) => {
    if (Object.is(actual, other)) fail(`it is ${shown(actual)}`, message);
  },
  assert_array_equals: (actual: ArrayLike<unknown>, expected: ArrayLike<unknown>, message?: string) => {
    equals(actual.length, expected.length, message);
    for (let at = 0; at < actual.length; at++) equals(actual[at], expected[at], message);
  },
  assert_object_equals: (actual: unknown, expected: unknown, message?: string) => {
    if (!isDeepStrictEqual(actual, expected)) fail("the objects differ", message);
  },
  assert_unreached: (message?: string) => fail("this must not be reached", message),
  assert_throws_js: (kind: Errors, act: () => unknown, message?: string) => throwsLike(ofClass(kind), act, message),
  assert_throws_dom: (name: string, act: () => unknown, message?: string) => throwsLike(named(name), act, message),
  assert_throws_exactly: (error: unknown, act: () => unknown, message?: string) =>
    throwsLike(exactly(error), act, message),
  promise_rejects_js: (_t: Vector, kind: Errors, promise: PromiseLike<unknown>, message?: string) =>
    rejectsLike(ofClass(kind), promise, message),
  promise_rejects_dom: (_t: Vector, name: string, promise: PromiseLike<unknown>, message?: string) =>
    rejectsLike(named(name), promise, message),
  promise_rejects_exactly: (_t: Vector, error: unknown, promise: PromiseLike<unknown>, message?: string) =>
    rejectsLike(exactly(error), promise, message),
};

/** What the function of a vector is given. */
class Vector {
  readonly cleanups: (() => unknown)[] = [];
  readonly ended: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor() {
    this.ended = new Promise((resolve, reject) => {
      [this.#resolve, this.#reject] = [resolve, reject];
    });
    this.ended.catch(() => {});
  }

  readonly done = (): void => this.#resolve();

  readonly step = (act: Act): unknown => {
    try {
      return act.call(this, this);
    } catch (error) {
      this.#reject(error);
      return undefined;
    }
  };

  readonly step_func =
    (act: (...given: unknown[]) => unknown) =>
    (...given: unknown[]): unknown =>
      this.step(() => act.apply(this, given));

  readonly step_func_done = (act: (...given: unknown[]) => unknown = () => {}) =>
    this.step_func((...given) => {
      act.apply(this, given);
      this.done();
    });

  readonly unreached_func = (message?: string) => this.step_func(() => fail("this must not be called", message));
  readonly step_timeout = (act: () => void, ms: number) => setTimeout(this.step_func(act), ms);
  readonly add_cleanup = (act: () => unknown): void => {
    this.cleanups.push(act);
  };
}

/** Runs the vectors of `sources`, which are one program, one after the other. */
export async function runVectors(sources: readonly string[], scope: Scope): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  const waiting: (() => Promise<void>)[] = [];
  const record = (name: string, error: unknown, failed: boolean): void => {
    let free = name;
    for (let number = 2; outcomes.has(free); number++) free = `${name} (${number})`;
    outcomes.set(free, failed ? ((error as Error | null)?.message ?? String(error)) : null);
  };
  const attempt = async (name: string, vector: Vector, act: () => unknown) => {
    try {
      await act();
      record(name, null, false);
    } catch (error) {
      record(name, error, true);
    }
    for (const cleanup of vector.cleanups) await cleanup();
  };
  const names: Scope = {
    ...ASSERTIONS,
    test: (act: Act, name = "unnamed") => {
      const vector = new Vector();
      try {
        act.call(vector, vector);
        record(name, null, false);
      } catch (error) {
        record(name, error, true);
      }
      for (const cleanup of vector.cleanups) cleanup();
    },
    promise_test: (act: Act, name = "unnamed") => {
      const vector = new Vector();
      waiting.push(() => attempt(name, vector, () => act.call(vector, vector)));
    },
    async_test: (first: Act | string, second?: string) => {
      const vector = new Vector();
      if (typeof first === "function") vector.step(first);
      const late = () =>
        new Promise((_, reject) => setTimeout(reject, ASYNC_MS, new Failed("it does not end")).unref());
      const name = typeof first === "string" ? first : (second ?? "unnamed");
      waiting.push(() => attempt(name, vector, () => Promise.race([vector.ended, late()])));
      return vector;
    },
    setup: (act?: unknown) => {
      if (typeof act === "function") act();
    },
    done: () => {},
    GLOBAL: { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false },
    step_timeout: (act: () => void, ms: number) => setTimeout(act, ms),
    format_value: shown,
    ...scope,
  };
  names.self = new Proxy(names, {
    get: (own, key) => (key in own ? own[key as string] : Reflect.get(globalThis, key)),
  });
  try {
    new Function(...Object.keys(names), sources.join("\n;\n"))(...Object.values(names));
  } catch (error) {
    record("the file itself", error, true);
  }
  for (const run of waiting) await run();
  return outcomes;
}
