/** `Request` and `Response`. Reference: fetch.spec.whatwg.org 5.4 and 5.5. */
import "./textglobals.js"; // before whatwg-url, which looks for them at once
import { PHRASES } from "../host/http/phrases.js";
import { Body, type BodyInit, contentOf, type Source, TEXT_TYPE, typeOf } from "./body.js";
import { AbortSignal } from "./events.js";
import { Headers, type HeadersInit } from "./headers.js";
import { URL } from "./url.js";

const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;
const FORBIDDEN = /^(?:connect|trace|track)$/i;
const REDIRECTS = [301, 302, 303, 307, 308];
export const WITHOUT_BODY = [101, 204, 205, 304];

export interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit;
  signal?: AbortSignal | null;
}

/** What a request is made of; of one that has come each part is made when it is asked for. */
export interface RequestParts {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  /** The client's address, of a request that has come. */
  readonly ip: string | undefined;
}

export class Request extends Body {
  readonly #parts: RequestParts;

  constructor(input: unknown, init?: RequestInit, parts?: RequestParts, body: Uint8Array | Source | null = null) {
    if (parts !== undefined) {
      super(body);
      this.#parts = parts;
      return;
    }
    const given = init ?? {};
    const from = input instanceof Request ? input : null;
    const method = String(given.method ?? from?.method ?? "GET");
    if (FORBIDDEN.test(method)) throw new TypeError(`${method} is no method of a Request`);
    const content = contentOf(given.body);
    if (content !== null && /^(?:get|head)$/i.test(method)) throw new TypeError(`a ${method} has no body`);
    super(content === null && from !== null ? from.take() : content);
    const headers = new Headers(given.headers ?? from?.headers);
    const type = typeOf(given.body);
    if (type !== null && !headers.has("content-type")) headers.set("content-type", type);
    this.#parts = {
      method: NORMALIZED.test(method) ? method.toUpperCase() : method,
      url: from === null ? new URL(String(input)).href : from.url,
      headers,
      signal: given.signal ?? from?.signal ?? new AbortSignal(),
      ip: from?.ip,
    };
  }

  get method(): string {
    return this.#parts.method;
  }

  get url(): string {
    return this.#parts.url;
  }

  get headers(): Headers {
    return this.#parts.headers;
  }

  get signal(): AbortSignal {
    return this.#parts.signal;
  }

  /** The client's address, of a request that has come. */
  get ip(): string | undefined {
    return this.#parts.ip;
  }

  clone(): Request {
    const { method, url, headers, signal, ip } = this;
    const body = this.tee() as Uint8Array | null; // a stream or a text will do as well
    return new Request("", undefined, { method, url, headers: new Headers(headers), signal, ip }, body);
  }

  get [Symbol.toStringTag](): string {
    return "Request";
  }
}

interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

const NO_INIT: ResponseInit = {};
const OF_TEXT = `\ncontent-type:${TEXT_TYPE}`;

/** What the answer of another server is made of. */
export interface ReceivedParts {
  readonly status: number;
  readonly headers: Headers;
  readonly url: string;
  readonly redirected: boolean;
}

export class Response extends Body {
  readonly #status: number;
  readonly #statusText: string;
  readonly #headers: Headers;
  readonly #received: ReceivedParts | null = null;

  constructor(body?: BodyInit, init?: ResponseInit, received?: ReceivedParts, source: Source | null = null) {
    if (received !== undefined) {
      super(source);
      this.#received = received;
      [this.#status, this.#headers] = [received.status, received.headers];
      this.#statusText = PHRASES.get(received.status) ?? "";
      return;
    }
    const content = contentOf(body);
    super(content);
    const { status = 200, statusText = "", headers } = init ?? NO_INIT;
    this.#status = status === 200 ? 200 : statusOf(status, content !== null);
    this.#statusText = String(statusText);
    if (headers === undefined && typeof content === "string" && typeof body === "string") {
      this.#headers = Headers.of(OF_TEXT, false);
      return;
    }
    this.#headers = new Headers(headers);
    const type = typeOf(body);
    if (type !== null && !this.#headers.has("content-type")) this.#headers.append("content-type", type);
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get headers(): Headers {
    return this.#headers;
  }

  get type(): string {
    return "default";
  }

  get url(): string {
    return this.#received?.url ?? "";
  }

  get redirected(): boolean {
    return this.#received?.redirected ?? false;
  }

  get ok(): boolean {
    return this.#status < 300;
  }

  clone(): Response {
    const { status, statusText, headers } = this;
    const copy = new Response(this.tee() as BodyInit, { status, statusText });
    copy.headers.delete("content-type");
    for (const [name, value] of headers) copy.headers.append(name, value);
    return copy;
  }

  static json(value: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError("the value is nothing that JSON has");
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.append("content-type", "application/json");
    return new Response(text, { ...init, headers });
  }

  static redirect(url: string, status = 302): Response {
    if (!REDIRECTS.includes(status)) throw new RangeError(`${status} is no redirect`);
    return new Response(null, { status, headers: { location: String(url) } });
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }
}

function statusOf(status: unknown, hasBody: boolean): number {
  const number = Math.trunc(Number(status));
  if (!(number >= 200 && number <= 599)) throw new RangeError(`${status} is no status of a Response`);
  if (hasBody && WITHOUT_BODY.includes(number)) throw new TypeError(`a ${number} has no body`);
  return number;
}
