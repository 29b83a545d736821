/**
 * Calls a handler of Node's kind, and tells which exports of a module are one.
 *
 * Invariant: a module's export is taken for one of Node's kind by what only those have; what could be either is
 * refused, never guessed.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { OptionError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { nodeStarted } from "../http/observing.js";
import type { HTTPServerRequest } from "../http/request.js";
import { incomingMessage, tellArrived, tellClose } from "./incoming.js";
import { serverResponse } from "./outgoing.js";
import { RequestSocket, type TimeoutSource } from "./socket.js";

/** Answers a request, as `http.createServer` calls it. An Express application is one. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Has `listener` answer `request`. A client that leaves ends both of what it is given. */
export function runListener(
  request: HTTPServerRequest,
  logger: Logger,
  listener: NodeListener,
  server: TimeoutSource | null = null,
): void | Promise<void> {
  const socket = RequestSocket.of(request, server);
  if (socket.destroyed) return request.cancel(); // by the listener of an earlier request, which this one has overtaken
  const message = incomingMessage(request, socket);
  const response = serverResponse(request, message, socket, logger);
  request.onLeaving = () => {
    tellClose(message);
    socket.tellClose();
  };
  request.onGone = () => socket.gone();
  if (server !== null && server.timeout > 0) socket.setTimeout(server.timeout);
  if (nodeStarted.hasSubscribers) nodeStarted.publish({ request: message, response, socket, server });
  const result = listener(message, response);
  // As with Node, not before the listener's first turn is over.
  if (request.hasArrived) tellArrived(request, message);
  else request.onArrived = () => tellArrived(request, message);
  return result;
}

type Members = Readonly<Record<string, unknown>>;

const has = (value: object, ...names: string[]): boolean =>
  names.every((name) => typeof (value as Members)[name] === "function");

/**
 * The handler of Node's kind that `value` is: a function of two parameters, an application of Express or Connect (a
 * function with `handle` and `use`), of Koa (`callback` and `use`) or of Fastify (`routing` and `ready`). Null when it
 * is none; throws OptionError for a function of more parameters, which could be anything.
 */
export function nodeListenerOf(value: unknown): NodeListener | null {
  if (typeof value === "function") {
    if (has(value, "handle", "use") || value.length === 2) return value as NodeListener;
    if (value.length < 2) return null;
    throw new OptionError(
      `a function of ${value.length} parameters is neither (request) nor (req, res): ` +
        "export one of these, or an application",
    );
  }
  if (typeof value !== "object" || value === null) return null;
  if (has(value, "routing", "ready")) return fastifyListener(value as FastifyApplication);
  if (has(value, "callback", "use")) return (value as { callback(): NodeListener }).callback();
  return null;
}

/** A handler of Node's kind that may pass a request on. */
export type Middleware = (...given: [...Parameters<NodeListener>, next: (error?: unknown) => void]) => unknown;

/** `middleware`, behind which there is nothing: what it passes on is 404, an error that it passes on its own. */
export function middlewareListener(middleware: Middleware): NodeListener {
  return (request, response) =>
    new Promise((resolve, reject) => {
      const next = (error?: unknown): void => {
        if (error != null) return reject(error);
        response.statusCode = 404;
        response.end();
      };
      Promise.resolve(middleware(request, response, next)).then(() => resolve(), reject);
    });
}

interface FastifyApplication {
  ready(): PromiseLike<unknown>;
  routing: NodeListener;
}

/** Its plugins are loaded with the first request, unless they were before. */
function fastifyListener(application: FastifyApplication): NodeListener {
  let isReady = false;
  return async (request, response) => {
    if (!isReady) await application.ready();
    isReady = true;
    application.routing(request, response);
  };
}
