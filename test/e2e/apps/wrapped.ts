// A handler of Node's kind, and an agent that wraps its server's `emit` at the first request, as Sentry's does.
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

const current = new AsyncLocalStorage<number>();
const wrapped = new WeakSet<EventEmitter>();
let requests = 0;

subscribe("http.server.request.start", (message) => {
  const { server } = message as { server: EventEmitter };
  if (wrapped.has(server)) return;
  wrapped.add(server);
  const emit = server.emit.bind(server);
  server.emit = (event, ...given) => current.run(++requests, () => emit(event, ...given));
});

export default function answer(_request: IncomingMessage, response: ServerResponse): void {
  response.end(`wrapped ${current.getStore()}`);
}
