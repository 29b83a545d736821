/**
 * Tornado's RequestHandler: subclass it, write `get`, `post`, …, and one object of your class answers each request.
 * This is what subclasses see. The work is done by its parts: execute.ts calls what a subclass has written,
 * HandlerInput reads what came, HandlerAnswer gathers and sends the answer, PageToken is the token against forged
 * requests.
 *
 * Invariant: what a subclass overrides is what is called, also from inside; of the parts only the answer is made for
 * every request.
 *
 * Reference: Tornado's web.RequestHandler.
 */
import type { Data } from "../core/data.js";
import { HTTPOutputError, OptionError } from "../core/errors.js";
import { toUnicode } from "../core/escape.js";
import type { Logger } from "../core/log.js";
import { ignore } from "../core/promises.js";
import { type CookieAttributes, clearableCookies, setCookie } from "../http/cookies.js";
import { debugAnswer } from "../http/debugpage.js";
import type { HeaderBlock } from "../http/headers.js";
import type { HTTPServerRequest } from "../http/request.js";
import { isDebugDefault } from "../http/settings.js";
import { isLocal, withNext, withoutSlash, withSlash } from "./addresses.js";
import type { Application, ApplicationSettings } from "./application.js";
import { etagOf } from "./bodytags.js";
import { errorPage } from "./errorpage.js";
import { Finish, HTTPError, ValidationError } from "./errors.js";
import { namesEtag } from "./etags.js";
import { callOnFinish, execute, methodNotAllowed, sendError, statusOf } from "./execute.js";
import { HandlerAnswer, jsonText } from "./handleranswer.js";
import {
  type Answered,
  type Chunk,
  HANDLER_BRAND,
  type HandlerCookieAttributes,
  type SignedCookieAttributes,
} from "./handlerclass.js";
import { HandlerInput } from "./handlerinput.js";
import type { HeaderValue } from "./headers.js";
import { NO_ARGUMENTS, type PathArgument, type PathValue } from "./pathpattern.js";
import {
  type CookieSecret,
  createSignedValue,
  decodeSignedValue,
  getSignatureKeyVersion,
  type SignedValueOptions,
  type SignedValueVersion,
} from "./signedvalue.js";
import { staticUrl } from "./staticurl.js";
import { PageToken } from "./xsrf.js";

const METHODS = ["GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"];
const JSON_TYPE = "application/json; charset=UTF-8";
/** How long a browser keeps a signed cookie, or the token of a user, unless said otherwise. */
const LASTING_DAYS = 30;
const MS_A_DAY = 86_400_000;
const XSRF_COOKIE = "_xsrf";
/** What stands in no address; control characters are left to be refused. */
const TO_ESCAPE = /[ \u0080-\u{10ffff}]+/gu;

/** `User`: what `getCurrentUser` gives; `Own`: the settings of the application's own. */
export abstract class RequestHandler<
  User = unknown,
  Own extends object = Readonly<Record<string, unknown>>,
