/**
 * OpenTelemetry's API, once an application has registered an SDK with it.
 *
 * Invariant: without an SDK nothing is loaded, and asking costs a look at one global name. That name is how all copies
 * of the API in a process share what is registered; it is part of the API's compatibility promise for version 1.
 * Reference: https://opentelemetry.io/docs/specs/otel/, https://opentelemetry.io/docs/specs/semconv/http/.
 */
import { packageVersion } from "./paths.js";

/** What `import "@opentelemetry/api"` gives. */
export type OpenTelemetry = typeof import("@opentelemetry/api");

/** The name of the tracer and of the meter. */
export const SCOPE = "waterspout";

const SHARED = Symbol.for("opentelemetry.js.api.1");
const KNOWN_METHODS = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]);

/** Bounds of the histograms of durations in seconds, as the semantic conventions advise. */
export const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

let version: string | null = null;
let missing = false;

/** Whether there is anything to report to. */
export function hasOpenTelemetry(): boolean {
  const shared = (globalThis as { [SHARED]?: { trace?: object; metrics?: object } })[SHARED];
  return (shared?.trace ?? shared?.metrics) !== undefined && !missing;
}

/** The API, null where no SDK is registered or the package is not installed beside this one. */
export async function loadOpenTelemetry(): Promise<OpenTelemetry | null> {
  if (!hasOpenTelemetry()) return null;
  try {
    return await import("@opentelemetry/api");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    missing = true;
    return null;
  }
}

/**
 * What `report` gives, or null when it throws: samplers and processors are the application's own, and a request goes on
 * without them. OpenTelemetry's `diag` says so.
 */
export function reported<Result>(api: OpenTelemetry, report: () => Result): Result | null {
  try {
    return report();
  } catch (error) {
    api.diag.error("waterspout: a request is not reported", error);
    return null;
  }
}

/** The version that spans and metrics name as their origin's. */
export function scopeVersion(): string {
  version ??= packageVersion();
  return version;
}

/** The method's attribute: one that the conventions do not know is `_OTHER`, so that a peer makes no new series. */
export function methodAttributes(method: string): { "http.request.method": string } {
  return { "http.request.method": KNOWN_METHODS.has(method) ? method : "_OTHER" };
}

/** Signatures in a query: a reader of the trace could send the same request with them. */
const SECRETS = /((?:^|&)(?:AWSAccessKeyId|Signature|sig|X-Goog-Signature)=)[^&]*/g;

/** `query` without the values of the four signatures that the conventions name. */
export function withoutSignatures(query: string): string {
  return query.replace(SECRETS, "$1REDACTED");
}
