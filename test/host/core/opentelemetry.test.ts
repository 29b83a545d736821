// Without an SDK nothing of OpenTelemetry is loaded; signatures in an address are kept out of a trace.
import { expect, test } from "vitest";

import { hasOpenTelemetry, loadOpenTelemetry, withoutSignatures } from "../../../host/core/opentelemetry.js";

test("the API is there once an SDK is registered with it, and not by being installed", async () => {
  const { trace } = await import("@opentelemetry/api");
  expect(hasOpenTelemetry()).toBe(false);
  expect(await loadOpenTelemetry()).toBeNull();
  trace.setGlobalTracerProvider({ getTracer: () => ({}) as never });
  try {
    expect(hasOpenTelemetry()).toBe(true);
    expect((await loadOpenTelemetry())?.trace).toBe(trace);
  } finally {
    trace.disable();
  }
  expect(hasOpenTelemetry()).toBe(false);
});

test.each([
  ["a=b", "a=b"],
  ["sig=x", "sig=REDACTED"],
  ["a=sig=x&Signature=y&AWSAccessKeyId=&sigma=1", "a=sig=x&Signature=REDACTED&AWSAccessKeyId=REDACTED&sigma=1"],
  ["X-Goog-Signature=1&sig=2&sig=3", "X-Goog-Signature=REDACTED&sig=REDACTED&sig=REDACTED"],
])("%s", (query, shown) => expect(withoutSignatures(query)).toBe(shown));
