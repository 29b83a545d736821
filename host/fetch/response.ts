/**
 * A `Response` whose body is text or bytes costs Node a stream, more than all the rest of an answer. This one makes a
 * genuine `Response` only when the handler asks for more than a server does.
 *
 * Invariants: it answers as a genuine one would, which `instanceof`, subclasses and `Response.json` are part of;
 * arguments that are not plain are given to the genuine class, which converts or refuses them. A server sends what was
 * true when it was made.
 */
import { isFieldText } from "../core/grammar.js";
import { copyHeaders, type Fields, fieldsOf, headersOf, PlainFields } from "./headers.js";
import { watchBodies } from "./inflated.js";
import {
  isOriginal,
  type LightKind,
  likeFunction,
  markAsUncloneable,
  overlay,
  replaceGlobal,
  Stamped,
} from "./overlay.js";

let native: typeof Response | null = null;

/** The platform's class. Node takes 30 ms to load it at the first use: not before there is a handler of that kind. */
function nativeResponse(): typeof Response {
  native ??= globalThis.Response;
  return native;
}

/** An answer that has no stream. */
export interface PlainAnswer {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly body: string | Uint8Array | null;
}

/** What a light one holds. */
interface Parts extends PlainAnswer {
  fields: Fields;
  headers: Headers | null;
  genuine: Response | null;
}

type Body = ConstructorParameters<typeof Response>[0];

const UNTYPED = new PlainFields(null);
const TEXT = new PlainFields("text/plain;charset=UTF-8");
const JSON_TEXT = new PlainFields("application/json");

/** Statuses without a body (fetch.spec.whatwg.org, null body status). */
const BODYLESS = [101, 103, 204, 205, 304];

class LightResponse extends Stamped {
  readonly #parts: Parts;

  constructor(response: object, parts: Parts) {
    super(response);
    this.#parts = parts;
    markAsUncloneable(this);
  }

  static of(value: object): Parts | null {
    return #parts in value ? (value as LightResponse).#parts : null;
  }
}

const kind: LightKind<Parts> = {
  of: LightResponse.of,
  known: {
    status: ({ status }) => status,
    statusText: ({ reason }) => reason,
    ok: ({ status }) => status >= 200 && status <= 299,
    headers: (parts) => (parts.headers ??= headersOf(parts.fields)),
    body: ({ body }) => (body === null ? null : undefined),
    bodyUsed: ({ genuine }) => (genuine === null ? false : undefined),
  },
  /** The genuine one, with the header fields that the light one has by now. */
  genuine(parts) {
    parts.headers ??= headersOf(parts.fields);
    const { status, reason: statusText, headers, body } = parts;
    if (parts.genuine === null) parts.genuine = new (nativeResponse())(body, { status, statusText, headers });
    else copyHeaders(headers, parts.genuine.headers);
    return parts.genuine;
  },
};

/** The parts of what is plain; null for anything else. The fields of text are those that `typed` makes. */
function plainParts(body: unknown, init: unknown, typed: PlainFields): Parts | null {
  let content: Parts["body"] = null;
  let plain = UNTYPED;
  if (typeof body === "string") {
    content = body;
    plain = typed;
  } else if (isBytes(body)) {
    content = new Uint8Array(body);
  } else if (body !== null && body !== undefined) {
    return null;
  }
  if (init === undefined) return newParts(200, "", plain.none, content);
  if (typeof init !== "object" || init === null) return null;
  const { status = 200, statusText: reason = "", headers } = init as ResponseInit;
  if (!Number.isInteger(status) || status < 200 || status > 599) return null;
  if (content !== null && BODYLESS.includes(status)) return null;
  if (typeof reason !== "string" || !isFieldText(reason)) return null;
  const fields = headers === undefined ? plain.none : plain.of(headers);
  return fields === null ? null : newParts(status, reason, fields, content);
}

function newParts(status: number, reason: string, fields: Fields, body: Parts["body"]): Parts {
  return { status, reason, fields, body, headers: null, genuine: null };
}

function isBytes(body: unknown): body is Uint8Array {
  return body instanceof Uint8Array && body.buffer instanceof ArrayBuffer;
}

function StandIn(this: object, body?: Body, init?: ResponseInit): object | undefined {
  if (new.target === undefined) throw new TypeError("Class constructor Response cannot be invoked without 'new'");
  const parts = plainParts(body, init, TEXT);
  if (parts !== null) new LightResponse(this, parts);
  else if ((new.target as unknown) === StandIn) return new (nativeResponse())(body, init);
  else return Reflect.construct(nativeResponse(), [body, init], new.target);
  return undefined;
}

function json(value: unknown, init?: ResponseInit): object {
  const text: unknown = JSON.stringify(value);
  const parts = typeof text === "string" ? plainParts(text, init, JSON_TEXT) : null;
  // The genuine class refuses or converts the rest.
  if (parts === null) return nativeResponse().json(value, init);
  return new LightResponse(new Empty(), parts);
}

/** Makes objects of the class that have nothing. */
function Nothing(): void {}
const Empty = Nothing as unknown as new () => object;

/** The class that `lightenResponses` puts in the place of the platform's. */
export const ResponseStandIn = StandIn as unknown as typeof Response;

let isDone = false;

/** From now on `Response` is the light one, unless other code has replaced it already. */
export function lightenResponses(): void {
  const NativeResponse = nativeResponse();
  if (isDone || globalThis.Response !== NativeResponse || !isOriginal(NativeResponse)) return;
  isDone = true;
  Nothing.prototype = NativeResponse.prototype;
  if (!overlay(NativeResponse, kind)) return;
  watchBodies(NativeResponse);
  const own = Object.getOwnPropertyDescriptor(NativeResponse, "json");
  replaceGlobal("Response", NativeResponse, StandIn, { json: { ...own, value: likeFunction(json, own?.value) } });
}

/** Whether it is a light one. */
export function isLightResponse(value: object): boolean {
  return LightResponse.of(value) !== null;
}

/** What is sent without a stream; null when there is one, or `response` is of another kind. */
export function plainAnswer(response: object): PlainAnswer | null {
  const parts = LightResponse.of(response);
  if (parts === null || parts.genuine !== null) return null;
  if (parts.headers !== null) parts.fields = fieldsOf(parts.headers);
  return parts;
}
