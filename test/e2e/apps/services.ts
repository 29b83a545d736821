// What stands around handlers: middleware, streams of events, validation.
import {
  Application,
  cors,
  EventStream,
  fetchCallback,
  type Middleware,
  RequestHandler,
  rateLimit,
  requestId,
  validated,
} from "waterspout";
import { z } from "zod";

const timing: Middleware = async (request, next) => {
  await next();
  console.error(`${request.headers.get("x-request-id")} ${request.route} ${request.finished}`);
};

class Hello extends RequestHandler {
  override get(): void {
    this.write("hello");
  }
}

class Upload extends RequestHandler {
  override post(): void {
    this.write(`${this.body.length}`);
  }
}

/** Sends without end: who does not read is left. */
function flood(events: EventStream): void {
  const timer = setInterval(() => void events.send({ data: "x".repeat(100_000) }), 1);
  events.signal.addEventListener("abort", () => {
    clearInterval(timer);
    console.error("the flood has ended");
  });
}

class Events extends RequestHandler {
  override get(): Promise<void> {
    const events = new EventStream({ heartbeatMs: 50 });
    events.signal.addEventListener("abort", () => console.error("a listener has left"));
    void events.send({ id: this.getArgument("id"), data: "one\ntwo", retry: 1 });
    if (this.getArgument("flood", null) !== null) flood(events);
    return events.serve(this);
  }
}

const fetched = fetchCallback(() => {
  const events = new EventStream({ heartbeatMs: 50 });
  events.signal.addEventListener("abort", () => console.error("a listener of fetch has left"));
  void events.send({ event: "greeting", data: { hello: "you" } });
  return events.response;
});

function sum(_request: unknown, { body }: { body: { a: number; b: number } }): Response {
  return Response.json(body.a + body.b);
}

export default new Application(
  [
    ["/", Hello],
    ["/upload", Upload],
    ["/sum", validated({ body: z.object({ a: z.number(), b: z.number() }) }, sum)],
    ["/events", Events],
    ["/fetch/events", fetched],
  ],
  {
    middleware: [
      requestId({ trust: true }),
      cors({ origins: ["https://app.example.com"] }),
      rateLimit({ requests: 3, keyOf: (request) => request.headers.get("x-key") }),
      timing,
    ],
  },
);
