/**
 * A `Response` whose body is text or bytes costs Node a stream, more than all the rest of an answer. This one makes a
 * genuine `Response` only when the handler asks for more than a server does.
 *
 * Invariants: it answers as a genuine one would, which `instanceof`, subclasses and `Response.json` are part of;
 * arguments that are not plain are given to the genuine class, which converts or refuses them. A server sends what was
 * true when it was made.
 */
import { isFieldText, isToken, withoutOuterSpace } from "../core/grammar.js";
import { NameTable } from "../core/nametable.js";
import { copyHeaders, delegate } from "./delegate.js";
import { watchBodies } from "./inflated.js";

const NativeResponse = globalThis.Response;

/** An answer that has no stream. Several values of a field are several fields. */
export interface PlainAnswer {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly body: string | Uint8Array | null;
}

export type Fields = Readonly<Record<string, string | string[]>>;
type Body = ConstructorParameters<typeof Response>[0];

const NO_FIELDS: Fields = {};
const TEXT: Fields = { "content-type": "text/plain;charset=UTF-8" };

/** Statuses without a body (fetch.spec.whatwg.org, null body status). */
const BODYLESS = [101, 103, 204, 205, 304];

export class LightResponse {
  #body: string | Uint8Array | null = null;
  #status = 200;
  #reason = "";
  #fields: Fields = NO_FIELDS;
  #headers: Headers | null = null;
  #genuine: Response | null = null;

  constructor(body?: Body, init?: ResponseInit) {
    if (!this.#take(body, init)) this.#genuine = new NativeResponse(body, init);
  }

  /** Takes what is plain; false for anything else. */
  #take(body: unknown, init: unknown): boolean {
    if (typeof body === "string") {
      this.#body = body;
      this.#fields = TEXT;
    } else if (isBytes(body)) {
      this.#body = new Uint8Array(body);
    } else if (body !== null && body !== undefined) {
      return false;
    }
    if (init === undefined) return true;
    if (typeof init !== "object" || init === null) return false;
    return this.#takeHead(init as ResponseInit);
  }

