/**
 * Small handlers: an error, a redirect, a function in a handler's place. Invariant: a redirect's host comes from the
 * route, never from the request.
 */
import { answerWith } from "../fetch/result.js";
import type { RequestCallback } from "../server/httpserver.js";
import { hasControl, siteOf } from "./addresses.js";
import { HTTPError } from "./errors.js";
import type { Answered } from "./handlerclass.js";
import type { PathArgument, PathGroups } from "./pathpattern.js";
import { RequestHandler } from "./requesthandler.js";

/** Answers everything with an error, whatever the method is: what is not there is 404 for all of them. */
export class ErrorHandler extends RequestHandler {
  /** The body is not read, so nothing waits for it. */
  static override readonly streamRequestBody = true;
  #error = new HTTPError();

  override initialize(error: { status: number }): void {
    this.#error = error instanceof HTTPError ? error : new HTTPError(error.status);
  }

  override prepare(): void {
    throw this.#error;
  }

  /** @internal */
  override get takesAllMethods(): boolean {
    return true;
  }

  /** It changes nothing, so no XSRF token is asked for: a wrong address is 404 and not 403. */
  override checkXSRFCookie(): void {}

  override checkTrustedOrigin(): boolean {
    return true;
  }
}

/** Options of RedirectHandler. */
export interface RedirectOptions {
  /** Where to: `{0}`, `{1}` or `{name}` stand for what the groups of the route's pattern hold. */
  url: string;
  /** 301 instead of 302. Default: true. */
  permanent?: boolean;
}

/** Sends GET and HEAD elsewhere, with the query that they came with. */
export class RedirectHandler extends RequestHandler {
  #url = "";
  #permanent = true;

  override initialize({ url, permanent = true }: RedirectOptions): void {
    this.#url = url;
    this.#permanent = permanent;
  }

  override get(...args: PathArgument[]): void {
    const { target } = this.request;
    const mark = target.indexOf("?");
    const query = mark < 0 ? "" : target.slice(mark + 1);
    const path = this.#url.replace(PLACE, (_, name: string) => valueIn(args, name));
    const url = query === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${query}`;
    if (siteOf(url) !== siteOf(fixedPart(this.#url))) {
      throw new HTTPError(400, "a redirect cannot be led to another site");
    }
    if (hasControl(url)) throw new HTTPError(400, "a redirect cannot be led to an address with such characters");
    this.redirect(url, { permanent: this.#permanent });
  }
}

const PLACE = /\{(\w+)\}/g;

function valueIn(args: readonly PathArgument[], name: string): string {
  const [first] = args;
  const groups = typeof first === "object" ? (first as PathGroups) : null;
  const value = groups === null ? args[Number(name)] : groups[name];
  return typeof value === "string" ? value : "";
}

function fixedPart(url: string): string {
  const place = url.search(/\{\w+\}/);
  return place < 0 ? url : url.slice(0, place);
}

/** Gives requests to a function, for routes that need nothing of a handler. */
export class FallbackHandler extends RequestHandler {
  /** The body is the function's. */
  static override readonly streamRequestBody = true;
  #fallback: RequestCallback = () => {};

  override initialize({ fallback }: { fallback: RequestCallback }): void {
    this.#fallback = fallback;
  }

  /** @internal */
  override get takesAllMethods(): boolean {
    return true;
  }

  override prepare(): Answered {
    const answered: unknown = this.#fallback(this.request);
    if (answered !== undefined) return this.#wait(answered);
    this.request.isLeft = true;
    this.abandon();
  }

  async #wait(answered: unknown): Promise<void> {
    await answerWith(this.request, await answered, this.#fallback.name);
    this.abandon();
  }
}
