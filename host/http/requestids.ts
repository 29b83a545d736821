/**
 * Ids of requests: a trusted proxy's, or one of ours.
 *
 * Invariant: an id is one that a log line and a header field can have, of a bounded length.
 */
import { randomUUID } from "node:crypto";
import { REQUEST_ID_CHARS_MAX } from "../core/limits.js";
import { type ForwardTrust, isFromProxy } from "./forwarded.js";
import type { HTTPServerRequest } from "./request.js";
import { traceContextOf } from "./tracecontext.js";

const FIELD = "X-Request-Id";
const ID = /^[\w.~+/=-]+$/;

/** `given` if it can be an id, else a new one. */
export function idFrom(given: string | null): string {
  return given !== null && given.length <= REQUEST_ID_CHARS_MAX && ID.test(given) ? given : randomUUID();
}

/** Notes the id of `request` and its trace; the client has the id in its answer. `trust`: whose ids are kept. */
export function identify(request: HTTPServerRequest, trust: ForwardTrust | null): void {
  const isKept = trust !== null && isFromProxy(trust, request.peer?.address ?? null);
  request.requestId = idFrom(isKept ? request.headers.get(FIELD) : null);
  request.traceId ??= traceContextOf(request)?.traceId ?? null;
  request.answerHeaders.set(FIELD, request.requestId);
}
