/**
 * Tornado's HTTPServer: one function is called with every request.
 *
 * Invariant: a handler that throws or rejects is logged; its request is answered with 500 when nothing was sent yet, and its
 * connection is ended when something was. Nobody else notices.
 */
import type { Acceptor } from "./bridge.js";
import { HTTPInputError, OptionError } from "./errors.js";
import { HTTPServerRequest } from "./httprequest.js";
import type { Logger } from "./log.js";
import type { ServerOptions } from "./options.js";
import { Server } from "./server.js";

/** Answers one request, now or later: `request.respond(200, {…}, "…")`. */
export type RequestCallback = (request: HTTPServerRequest) => void | Promise<void>;

/** What takes a function's place: an Application, a router. What goes wrong is told to the server's `logger`. */
export interface RequestListener {
  handle(request: HTTPServerRequest, logger: Logger): void | Promise<void>;
}

const PLAIN_TEXT = { "Content-Type": "text/plain" };
const REFUSALS: Record<number, string> = { 413: "Content Too Large", 415: "Unsupported Media Type" };

export class HTTPServer extends Server {
  override readonly scheme = "http";
  readonly #handler: RequestCallback;

  /** Throws OptionError for a handler that is neither a function nor has `handle`, or an option out of its range. */
  constructor(handler: RequestCallback | RequestListener, options: ServerOptions = {}) {
    super(options);
    if (typeof handler === "function") this.#handler = handler;
    else if (typeof handler?.handle === "function")
      this.#handler = (request) => handler.handle(request, this.options.logger);
    else throw new OptionError("the request handler must be a function, an Application or a router");
  }

  /** @internal */
  override acceptor(): Acceptor {
    const run = (request: HTTPServerRequest) => this.#run(request);
    return {
      kind: 1,
      accept: (bridge, id, chunk, start, end) => new HTTPServerRequest(bridge, id, chunk, start, end, run),
    };
  }

  #run(request: HTTPServerRequest): void {
    if (request.isStray) return request.cancel();
    try {
      const result: unknown = this.#handler(request);
      if (result !== undefined) return this.#wait(request, result);
    } catch (error) {
      this.#fail(request, error);
    }
    request.handled();
  }

  #wait(request: HTTPServerRequest, result: unknown): void {
    Promise.resolve(result).then(
      () => request.handled(),
      (error) => {
        this.#fail(request, error);
        request.handled();
      },
    );
  }

  #fail(request: HTTPServerRequest, error: unknown): void {
    const { logger } = this.options;
    const refused = error instanceof HTTPInputError;
    if (error === request.gone || refused) logger.debug({ err: error }, "a request has ended early");
    else logger.error({ err: error }, `the handler of ${request.method} ${request.target} failed`);
    if (request.started) {
      if (!request.finished) request.cancel();
    } else if (refused) {
      request.respond(error.status, PLAIN_TEXT, REFUSALS[error.status] ?? "Bad Request");
    } else {
      request.respond(500, PLAIN_TEXT, "Internal Server Error");
    }
  }
}
