/**
 * Handlers of the web platform's own kind: `fetch(request)` gives a `Response`. Frameworks such as Hono are served like
 * this.
 *
 * Invariants: a body is taken and sent at the pace of its reader; an answer that ends early cuts its connection;
 * what concerns one connection only (RFC 9110 7.6.1) is not taken over from a `Response`.
 */

import { hostAndPort, LOOPBACK } from "../core/address.js";
import { NoAnswerError } from "../core/errors.js";
import { ignore } from "../core/promises.js";
import { FetchInfo } from "../fetch/info.js";
import { lightenRequests, type ServedRequest, standardRequest } from "../fetch/request.js";
import { lightenResponses } from "../fetch/response.js";
import { kindOf } from "../fetch/result.js";
import { isResponse, sendAnswer } from "../fetch/send.js";
import type { HTTPServerRequest } from "../http/request.js";
import { HTTPServer, type RequestCallback } from "./httpserver.js";
import type { ServerOptions } from "./options.js";

/**
 * Answers a request. `request.signal` is aborted when the client leaves; `request.ip` and `info` say where it comes
 * from.
 */
export type FetchHandler = (request: ServedRequest, info: FetchInfo) => Response | Promise<Response>;

/** What `serve` takes, beside a server's options. */
export interface ServeOptions extends ServerOptions {
  /** Answers each request; when it throws or rejects the answer is 500. */
  fetch: FetchHandler;
  /** 0: a free one. Default: `$PORT`, else 8888. */
  port?: number | undefined;
  /** Default: `$HOST`, else 127.0.0.1. */
  hostname?: string | undefined;
  /**
   * Whether `Request`, `Response` and `fetch` of the whole program know objects of which only what is asked for is
   * made. Default: true. With false the handler is given genuine ones, which cost more than all the rest.
   */
  overrideGlobalObjects?: boolean | undefined;
}

const DEFAULT_PORT = 8888;

/** Serves `fetch`. It is listening when `await server.ready()` resolves, which rejects when that is not possible. */
export function serve({ fetch, port, hostname, overrideGlobalObjects, ...options }: ServeOptions): FetchServer {
  const server = new HTTPServer(fetchCallback(fetch, { overrideGlobalObjects }), options);
  const listening = server.listen(
    port ?? Number(process.env.PORT || DEFAULT_PORT),
    hostname ?? (process.env.HOST || LOOPBACK),
  );
  return new FetchServer(server, listening);
}

/** A server that `serve` has started. */
export class FetchServer {
  readonly #server: HTTPServer;
  readonly #listening: Promise<void>;

  /** @internal */
  constructor(server: HTTPServer, listening: Promise<void>) {
    this.#server = server;
    this.#listening = ignore(listening); // `ready` rejects with its error
  }

  /** Resolves when connections are accepted; rejects with BindError or RuntimeUnavailableError. */
  async ready(): Promise<this> {
    await this.#listening;
    return this;
  }

  /** Where it serves, with the real port; undefined before it is ready. */
  get url(): string | undefined {
    const [address] = this.#server.addresses;
    const scheme = this.#server.options.tls === null ? "http" : "https";
    return address === undefined ? undefined : `${scheme}://${hostAndPort(address)}/`;
  }

  /** Lets what is in flight finish, or with `force` cuts it, and ends. */
  async close(force = false): Promise<void> {
    await this.#listening.catch(() => {});
    await this.#server.stop(force ? 0 : undefined);
  }
}

/**
 * The same handler as a function for `HTTPServer` and routes. From the first call on the program's `Request`,
 * `Response` and `fetch` are those of host/fetch, unless `overrideGlobalObjects` is false.
 */
export function fetchCallback(
  fetch: FetchHandler,
  { overrideGlobalObjects = true }: { overrideGlobalObjects?: boolean | undefined } = {},
): RequestCallback {
  if (overrideGlobalObjects) lightenResponses();
  const isLight = overrideGlobalObjects && lightenRequests();
  return (request) => {
    const answer = fetch(standardRequest(request, isLight), new FetchInfo(request));
    if (!isPromise(answer)) return send(request, answer);
    return answer.then((given) => send(request, given));
  };
}

function send(request: HTTPServerRequest, answer: unknown): void | Promise<void> {
  if (!isResponse(answer)) throw new NoAnswerError(`fetch has given ${kindOf(answer)}; it must return a Response`);
  return sendAnswer(request, answer);
}

function isPromise<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> & Promise<Value> {
  return typeof (value as PromiseLike<Value> | null)?.then === "function";
}
