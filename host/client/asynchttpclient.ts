/**
 * Tornado's AsyncHTTPClient: requests over HTTP/1.1, on connections of Node's.
 *
 * They do not go through the sandbox: answers are read in this process, by Node. Invariant: a `fetch` that has settled
 * holds no connection but one that waits for another request.
 */
import { wholeNumber } from "../core/check.js";
import { OptionError } from "../core/errors.js";
import { CLIENT_REQUESTS_MAX } from "../core/limits.js";
import { inClientSpan } from "./clientspan.js";
import { FetchLimit } from "./fetchlimit.js";
import { HTTPStreamClosedError } from "./httpclienterrors.js";
import { type FetchOptions, type Hop, type HTTPRequest, type ResolvedRequest, resolveRequest } from "./httprequest.js";
import { HTTPResponse } from "./httpresponse.js";
import { Places } from "./places.js";
import { redirectOf } from "./redirect.js";
import type { Resolver } from "./tcpclient.js";
import type { Answer, Transport } from "./transport.js";

/** Options of a client. */
export interface HTTPClientOptions {
  /** Requests that are under way at a time; more wait, which counts against their time. Default 10. */
  maxClients?: number | undefined;
  /** Options of each request that does not have them itself. Default: none. */
  defaults?: FetchOptions | undefined;
  /** Finds the addresses of a host name. Default: the system's, as `dns.lookup`. */
  resolver?: Resolver | undefined;
  /**
   * Where requests to a host go in place of it: `{ "www.example.com": "127.0.0.1", "a.test:80": "127.0.0.1:8888" }`.
   * What is sent, and the name of a certificate, stay those of the address. Default: none.
   */
  hostnameMapping?: Readonly<Record<string, string>> | undefined;
}

/** Makes requests over HTTP and HTTPS. Each client has its own connections, and keeps them for further requests. */
export class AsyncHTTPClient {
  /** So many requests are under way at a time. */
  readonly maxClients: number;
  readonly #defaults: FetchOptions;
  readonly #waiting: (() => void)[] = [];
  readonly #limits = new Set<FetchLimit>();
  #active = 0;
  readonly #places: Places;
  #transport: Promise<Transport> | null = null;
  #isClosed = false;

  /** Throws OptionError for a `maxClients` that is none, or a mapping to what is no host. */
  constructor({ maxClients = CLIENT_REQUESTS_MAX, defaults = {}, resolver, hostnameMapping }: HTTPClientOptions = {}) {
    this.maxClients = wholeNumber("maxClients", maxClients, 1);
    this.#defaults = defaults;
    this.#places = new Places(resolver, hostnameMapping);
  }

  /**
   * Sends a request and resolves with its answer. Rejects with HTTPClientError for a status that is not from 200 to
   * 299, after redirects, unless `raiseError` is false; with HTTPTimeoutError, HTTPStreamClosedError or
   * HTTPClientError, all of status 599, when there is no whole answer; with ConnectError when there is no connection;
   * with OptionError, HeaderError or TLSConfigError for what cannot be sent; with what a callback or the body throws;
   * and with the signal's reason.
   */
  async fetch(request: string | URL | HTTPRequest, options: FetchOptions = {}): Promise<HTTPResponse> {
    if (this.#isClosed) throw new OptionError("the client is closed");
    const given = typeof request === "string" || request instanceof URL ? { ...options, url: request } : request;
    const wanted = resolveRequest({ ...this.#defaults, ...given });
    const startedAt = performance.now();
    const limit = new FetchLimit(wanted);
    this.#limits.add(limit);
    try {
      await this.#enter(limit);
      try {
        const response = await limit.race(this.#follow(wanted, limit, startedAt));
        if (wanted.raiseError !== false) response.rethrow();
        return response;
      } finally {
        this.#leave();
      }
    } catch (error) {
      limit.abort(error); // ends the connection of an answer that was not read
      throw error;
    } finally {
      limit.end();
      this.#limits.delete(limit);
    }
  }

  /** Ends the client: its requests reject with HTTPStreamClosedError, and it takes no more. */
  close(): void {
    this.#isClosed = true;
    for (const limit of this.#limits) limit.abort(new HTTPStreamClosedError("the client was closed"));
    void this.#transport?.then((transport) => transport.close());
  }

  async #follow(request: ResolvedRequest, limit: FetchLimit, startedAt: number): Promise<HTTPResponse> {
    this.#transport ??= import("./transport.js").then(({ Transport }) => new Transport(this.#places));
    const transport = await this.#transport;
    let hop: Hop = request.first;
    for (let left = request.maxRedirects; ; left--) {
      const answer = await inClientSpan(hop, () => transport.send(hop, request, limit));
      const next = left > 0 ? redirectOf(hop, answer.status, answer.headers.get("location")) : null;
      if (next === null) {
        const { status: code, reason, headers } = answer;
        const body = await take(answer, request, limit.signal);
        const effectiveUrl = hop.url.href;
        const { asked } = request;
        return new HTTPResponse({ request: asked, code, reason, headers, body, effectiveUrl }, startedAt);
      }
      for await (const _ of answer.body);
      hop = next;
    }
  }

  async #enter(limit: FetchLimit): Promise<void> {
    if (this.#active < this.maxClients) return void this.#active++;
    const { signal } = limit;
    limit.waitsFor("while other requests were under way");
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener("abort", giveUp);
        limit.progressed();
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      this.#waiting.push(enter);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** The place goes to the request that has waited longest. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#active--;
    else next();
  }
}

/** Hands the answer out, and keeps its body unless that is streamed. */
async function take(answer: Answer, request: ResolvedRequest, signal: AbortSignal): Promise<Buffer> {
  const { headerCallback, streamingCallback } = request;
  const { body, rawFields, reason, status } = answer;
  if (headerCallback !== undefined) {
    headerCallback(`HTTP/1.1 ${status} ${reason}\r\n`);
    for (let at = 0; at < rawFields.length; at += 2) headerCallback(`${rawFields[at]}: ${rawFields[at + 1]}\r\n`);
    headerCallback("\r\n");
  }
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    if (streamingCallback === undefined) chunks.push(chunk);
    else await streamingCallback(chunk);
    signal.throwIfAborted();
  }
  return Buffer.concat(chunks);
}
