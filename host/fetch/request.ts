/**
 * A request as the platform's `Request`, of which only what a handler asks for is made.
 *
 * Invariants: it answers as a genuine `Request` of the same method, address, header fields, body and signal would;
 * where this Node's own code does not take a light one for genuine, handlers are given genuine ones. What no `Request`
 * can be is refused before the handler is called.
 */
import { HTTPInputError } from "../core/errors.js";
import type { HTTPServerRequest } from "../http/request.js";
import { copyHeaders, delegate } from "./delegate.js";

const NativeRequest = globalThis.Request;
/** fetch has no such requests (fetch.spec.whatwg.org, forbidden methods). */
const FORBIDDEN = /^(?:connect|trace|track)$/i;
/** Written in small letters they are taken for the others; no other method is. */
const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;
/** Targets that the parser of addresses leaves as they are, if no segment begins with a dot. */
const PLAIN_TARGET = /^\/[\w\-.~!$&()*+,;=:@%/]*(?:\?[\w\-.~!$&()*+,;=:@%/?]*)?$/;
const DOTTED = /\/(?:\.|%2e)/i;

const utf8 = new TextDecoder();

export class LightRequest {
  readonly #request: HTTPServerRequest;
  readonly #method: string;
  readonly #url: string;
  #headers: Headers | null = null;
  #genuine: Request | null = null;
  /** The body was read without a genuine one. */
  #used = false;

  constructor(request: HTTPServerRequest, method: string, url: string) {
    this.#request = request;
    this.#method = method;
    this.#url = url;
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= this.#genuine?.headers ?? headersOf(this.#request);
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  get body(): ReadableStream | null {
    return this.#hasBody ? LightRequest.genuine(this).body : null;
  }

  get bodyUsed(): boolean {
    return this.#genuine === null ? this.#used : this.#genuine.bodyUsed;
  }

  text(): Promise<string> {
    return this.#read("text", (bytes) => utf8.decode(bytes));
  }

  json(): Promise<unknown> {
    return this.#read("json", (bytes) => JSON.parse(utf8.decode(bytes)));
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#read("arrayBuffer", (bytes) => new Uint8Array(bytes).buffer);
  }

  get #hasBody(): boolean {
    return this.#method !== "GET" && this.#method !== "HEAD" && this.#request.contentLength !== 0;
  }

  /** Past the stream, while the handler has not asked for it. */
  async #read<Value>(name: "text" | "json" | "arrayBuffer", convert: (bytes: Buffer) => Value): Promise<Value> {
    if (this.#genuine !== null || this.#used || !this.#hasBody) {
      return LightRequest.genuine(this)[name]() as Promise<Value>;
    }
    this.#used = true;
    return convert(await this.#request.readBody(Number.POSITIVE_INFINITY));
  }

  /** The genuine one, with the header fields that `light` has by now. */
  static genuine(light: LightRequest): Request {
    if (light.#genuine === null) {
      const { signal } = light.#request;
      const body = light.#hasBody ? (light.#used ? new ReadableStream() : bodyStream(light.#request)) : null;
      const init = { method: light.#method, headers: light.headers, signal };
      light.#genuine = new NativeRequest(light.#url, body === null ? init : { ...init, body, duplex: "half" });
      if (light.#used) void light.#genuine.body?.getReader().cancel();
    } else if (light.#headers !== null) {
      copyHeaders(light.#headers, light.#genuine.headers);
    }
    return light.#genuine;
  }
}

delegate(LightRequest.prototype, NativeRequest, new NativeRequest("http://x/"), LightRequest.genuine);

/** Whether Node's own code takes a light one for genuine: not where it keeps its state in private members. */
const FAITHFUL = ((): boolean => {
  const stub = { contentLength: 0, rawFields: ["a", "b"], signal: new AbortController().signal };
  const light = new LightRequest(stub as unknown as HTTPServerRequest, "PUT", "http://x/");
  try {
    const copy = new NativeRequest(light as unknown as Request);
    return copy.url === light.url && copy.method === light.method && copy.headers.get("a") === "b";
  } catch {
    return false;
  }
})();

/**
 * The request for a handler. Throws HTTPInputError when it cannot be a `Request`: a method like TRACE, or an address
 * that is none.
 */
export function standardRequest(request: HTTPServerRequest): Request {
  const { method } = request;
  if (FORBIDDEN.test(method)) throw refused(new TypeError(`fetch has no method ${method}`));
  const light = new LightRequest(request, NORMALIZED.test(method) ? method.toUpperCase() : method, addressOf(request));
  return FAITHFUL ? (light as unknown as Request) : LightRequest.genuine(light);
}

function refused(cause: unknown): HTTPInputError {
  return new HTTPInputError("the request cannot be one of fetch", 400, "HTTP_INPUT", { cause });
}

// --- its parts ---

let lastHost = "";
let lastProtocol = "";
let lastOrigin: string | null = null;

/** As the parser of addresses writes `protocol` and `host`; null when they are not all that it finds in them. */
function originOf(protocol: string, host: string): string | null {
  if (host === lastHost && protocol === lastProtocol) return lastOrigin;
  const url = URL.canParse(`${protocol}://${host}/`) ? new URL(`${protocol}://${host}/`) : null;
  lastHost = host;
  lastProtocol = protocol;
  lastOrigin = url !== null && url.href === `${url.origin}/` ? url.origin : null;
  return lastOrigin;
}

function addressOf(request: HTTPServerRequest): string {
  const { protocol, host, target, path } = request;
  const origin = originOf(protocol, host);
  if (origin === null) throw refused(new TypeError(`${JSON.stringify(host)} is no host`));
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
