/**
 * A request as the platform's `Request`, of which only what a handler asks for is made.
 *
 * Invariants: it answers as a genuine `Request` of the same method, address, header fields, body and signal would, and
 * `fetch` and `Request` of the program, which know light requests before there are any, take it for one. What
 * no `Request` can be is refused before the handler is called.
 */

import { HTTPInputError } from "../core/errors.js";
import type { HTTPServerRequest } from "../http/request.js";
import { copyHeaders } from "./headers.js";
import { isOriginal, type LightKind, likeFunction, markAsUncloneable, overlay, replaceGlobal } from "./overlay.js";

let native: typeof Request | null = null;

/** The platform's class. Node takes 30 ms to load it at the first use: not before there is a handler of that kind. */
function nativeRequest(): typeof Request {
  native ??= globalThis.Request;
  return native;
}

/** fetch has no such requests (fetch.spec.whatwg.org, forbidden methods). */
const FORBIDDEN = /^(?:connect|trace|track)$/i;
/** Written in small letters they are taken for the others; no other method is. */
const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;
/** Targets that the parser of addresses leaves as they are, if no segment begins with a dot. */
const PLAIN_TARGET = /^\/[\w\-.~!$&()*+,;=:@%/]*(?:\?[\w\-.~!$&()*+,;=:@%/?]*)?$/;
const DOTTED = /\/(?:\.|%2e)/i;

const utf8 = new TextDecoder();

/** What a handler is given: a `Request` that knows where it comes from. */
export type ServedRequest = Request & {
  /** The client's IP address, as `HTTPServerRequest.remoteAddress` has it; undefined when it is not known. */
  readonly ip?: string | undefined;
};

class LightRequest {
  readonly #request: HTTPServerRequest;
  readonly #method: string;
  readonly #origin: string;
  #url: string | null = null;
  #headers: Headers | null = null;
  #genuine: Request | null = null;
  #signal: AbortSignal | null = null;
  /** The body was read without a genuine one. */
  #used = false;

  constructor(request: HTTPServerRequest, method: string, origin: string) {
    markAsUncloneable(this);
    this.#request = request;
    this.#method = method;
    this.#origin = origin;
  }

  get ip(): string | undefined {
    return this.#request.remoteAddress?.address;
  }

  static requestOf(light: LightRequest): HTTPServerRequest {
    return light.#request;
  }

  static readonly kind: LightKind<LightRequest> = {
    of: (value) => (#request in value ? value : null),
    known: {
      method: (light) => light.#method,
      url: (light) => light.#address,
      headers: (light) => light.#allHeaders,
      signal: (light) => light.#ownSignal,
      body: (light) => (light.#hasBody ? undefined : null),
      bodyUsed: (light) => (light.#genuine === null ? light.#used : undefined),
      text: (light) => light.#read((bytes) => utf8.decode(bytes)),
      json: (light) => light.#read((bytes) => JSON.parse(utf8.decode(bytes))),
      arrayBuffer: (light) => light.#read((bytes) => new Uint8Array(bytes).buffer),
    },
    genuine: (light) => light.#asGenuine(),
  };

  get #address(): string {
    this.#url ??= addressOf(this.#request, this.#origin);
    return this.#url;
  }

  get #allHeaders(): Headers {
    this.#headers ??= headersOf(this.#request);
    return this.#headers;
  }

  get #ownSignal(): AbortSignal {
    this.#signal ??= signalOf(this.#request);
    return this.#signal;
  }

