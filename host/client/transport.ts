/**
 * Requests on connections of node:http and node:https, which this file loads: it is loaded with the first request.
 *
 * Invariants: the answer has the bounds of its request; a caller that stops reading its
 * body, or aborts, closes the connection.
 * A connection is used again only by requests that ask for the same TLS.
 */
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type Data, toBytes } from "../core/data.js";
import { ConnectError, HTTPOutputError } from "../core/errors.js";
import { CLIENT_HEAD_BYTES_MAX, CLIENT_INFORMATION_MAX } from "../core/limits.js";
import { consumedFields, isGzip } from "../http/compression/gunzip.js";
import { HTTPHeaders } from "../http/headers.js";
import type { FetchLimit } from "./fetchlimit.js";
import { HTTPClientError, HTTPStreamClosedError } from "./httpclienterrors.js";
import { type Hop, type ResolvedRequest, tlsOptionsFor, toNodeHeaders } from "./httprequest.js";
import type { Places } from "./places.js";

/** Those that do the same when they are sent twice (RFC 9110 9.2.2). */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"];

/** An answer's head, and its body as it comes. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** As they were sent. */
  readonly rawFields: readonly string[];
  /** With Content-Encoding renamed when the body is inflated. */
  readonly headers: HTTPHeaders;
  readonly body: AsyncIterable<Buffer>;
}

export class Transport {
  readonly #plain = new http.Agent({ keepAlive: true });
  readonly #secure = new https.Agent({ keepAlive: true });
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  /** Rejects with ConnectError, HTTPClientError or the reason of the limit's signal. */
  async send(hop: Hop, request: ResolvedRequest, limit: FetchLimit): Promise<Answer> {
    for (;;) {
      const sent = this.#begin(hop, request);
      try {
        return answerOf(await headOf(sent, hop, limit), hop, request, limit);
      } catch (error) {
        // The server may have closed a connection between two requests, and the second one crossed that.
        const wasStale = sent.reusedSocket && error instanceof HTTPStreamClosedError;
        const isRepeatable = IDEMPOTENT.includes(hop.method) && (hop.body === null || hop.body instanceof Uint8Array);
        if (limit.signal.aborted || !wasStale || !isRepeatable) throw error;
      }
    }
  }

