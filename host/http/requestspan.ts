/**
 * OpenTelemetry for requests that come in: a span of the kind SERVER and two metrics, by the semantic conventions.
 *
 * Invariants: each request that a handler is called with has one span, which ends once; what the handler does runs in
 * its context. A span does not hold its request. What a peer has sent is an attribute of a bounded length, and of the
 * metrics' attributes none but those of a known method, scheme, route and status.
 * Reference: https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and http-metrics/.
 */
import type { Attributes, Context, Counter, Histogram, Span, TextMapGetter, Tracer } from "@opentelemetry/api";
import { LOG_TARGET_CHARS_MAX } from "../core/limits.js";
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
import type { HTTPHeaders } from "./headers.js";
import { type RequestFinishMessage, type RequestSpan, reportSpans } from "./observing.js";
import type { HTTPServerRequest } from "./request.js";

const FIELDS: TextMapGetter<HTTPHeaders> = {
  keys: (headers) => [...headers].map(([name]) => name),
  get: (headers, name) => headers.get(name) ?? undefined,
};

let isReported = false;

/** Has every request from now on reported, if there is an SDK that is registered with the API. */
export async function reportToOpenTelemetry(): Promise<void> {
  if (isReported) return;
  const api = await loadOpenTelemetry();
  if (api === null || isReported) return;
  isReported = true;
  const reporter = new Reporter(api);
  reportSpans((request) => reported(api, () => new ServerSpan(reporter, request)));
}

/** What all spans share. */
class Reporter {
  readonly tracer: Tracer;
  readonly durations: Histogram;
  readonly active: Pick<Counter, "add">;

  constructor(readonly api: OpenTelemetry) {
    this.tracer = api.trace.getTracer(SCOPE, scopeVersion());
    const meter = api.metrics.getMeter(SCOPE, scopeVersion());
    this.durations = meter.createHistogram("http.server.request.duration", {
      unit: "s",
      description: "Duration of HTTP server requests.",
      advice: { explicitBucketBoundaries: DURATION_BOUNDS },
    });
    this.active = meter.createUpDownCounter("http.server.active_requests", {
      unit: "{request}",
      description: "Number of active HTTP server requests.",
    });
  }
}

class ServerSpan implements RequestSpan {
  readonly #reporter: Reporter;
  readonly #span: Span;
  readonly #context: Context;
  /** What the metrics know of it, at its start. */
  readonly #series: Attributes;
  readonly traceId: string | null;

  constructor(reporter: Reporter, request: HTTPServerRequest) {
    const { propagation, ROOT_CONTEXT, SpanKind, trace, isSpanContextValid } = reporter.api;
    this.#reporter = reporter;
    this.#series = { ...methodAttributes(request.method), "url.scheme": request.protocol };
    const client = propagation.extract(ROOT_CONTEXT, request.headers, FIELDS);
    this.#span = reporter.tracer.startSpan(
      this.#series["http.request.method"] === "_OTHER" ? "HTTP" : request.method,
      {
        kind: SpanKind.SERVER,
        startTime: performance.now() - request.requestTime(),
        attributes: { ...this.#series, ...attributesOf(request) },
      },
      client,
    );
    this.#context = trace.setSpan(client, this.#span);
    const spanContext = this.#span.spanContext();
    this.traceId = isSpanContextValid(spanContext) ? spanContext.traceId : null;
    reporter.active.add(1, this.#series);
  }

  run(answer: () => void): void {
    this.#reporter.api.context.with(this.#context, answer);
  }

  end(message: RequestFinishMessage): void {
    reported(this.#reporter.api, () => this.#end(message));
  }

  #end({ request, status, ms, aborted, error }: RequestFinishMessage): void {
    const { api, active, durations } = this.#reporter;
    active.add(-1, this.#series);
    const result: Attributes = {};
    if (status !== null) result["http.response.status_code"] = status;
    if (request.route !== "") result["http.route"] = request.route;
    if (aborted !== null) result["error.type"] = aborted;
    else if (status !== null && status >= 500) result["error.type"] = nameOf(error) ?? String(status);
    const series = { ...this.#series, ...result, "network.protocol.version": protocolOf(request) };
    durations.record(ms / 1000, series, this.#context);
    const span = this.#span;
    span.setAttributes(result);
    if (request.route !== "") span.updateName(`${this.#series["http.request.method"]} ${request.route}`);
    if (error !== undefined) span.recordException(error instanceof Error ? error : String(error));
    if ("error.type" in result) span.setStatus({ code: api.SpanStatusCode.ERROR });
    span.end(performance.now());
  }
}

/** An error's class, as far as it has one. */
function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.constructor.name : undefined;
}

const protocolOf = ({ version }: HTTPServerRequest): string => version.slice("HTTP/".length);

/** What is known when a request comes, for the sampler too. */
function attributesOf(request: HTTPServerRequest): Attributes {
  const { method, target, path, host, headers, remoteAddress, peer } = request;
  const attributes: Attributes = { "url.path": bounded(path), "network.protocol.version": protocolOf(request) };
  const known = methodAttributes(method)["http.request.method"];
  if (known !== method) attributes["http.request.method_original"] = bounded(method);
  const mark = target.indexOf("?");
  if (mark >= 0) attributes["url.query"] = withoutSignatures(bounded(target.slice(mark + 1)));
  const [name, port] = splitHost(host);
  attributes["server.address"] = bounded(name);
  if (port !== null) attributes["server.port"] = port;
  const agent = headers.get("user-agent");
  if (agent !== null) attributes["user_agent.original"] = bounded(agent);
  if (remoteAddress !== null) attributes["client.address"] = remoteAddress.address;
  if (peer?.address != null) {
    attributes["network.peer.address"] = peer.address.address;
    if (peer.address.family !== "unix") attributes["network.peer.port"] = peer.address.port;
  }
  return attributes;
}

function bounded(text: string): string {
  return text.slice(0, LOG_TARGET_CHARS_MAX);
}

/** Name and port of a Host field; the port is null where there is none, as in `x:` too. */
function splitHost(host: string): [name: string, port: number | null] {
  const colon = host.lastIndexOf(":");
  if (colon < 0 || host.endsWith("]")) return [host, null];
  const port = host.slice(colon + 1);
  return [host.slice(0, colon), port === "" ? null : Number(port)];
}
