/**
 * The trace that a request is a part of, as its client says.
 *
 * Invariant: what is not exactly a `traceparent` is none, so that a trace is never continued by half.
 * Reference: W3C Trace Context, https://www.w3.org/TR/trace-context/.
 */
import type { HTTPServerRequest } from "./request.js";

/** What the fields `traceparent` and `tracestate` say. */
export interface TraceContext {
  /** The whole trace: 32 hexadecimal digits. */
  readonly traceId: string;
  /** The client's span: 16 hexadecimal digits. */
  readonly parentId: string;
  /** Whether the client records its span. */
  readonly sampled: boolean;
  /** The field `tracestate` as it came; `""` without one. */
  readonly traceState: string;
}

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const NONE = /^0+$/;
const SAMPLED = 1;

/** The trace that the client of `request` is in; null without a `traceparent`, or with one that is not well-formed. */
export function traceContextOf(request: HTTPServerRequest): TraceContext | null {
  const found = TRACEPARENT.exec(request.headers.get("traceparent") ?? "");
  if (found === null) return null;
  const [, version, traceId = "", parentId = "", flags = "", rest] = found;
  if (version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (NONE.test(traceId) || NONE.test(parentId)) return null;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  return { traceId, parentId, sampled, traceState: request.headers.get("tracestate") ?? "" };
}
