/** `Request` and `Response`. Reference: fetch.spec.whatwg.org 5.4 and 5.5. */
import { Body, type BodyInit, contentOf, type Source } from "./body.js";
import { AbortSignal } from "./events.js";
import { Headers, type HeadersInit } from "./headers.js";

const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;
const FORBIDDEN = /^(?:connect|trace|track)$/i;
const REDIRECTS = [301, 302, 303, 307, 308];
const WITHOUT_BODY = [101, 204, 205, 304];

interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit;
  signal?: AbortSignal | null;
}

/** What a request that has come is made of. */
export interface Served {
  method: string;
  url: () => string;
  headers: Headers;
  body: Uint8Array | Source | null;
  signal: () => AbortSignal;
  ip: string | undefined;
}

export class Request extends Body {
  readonly method: string;
  readonly headers: Headers;
  /** The client's address, of a request that has come. */
  readonly ip: string | undefined;
  #url: string | (() => string);
  #signal: AbortSignal | (() => AbortSignal);

  constructor(input: unknown, init: RequestInit = {}, served?: Served) {
    if (served !== undefined) {
      super(served.body);
      this.method = served.method;
      this.headers = served.headers;
      this.ip = served.ip;
      this.#url = served.url;
      this.#signal = served.signal;
      return;
    }
    const from = input instanceof Request ? input : null;
    const { content, type } = contentOf(init.body);
    const method = String(init.method ?? from?.method ?? "GET");
    if (FORBIDDEN.test(method)) throw new TypeError(`${method} is no method of a Request`);
    const hasBody = init.body !== undefined && init.body !== null;
    if (hasBody && /^(?:get|head)$/i.test(method)) throw new TypeError(`a ${method} has no body`);
    super(hasBody || from === null ? content : from.take());
    this.method = NORMALIZED.test(method) ? method.toUpperCase() : method;
    this.headers = new Headers(init.headers ?? from?.headers);
    if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
    const { URL } = globalThis as unknown as { URL: new (url: string) => { href: string } };
    this.#url = from === null ? new URL(String(input)).href : from.url;
    this.#signal = init.signal ?? from?.signal ?? new AbortSignal();
    this.ip = from?.ip;
  }

  get url(): string {
    if (typeof this.#url === "function") this.#url = this.#url();
    return this.#url;
  }

  get signal(): AbortSignal {
    if (typeof this.#signal === "function") this.#signal = this.#signal();
    return this.#signal;
  }

  clone(): Request {
    const { method, headers, signal, ip } = this;
    const url = (): string => this.url;
    const body = this.tee() as Uint8Array | null; // a stream or a text will do as well
    return new Request("", {}, { method, url, headers: new Headers(headers), body, signal: () => signal, ip });
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

export class Response extends Body {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly type = "default";
  readonly url = "";
  readonly redirected = false;

  constructor(body?: BodyInit, { status = 200, statusText = "", headers }: ResponseInit = {}) {
    const { content, type } = contentOf(body);
    super(content);
    this.status = Math.trunc(Number(status));
    if (!(this.status >= 200 && this.status <= 599)) throw new RangeError(`${status} is no status of a Response`);
    if (content !== null && WITHOUT_BODY.includes(this.status)) throw new TypeError(`a ${status} has no body`);
    this.statusText = String(statusText);
    this.headers = new Headers(headers);
    if (type !== null && !this.headers.has("content-type")) this.headers.set("content-type", type);
  }

  get ok(): boolean {
    return this.status < 300;
  }

  clone(): Response {
    const { status, statusText, headers } = this;
    const copy = new Response(this.tee() as BodyInit, { status, statusText });
    copy.headers.delete("content-type");
    for (const [name, value] of headers) copy.headers.append(name, value);
    return copy;
  }

  static json(value: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError("the value is nothing that JSON has");
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
