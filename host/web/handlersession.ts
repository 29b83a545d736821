/**
 * Who is asking: cookies that are set, signed cookies, the token against forged requests, the user.
 *
 * Invariants: a signed cookie is the client's text until its signature has been checked; cookies that were set
 * survive an error page.
 */

import { OptionError } from "../core/errors.js";
import { CLEARED_COOKIES_BYTES_MAX } from "../core/limits.js";
import { type CookieAttributes, isCookieName, setCookie } from "../http/cookies.js";
import { hasControl, siteOf } from "./addresses.js";
import { Finish, HTTPError } from "./errors.js";
import { HandlerOutput } from "./handleroutput.js";
import {
  type CookieSecret,
  createSignedValue,
  decodeSignedValue,
  equal,
  signedValueKeyVersion,
} from "./signedvalue.js";
import { decodeXSRFToken, encodeXSRFToken, foreignOrigin, newXSRFToken, type XSRFToken } from "./xsrf.js";

/** What `setCookie` takes; `expiresDays` is short for a `maxAge`. */
export interface HandlerCookieAttributes extends CookieAttributes {
  expiresDays?: number | undefined;
}

/** How long a browser keeps a signed cookie, or the token of a user, unless said otherwise. */
const LASTING_DAYS = 30;
const SECONDS_A_DAY = 86_400;
const XSRF_COOKIE = "_xsrf";
/** What a field that clears a cookie has beside its name; a domain or a path may make it longer. */
const SET_COOKIE_BYTES = 128;
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

export abstract class HandlerSession<
  User = unknown,
  Own extends object = Readonly<Record<string, unknown>>,