  get #hasBody(): boolean {
    return this.#method !== "GET" && this.#method !== "HEAD" && this.#request.contentLength !== 0;
  }

  /** Past the stream, while the handler has not asked for it; undefined: it has, or there is no body. */
  #read<Value>(convert: (bytes: Buffer) => Value): Promise<Value> | undefined {
    if (this.#genuine !== null || this.#used || !this.#hasBody) return undefined;
    this.#used = true;
    return this.#request.readBody(Number.POSITIVE_INFINITY).then(convert);
  }

  /** The genuine one, with the header fields that this one has by now. */
  #asGenuine(): Request {
    if (this.#genuine === null) {
      const body = this.#hasBody ? (this.#used ? new ReadableStream() : bodyStream(this.#request)) : null;
      const init = { method: this.#method, headers: this.#allHeaders, signal: this.#ownSignal };
      this.#genuine = new (nativeRequest())(this.#address, body === null ? init : { ...init, body, duplex: "half" });
      if (this.#used) void this.#genuine.body?.getReader().cancel();
    } else {
      copyHeaders(this.#allHeaders, this.#genuine.headers);
    }
    return this.#genuine;
  }
}

Reflect.deleteProperty(LightRequest.prototype, "constructor");

let areTaken: boolean | null = null;

/**
 * Has this program's `Request` and `fetch` take light requests, once. False when other code has replaced `Request`
 * already: light ones cannot be used then.
 */
export function lightenRequests(): boolean {
  const NativeRequest = nativeRequest();
  if (areTaken === null) {
    areTaken = globalThis.Request === NativeRequest && isOriginal(NativeRequest);
    areTaken &&= overlay(NativeRequest, LightRequest.kind);
    Object.setPrototypeOf(LightRequest.prototype, NativeRequest.prototype);
  }
  if (!areTaken || globalThis.Request !== NativeRequest) return areTaken;
  replaceGlobal("Request", NativeRequest, function Request(...given: unknown[]): Request {
    if (new.target === undefined) throw new TypeError("Class constructor Request cannot be invoked without 'new'");
    const made = (new.target as unknown) === globalThis.Request ? NativeRequest : new.target;
    return Reflect.construct(NativeRequest, withGenuine(given), made);
  });
  const nativeFetch = globalThis.fetch;
  const { fetch } = {
    fetch(this: unknown, ...given: unknown[]): Promise<Response> {
      return Reflect.apply(nativeFetch, this, withGenuine(given));
    },
  };
  globalThis.fetch = likeFunction(fetch, nativeFetch);
  return areTaken;
}

/** With a genuine request where the first of `given` is a light one. */
function withGenuine(given: unknown[]): unknown[] {
  const [first] = given;
  const light = typeof first === "object" && first !== null ? LightRequest.kind.of(first) : null;
  if (light !== null) given[0] = LightRequest.kind.genuine(light);
  return given;
}

/**
 * The request for a handler, a light one if `isLight`. Throws HTTPInputError when it cannot be a `Request`: a method
 * like TRACE, or an address that is none.
 */
export function standardRequest(request: HTTPServerRequest, isLight: boolean): ServedRequest {
  const method = request.methodNumber === 0 ? otherMethod(request.method) : request.method;
  const light = new LightRequest(request, method, originOf(request));
  if (isLight) return light as unknown as ServedRequest;
  const ip = { configurable: true, get: () => light.ip };
  const genuine = Object.defineProperty(LightRequest.kind.genuine(light), "ip", ip) as ServedRequest;
  served.set(genuine, request);
  genuineOf.set(request, genuine);
  return genuine;
}

/** A method without a number, as all have that are refused or that may be written in small letters. */
function otherMethod(method: string): string {
  if (FORBIDDEN.test(method)) throw refused(new TypeError(`fetch has no method ${method}`));
  return NORMALIZED.test(method) ? method.toUpperCase() : method;
}

/** The requests of handlers that get genuine ones. */
const served = new WeakMap<object, HTTPServerRequest>();
/** The other way: Node aborts a `Request`'s signal only while that lives, and a handler may keep the signal alone. */
const genuineOf = new WeakMap<HTTPServerRequest, Request>();

/** The server's request that a handler was given as `request`; null for a copy, and for any other `Request`. */
export function servedRequest(request: Request): HTTPServerRequest | null {
  const light = LightRequest.kind.of(request);
  return light === null ? (served.get(request) ?? null) : LightRequest.requestOf(light);
}

function refused(cause: unknown): HTTPInputError {
  return new HTTPInputError("the request cannot be one of fetch", 400, "HTTP_INPUT", { cause });
}

// --- its parts ---

let lastHost = "";
let lastProtocol = "";
let lastOrigin: string | null = null;

/** As the parser of addresses writes a request's scheme and host, when they are all that it finds in them. */
function originOf({ protocol, host }: HTTPServerRequest): string {
  if (host !== lastHost || protocol !== lastProtocol || lastOrigin === null) {
    const url = URL.canParse(`${protocol}://${host}/`) ? new URL(`${protocol}://${host}/`) : null;
    if (url === null || url.href !== `${url.origin}/`)
      throw refused(new TypeError(`${JSON.stringify(host)} is no host`));
    lastHost = host;
    lastProtocol = protocol;
    lastOrigin = url.origin;
  }
  return lastOrigin;
}

/** Behind an origin any path and any query is an address. */
function addressOf({ target, path }: HTTPServerRequest, origin: string): string {
  if (PLAIN_TARGET.test(target) && !DOTTED.test(target)) return origin + target;
  const mark = target.indexOf("?");
  const wanted = `${path.startsWith("/") ? "" : "/"}${path}${mark < 0 ? "" : target.slice(mark)}`; // `OPTIONS *`
  return new URL(origin + wanted).href;
}

function headersOf(request: HTTPServerRequest): Headers {
  const headers = new Headers();
  const fields = request.rawFields;
  for (let at = 0; at < fields.length; at += 2) headers.append(fields[at] as string, fields[at + 1] as string);
  return headers;
}

/** Aborted when the client leaves, as `fetch` would say it: with an AbortError. */
function signalOf(request: HTTPServerRequest): AbortSignal {
  const controller = new AbortController();
  const { signal } = request;
  const abort = () =>
    controller.abort(new DOMException("the client is gone", { name: "AbortError", cause: signal.reason }));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return controller.signal;
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
