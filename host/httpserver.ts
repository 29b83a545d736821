/**
 * Tornado's HTTPServer: one function is called with every request.
 *
 * Invariant: a handler that throws or rejects is logged; its request is answered with 500 when nothing was sent yet, and its
 * connection is ended when something was. Nobody else notices.
 */
import type { Acceptor } from "./bridge.js";
import { BodyTooLargeError, OptionError } from "./errors.js";
import { HTTPServerRequest } from "./httprequest.js";
import type { ServerOptions } from "./options.js";
import { Server } from "./server.js";

/** Answers one request, now or later: `request.respond(200, {…}, "…")`. */
export type RequestHandler = (request: HTTPServerRequest) => void | Promise<void>;

const PLAIN_TEXT = { "Content-Type": "text/plain" };

export class HTTPServer extends Server {
  override readonly scheme = "http";
  readonly #handler: RequestHandler;

  /** Throws OptionError for a handler that is not a function or an option out of its range. */
  constructor(handler: RequestHandler, options: ServerOptions = {}) {
    super(options);
    if (typeof handler !== "function") throw new OptionError("the request handler must be a function");
    this.#handler = handler;
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
      if (result !== undefined) Promise.resolve(result).catch((error) => this.#fail(request, error));
    } catch (error) {
      this.#fail(request, error);
    }
  }

  #fail(request: HTTPServerRequest, error: unknown): void {
    const { logger } = this.options;
    const tooLarge = error instanceof BodyTooLargeError;
    if (error === request.gone || tooLarge) logger.debug({ err: error }, "a request has ended early");
    else logger.error({ err: error }, `the handler of ${request.method} ${request.target} failed`);
    if (request.started) {
      if (!request.finished) request.cancel();
    } else if (tooLarge) {
      request.respond(error.status, PLAIN_TEXT, "Content Too Large");
    } else {
      request.respond(500, PLAIN_TEXT, "Internal Server Error");
    }
  }
}
