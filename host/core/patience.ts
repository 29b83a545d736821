/** How long a stop waits for what its connections have begun, and for their next requests. */
import { DRAIN_REQUEST_MS, RETIRE_GRACE_MS, STOP_GRACE_MS_MAX } from "./limits.js";

export interface Patience {
  /** What is in flight then is closed. */
  readonly graceMs: number;
  /** An idle connection is closed when no request came for so long after its last answer. */
  readonly requestMs: number;
}

/** Of a server that ends: no other one serves a connection that is kept. */
export function toStop(graceMs: number): Patience {
  return { graceMs: Math.min(graceMs, STOP_GRACE_MS_MAX), requestMs: DRAIN_REQUEST_MS };
}

/**
 * Of a server whose successor serves already: an idle connection is kept until its own time is over, since a client
 * may send a request at the moment when it is closed. That request is its last one, and the answer says so.
 */
export const TO_RETIRE: Patience = { graceMs: RETIRE_GRACE_MS, requestMs: RETIRE_GRACE_MS };
