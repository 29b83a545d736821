// Handlers that answer later, never, or with what is no answer. Node's functions and promises are its only ways to be
// called again.
import { EventEmitter } from "node:events";
import { type Answering, Application, FallbackHandler, type HTTPServerRequest, RequestHandler } from "waterspout";

/** What `GET /go` does. */
const starter = new EventEmitter();

/** Every kind of return value, and of keeping the request. Not `async`. */
function forgetful(request: HTTPServerRequest): Answering {
  switch (request.path) {
    case "/forgotten":
      return;
    case "/text":
      return "text" as never;
    case "/later-text":
      return Promise.resolve({ text: 1 }) as never;
    case "/ended":
      return Promise.resolve();
    case "/ended-and-kept": {
      const { connection } = request;
      starter.once("go", () => {
        connection.writeHeaders(200, {}, "kept");
        connection.finish();
      });
      return Promise.resolve();
    }
    case "/response":
      return new Response("a Response\n", { status: 201, headers: { "x-of": "Response" } });
    case "/later-response":
      return Promise.resolve(Response.json({ later: true }));
    case "/event":
      starter.once("go", () => request.respond(200, {}, "by an event"));
      return;
    case "/body":
      void request.readBody().then((body) => request.respond(200, {}, `${body.length} bytes`));
      return;
    case "/leaves":
      request.signal.addEventListener("abort", () => console.error("the client of /leaves is gone"));
      return;
    case "/go":
      starter.emit("go");
      request.respond(200);
      return;
  }
  request.respond(404);
}

class Finishes extends RequestHandler {
  override get(): void {}
}

export default new Application([
  ["/handler", Finishes],
  [
    "/fallback/.*",
    FallbackHandler,
    { fallback: (request: HTTPServerRequest) => void starter.once("go", () => request.respond(200)) },
  ],
  ["/fetch/.*", FallbackHandler, { fallback: () => "text" as never }],
  ["/.*", forgetful],
]);
