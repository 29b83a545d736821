/**
 * OpenTelemetry for AsyncHTTPClient: a span of the kind CLIENT and a metric for each request that is sent, and the
 * fields by which the other server continues the trace.
 *
 * Invariant: without an SDK a request costs a look at one global name.
 * Reference: https://opentelemetry.io/docs/specs/semconv/http/http-spans/, W3C Trace Context.
 */
import type { Attributes, TextMapSetter } from "@opentelemetry/api";
import {
  DURATION_BOUNDS,
  loadOpenTelemetry,
  methodAttributes,
  type OpenTelemetry,
  reported,
  SCOPE,
  scopeVersion,
  withoutSignatures,
} from "../core/opentelemetry.js";
import type { HTTPHeaders } from "../http/headers.js";
import type { Hop } from "./httprequest.js";

const FIELDS: TextMapSetter<HTTPHeaders> = { set: (headers, name, value) => headers.set(name, value) };

/** Runs `send` in a span of its own, with the fields of that span added to the request. */
export async function inClientSpan<Answer extends { readonly status: number }>(
  hop: Hop,
  send: () => Promise<Answer>,
): Promise<Answer> {
  const api = await loadOpenTelemetry();
  return api === null ? send() : sendWith(api, hop, send);
}

async function sendWith<Answer extends { readonly status: number }>(
  api: OpenTelemetry,
  hop: Hop,
  send: () => Promise<Answer>,
): Promise<Answer> {
  const begunMs = performance.now();
  const begun = reported(api, () => begin(api, hop));
  if (begun === null) return send();
  const { span, own, series } = begun;
  const result: Attributes = {};
  try {
    const answer = await api.context.with(own, send);
    result["http.response.status_code"] = answer.status;
    if (answer.status >= 400) result["error.type"] = String(answer.status);
    return answer;
  } catch (error) {
    result["error.type"] = error instanceof Error ? error.constructor.name : "_OTHER";
    span.recordException(error instanceof Error ? error : String(error));
    throw error;
  } finally {
    reported(api, () => {
      durations(api).record((performance.now() - begunMs) / 1000, { ...series, ...result }, own);
      span.setAttributes(result);
      if ("error.type" in result) span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end();
    });
  }
}

/** A span of `hop`, whose headers get its fields. `series`: what the metric knows of it. */
function begin({ context, propagation, trace, SpanKind }: OpenTelemetry, { url, method, headers }: Hop) {
  const series: Attributes = {
    ...methodAttributes(method),
    "server.address": url.hostname,
    "server.port": Number(url.port || (url.protocol === "https:" ? 443 : 80)),
  };
  const attributes = { ...series, "url.full": fullOf(url) };
  const name = String(series["http.request.method"]);
  const tracer = trace.getTracer(SCOPE, scopeVersion());
  const span = tracer.startSpan(name === "_OTHER" ? "HTTP" : name, { kind: SpanKind.CLIENT, attributes });
  const own = trace.setSpan(context.active(), span);
  propagation.inject(own, headers, FIELDS);
  return { span, own, series };
}

function durations({ metrics }: OpenTelemetry) {
  return metrics.getMeter(SCOPE, scopeVersion()).createHistogram("http.client.request.duration", {
    unit: "s",
    description: "Duration of HTTP client requests.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDS },
  });
}

/** The address without what authenticates. */
function fullOf(url: URL): string {
  const shown = new URL(url);
  shown.username = "";
  shown.password = "";
  shown.hash = "";
  shown.search = withoutSignatures(shown.search.slice(1));
  return shown.href;
}
