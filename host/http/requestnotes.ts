/**
 * What the code around a handler notes on a request: its route, its id, fields of its answer, its observer, and
 * functions to call when the client leaves.
 *
 * Invariant: a request that nothing is noted on costs these fields and no more.
 */
import type { Reason } from "../core/errors.js";
import { HTTPHeaders } from "./headers.js";
import type { Observation } from "./observing.js";

/** Called once what has taken a request over has answered it; null: without a status that is known, or not at all. */
export type Answered = (status: number | null, aborted?: Reason | null) => void;

/** A request's notes. */
export abstract class RequestNotes {
  /**
   * The pattern of the route that answers it, such as `"/users/:id"`, for the metrics; `""` unless a router has set
   * one. It must be one of a few, and never what a peer has sent.
   */
  route = "";
  /** Its id with the option `requestIds`, or by the middleware `requestId`; else null. */
  requestId: string | null = null;

  /** @internal The trace that it is a part of, for the access log; null: not known. */
  traceId: string | null = null;

  /** @internal Called when the last of a body has come that came behind its head. */
  onArrived: (() => void) | null = null;
  /** @internal Called when the client has ended its side: what `signal` says, for less. */
  onLeaving: (() => void) | null = null;
  /** @internal Called when the peer goes away before the answer is complete. */
  onGone: (() => void) | null = null;
  /** @internal A handler has left it to a function that has given no promise: it may be answered later. */
  isLeft = false;
  /** @internal What `answerHeaders` has been given; null: nothing. */
  answerFields: HTTPHeaders | null = null;
  /** @internal Null: no code observes it. */
  observation: Observation | null = null;

  /**
   * Header fields of every answer to it: a middleware sets them. One that the answer has itself is left out;
   * of Set-Cookie and Vary both are sent. Fields of a message's framing make answering throw.
   */
  get answerHeaders(): HTTPHeaders {
    this.answerFields ??= new HTTPHeaders();
    return this.answerFields;
  }

  /** @internal Takes over what is known of the same request. */
  takeNotes({ route, requestId, traceId, observation, answerFields }: RequestNotes): void {
    this.route = route;
    this.requestId = requestId;
    this.traceId = traceId;
    this.observation = observation;
    this.answerFields = answerFields;
  }
}
