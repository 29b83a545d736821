/**
 * Tornado's HTTPServer: one function is called with every request.
 *
 * Invariants: a handler that throws or rejects is logged; its request is answered with 500 when nothing was sent yet,
 * and its connection is ended when something was. Other requests go on. A handler that ends without an answer, or gives
 * back a value that is none, is treated the same.
 */

import type { Acceptor, Peer } from "../bridge/bridge.js";
import { KIND_HTTP } from "../bridge/frames.js";
import type { Refusal } from "../bridge/refusals.js";
import type { Accepted, Address, ListeningSocket } from "../core/address.js";
import { HTTPInputError, NoAnswerError, OptionError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { hasOpenTelemetry } from "../core/opentelemetry.js";
import { answerWith, withoutAnswer } from "../fetch/result.js";
import { debugAnswer } from "../http/debugpage.js";
import { isObserved, Observation } from "../http/observing.js";
import { HTTPServerRequest, type RequestOwner } from "../http/request.js";
import { identify } from "../http/requestids.js";
import { reportToOpenTelemetry } from "../http/requestspan.js";
import type { IOStream } from "../stream/iostream.js";
import { answerRefused, Detaching } from "./detach.js";
import type { ServerOptions } from "./options.js";
import { TCPServer } from "./tcpserver.js";

/**
 * Answers one request: by `request.respond(200, {…}, "…")`, by `request.connection`, or by giving back a `Response`.
 * Without a promise it may answer later, as long as it keeps the request; once its promise is settled it has answered,
 * or has begun to.
 */
export type RequestCallback = (request: HTTPServerRequest) => Answering;

/** What a handler function gives: nothing when it answers by itself, or the answer. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is one
export type Answering = void | Response | Promise<void | Response>;

/** What takes a function's place: an Application, a router. Errors are written to the server's `logger`. */
export interface RequestListener {
  /** Answers one request, as a RequestCallback does; `logger` is the server's. */
  handle(request: HTTPServerRequest, logger: Logger): Answering;
  /** CONNECT comes to it, too; else it is answered with 501. */
  readonly connects?: boolean;
  /** @internal Answers and refusals have the words of Node's server; what is odd in a target or Host is not refused. */
  readonly asNode?: boolean;
  /** @internal Those of whole requests, as Node's server has them; read when a worker starts. */
  readonly limits?: Acceptor["limits"];
  /** @internal Called for a connection that this process has accepted, before anything of it is read. */
  readonly connected?: (accepted: Accepted) => void;
  /** @internal Called for a request that was refused before it could be one; `address` is its client's. */
  readonly refused?: (refusal: Refusal, address: Address | null) => void;
  /**
   * @internal With `asNode`, called in place of `refused` while an answer can be given. Returns whether it answers;
   * else the server does. `ahead` bytes of what was refused can be read at once.
   */
  readonly refusedOpen?: (refusal: Refusal, peer: Peer | null, stream: IOStream, ahead: number) => boolean;
}

const PLAIN_TEXT = { "Content-Type": "text/plain" };
const RETRY = { ...PLAIN_TEXT, "Retry-After": "1" };
const REFUSALS: Record<number, string> = {
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  503: "Service Unavailable",
};

/** Finds the handler of each request; null: there is none, and the answer is 404. */
export interface HandlerFinder {
  /** The function that answers this request; null: none does. `logger` is the server's. */
  findHandler(request: HTTPServerRequest, logger: Logger): RequestCallback | null;
}

/**
 * Tornado's: a TCPServer whose streams speak HTTP. Its `handleStream` is the sandbox's part: one of a subclass is not
 * called.
 */
export class HTTPServer extends TCPServer {
  override readonly scheme = "http";
  readonly #handler: RequestCallback;
  /** What a handler is called in the log; `""` when it has no name. */
  readonly #name: string;
  readonly #acceptance: Partial<Acceptor>;
  readonly #forgotten = (request: HTTPServerRequest) => this.#fail(request, withoutAnswer(request, this.#name));

  /**
   * Throws OptionError for a handler that is no function and has neither `handle` nor `findHandler`, or an option out
   * of its range.
   */
  constructor(handler: RequestCallback | RequestListener | HandlerFinder, options: ServerOptions = {}) {
    super(options);
    this.#name = typeof handler === "function" ? handler.name : "";
    this.#handler = typeof handler === "function" ? handler : this.#callbackOf(handler);
    const listener = typeof handler === "function" ? {} : (handler as Partial<RequestListener>);
    const { connects = false, asNode = false, limits, connected, refused, refusedOpen } = listener;
    this.#acceptance = {
      connects,
      asNode,
      ...(limits && { limits }),
      ...(connected && { connected }),
      ...(refused && { refused }),
      ...(asNode && { refusedOpen: this.#refuser(refusedOpen) }),
    };
  }

  #callbackOf(listener: Partial<RequestListener & HandlerFinder> | null | undefined): RequestCallback {
    if (typeof listener?.handle === "function") {
      return (request) => (listener as RequestListener).handle(request, this.options.logger);
    }
    if (typeof listener?.findHandler !== "function") {
      throw new OptionError("the request handler must be a function, an Application or a router");
    }
    return (request) => {
      const found = (listener as HandlerFinder).findHandler(request, this.options.logger);
      return found === null ? request.respond(404) : found(request);
    };
  }

  /** Has `listener` answer refused requests, and answers what it does not. */
  #refuser(listener: RequestListener["refusedOpen"]): NonNullable<Acceptor["refusedOpen"]> {
    return (bridge, id, peer, refusal) =>
      new Detaching(bridge, id, peer, this.options, (stream, ahead) => {
        if (listener?.(refusal, peer, stream, ahead) !== true) answerRefused(stream, refusal.status);
      });
  }

  override async addSockets(sockets: readonly ListeningSocket[]): Promise<void> {
    if (hasOpenTelemetry()) await reportToOpenTelemetry();
    await super.addSockets(sockets);
  }

  /** @internal */
  override acceptor(): Acceptor {
    const owner: RequestOwner = {
      settings: this.options,
      keepsNames: this.#acceptance.asNode === true,
      serve: (request) => this.#run(request),
    };
    return {
      kind: KIND_HTTP,
      ...this.#acceptance,
      accept: (bridge, id, chunk, start, end) => new HTTPServerRequest(bridge, id, chunk, start, end, owner),
    };
  }

  #run(request: HTTPServerRequest): void {
    if (request.isStray) return request.cancel();
    if (!isObserved()) return this.#answer(request);
    request.observation = new Observation(this);
    request.observation.run(request, () => this.#answer(request));
  }

  #answer(request: HTTPServerRequest): void {
    if (this.options.requestIds) identify(request, this.options.forward);
    try {
      const result: unknown = this.#handler(request);
      if (result !== undefined) {
        void this.#wait(request, result);
        return;
      }
      this.#expect(request);
    } catch (error) {
      this.#fail(request, error);
    }
    request.handled();
  }

  async #wait(request: HTTPServerRequest, result: unknown): Promise<void> {
    try {
      const value = await result;
      if (request.isLeft) this.#expect(request);
      else await answerWith(request, value, this.#name);
    } catch (error) {
      this.#fail(request, error);
    }
    request.handled();
  }

  /** The handler has given nothing: it has answered, or will. */
  #expect(request: HTTPServerRequest): void {
    if (!request.isTaken) request.expectAnswer(this.#forgotten);
  }

  #fail(request: HTTPServerRequest, error: unknown): void {
    const { logger } = this.options;
    const refused = error instanceof HTTPInputError;
    if (request.observation !== null && !refused && error !== request.leaving) request.observation.error = error;
    if (error === request.leaving || refused) logger.debug({ err: error }, "a request has ended early");
    else if (error instanceof NoAnswerError) logger.error(`${request.method} ${request.target}: ${error.message}`);
    else logger.error({ err: error }, `the handler of ${request.method} ${request.target} failed`);
    if (request.started || error === request.leaving) {
      if (!request.finished) request.cancel();
    } else if (refused) {
      const fields = error.status === 503 ? RETRY : PLAIN_TEXT;
      request.respond(error.status, fields, REFUSALS[error.status] ?? "Bad Request");
    } else if (this.options.debug) {
      const { headers, body } = debugAnswer("500 Internal Server Error", error, request);
      request.respond(500, headers, body);
    } else {
      request.respond(500, PLAIN_TEXT, "Internal Server Error");
    }
  }
}