> extends HandlerOutput<Own> {
  /** By name: the last one of a name counts. */
  #cookies: Map<string, string> | null = null;
  /** The token, and whether the client has its cookie. */
  #xsrf: { token: XSRFToken; known: boolean } | null = null;
  #xsrfText: string | null = null;
  #user: User | null | undefined;

  // --- cookies ---

  /** Sets a cookie, for the whole site unless `path` says otherwise. Throws HeaderError for what must not be sent. */
  setCookie(name: string, value: string, attributes: HandlerCookieAttributes = {}): void {
    const { expiresDays, ...rest } = attributes;
    const maxAge = expiresDays === undefined ? rest.maxAge : Math.round(expiresDays * SECONDS_A_DAY);
    this.#cookies ??= new Map();
    this.#cookies.set(name, setCookie(name, value, { path: "/", ...rest, maxAge }));
  }

  /** Makes the browser forget a cookie. Needs the `path` and `domain` that it was set with. */
  clearCookie(name: string, attributes: CookieAttributes = {}): void {
    this.setCookie(name, "", { ...attributes, expires: new Date(0), maxAge: 0 });
  }

  /**
   * Makes the browser forget all cookies that came with the request, but those whose name `setCookie` could not have
   * set, and those that the answer has no room for (CLEARED_COOKIES_BYTES_MAX).
   */
  clearAllCookies(attributes: CookieAttributes = {}): void {
    let bytes = 0;
    for (const name of this.request.cookies.keys()) {
      if (!isCookieName(name)) continue;
      bytes += name.length + SET_COOKIE_BYTES;
      if (bytes > CLEARED_COOKIES_BYTES_MAX) return;
      this.clearCookie(name, attributes);
    }
  }

  /**
   * Sets a cookie that only this application can have made, as Tornado does (it can be read there too). Not encrypted:
   * its user can read it. Throws OptionError without the setting `cookieSecret`.
   */
  setSignedCookie(name: string, value: string, attributes: HandlerCookieAttributes = {}): void {
    const lasting = attributes.maxAge === undefined && attributes.expires === undefined;
    const expiresDays = attributes.expiresDays ?? (lasting ? LASTING_DAYS : undefined);
    this.setCookie(name, this.createSignedValue(name, value), { ...attributes, expiresDays });
  }

  /**
   * The value of a signed cookie; null without it, when it is older than `maxAgeDays` (31), or when another program has
   * made it.
   */
  getSignedCookie(name: string, maxAgeDays?: number): string | null {
    const value = this.request.cookies.get(name);
    return value === undefined ? null : this.decodeSignedValue(name, value, maxAgeDays);
  }

  /** The version of the key that a signed cookie claims to be made with; null without such a cookie. */
  getSignedCookieKeyVersion(name: string): number | null {
    return signedValueKeyVersion(this.request.cookies.get(name) ?? "");
  }

  /** A value for other uses than cookies, signed for `name`. Throws OptionError without the setting `cookieSecret`. */
  createSignedValue(name: string, value: string): string {
    return createSignedValue(this.#secret(), name, value, { keyVersion: this.application.settings.keyVersion });
  }

  /** What was signed for `name` in the last `maxAgeDays` (31) days; null for anything else. */
  decodeSignedValue(name: string, value: string, maxAgeDays?: number): string | null {
    return decodeSignedValue(this.#secret(), name, value, { maxAgeDays })?.toString("utf8") ?? null;
  }

  // --- forged requests ---

  /**
   * The token for forms and scripts of this page, with its cookie; another text each time, but always the same token.
   */
  get xsrfToken(): string {
    if (this.#xsrfText === null) {
      const { token, known } = this.#xsrfState();
      this.#xsrfText = encodeXSRFToken(token);
      if (!known) this.setCookie(this.#xsrfCookieName(), this.#xsrfText, this.#xsrfAttributes());
    }
    return this.#xsrfText;
  }

  /** A hidden field with the token, for an HTML form. */
  xsrfFormHTML(): string {
    return `<input type="hidden" name="_xsrf" value="${this.xsrfToken}"/>`;
  }

  /**
   * Throws HTTPError 403 unless the token of the cookie came with the request also as the argument `_xsrf` or in
   * X-XSRFToken or X-CSRFToken. Called before `prepare` with the setting `xsrfCookies`; override it to except a
   * handler.
   */
  checkXSRFCookie(): void {
    const { headers } = this.request;
    const given = this.getArgument("_xsrf", null) ?? headers.get("x-xsrftoken") ?? headers.get("x-csrftoken");
    if (!given) throw new HTTPError(403, "'_xsrf' argument missing from the request");
    const token = decodeXSRFToken(given);
    if (token === null) throw new HTTPError(403, "'_xsrf' argument has invalid format");
    const expected = this.#xsrfState().token;
    if (!equal(token.bytes, expected.bytes)) throw new HTTPError(403, "XSRF cookie does not match the argument");
  }

  /** Whether another site may send requests that change something; the setting `trustedOrigins` unless overridden. */
  checkTrustedOrigin(origin: string): boolean {
    return this.application.settings.trustedOrigins?.includes(origin) ?? false;
  }

  /** @internal Throws HTTPError 403 for a request that another site may have sent. */
  protected checkForgery(): void {
    const { xsrfCookies, crossOriginProtection } = this.application.settings;
    if (xsrfCookies !== true && crossOriginProtection !== true) return;
    if (SAFE_METHODS.includes(this.request.method)) return;
    if (xsrfCookies === true) this.checkXSRFCookie();
    if (crossOriginProtection !== true) return;
    const foreign = foreignOrigin(this.request, (origin) => this.checkTrustedOrigin(origin));
    if (foreign !== null) throw new HTTPError(403, foreign);
  }

  // --- the user ---

  /** Override it to say which user is asking; null: none is known. Called once, by the first use of `currentUser`. */
  getCurrentUser(): User | null {
    return null;
  }

  /** Who is asking. Set it in `prepare` when finding out takes time. */
  get currentUser(): User | null {
    if (this.#user === undefined) this.#user = this.getCurrentUser();
    return this.#user;
  }

  set currentUser(user: User | null) {
    this.#user = user;
  }

  /** Where to log in; the setting `loginUrl` unless overridden. Throws OptionError without it. */
  getLoginUrl(): string {
    const { loginUrl } = this.application.settings;
    if (loginUrl === undefined) throw new OptionError("requireUser() needs the setting loginUrl");
    return loginUrl;
  }

  /**
   * The user. Without one the request ends here: GET and HEAD are sent to log in, with this page's address as `next`;
   * others get 403, and so does an address that a browser would take for one of another site. Behind the login use
   * `getNextUrl`.
   */
  requireUser(): NonNullable<User> {
    const user = this.currentUser;
    if (user !== null && user !== undefined) return user;
    const { method } = this.request;
    if (method !== "GET" && method !== "HEAD") throw new HTTPError(403, "nobody is logged in");
    const url = this.getLoginUrl();
    this.redirect(url.includes("?") ? url : `${url}?next=${encodeURIComponent(this.#next(url))}`);
    throw new Finish();
  }

  /**
   * Where to go after a login: the argument `next` if it is an address of this site, else `preset`. A link to the login
   * page may come from anywhere: a login page that redirects to `next` unchecked sends users to wherever that link
   * says.
   */
  getNextUrl(preset = "/"): string {
    const next = this.getArgument("next", preset);
    return next.startsWith("/") && siteOf(next) === "" && !hasControl(next) ? next : preset;
  }

  protected override cookieFields(): string[] | null {
    return this.#cookies === null ? null : [...this.#cookies.values()];
  }

  /** This page's address. A login page on another host needs the host, too. */
  #next(loginUrl: string): string {
    const { protocol, host, path, target } = this.request;
    const mark = target.indexOf("?");
    const own = mark < 0 ? path : path + target.slice(mark);
    if (siteOf(own) !== "") throw new HTTPError(403, "a path that begins with two slashes is not one to come back to");
    return /^[a-z][a-z0-9+.-]*:/i.test(loginUrl) ? `${protocol}://${host}${own}` : own;
  }

  #secret(): CookieSecret {
    const { cookieSecret } = this.application.settings;
    if (cookieSecret === undefined) throw new OptionError("signed values need the setting cookieSecret");
    return cookieSecret;
  }

  #xsrfState(): { token: XSRFToken; known: boolean } {
    if (this.#xsrf === null) {
      const sent = decodeXSRFToken(this.request.cookies.get(this.#xsrfCookieName()) ?? "");
      this.#xsrf = { token: sent ?? newXSRFToken(), known: sent !== null };
    }
    return this.#xsrf;
  }

  #xsrfCookieName(): string {
    return this.application.settings.xsrfCookieName ?? XSRF_COOKIE;
  }

  #xsrfAttributes(): HandlerCookieAttributes {
    const given = this.application.settings.xsrfCookieAttributes ?? {};
    return this.currentUser === null || given.maxAge !== undefined ? given : { expiresDays: LASTING_DAYS, ...given };
  }
}
