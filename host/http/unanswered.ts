/**
 * Requests whose handler has returned nothing: no answer, no promise. It may still answer, from a timer or an event, as
 * long as something holds the request. Once nothing does, no code can answer, and the client would wait for ever: such
 * a request is answered here, with 500.
 *
 * Invariants: after FORGOTTEN_CHECK_MS a request without an answer is held weakly, with all that can still call code
 * which holds it (`kept`) held strongly; what the handler has kept in any way is never taken for forgotten. A live id
 * has a taker at any time.
 */
import v8 from "node:v8";
import type { Bridge, FrameTaker } from "../bridge/bridge.js";
import { FRAME_ABORT } from "../bridge/frames.js";
import {
  COLLECT_EVERY_MS,
  COLLECT_HEAP_BYTES_MAX,
  COLLECTIONS_IN_VAIN_MAX,
  FORGOTTEN_CHECK_MS,
} from "../core/limits.js";
import { collectGarbage } from "../nodeinternals/collectgarbage.js";

/** A request that waits for its answer. */
export interface Unanswered {
  /** @internal Puts a WeaklyHeld in its place. Does nothing when it has been answered. */
  holdWeakly(): void;
}

/**
 * The answer of a request whose handler has returned without one. The request holds it, and it must not hold the
 * request.
 */
export class LateAnswer<Request extends FrameTaker> {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #forgotten: (twin: Request) => void;
  /** What stands in the request's place in the bridge while only its handler holds it. */
  #weakly: WeaklyHeld | null = null;

  /** `forgotten` is called when no code can answer the request any more, with another one in its place. */
  constructor(bridge: Bridge, id: number, forgotten: (twin: Request) => void) {
    this.#bridge = bridge;
    this.#id = id;
    this.#forgotten = forgotten;
  }

  /** The bridge holds `request` no more. `twin` is the same one again; `kept` is what `keep` is for. */
  holdWeakly(request: Request, twin: Request, kept: readonly (object | null)[]): void {
    const [bridge, id, forgotten] = [this.#bridge, this.#id, this.#forgotten];
    this.#weakly = new WeaklyHeld(request, twin, (taker) => {
      if (!bridge.isFor(id, taker)) return;
      foundForgotten();
      bridge.replace(id, twin);
      forgotten(twin);
    });
    for (const object of kept) if (object !== null) this.keep(object);
    bridge.replace(id, this.#weakly);
  }

  /** The bridge holds `request` again: an answer has begun. */
  holdStrongly(request: Request): void {
    if (this.#weakly !== null && this.#bridge.isFor(this.#id, this.#weakly)) this.#bridge.replace(this.#id, request);
    this.#weakly = null;
  }

  /** `object` has callbacks of the handler, which may hold the request: it lives on. */
  keep(object: object): void {
    this.#weakly?.kept.push(object);
  }
}

/** Takes frames for a request that only its handler holds. */
class WeaklyHeld implements FrameTaker {
  readonly noun = "request";
  /** Readers and signals of the request: they have callbacks of its handler. */
  readonly kept: object[] = [];
  readonly #request: WeakRef<FrameTaker>;
  /** Stands for the request once no code holds that any more. */
  readonly #twin: FrameTaker;
  readonly #forgotten: (taker: WeaklyHeld) => void;

  /** `forgotten` is called when no code holds `request` any more; it and `twin` must not. */
  constructor(request: FrameTaker, twin: FrameTaker, forgotten: (taker: WeaklyHeld) => void) {
    this.#request = new WeakRef(request);
    this.#twin = twin;
    this.#forgotten = forgotten;
    registry.register(request, this);
  }

  receive(type: number, chunk: Buffer, start: number, end: number): void {
    const request = this.#request.deref();
    if (request !== undefined) request.receive(type, chunk, start, end);
    else if (type === FRAME_ABORT) this.#twin.receive(type, chunk, start, end); // the rest of a body is dropped
  }

  shed(): void {
    (this.#request.deref() ?? this.#twin).shed();
  }

  lost(): void {
    (this.#request.deref() ?? this.#twin).lost();
  }

  /** The collector has found that no code holds the request. */
  found(): void {
    this.#forgotten(this);
  }
}

const registry = new FinalizationRegistry<WeaklyHeld>((taker) => taker.found());
const waiting = new Set<Unanswered>();
let timer: NodeJS.Timeout | null = null;
let collectionsLeft = COLLECTIONS_IN_VAIN_MAX;
let collectedMs = Number.NEGATIVE_INFINITY;

/** The handler of `request` has returned without an answer. */
export function awaitAnswer(request: Unanswered): void {
  waiting.add(request);
  if (timer !== null) return;
  const delayMs = Math.max(FORGOTTEN_CHECK_MS, collectedMs + COLLECT_EVERY_MS - performance.now());
  timer = setTimeout(check, delayMs).unref();
}

/** `request` has its answer, or its client has left. */
export function awaitNoMore(request: Unanswered): void {
  waiting.delete(request);
}

/** A forgotten request was found: it pays to look for others. */
function foundForgotten(): void {
  collectionsLeft = COLLECTIONS_IN_VAIN_MAX;
}

function check(): void {
  timer = null;
  if (waiting.size === 0) return;
  for (const request of waiting) request.holdWeakly();
  waiting.clear();
  // In its own turn, in which nothing on the stack holds a request.
  setImmediate(collect);
}

/**
 * An idle process collects nothing, so the client of a forgetful handler would wait long. Here the collector is called,
 * where that takes few milliseconds. When a few calls in a row have found no
 * such request, because handlers keep theirs for later, it is not called again until one is found.
 */
function collect(): void {
  if (collectionsLeft === 0 || v8.getHeapStatistics().used_heap_size > COLLECT_HEAP_BYTES_MAX) return;
  collectionsLeft--;
  collectedMs = performance.now();
  collectGarbage();
}
