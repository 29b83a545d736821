/**
 * Node's `diagnostics_channel`, and spans, for requests of every kind: what agents and an application's own
 * instrumentation subscribe to.
 *
 * Invariants: without subscribers a request costs a look at each channel and nothing else; each request that a handler
 * is called with is published once when it starts and once when it is over; all that runs in between, and the second
 * publication, has the AsyncLocalStorage context that the subscribers of the first have entered.
 *
 * Reference: https://nodejs.org/api/diagnostics_channel.html, docs/observability.md.
 */
import { AsyncResource } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import type { Reason } from "../core/errors.js";
import type { HTTPServerRequest } from "./request.js";

/** What the channel `waterspout.request.start` publishes before the handler of a request is called. */
export interface RequestStartMessage {
  /** The request, not answered yet. */
  readonly request: HTTPServerRequest;
  /** The HTTPServer that it came to. */
  readonly server: object;
}

/** What the channel `waterspout.request.finish` publishes when the answer is complete, or cannot be any more. */
export interface RequestFinishMessage {
  /** The request; its `route` is known by now. */
  readonly request: HTTPServerRequest;
  /** The HTTPServer that it came to. */
  readonly server: object;
  /** The status of the answer; null when the connection ended before there was one. */
  readonly status: number | null;
  /** Bytes of the answer's body that have left. */
  readonly bytes: number;
  /** Milliseconds since the request came. */
  readonly ms: number;
  /** Why the connection ended before the answer was complete, such as `"RESET"`; null when it is complete. */
  readonly aborted: Reason | null;
  /** What the handler has thrown, if that was an error of the server's; else undefined. */
  readonly error: unknown;
}

/** A span of an agent that is called directly: its context cannot be entered through a channel. */
export interface RequestSpan {
  /** The trace that it is a part of, null for none. */
  readonly traceId: string | null;
  /** Calls `answer` in the span's context. */
  run(answer: () => void): void;
  /** The request is over. */
  end(message: RequestFinishMessage): void;
}

const started = channel("waterspout.request.start");
const finished = channel("waterspout.request.finish");
/** Node's own, which handlers of Node's kind publish: host/nodehttp. */
export const nodeStarted = channel("http.server.request.start");
export const nodeFinished = channel("http.server.response.finish");

type StartSpan = (request: HTTPServerRequest) => RequestSpan | null;

let startSpan: StartSpan | null = null;

/** Has `start`, which must not throw, make a span of each request from now on. */
export function reportSpans(start: StartSpan): void {
  startSpan = start;
}

/** Whether a request that begins now is observed. */
export function isObserved(): boolean {
  return (
    startSpan !== null ||
    started.hasSubscribers ||
    finished.hasSubscribers ||
    nodeStarted.hasSubscribers ||
    nodeFinished.hasSubscribers
  );
}

/** One request that is observed. It does not hold the request, which may be found forgotten (unanswered.ts). */
export class Observation {
  readonly #server: object;
  #context = newContext();
  #span: RequestSpan | null = null;
  /** What the handler has thrown. */
  error: unknown;

  constructor(server: object) {
    this.#server = server;
  }

  /** Publishes the start and calls `answer`, in a context that other requests of the same turn do not have. */
  run(request: HTTPServerRequest, answer: () => void): void {
    const publish = (): void => {
      started.runStores({ request, server: this.#server } satisfies RequestStartMessage, () => {
        this.#context = newContext(); // with the span, and what subscribers have entered
        answer();
      });
    };
    this.#context.runInAsyncScope(() => {
      this.#span = startSpan?.(request) ?? null;
      if (this.#span === null) return publish();
      request.traceId = this.#span.traceId;
      this.#span.run(publish);
    });
  }

  /** Publishes the end. */
  finish(request: HTTPServerRequest, status: number | null, bytes: number, aborted: Reason | null): void {
    const span = this.#span;
    if (!finished.hasSubscribers && span === null) return;
    const ms = request.requestTime();
    const { error } = this;
    const message: RequestFinishMessage = { request, server: this.#server, status, bytes, ms, aborted, error };
    this.#context.runInAsyncScope(() => {
      finished.publish(message);
      span?.end(message);
    });
  }
}

function newContext(): AsyncResource {
  return new AsyncResource("WaterspoutRequest", { requireManualDestroy: true });
}
