/**
 * Requests whose handler has returned nothing: no answer, no promise. It may still answer, from a timer or an event, as
 * long as something holds the request. Once nothing does, nobody can answer, and the client would wait for ever: such a
 * request is answered here, with 500.
 *
 * Invariants: after FORGOTTEN_CHECK_MS a request without an answer is held weakly, with all that can still call code
 * which holds it (`kept`) held strongly; what the handler has kept in any way is never taken for forgotten. A live id
 * has a taker at any time.
 */
import v8 from "node:v8";
import type { FrameTaker } from "../bridge/bridge.js";
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
  /** Puts a WeaklyHeld in its place. Does nothing when it has been answered. */
  holdWeakly(): void;
}

/** Takes frames for a request that only its handler holds. */
export class WeaklyHeld implements FrameTaker {
  readonly noun = "request";
  /** Readers and signals of the request: they have callbacks of its handler. */
  readonly kept: object[] = [];
  readonly #request: WeakRef<FrameTaker>;
  /** Stands for the request once nobody holds that any more. */
  readonly #twin: FrameTaker;
  readonly #forgotten: (taker: WeaklyHeld) => void;

  /** `forgotten` is called when nobody holds `request` any more; it and `twin` must not. */
  constructor(request: FrameTaker, twin: FrameTaker, forgotten: (taker: WeaklyHeld) => void) {
    this.#request = new WeakRef(request);
    this.#twin = twin;
    this.#forgotten = forgotten;
    registry.register(request, this);
  }

  receive(type: number, chunk: Buffer, start: number, end: number): void {
    const request = this.#request.deref();
    if (request !== undefined) request.receive(type, chunk, start, end);
    else if (type === FRAME_ABORT) this.#twin.receive(type, chunk, start, end); // the rest of a body is nobody's
  }

  shed(): void {
    (this.#request.deref() ?? this.#twin).shed();
  }

  lost(): void {
    (this.#request.deref() ?? this.#twin).lost();
  }

  /** The collector has found that nobody holds the request. */
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
export function foundForgotten(): void {
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
 * where that takes few milliseconds. A handler that keeps its requests for later would have it called in vain: after a
 * few times it is not, until one is found.
 */
function collect(): void {
  if (collectionsLeft === 0 || v8.getHeapStatistics().used_heap_size > COLLECT_HEAP_BYTES_MAX) return;
  collectionsLeft--;
  collectedMs = performance.now();
  collectGarbage();
}
