// A span for each request and for what is done in it, on stderr as JSON: what an agent for tracing does, by Node's
// diagnostics_channel. Where OpenTelemetry is used its own spans take the place of these.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { channel, subscribe } from "node:diagnostics_channel";
import { setTimeout } from "node:timers/promises";
import {
  Application,
  type RequestFinishMessage,
  RequestHandler,
  type RequestStartMessage,
  traceContextOf,
} from "waterspout";

interface Span {
  traceId: string;
  id: string;
  parentId: string | null;
}

const current = new AsyncLocalStorage<Span>();
const newId = () => randomBytes(8).toString("hex");
const report = (span: Span, rest: object) => console.error(JSON.stringify({ ...span, ...rest }));

// All that a handler does, and the message of its end, has the span that its start has given.
channel("waterspout.request.start").bindStore(current, (message) => {
  const client = traceContextOf((message as RequestStartMessage).request);
  const traceId = client?.traceId ?? randomBytes(16).toString("hex");
  return { traceId, id: newId(), parentId: client?.parentId ?? null };
});
subscribe("waterspout.request.finish", (message) => {
  const { request, status, ms, aborted, error } = message as RequestFinishMessage;
  const name = `${request.method} ${request.route}`;
  report(current.getStore() as Span, { name, status, ms, aborted, error: (error as Error | undefined)?.message });
});

/** Runs `work` in a span below the one that it is called in. */
async function inSpan<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const parent = current.getStore() as Span;
  const span = { traceId: parent.traceId, id: newId(), parentId: parent.id };
  const begun = performance.now();
  try {
    return await current.run(span, work);
  } finally {
    report(span, { name, ms: performance.now() - begun });
  }
}

class User extends RequestHandler {
  override async get({ id }: { id: string }): Promise<void> {
    await inSpan("SELECT", () => setTimeout(5));
    if (id === "0") throw new Error("there is no user 0");
    this.write({ id });
  }
}

export default new Application([["/users/:id", User]]);
