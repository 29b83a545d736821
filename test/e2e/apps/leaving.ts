// Handlers of every kind that wait, and a count of those that have learned that their client has left: /told answers
// with it. /close-all ends all of them, so that a stop need not wait.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Application,
  fetchCallback,
  HTTPServer,
  type HTTPServerRequest,
  type RequestCallback,
  RequestHandler,
} from "waterspout";

const entered: Record<string, number> = {};
const told: Record<string, number> = {};

function count(counts: Record<string, number>, path: string): void {
  counts[path] = (counts[path] ?? 0) + 1;
}

class Waiting extends RequestHandler {
  override async get(): Promise<void> {
    if (this.request.path === "/web-stream") {
      this.write("begun");
      await this.flush();
    }
    count(entered, this.request.path);
    await new Promise(() => {});
  }
  override onConnectionClose(): void {
    count(told, this.request.path);
  }
}

const streaming = fetchCallback((request) => {
  const { pathname } = new URL(request.url);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue("begun");
      count(entered, pathname);
    },
    cancel: () => count(told, pathname),
  });
  return new Response(body.pipeThrough(new TextEncoderStream()));
});

const web = new Application([["/web.*", Waiting]]);

/** Nothing but a listener: no promise, no timer, no answer. */
function listen(request: HTTPServerRequest): void {
  request.signal.addEventListener("abort", () => count(told, request.path));
}

const handle: RequestCallback = async (request) => {
  switch (request.path) {
    case "/told":
      return request.respond(200, {}, JSON.stringify({ entered, told, open: (await server.stats()).connectionsNow }));
    case "/close-all":
      return server.closeAllConnections();
    case "/events":
      request.connection.writeHeaders(200, { "Content-Type": "text/event-stream" }, "data: begun\n\n").catch(() => {});
      listen(request);
      break;
    case "/wait":
      listen(request);
      count(entered, request.path);
      return new Promise(() => {});
    case "/stubborn": // answers all the same
      listen(request);
      count(entered, request.path);
      await once(request.signal, "abort");
      await sleep(300);
      return request.respond(200, {}, "all the same");
    case "/deaf":
      await sleep(1000);
      return request.respond(200, {}, "heard nothing");
    case "/gives-up":
      listen(request);
      request.connection.writeHeaders(200, {}, "begun").catch(() => {});
      count(entered, request.path);
      await once(request.signal, "abort");
      return;
    default:
      return request.path.startsWith("/web") ? web.handle(request, console) : streaming(request);
  }
  count(entered, request.path);
};

const server: HTTPServer = new HTTPServer(handle, { halfCloseTimeoutMs: Number(process.env.HALF_CLOSE_MS ?? 30_000) });
export default server;
