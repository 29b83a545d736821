/**
 * Handlers of the web platform's own kind: `fetch(request)` gives a `Response`. Frameworks such as Hono are served like this.
 *
 * Invariants: a body is taken and sent at the pace of whoever reads it; an answer that ends early cuts its connection; what
 * concerns one connection only (RFC 9110 7.6.1) is not taken over from a `Response`.
 */

import { hostAndPort } from "./address.js";
import { HTTPInputError } from "./errors.js";
import type { HTTPServerRequest } from "./httprequest.js";
import { HTTPServer, type RequestCallback } from "./httpserver.js";
import { LOOPBACK } from "./netutil.js";
import type { ServerOptions } from "./options.js";

/** Answers a request; `request.signal` is aborted when the client leaves. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** What `serve` takes, beside a server's options. */
export interface ServeOptions extends ServerOptions {
  fetch: FetchHandler;
  /** 0: a free one. Default: `$PORT`, else 8888. */
  port?: number | undefined;
  /** Default: `$HOST`, else 127.0.0.1. */
  hostname?: string | undefined;
}

const DEFAULT_PORT = 8888;

/** Serves `fetch`. It is listening when `await server.ready()` resolves, which rejects when that is not possible. */
export function serve({ fetch, port, hostname, ...options }: ServeOptions): FetchServer {
  const server = new HTTPServer(fetchCallback(fetch), options);
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
    this.#listening = listening;
    listening.catch(() => {}); // told by `ready`
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

/** The same handler as a function for `HTTPServer` and routes. */
export function fetchCallback(fetch: FetchHandler): RequestCallback {
  return async (request) => {
    const answer = await fetch(standardRequest(request));
    await send(request, answer);
  };
}

// --- the request ---

function standardRequest(request: HTTPServerRequest): Request {
  const { method, signal } = request;
  const headers = new Headers();
  for (const [name, value] of request.headers) headers.append(name, value);
  const hasBody = request.contentLength !== 0 && method !== "GET" && method !== "HEAD";
  const body = hasBody ? { body: bodyStream(request), duplex: "half" as const } : {};
  try {
    return new Request(addressOf(request), { method, headers, signal, ...body });
  } catch (error) {
    // A method that it does not have (TRACE), or an address that is none.
    throw new HTTPInputError("the request cannot be one of fetch", 400, "HTTP_INPUT", { cause: error });
  }
}

function addressOf({ protocol, host, path, target }: HTTPServerRequest): string {
  const mark = target.indexOf("?");
  return `${protocol}://${host}${path}${mark < 0 ? "" : target.slice(mark)}`;
}

function bodyStream({ body }: HTTPServerRequest): ReadableStream<Uint8Array> {
  const blocks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await blocks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await blocks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

// --- the answer ---

const OF_A_CONNECTION = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

function fieldsOf({ headers }: Response): [string, string][] {
  return [...headers].filter(([name]) => !OF_A_CONNECTION.includes(name));
}

async function send(request: HTTPServerRequest, answer: Response): Promise<void> {
  const { status, body } = answer;
  const fields = fieldsOf(answer);
  const reason = answer.statusText === "" ? undefined : answer.statusText;
  if (request.method === "HEAD") {
    await body?.cancel();
    request.connection.writeHeaders(status, fields, undefined, reason).catch(() => {});
    return request.connection.finish();
  }
  if (body === null) return request.respond(status, fields, null, reason);
  const reader = body.getReader() as Reader;
  const begin = (chunk?: Uint8Array) => request.connection.writeHeaders(status, fields, chunk, reason);
  try {
    const first = reader.read();
    const one = await soon(first);
    if (one === null) return await stream(request, reader, begin(), first);
    const second = reader.read();
    if ((await soon(second))?.done !== true) return await stream(request, reader, begin(one.value), second);
    request.respond(status, fields, one.value ?? null, reason);
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Reading = Awaited<ReturnType<Reader["read"]>>;

/** What is read in this turn of the loop, null when it takes longer: most answers are one piece that is there at once. */
function soon(reading: Promise<Reading>): Promise<Reading | null> {
  return Promise.race([reading, new Promise<null>((resolve) => setImmediate(resolve, null))]);
}

/** The head is on its way; `next` is the first piece that is not. */
async function stream(
  request: HTTPServerRequest,
  reader: Reader,
  begun: Promise<void>,
  next: Promise<Reading>,
): Promise<void> {
  next.catch(() => {}); // heard below, unless the client has left before
  const leave = () => void reader.cancel(request.signal.reason).catch(() => {});
  if (request.signal.aborted) leave();
  else request.signal.addEventListener("abort", leave, { once: true });
  await begun;
  for (let piece = await next; !piece.done; piece = await reader.read()) {
    await request.connection.write(piece.value);
  }
  request.connection.finish();
}