> extends HandlerInput {
  /** @internal */
  static readonly [HANDLER_BRAND] = true;
  /**
   * Methods that requests may have, each answered by the method of its name in small letters; others are answered with
   * 405.
   */
  static readonly SUPPORTED_METHODS: readonly string[] = METHODS;
  /** The body goes to `dataReceived` piece by piece instead of being collected before `prepare`. */
  static readonly streamRequestBody: boolean = false;
  /** The application that has chosen this handler. */
  readonly application: Application;
  /** What the groups of the route's pattern hold, as the method is called with it. */
  pathArguments: readonly PathArgument[] = NO_ARGUMENTS;
  readonly #answer: HandlerAnswer;
  #pageToken: PageToken | null = null;
  #user: User | null | undefined;
  #logger: Logger | null = null;

  constructor(application: Application, request: HTTPServerRequest) {
    super(request);
    this.application = application;
    this.#answer = new HandlerAnswer(request);
  }

  /** The application's settings: those that are known, and its own. */
  get settings(): Readonly<ApplicationSettings & Own> {
    return this.application.settings as ApplicationSettings & Own;
  }

  /** Where the application logs. */
  get logger(): Logger {
    return this.application.settings.logger ?? (this.#logger as Logger);
  }

  // --- what subclasses write ---

  /** Called first, with the options of the route. */
  initialize(_options?: object): void {}

  /** Called before the method; when it finishes the answer, the method is not called. */
  prepare(): Answered {}

  /** Answers GET; `args` are what the groups of the route's pattern hold. Default: 405, as for the others. */
  get(..._args: PathArgument[]): Answered {
    throw methodNotAllowed(this);
  }

  /** Default: `get`, of whose answer the head is sent. */
  head(...args: PathArgument[]): Answered {
    if (!this.overrides("get")) throw methodNotAllowed(this);
    return this.get(...args);
  }

  /** Answers POST. */
  post(..._args: PathArgument[]): Answered {
    throw methodNotAllowed(this);
  }

  /** Answers DELETE. */
  delete(..._args: PathArgument[]): Answered {
    throw methodNotAllowed(this);
  }

  /** Answers PATCH. */
  patch(..._args: PathArgument[]): Answered {
    throw methodNotAllowed(this);
  }

  /** Answers PUT. */
  put(..._args: PathArgument[]): Answered {
    throw methodNotAllowed(this);
  }

  /** Answers OPTIONS. */
  options(..._args: PathArgument[]): Answered {
    throw methodNotAllowed(this);
  }

  /** Takes the next piece of the body, with `streamRequestBody`. While its promise waits, so does the client. */
  dataReceived(_chunk: Buffer): Answered {
    throw new Error(`${this.constructor.name} has streamRequestBody and no dataReceived`);
  }

  /** Called when the answer is complete, whatever it was. What it throws is logged. */
  onFinish(): void {}

  /**
   * Called when the client leaves while an answer is being waited for, or at least ends its side: the two look the
   * same. `request.signal` is aborted at the same time.
   */
  onConnectionClose(): void {}

  /**
   * Called before every other method of the handler, and when its output is taken back: set fields that all answers
   * have here.
   */
  setDefaultHeaders(): void {}

  // --- the answer: status and header fields ---

  /** Whether the head has been sent: nothing of it can be changed any more. */
  get headersWritten(): boolean {
    return this.#answer.headersWritten;
  }

  /** Whether the answer is complete, as far as the handler is concerned. */
  get finished(): boolean {
    return this.#answer.finished;
  }

  /** The answer's status, 200 unless set. */
  getStatus(): number {
    return this.#answer.status;
  }

  /** The phrase behind the status. */
  getReason(): string {
    return this.#answer.reason;
  }

  /** Throws HeaderError unless `status` is from 200 to 999. A reason that must not be sent becomes `Unknown`. */
  setStatus(status: number, reason?: string): void {
    this.#answer.setStatus(status, reason);
  }

  /**
   * Sets a field, in place of those of this name. Throws HeaderError for what must not be sent, HTTPOutputError when
   * the head has been sent; so do `addHeader` and `clearHeader`.
   */
  setHeader(name: string, value: HeaderValue): void {
    this.#answer.setHeader(name, value);
  }

  /** Adds a field beside those of this name. */
  addHeader(name: string, value: HeaderValue): void {
    this.#answer.addHeader(name, value);
  }

  /** Removes the fields of this name, set or added. */
  clearHeader(name: string): void {
    this.#answer.clearHeader(name);
  }

  /** The value of a field that the answer will have; the first of several; null without one. */
  getHeader(name: string): string | null {
    return this.#answer.getHeader(name);
  }

  /** Takes back status, header fields and what was written; cookies stay. */
  clear(): void {
    this.#answer.clear();
    this.setDefaultHeaders();
  }

  // --- the answer: its body, and its end ---

  /**
   * Adds to the body. An object is written as JSON, and sets Content-Type to that.
   * Throws HTTPOutputError when the answer is finished, TypeError for an array or what is no text, bytes or object.
   */
  write<Piece extends Chunk>(chunk: Piece extends readonly unknown[] ? never : Piece): void {
    if (this.finished) throw new HTTPOutputError("write() after finish()");
    if (typeof chunk === "string") this.#answer.writeText(chunk);
    else if (chunk instanceof Uint8Array) this.#answer.writeBytes(chunk);
    else {
      const text = jsonText(chunk);
      this.setHeader("Content-Type", JSON_TYPE);
      this.#answer.writeText(text);
    }
  }

  /**
   * Sends what was written so far, behind the head when that has not left yet. Resolves when the peer's connection has
   * taken it; rejects with StreamClosedError when the peer is gone, which may be ignored. Await it: nothing piles up
   * then. An answer of which more than `writeBufferBytesMax` would wait for a slow peer is cut.
   */
  flush(): Promise<void> {
    return ignore(this.#answer.flush());
  }

  /**
   * Completes the answer. Resolves when the peer's connection has taken all of it; rejects with StreamClosedError when
   * the peer is gone, which may be ignored. Throws HTTPOutputError when it is complete already, or cannot have the
   * body that it was given.
   */
  finish<Piece extends Chunk = string>(chunk?: Piece extends readonly unknown[] ? never : Piece): Promise<void> {
    if (this.finished) throw new HTTPOutputError("finish() after finish()");
    if (chunk !== undefined) this.write(chunk as string);
    this.#answer.finish(this.isConditional ? this : null);
    const { taken } = this.request;
    callOnFinish(this);
    return taken;
  }

  /**
   * Sends the client elsewhere: 302, or 301 with `permanent`, or `status`. Ends the answer. Throws HTTPOutputError
   * when the head has been sent, OptionError for a status that is not from 300 to 399.
   */
  redirect(url: string, { permanent = false, status }: { permanent?: boolean; status?: number } = {}): void {
    if (this.headersWritten) throw new HTTPOutputError("redirect() after the head has been sent");
    const code = status ?? (permanent ? 301 : 302);
    if (!(code >= 300 && code <= 399)) throw new OptionError(`a redirect has a status from 300 to 399, not ${code}`);
    this.setStatus(code);
    this.setHeader("Location", url.replace(TO_ESCAPE, encodeURIComponent));
    this.finish();
  }

  /**
   * For addresses that end with a slash: ends the request of one that does not, GET and HEAD by 301,
   * others by 404.
   */
  requireSlash(): void {
    this.#moveTo(withSlash(this.request));
  }

  /** The opposite: for addresses that do not end with a slash. The root keeps its own. */
  requireNoSlash(): void {
    this.#moveTo(withoutSlash(this.request));
  }

  #moveTo(address: string | null): void {
    if (address === null) return;
    this.redirect(address, { permanent: true });
    throw new Finish();
  }

  /** Answers with an error's page, in place of what was written. When the head has left the connection is cut. */
  sendError(status = 500, { reason, error = null }: { reason?: string; error?: unknown } = {}): void {
    sendError(this, this.#answer, status, reason, error);
  }

  /**
   * Writes the page of an error, and finishes. `error` is what was thrown, if anything was. Default: a plain page; with
   * the setting `debug` one that shows where it was thrown; the issues of a ValidationError as JSON.
   */
  writeError(status: number, error: unknown): Answered {
    if (error instanceof ValidationError) return void this.finish(error.report);
    const { debug = isDebugDefault() } = this.application.settings;
    if (!debug || error === null) return void this.finish(errorPage(status, this.getReason()));
    const { headers, body } = debugAnswer(`${status} ${this.getReason()}`, error, this.request);
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    this.finish(body);
  }

  /**
   * Logs what was thrown. Default: what has a status, such as HTTPError with a `logMessage`, as a warning, everything
   * else as an error.
   */
  logException(error: unknown): void {
    const { method, target } = this.request;
    const status = statusOf(error);
    if (status === null) return this.logger.error({ err: error }, `the handler of ${method} ${target} failed`);
    const message = error instanceof HTTPError ? error.logMessage : (error as Error).message;
    if (message !== null) this.logger.warn(`${status} ${method} ${target}: ${message}`);
  }

  // --- entity tags ---

  /** The answer's ETag: the sha1 of its body. Override it to know better, or return null for none. */
  computeEtag(body: string | Uint8Array): string | null {
    return etagOf(body);
  }

  /** Whether the client has the body that `etag` is for, as it says in If-None-Match. */
  checkEtag(etag: string): boolean {
    if (!this.request.hasField("if-none-match")) return false;
    return namesEtag(this.request.headers.get("if-none-match") ?? "", etag);
  }

  // --- cookies ---

  /** A cookie's value. Without it: `preset`, or null. */
  getCookie(name: string): string | null;
  getCookie<Preset>(name: string, preset: Preset): string | Preset;
  getCookie(name: string, preset: unknown = null): unknown {
    return this.request.cookies.get(name) ?? preset;
  }

  /**
   * Sets a cookie, for the whole site unless `path` says otherwise. Bytes are UTF-8. Throws HeaderError for what must
   * not be sent.
   */
  setCookie(name: string, value: Data, attributes: HandlerCookieAttributes = {}): void {
    const { expiresDays, ...rest } = attributes;
    const expires = expiresDays === undefined ? rest.expires : new Date(Date.now() + expiresDays * MS_A_DAY);
    this.#answer.setCookie(name, setCookie(name, toUnicode(value), { path: "/", ...rest, expires }));
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
    for (const name of clearableCookies(this.request.cookies.keys())) this.clearCookie(name, attributes);
  }

  /**
   * Sets a cookie that only this application can have made, as Tornado does (it can be read there too), for 30 days
   * unless `attributes` say otherwise. Not encrypted: its user can read it. Throws OptionError without the setting
   * `cookieSecret`.
   */
  setSignedCookie(name: string, value: Data, { version, ...attributes }: SignedCookieAttributes = {}): void {
    const lasting = attributes.maxAge === undefined && attributes.expires === undefined;
    const expiresDays = attributes.expiresDays ?? (lasting ? LASTING_DAYS : undefined);
    this.setCookie(name, this.createSignedValue(name, value, version), { ...attributes, expiresDays });
  }

  /**
   * The value of a signed cookie; null without it, when it is older than `maxAgeDays` (31), which may also be given
   * alone, or when another program has made it. Of version 1 only with `minVersion: 1`.
   */
  getSignedCookie(name: string, options?: number | SignedValueOptions): string | null {
    const value = this.getCookie(name);
    return value === null ? null : this.decodeSignedValue(name, value, options);
  }

  /** The same as bytes, for what was set as bytes that are no UTF-8. */
  getSignedCookieBytes(name: string, options?: number | SignedValueOptions): Buffer | null {
    const value = this.getCookie(name);
    return value === null ? null : this.#decodeSigned(name, value, options);
  }

  /** The version of the key that a signed cookie claims to be made with; null without such a cookie. */
  getSignedCookieKeyVersion(name: string): number | null {
    return getSignatureKeyVersion(this.getCookie(name) ?? "");
  }

  /** A value for other uses than cookies, signed for `name`. Throws OptionError without the setting `cookieSecret`. */
  createSignedValue(name: string, value: Data, version?: SignedValueVersion): string {
    const { keyVersion } = this.application.settings;
    return createSignedValue(this.#secret(), name, value, { keyVersion, version });
  }

  /** What was signed for `name` in the last `maxAgeDays` (31) days; null for anything else. */
  decodeSignedValue(name: string, value: string, options?: number | SignedValueOptions): string | null {
    return this.#decodeSigned(name, value, options)?.toString("utf8") ?? null;
  }

  #decodeSigned(name: string, value: string, options: number | SignedValueOptions | undefined): Buffer | null {
    const given = typeof options === "number" ? { maxAgeDays: options } : options;
    return decodeSignedValue(this.#secret(), name, value, given);
  }

  #secret(): CookieSecret {
    const { cookieSecret } = this.application.settings;
    if (cookieSecret === undefined) throw new OptionError("signed values need the setting cookieSecret");
    return cookieSecret;
  }

  // --- forged requests ---

  /**
   * The token for forms and scripts of this page, with its cookie; another text each time, but always the same token.
   */
  get xsrfToken(): string {
    const token = this.#token;
    if (!token.hasCookie) {
      token.hasCookie = true;
      const given = this.application.settings.xsrfCookieAttributes ?? {};
      const isLasting = this.currentUser !== null && given.maxAge === undefined;
      this.setCookie(this.#tokenCookie, token.text, isLasting ? { expiresDays: LASTING_DAYS, ...given } : given);
    }
    return token.text;
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
    this.#token.check(this.getArgument("_xsrf", null) ?? headers.get("x-xsrftoken") ?? headers.get("x-csrftoken"));
  }

  /** Whether another site may send requests that change something; the setting `trustedOrigins` unless overridden. */
  checkTrustedOrigin(origin: string): boolean {
    return this.application.settings.trustedOrigins?.includes(origin) ?? false;
  }

  get #token(): PageToken {
    const { xsrfCookieVersion } = this.application.settings;
    this.#pageToken ??= new PageToken(this.request.cookies.get(this.#tokenCookie) ?? "", xsrfCookieVersion);
    return this.#pageToken;
  }

  get #tokenCookie(): string {
    return this.application.settings.xsrfCookieName ?? XSRF_COOKIE;
  }

  // --- the user ---

  /** Override it to say which user is asking; null: none is known. Called once, by the first use of `currentUser`. */
  getCurrentUser(): User | null {
    return null;
  }

  /** The user who sent the request. Set it in `prepare` when finding out takes time. */
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
    if (method !== "GET" && method !== "HEAD") throw new HTTPError(403, "no user is logged in");
    this.redirect(withNext(this.getLoginUrl(), this.request));
    throw new Finish();
  }

  /**
   * Where to go after a login: the argument `next` if it is an address of this site, else `preset`. A link to the login
   * page may come from anywhere: a login page that redirects to `next` unchecked sends users to wherever that link
   * says.
   */
  getNextUrl(preset = "/"): string {
    const next = this.getArgument("next", preset);
    return isLocal(next) ? next : preset;
  }

  // --- addresses of this application ---

  /** The path of the route with this name. Throws OptionError without one, or with other values than it has groups. */
  reverseUrl(name: string, ...values: readonly PathValue[] | [Readonly<Record<string, PathValue>>]): string {
    return this.application.reverseUrl(name, ...(values as PathValue[]));
  }

  /** Whether `staticUrl` gives addresses with scheme and host, unless it is called with `includeHost`. */
  includeHost = false;

  /**
   * The address of a file of the setting `staticPath`, with a version, so that clients may cache it for good; with
   * `includeHost` for other sites. Rejects with HTTPError 403 or 404 for what cannot be served, with OptionError
   * without the setting.
   */
  async staticUrl(name: string, { includeHost = this.includeHost, includeVersion = true } = {}): Promise<string> {
    const url = await staticUrl(this.application.settings, name, includeVersion);
    return includeHost ? `${this.request.protocol}://${this.request.host}${url}` : url;
  }

  // --- for this package ---

  /** @internal Answers the request. Never throws and never rejects. */
  execute(args: readonly PathArgument[], options: object | undefined, logger: Logger): Answered {
    this.#logger = logger;
    this.pathArguments = args;
    return execute(this, this.#answer, options);
  }

  /** @internal Whether the class has a method of its own in place of RequestHandler's. */
  overrides(name: string): boolean {
    const [own, base] = [this, RequestHandler.prototype] as unknown as Record<string, unknown>[];
    return own?.[name] !== base?.[name];
  }

  /** @internal Whether `prepare` answers, whatever the method is. */
  get takesAllMethods(): boolean {
    return false;
  }

  /** @internal Whether a 200 that leaves at once gets a tag, and is held against the request's conditions. */
  protected get isConditional(): boolean {
    const { method } = this.request;
    return (method === "GET" || method === "HEAD") && this.application.settings.etag !== false;
  }

  /** @internal The request is answered by other code. */
  protected abandon(): void {
    this.#answer.abandon();
  }

  /** @internal The head of a websocket's 101, with fields of its own; the answer is complete with it. */
  protected takeHead(own: readonly [string, string][]): HeaderBlock {
    return this.#answer.takeHead(own);
  }
}
