/**
 * A `Response` that stands for a connection that is handed over: what `upgradeWebSocket` gives.
 *
 * Invariant: the connection is handed over when that very `Response` is the answer, and not before.
 */

import type { HTTPServerRequest } from "../http/request.js";
import { STATUS_SWITCHING_PROTOCOLS } from "../http/response.js";

type TakeOver = (request: HTTPServerRequest) => void;

const handovers = new WeakMap<object, TakeOver>();

/** A `Response` whose status is 101; `take` is called with the request that it answers. */
export function handover(take: TakeOver): Response {
  const response = Object.defineProperty(new Response(null), "status", { value: STATUS_SWITCHING_PROTOCOLS });
  handovers.set(response, take);
  return response;
}

/** Who takes the connection over that `response` stands for; undefined for an ordinary one. */
export function takerOf(response: object): TakeOver | undefined {
  return handovers.get(response);
}
