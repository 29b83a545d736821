/**
 * Answers of the `FastResponse` of srvx, which h3 and Nitro make. Asked as a `Response` it makes a genuine one with a
 * stream; asked as srvx' own server asks, it gives what it was made of.
 *
 * Invariant: it gives that once; what is sent again is what a `Response` may be sent again for: a head without a body.
 */
import { PassThrough } from "node:stream";
import { fieldsOfList } from "./headers.js";
import { Stamped } from "./overlay.js";
import type { PlainAnswer } from "./response.js";

/** What srvx declares for its own server. */
interface Prepared {
  status: number;
  statusText: string;
  /** Names and values, one after the other. */
  headers: string[];
  body?: unknown;
}

/** A response that has been sent, with what it gave. */
class Sent extends Stamped {
  readonly #plain: PlainAnswer;

  constructor(response: object, plain: PlainAnswer) {
    super(response);
    this.#plain = plain;
  }

  static of(response: object): PlainAnswer | null {
    return #plain in response ? (response as Sent).#plain : null;
  }
}

/** Whether it is one of srvx' class. */
export function isSrvxResponse(value: object): boolean {
  return typeof (value as { _toNodeResponse?: unknown })._toNodeResponse === "function";
}

/** The answer of srvx' class, or one with a stream as a genuine `Response`; null for any other object. */
export function srvxAnswer(response: object): PlainAnswer | Response | null {
  if (!isSrvxResponse(response)) return null;
  const before = Sent.of(response);
  if (before !== null) {
    if (before.body !== null) throw new TypeError("the body of the Response has been read already");
    return before;
  }
  const {
    status,
    statusText: reason,
    headers,
    body = null,
  } = (response as { _toNodeResponse(): Prepared })._toNodeResponse();
  const isWhole = body === null || typeof body === "string" || body instanceof Uint8Array;
  const plain: PlainAnswer = { status, reason, fields: fieldsOfList(headers), body: isWhole ? body : "" };
  new Sent(response, plain);
  if (isWhole) return plain;
  const pairs: [string, string][] = [];
  for (let at = 0; at < headers.length; at += 2) pairs.push([headers[at] as string, headers[at + 1] as string]);
  return new Response(asBody(body), { status, statusText: reason, headers: pairs });
}

/** A stream of the web or of Node; what can only be piped is piped. */
function asBody(body: unknown): ConstructorParameters<typeof Response>[0] {
  const { pipe } = body as { pipe?: (to: PassThrough) => PassThrough };
  const isPiped = typeof pipe === "function" && !(Symbol.asyncIterator in (body as object));
  return (isPiped ? pipe.call(body, new PassThrough()) : body) as ConstructorParameters<typeof Response>[0];
}