  /** Closes the connections that wait for another request. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #begin({ url, method, headers }: Hop, request: ResolvedRequest): http.ClientRequest {
    const { networkInterface: localAddress, sslOptions, validateCert, allowIpv6 } = request;
    // No socket of IPv4 reaches a host's address of IPv6.
    const family = localAddress === undefined ? (allowIpv6 === false ? 4 : 0) : isIP(localAddress);
    const from = localAddress === undefined ? {} : { localAddress };
    const place = this.#places.of(url, family);
    const fields = { Host: url.host, ...toNodeHeaders(headers) };
    const common = { method, headers: fields, maxHeaderSize: CLIENT_HEAD_BYTES_MAX, ...from, ...place };
    if (url.protocol === "http:") return http.request(url, { ...common, agent: this.#plain });
    const secure = tlsOptionsFor(url, validateCert, sslOptions);
    // The agent does not see for which name a certificate was checked.
    return https.request(url, { ...common, ...secure, agent: sslOptions === undefined ? this.#secure : false });
  }
}

function headOf(sent: http.ClientRequest, hop: Hop, limit: FetchLimit): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { signal } = limit;
    const { host, protocol } = hop.url;
    let isConnected = false;
    let informations = 0;
    const abort = (): void => void sent.destroy(signal.reason);
    limit.waitsFor(`while connecting to ${host}`);
    sent.on("socket", (socket) => {
      const connected = (): void => {
        isConnected = true;
        limit.progressed();
      };
      if (sent.reusedSocket) connected();
      else socket.once(protocol === "https:" ? "secureConnect" : "connect", connected);
    });
    sent.on("information", () => {
      if (++informations <= CLIENT_INFORMATION_MAX) return;
      reject(badAnswer("it begins with too many of the kind 1xx")); // before an answer that came in the same read
      sent.destroy();
    });
    sent.on("response", (response) => {
      response.once("close", () => {
        signal.removeEventListener("abort", abort);
        if (!sent.writableFinished) sent.destroy();
      });
      resolve(response);
    });
    sent.on("error", (error) => {
      signal.removeEventListener("abort", abort);
      if (signal.aborted) reject(signal.reason);
      else reject(isConnected ? ended(error) : unconnected(host, error));
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
    if (hop.body === null || !hop.headers.has("expect")) return write(sent, hop, reject);
    sent.once("continue", () => write(sent, hop, reject));
    sent.flushHeaders();
  });
}

/** `reject`: takes what the body throws. */
function write(sent: http.ClientRequest, { body, headers }: Hop, reject: (error: Error) => void): void {
  if (body === null || body instanceof Uint8Array) return void sent.end(body ?? undefined);
  const length = headers.get("content-length");
  const source = Readable.from(bytesOf(body, length === null ? null : Number(length)));
  source.pipe(sent);
  source.on("error", (error) => {
    reject(error); // before the request itself says that it has failed
    sent.destroy(error);
  });
  sent.once("close", () => source.destroy());
}

/** With one byte more or less than `length` the server would take something else for the next request. */
async function* bytesOf(body: AsyncIterable<Data>, length: number | null): AsyncGenerator<Uint8Array> {
  let left = length ?? Number.POSITIVE_INFINITY;
  for await (const piece of body) {
    const bytes = toBytes(piece);
    left -= bytes.length;
    if (left < 0) break;
    yield bytes;
  }
  if (length !== null && left !== 0)
    throw new HTTPOutputError(`the body has ${left < 0 ? "more" : "fewer"} bytes than its Content-Length`);
}

function answerOf(response: http.IncomingMessage, hop: Hop, request: ResolvedRequest, limit: FetchLimit): Answer {
  const { statusCode = 0, statusMessage = "", rawHeaders } = response;
  const isInflated =
    request.decompressResponse !== false &&
    isGzip(response.headers["content-encoding"] ?? null) &&
    hop.method !== "HEAD";
  const fields = isInflated ? consumedFields(rawHeaders) : [...rawHeaders];
  for (let at = 0; at < fields.length; at += 2) fields[at] = (fields[at] as string).toLowerCase();
  const body = bodyOf(response, isInflated, request.bodyBytesMax, limit);
  return {
    status: statusCode,
    reason: statusMessage,
    rawFields: rawHeaders,
    headers: new HTTPHeaders([], fields),
    body,
  };
}

async function* bodyOf(
  response: http.IncomingMessage,
  isInflated: boolean,
  bytesMax: number,
  { signal }: FetchLimit,
): AsyncGenerator<Buffer> {
  try {
    const raw = bounded(response, bytesMax);
    if (!isInflated) return yield* raw;
    yield* bounded(
      pipeline(raw, createGunzip(), () => {}),
      bytesMax,
    );
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw ended(error as NodeJS.ErrnoException);
  } finally {
    response.destroy();
  }
}

async function* bounded(source: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new HTTPClientError(599, `the answer's body is larger than ${bytesMax} bytes`, {
        code: "ANSWER_TOO_LARGE",
      });
    }
    yield chunk;
  }
}

/** The error of a connection that was there. */
function ended(error: NodeJS.ErrnoException): Error {
  const { code = "" } = error;
  if (code.startsWith("HPE_")) return badAnswer(error.message, error);
  if (code.startsWith("Z_")) return badAnswer("its body is not well-formed gzip", error);
  if (code === "ECONNRESET" || code === "EPIPE") return new HTTPStreamClosedError(undefined, { cause: error });
  return error;
}

function badAnswer(why: string, cause?: Error): HTTPClientError {
  return new HTTPClientError(599, `the answer cannot be read: ${why}`, { code: "BAD_ANSWER", cause });
}

function unconnected(host: string, error: NodeJS.ErrnoException): ConnectError {
  const code = error.code ?? "CONNECT";
  return new ConnectError(code, `cannot connect to ${host}: ${error.message || code}`, { cause: error });
}
