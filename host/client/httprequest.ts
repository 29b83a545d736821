/**
 * What AsyncHTTPClient is asked for, and what it makes of that.
 *
 * Invariant: a request that is returned by `resolveRequest` can be sent: its parts are checked, its body's length is
 * known or it is sent in chunks. Reference: Tornado's httpclient.HTTPRequest.
 */
import { isIP } from "node:net";
import { UINT31_MAX, wholeNumber } from "../core/check.js";
import { type Data, toBytes } from "../core/data.js";
import { HeaderError, OptionError } from "../core/errors.js";
import { isToken } from "../core/grammar.js";
import {
  CLIENT_BODY_BYTES_MAX,
  CLIENT_CONNECT_TIMEOUT_MS,
  CLIENT_REDIRECTS_MAX,
  CLIENT_REQUEST_TIMEOUT_MS,
} from "../core/limits.js";
import { ignore } from "../core/promises.js";
import { headerPairs } from "../http/headerpairs.js";
import { type HeadersInput, HTTPHeaders } from "../http/headers.js";
import { encodeUsernamePassword, formatTimestamp } from "../http/httputil.js";
import { type ClientSSLOptions, readSSLOptions } from "../tls/client.js";
import { HTTPStreamClosedError } from "./httpclienterrors.js";

/** What a POST is that does not say so. */
const FORM_TYPE = "application/x-www-form-urlencoded";

/** Options of a request; all but `url` may be left out, and may be given to the client as its `defaults`. */
export interface FetchOptions {
  /** Default `"GET"`. */
  method?: string | undefined;
  /**
   * Header fields. Host, Content-Length, User-Agent and Accept-Encoding are added where they lack, and to a POST the
   * Content-Type of a form.
   */
  headers?: HeadersInput | undefined;
  /**
   * The body: text, which is sent as UTF-8, bytes, or pieces of either as they are taken; pieces are sent in chunks
   * unless `headers` has their Content-Length. Default: none.
   */
  body?: Data | AsyncIterable<Data> | undefined;
  /** In place of `body`: writes it piece by piece, at the pace of the server if it waits for each promise. */
  bodyProducer?: BodyProducer | undefined;
  /** Whether the body is sent when the server has said 100, and not when it answers at once. Default false. */
  expect100Continue?: boolean | undefined;
  /** This machine's IP address that the connection comes from. Default: the system chooses. */
  networkInterface?: string | undefined;
  /** Whether a host's addresses of IPv6 are tried. Default true. */
  allowIpv6?: boolean | undefined;
  /** If-Modified-Since, as a Date or in milliseconds since 1970. Default: none. */
  ifModifiedSince?: Date | number | undefined;
  /** Milliseconds until there is a connection, with its TLS handshake. Default 20,000. */
  connectTimeoutMs?: number | undefined;
  /** Milliseconds for all of it, with redirects and waiting for other requests. Default 20,000. */
  requestTimeoutMs?: number | undefined;
  /** Whether an answer that names another address by Location is followed. Default true. */
  followRedirects?: boolean | undefined;
  /** So many addresses are gone to; the redirect after that is the answer. Default 5. */
  maxRedirects?: number | undefined;
  /** Bytes of the answer's body, inflated; one that is larger rejects. Default: 100 MiB. */
  bodyBytesMax?: number | undefined;
  /** Is given the answer's body in pieces, which are then not kept. The next piece waits for its promise. */
  streamingCallback?: ((chunk: Buffer) => void | Promise<void>) | undefined;
  /**
   * Is given the answer's head before the body comes, a line at a time: the status line, the header fields, and an
   * empty one. Each has its CRLF.
   */
  headerCallback?: ((line: string) => void) | undefined;
  /** Whether gzip is asked for, and taken away. Default true. */
  decompressResponse?: boolean | undefined;
  /** The name for Basic authentication. Default: the one in the URL. */
  authUsername?: string | undefined;
  /** The password for Basic authentication. Default: `""`. */
  authPassword?: string | undefined;
  /** How the name and password are sent. Default `"basic"`, which is all that there is. */
  authMode?: "basic" | undefined;
  /** Default `"Waterspout"`. */
  userAgent?: string | undefined;
  /** `false` takes any certificate, so that an attacker on the way can read along. Default true. */
  validateCert?: boolean | undefined;
  /** More of TLS. A request with it has a connection of its own. */
  sslOptions?: ClientSSLOptions | undefined;
  /** Whether an answer with a status below 200 or above 299 rejects. Default true. */
  raiseError?: boolean | undefined;
  /** Ends the request when it aborts; `fetch` rejects with its reason. */
  signal?: AbortSignal | undefined;
}

/** Writes a request's body. `write` resolves when the piece has been taken, and rejects when the request is over. */
export type BodyProducer = (write: (piece: Data) => Promise<void>) => void | Promise<void>;

/** A request. */
export interface HTTPRequest extends FetchOptions {
  /** Where to: `http:` or `https:`. A name and password in it are sent as Basic authentication. */
  url: string | URL;
}

/** One request as it is sent; a redirect leads to another. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: HTTPHeaders;
  /** Null: none. */
  readonly body: Uint8Array | AsyncIterable<Data> | null;
}

/** A request whose options are checked, and have their defaults. */
export interface ResolvedRequest extends FetchOptions {
  /** What the caller has asked for. */
  readonly asked: HTTPRequest;
  readonly first: Hop;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxRedirects: number;
  readonly bodyBytesMax: number;
}

