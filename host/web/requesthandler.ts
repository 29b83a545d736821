/**
 * Tornado's RequestHandler: subclass it, write `get`, `post`, …, and one object of your class answers each request.
 *
 *     initialize → the request's origin is checked → prepare → get, post, … → finish → onFinish
 *
 * Invariants: what user code throws, or a promise of it rejects with, becomes an answer or ends the connection, and is
 * logged once; a handler that waits holds up no other request; without anything to wait for the answer leaves in the
 * same turn.
 */
import { resolve } from "node:path";
import { OptionError, StreamClosedError, WaterspoutError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { HTTPServerRequest } from "../http/request.js";
import { isBodyless } from "../http/response.js";
import type { Application } from "./application.js";
import { debugPage, errorPage } from "./errorpage.js";
import { Finish, HTTPError } from "./errors.js";
import { HandlerSession } from "./handlersession.js";
import type { PathArgument, PathValue } from "./pathpattern.js";
import { versionBelow, versionedUrl } from "./staticurl.js";

/** By this a handler's class is known across copies of the package. */
export const HANDLER_BRAND: unique symbol = Symbol.for("waterspout.requesthandler") as never;

/** What a method gives back: nothing, now or later. */
export type Answered = void | Promise<void>;

/** A class whose objects answer requests. */
export interface HandlerClass<Handler extends RequestHandler = RequestHandler> {
  new (application: Application, request: HTTPServerRequest): Handler;
}

type Method = (...args: PathArgument[]) => Answered;
const METHODS = ["GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"];

/** `User`: what `getCurrentUser` gives; `Own`: the settings of the application's own. */
export abstract class RequestHandler<
  User = unknown,
  Own extends object = Readonly<Record<string, unknown>>,
> extends HandlerSession<User, Own> {
  static readonly [HANDLER_BRAND] = true;
  /**
   * Methods that requests may have, each answered by the method of its name in small letters; others are answered with
   * 405.
   */
  static readonly SUPPORTED_METHODS: readonly string[] = METHODS;
  /** The body goes to `dataReceived` piece by piece instead of being collected before `prepare`. */
  static readonly streamRequestBody: boolean = false;
  #logger: Logger | null = null;

  // --- what subclasses write ---

  /** Called first, with the options of the route. */
  initialize(_options?: object): void {}

  /** Called before the method; when it finishes the answer, the method is not called. */
  prepare(): Answered {}

  get(..._args: PathArgument[]): Answered {
    this.#refuse();
  }

  /** Default: `get`, of whose answer the head is sent. */
  head(...args: PathArgument[]): Answered {
    if (this.get === RequestHandler.prototype.get) this.#refuse();
    return this.get(...args);
  }

  post(..._args: PathArgument[]): Answered {
    this.#refuse();
  }

  delete(..._args: PathArgument[]): Answered {
    this.#refuse();
  }

  patch(..._args: PathArgument[]): Answered {
    this.#refuse();
  }

  put(..._args: PathArgument[]): Answered {
    this.#refuse();
  }

  options(..._args: PathArgument[]): Answered {
    this.#refuse();
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
   * Writes the page of an error, and finishes. `error` is what was thrown, if anything was. Default: a plain page; with
   * the setting `debug` one that shows where it was thrown.
   */
  writeError(status: number, error: unknown): Answered {
    if (this.application.settings.debug === true && error !== null)
      this.finish(debugPage(status, this.getReason(), error));
    else this.finish(errorPage(status, this.getReason()));
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

  // --- what subclasses call ---

  /** Where the application logs. */
  get logger(): Logger {
    return this.application.settings.logger ?? (this.#logger as Logger);
  }

  /** Answers with an error's page, in place of what was written. When the head has left the connection is cut. */
  sendError(status = 500, { reason, error = null }: { reason?: string; error?: unknown } = {}): void {
    if (this.finished) return;
    if (this.headersWritten) {
      this.logger.error("an error page cannot be sent behind the head of another answer");
      this.#cut();
      return;
    }
    this.clear();
    this.setStatus(status, reason ?? (error instanceof HTTPError ? (error.reason ?? undefined) : undefined));
    if (error instanceof HTTPError && error.headers !== null) this.#addHeaders(error);
    const written = isBodyless(status) ? undefined : this.writeError(status, error);
    if (written === undefined) {
      if (!this.finished) this.finish();
    } else {
      written.then(() => (this.finished ? undefined : this.finish())).catch((failure) => this.#lastResort(failure));
    }
  }

  /** The path of the route with this name. Throws OptionError without one, or with other values than it has groups. */
  reverseUrl(name: string, ...values: readonly PathValue[] | [Readonly<Record<string, PathValue>>]): string {
    return this.application.reverseUrl(name, ...(values as PathValue[]));
  }

  /**
   * The address of a file of the setting `staticPath`, with a version, so that it can be kept for ever; with
   * `includeHost` for other sites. Rejects with HTTPError 403 or 404 for what cannot be served, with OptionError
   * without the setting.
   */
  async staticUrl(name: string, { includeHost = false, includeVersion = true } = {}): Promise<string> {
    const { staticPath, staticHandlerClass, ...others } = this.application.settings;
    if (staticPath === undefined) throw new OptionError("staticUrl() needs the setting staticPath");
    const settings = { ...others, staticPath };
    const url =
      staticHandlerClass === undefined
        ? versionedUrl(settings, name, includeVersion ? await versionBelow(settings, resolve(staticPath, name)) : null)
        : await staticHandlerClass.makeStaticUrl(settings, name, includeVersion);
    return includeHost ? `${this.request.protocol}://${this.request.host}${url}` : url;
  }

  // --- the way of a request ---

  /** @internal Answers the request. Never throws and never rejects. */
  execute(args: readonly PathArgument[], options: object | undefined, logger: Logger): Answered {
    this.#logger = logger;
    this.pathArguments = args;
    try {
      if (this.setDefaultHeaders !== RequestHandler.prototype.setDefaultHeaders) this.setDefaultHeaders();
      this.initialize(options);
      if (this.request.hasBody) return this.#executeWithBody();
      const prepared = this.#prepare();
      if (prepared !== undefined) return this.#executeLater(prepared);
      if (this.finished) return;
      const answered = this.#method().apply(this, args as PathArgument[]);
      if (answered !== undefined) return this.#finishLater(answered);
      if (!this.finished) this.finish();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #executeLater(prepared: Promise<void>): Promise<void> {
    this.#watch();
    try {
      await prepared;
      await this.#callMethod();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #finishLater(answered: Promise<void>): Promise<void> {
    this.#watch();
    try {
      await answered;
      if (!this.finished) this.finish();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #executeWithBody(): Promise<void> {
    this.#watch();
    try {
      const streams = (this.constructor as typeof RequestHandler).streamRequestBody;
      if (!streams) await this.takeBody();
      await this.#prepare();
      if (streams && !this.finished) await this.#receive();
      await this.#callMethod();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #receive(): Promise<void> {
    for await (const chunk of this.request.body) {
      await this.dataReceived(chunk);
      if (this.finished) return;
    }
  }

  #prepare(): Answered {
    if (!this.#supported.includes(this.request.method)) this.#refuse();
    this.checkForgery();
    return this.prepare();
  }

  async #callMethod(): Promise<void> {
    if (this.finished) return;
    await this.#method().apply(this, this.pathArguments as PathArgument[]);
    if (!this.finished) this.finish();
  }

  #method(): Method {
    return this.#written(this.request.method) ?? this.#refuse();
  }

  /** Only who wants to hear of it makes the request listen for its client's end. */
  #watch(): void {
    if (this.onConnectionClose === RequestHandler.prototype.onConnectionClose) return;
    const { signal } = this.request;
    const tell = () => {
      if (this.finished) return;
      try {
        this.onConnectionClose();
      } catch (error) {
        this.logException(error);
      }
    };
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell, { once: true });
  }

  // --- how it ends ---

  protected override ended(): void {
    try {
      this.onFinish();
    } catch (error) {
      this.logException(error);
    }
  }

  #failed(error: unknown): void {
    try {
      if (error instanceof Finish) {
        if (!this.finished) this.finish(error.chunk as string);
        return;
      }
      if (error instanceof StreamClosedError && error === this.request.leaving) {
        this.logger.debug({ err: error }, "a client has left before its answer");
        return this.#cut();
      }
      this.logException(error);
      this.sendError(statusOf(error) ?? 500, { error });
    } catch (failure) {
      this.#lastResort(failure);
    }
  }

  /** The page of an error has failed itself. */
  #lastResort(failure: unknown): void {
    this.logger.error({ err: failure }, "an error page failed");
    if (this.finished) return;
    if (!this.request.started) {
      this.request.respond(
        500,
        { "Content-Type": "text/html; charset=UTF-8" },
        errorPage(500, "Internal Server Error"),
      );
    }
    this.#cut();
  }

  /** Ends an answer that cannot be completed. */
  #cut(): void {
    if (!this.request.finished) this.request.cancel();
    this.abandon();
    this.ended();
  }

  #addHeaders({ headers }: HTTPError): void {
    const pairs =
      Symbol.iterator in (headers as object)
        ? (headers as Iterable<[string, string]>)
        : Object.entries(headers as object);
    for (const [name, value] of pairs) for (const single of [value].flat()) this.addHeader(name, single);
  }

  get #supported(): readonly string[] {
    return (this.constructor as typeof RequestHandler).SUPPORTED_METHODS;
  }

  /** What answers requests of a method that is supported. */
  #written(method: string): Method | undefined {
    return (this as unknown as Record<string, Method | undefined>)[method.toLowerCase()];
  }

  /** 405, with the methods that there are. */
  #refuse(): never {
    const base = RequestHandler.prototype as unknown as Record<string, Method | undefined>;
    const allowed = this.#supported.filter((method) => {
      const written = this.#written(method);
      return written !== undefined && written !== base[method.toLowerCase()];
    });
    const lacksHead = allowed.includes("GET") && !allowed.includes("HEAD");
    if (lacksHead && this.#supported.includes("HEAD")) allowed.splice(1, 0, "HEAD");
    throw new HTTPError(405, { headers: { Allow: allowed.join(", ") } });
  }
}

/** The status that an error is about; null for one that is not of HTTP. */
function statusOf(error: unknown): number | null {
  const status = error instanceof WaterspoutError ? (error as { status?: unknown }).status : undefined;
  return typeof status === "number" ? status : null;
}

/** Whether something is a RequestHandler's class, of this copy of the package or of another. */
export function isHandlerClass(value: unknown): value is HandlerClass {
  return typeof value === "function" && (value as { [HANDLER_BRAND]?: unknown })[HANDLER_BRAND] === true;
}