  #takeHead(init: ResponseInit): boolean {
    const { status = 200, statusText = "", headers } = init;
    if (!Number.isInteger(status) || status < 200 || status > 599) return false;
    if (this.#body !== null && BODYLESS.includes(status)) return false;
    if (typeof statusText !== "string" || !isFieldText(statusText)) return false;
    this.#status = status;
    this.#reason = statusText;
    if (headers === undefined) return true;
    const fields = plainFields(headers);
    if (fields === null) return false;
    if (this.#fields === TEXT && fields["content-type"] === undefined)
      fields["content-type"] = TEXT["content-type"] ?? "";
    this.#fields = fields;
    return true;
  }

  get status(): number {
    return this.#genuine === null ? this.#status : this.#genuine.status;
  }

  get statusText(): string {
    return this.#genuine === null ? this.#reason : this.#genuine.statusText;
  }

  get ok(): boolean {
    const { status } = this;
    return status >= 200 && status <= 299;
  }

  get headers(): Headers {
    this.#headers ??= this.#genuine?.headers ?? headersOf(this.#fields);
    return this.#headers;
  }

  get body(): ReadableStream | null {
    return this.#genuine === null && this.#body === null ? null : LightResponse.genuine(this).body;
  }

  get bodyUsed(): boolean {
    return this.#genuine?.bodyUsed ?? false;
  }

  /** The genuine one, with the header fields that `light` has by now. */
  static genuine(light: LightResponse): Response {
    if (light.#genuine === null) {
      const init = { status: light.#status, statusText: light.#reason, headers: light.headers };
      light.#genuine = new NativeResponse(light.#body, init);
    }
    if (light.#headers !== null) copyHeaders(light.#headers, light.#genuine.headers);
    return light.#genuine;
  }

  /** Whether it is one of these, and no genuine one. */
  static isOne(value: object): boolean {
    return #body in value;
  }

  /** What is sent without a stream; null when there is one, or `response` is of another kind. */
  static plain(response: object): PlainAnswer | null {
    if (!(#body in response)) return null;
    const light = response as LightResponse;
    if (light.#genuine !== null) return null;
    const fields = light.#headers === null ? light.#fields : fieldsOf(light.#headers);
    return { status: light.#status, reason: light.#reason, fields, body: light.#body };
  }

  static json(value: unknown, init?: ResponseInit): LightResponse {
    const text: unknown = JSON.stringify(value);
    // Node's own refuses it.
    if (typeof text !== "string") return NativeResponse.json(value, init) as unknown as LightResponse;
    const response = new LightResponse(null, init);
    const isPlain = response.#genuine === null && !BODYLESS.includes(response.#status);
    if (!isPlain) return NativeResponse.json(value, init) as unknown as LightResponse;
    response.#body = text;
    if (response.#fields["content-type"] === undefined)
      response.#fields = { ...response.#fields, "content-type": "application/json" };
    return response;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    // Genuine ones, which `fetch` gives, are responses; of a subclass they are none.
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this
    const asked = this === LightResponse ? NativeResponse : this;
    return Function.prototype[Symbol.hasInstance].call(asked, value);
  }
}

delegate(LightResponse.prototype, NativeResponse, new NativeResponse(), LightResponse.genuine);
Object.defineProperty(LightResponse.prototype, "constructor", { value: LightResponse });
Object.defineProperty(LightResponse, "name", { value: "Response" });
Object.defineProperty(LightResponse, "length", { value: NativeResponse.length });
Object.setPrototypeOf(LightResponse, NativeResponse);

/** From now on `Response` is the light one, unless other code has replaced it already. */
export function lightenResponses(): void {
  if (globalThis.Response !== NativeResponse) return;
  globalThis.Response = LightResponse as unknown as typeof Response;
  watchBodies(NativeResponse);
}

// --- header fields ---

type Writable = Record<string, string | string[]>;

function isBytes(body: unknown): body is Uint8Array {
  return body instanceof Uint8Array && body.buffer instanceof ArrayBuffer;
}

/** The fields of anything that is plain enough; null otherwise, also when one of them must not be sent. */
function plainFields(headers: unknown): Writable | null {
  if (typeof headers !== "object" || headers === null) return null;
  const fields: Writable = new NameTable();
  const prototype: unknown = Object.getPrototypeOf(headers);
  if (prototype === Object.prototype || prototype === null) {
    if (Symbol.iterator in headers) return null;
    for (const name of Object.keys(headers)) {
      if (!put(fields, name, (headers as Record<string, unknown>)[name])) return null;
    }
    return fields;
  }
  if (!Array.isArray(headers) && prototype !== Headers.prototype) return null;
  for (const pair of headers as Iterable<unknown>) {
    if (!Array.isArray(pair) || pair.length !== 2 || !put(fields, pair[0], pair[1])) return null;
  }
  return fields;
}

/** Takes text that may be sent; white space around it is left to the genuine class, which removes it. */
function put(fields: Writable, name: unknown, value: unknown): boolean {
  if (!isToken(name) || typeof value !== "string") return false;
  if (!isFieldText(value) || withoutOuterSpace(value) !== value) return false;
  const key = name.toLowerCase();
  const before = fields[key];
  if (before === undefined) fields[key] = value;
  else if (key === "set-cookie") fields[key] = [before, value].flat();
  else fields[key] = `${String(before)}, ${value}`;
  return true;
}

function headersOf(fields: Fields): Headers {
  const headers = new Headers();
  for (const name of Object.keys(fields)) {
    for (const value of [fields[name] ?? []].flat()) headers.append(name, value);
  }
  return headers;
}

/** The fields of `headers`, whatever they hold: what must not be sent is refused when it is. */
export function fieldsOf(headers: Headers): Fields {
  const fields: Writable = new NameTable();
  for (const [name, value] of headers) {
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else fields[name] = [before, value];
  }
  return fields;
}