/** Throws OptionError, HeaderError, TypeError or TLSConfigError for what cannot be sent. */
export function resolveRequest(request: HTTPRequest): ResolvedRequest {
  const { url, method = "GET", followRedirects = true } = request;
  const place = urlOf(url);
  if (!isToken(method)) throw new OptionError(`${JSON.stringify(method)} is not a method`);
  const headers = toHeaders(request.headers ?? []);
  if (method === "POST" && !headers.has("content-type")) headers.add("Content-Type", FORM_TYPE);
  addAuthorization(headers, place, request);
  if (!headers.has("user-agent")) headers.add("User-Agent", request.userAgent ?? "Waterspout");
  if (request.decompressResponse !== false && !headers.has("accept-encoding")) headers.add("Accept-Encoding", "gzip");
  const { networkInterface, authMode = "basic", ifModifiedSince } = request;
  if (ifModifiedSince !== undefined) headers.set("If-Modified-Since", formatTimestamp(ifModifiedSince));
  if (authMode !== "basic") throw new OptionError(`authMode must be "basic", not ${JSON.stringify(authMode)}`);
  if (networkInterface !== undefined && isIP(networkInterface) === 0) {
    throw new OptionError(`networkInterface must be an IP address, not ${networkInterface}`);
  }
  if (request.sslOptions !== undefined) readSSLOptions(place.hostname, request.sslOptions);
  const { connectTimeoutMs, requestTimeoutMs, maxRedirects, bodyBytesMax } = request;
  const { body = request.bodyProducer && producedBy(request.bodyProducer) } = request;
  if (request.expect100Continue === true && body !== undefined) headers.set("Expect", "100-continue");
  return {
    ...request,
    asked: request,
    first: { url: place, method, headers, body: bodyOf(body, method, headers) },
    connectTimeoutMs: milliseconds("connectTimeoutMs", connectTimeoutMs ?? CLIENT_CONNECT_TIMEOUT_MS),
    requestTimeoutMs: milliseconds("requestTimeoutMs", requestTimeoutMs ?? CLIENT_REQUEST_TIMEOUT_MS),
    maxRedirects: followRedirects ? wholeNumber("maxRedirects", maxRedirects ?? CLIENT_REDIRECTS_MAX, 0) : 0,
    bodyBytesMax: wholeNumber("bodyBytesMax", bodyBytesMax ?? CLIENT_BODY_BYTES_MAX, 0),
  };
}

/** Throws OptionError unless it is an address of HTTP. The URL is the caller's own no longer. */
export function urlOf(url: string | URL, protocols: readonly string[] = ["http:", "https:"]): URL {
  const place = URL.canParse(String(url)) ? new URL(url) : null;
  if (place === null || !protocols.includes(place.protocol)) {
    throw new OptionError(`url must begin with ${protocols.map((name) => `${name}//`).join(" or ")}, not be ${url}`);
  }
  place.hash = "";
  return place;
}

/** What node:tls wants to know for `url`. Throws TLSConfigError for a file that cannot be read. */
export function tlsOptionsFor(url: URL, validateCert: boolean | undefined, sslOptions?: ClientSSLOptions) {
  const host = url.hostname.replace(/^\[|\]$/g, ""); // of an IPv6 address
  return readSSLOptions(host, { certReqs: validateCert === false ? "none" : "required", ...sslOptions });
}

/** Throws HeaderError for a field that must not be sent. */
export function toHeaders(input: HeadersInput): HTTPHeaders {
  const headers = new HTTPHeaders();
  for (const [name, value] of headerPairs(input)) headers.add(name, String(value));
  return headers;
}

/** Header fields as node:http takes them. */
export function toNodeHeaders(headers: HTTPHeaders): Record<string, string[] | string> {
  return Object.fromEntries([...headers].map(([name]) => [name, oneOrMore(headers.getList(name))]));
}

function oneOrMore(values: string[]): string[] | string {
  return values.length === 1 ? (values[0] as string) : values;
}

/** As wholeNumber, for a time that Node's timers can wait. */
export function milliseconds(name: string, value: number): number {
  return wholeNumber(name, value, 1, UINT31_MAX);
}

function addAuthorization(headers: HTTPHeaders, url: URL, { authUsername, authPassword }: FetchOptions): void {
  const username = authUsername ?? decoded(url.username);
  const password = authPassword ?? (authUsername === undefined ? decoded(url.password) : "");
  const isGiven = authUsername !== undefined || url.username !== "" || url.password !== "";
  url.username = "";
  url.password = "";
  if (!isGiven) return;
  headers.set("Authorization", `Basic ${encodeUsernamePassword(username, password).toString("base64")}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new OptionError(`the url's name or password is not percent-encoded: ${(cause as Error).message}`);
  }
}

/** The pieces that `produce` writes. It is called when the first of them is asked for. */
async function* producedBy(produce: BodyProducer): AsyncGenerator<Data> {
  const { readable, writable } = new TransformStream<Data, Data>();
  const writer = writable.getWriter();
  const written = (async () => produce((piece) => ignore(writer.write(piece))))();
  void written
    .then(
      () => writer.close(),
      (error) => writer.abort(error),
    )
    .catch(() => {});
  try {
    for await (const piece of readable.values({ preventCancel: true })) yield piece;
  } finally {
    void ignore(readable.cancel(new HTTPStreamClosedError("the request is over")));
  }
}

function bodyOf(body: FetchOptions["body"], method: string, headers: HTTPHeaders): Hop["body"] {
  if (headers.has("transfer-encoding")) throw new HeaderError("Transfer-Encoding is the client's own; leave it out");
  if (body === undefined) {
    headers.delete("content-length");
    if (["POST", "PUT", "PATCH"].includes(method)) headers.add("Content-Length", "0");
    return null;
  }
  if (typeof body === "object" && Symbol.asyncIterator in body) {
    if (!headers.has("content-length")) headers.add("Transfer-Encoding", "chunked");
    return body;
  }
  const bytes = toBytes(body);
  headers.set("Content-Length", String(bytes.length));
  return bytes;
}
