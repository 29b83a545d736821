/**
 * What there is to know of handlers without RequestHandler itself: its class, what its methods give back and take.
 */
import type { CookieAttributes } from "../http/cookies.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { Application } from "./application.js";
import type { RequestHandler } from "./requesthandler.js";
import type { SignedValueVersion } from "./signedvalue.js";

/** By this a handler's class is known across copies of the package. */
export const HANDLER_BRAND: unique symbol = Symbol.for("waterspout.requesthandler") as never;

/** What a method gives back: nothing, now or later. */
export type Answered = void | Promise<void>;

/** A class whose objects answer requests. */
export interface HandlerClass<Handler extends RequestHandler = RequestHandler> {
  new (application: Application, request: HTTPServerRequest): Handler;
}

/** What can be written: text is sent as UTF-8, an object as JSON. Arrays are refused, as in Tornado. */
export type Chunk = string | Uint8Array | object;

/** What `setCookie` takes; `expiresDays` is short for an `expires`. */
export interface HandlerCookieAttributes extends CookieAttributes {
  /** Days until the browser forgets the cookie; takes the place of `expires`. */
  expiresDays?: number | undefined;
}

/** What `setSignedCookie` takes. */
export interface SignedCookieAttributes extends HandlerCookieAttributes {
  /** The version of the signed value's form. Default 2. */
  version?: SignedValueVersion | undefined;
}

/** Whether something is a RequestHandler's class, of this copy of the package or of another. */
export function isHandlerClass(value: unknown): value is HandlerClass {
  return typeof value === "function" && (value as { [HANDLER_BRAND]?: unknown })[HANDLER_BRAND] === true;
}
