/**
 * Tornado's Application: routes, settings, and what a server calls with each request.
 *
 *     const application = new Application([["/", MainHandler], ["/users/:id", UserHandler, { database }, "user"]]);
 *     await application.listen(8888);
 *
 * Invariant: routes are complete and checked when it is made; a request without a route is answered with 404 by a
 * handler, too.
 */

import { HTTPInputError, OptionError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { BindOptions } from "../net/bind.js";
import { type Answering, HTTPServer, type RequestCallback } from "../server/httpserver.js";
import { type InjectedAnswer, type InjectedRequest, inject } from "../server/inject.js";
import type { ServerOptions } from "../server/options.js";
import { HTTPError } from "./errors.js";
import { type HandlerClass, type HandlerCookieAttributes, isHandlerClass } from "./handlerclass.js";
import { ErrorHandler } from "./handlers.js";
import { type Middleware, through } from "./middleware.js";
import type { PathArgument, PathValue, PathValues } from "./pathpattern.js";
import {
  AnyMatches,
  HostMatches,
  isRouter,
  type Match,
  type Matcher,
  PathMatches,
  type RouteFunction,
  type Router,
  Rule,
  TargetRouter,
} from "./routing.js";
import type { CookieSecret } from "./signedvalue.js";
import { StaticFileHandler, type StaticFileOptions } from "./staticfiles.js";
import type { XSRFVersion } from "./xsrf.js";

/** What answers a request that a route matches. */
export type Target = HandlerClass | RouteFunction | Router | readonly RouteInput[];
/** A route: the path's pattern (or a matcher), its handler, the options for its `initialize`, its name. */
export type RouteInput =
  | Rule<Target>
  | readonly [pattern: string | RegExp | Matcher, target: Target, options?: object | undefined, name?: string];

/** A route whose options are those that its handler's `initialize` takes. */
type Checked<Route> = Route extends readonly [infer Pattern, infer Handler extends HandlerClass, ...unknown[]]
  ? readonly [Pattern, Handler, ...Parameters<InstanceType<Handler>["initialize"]>, name?: string]
  : Route;
/** Routes, each of them checked. */
export type CheckedRoutes<Routes extends readonly RouteInput[]> = {
  readonly [Index in keyof Routes]: Checked<Routes[Index]>;
};

/** The settings of an application. */
export interface ApplicationSettings {
  /**
   * Pages of errors show where they were thrown, and stack. Never where others can reach it. Default: whether
   * `$WATERSPOUT_DEBUG` is 1, which `waterspout dev` sets.
   */
  debug?: boolean;
  /**
   * `waterspout run` loads the application again when its files change, as with `--watch`. Default: what `debug` says.
   */
  autoreload?: boolean;
  /** Answers have an ETag, and a client that has the body already gets 304. Default: true. */
  etag?: boolean;
  /** Signs cookies: one secret, or several by version, of which `keyVersion` names the one for new cookies. */
  cookieSecret?: CookieSecret;
  /** The version of the secret that signs new cookies. Needed when `cookieSecret` has several. */
  keyVersion?: number;
  /** Requests that change something need the token of the cookie `_xsrf`: see `xsrfToken`. Default: false. */
  xsrfCookies?: boolean;
  /** The name of the token's cookie. Default `_xsrf`. */
  xsrfCookieName?: string;
  /**
   * The form in which tokens are shown: 2 is masked anew each time; 1, the token itself, is for scripts that compare
   * it. Both are accepted. Default 2.
   */
  xsrfCookieVersion?: XSRFVersion;
  /** Attributes of the token's cookie, such as `secure`. Default: `path=/`, and 30 days for a user who is signed in. */
  xsrfCookieAttributes?: HandlerCookieAttributes;
  /**
   * Requests that change something are refused when a browser says that they come from another site. Default: false.
   */
  crossOriginProtection?: boolean;
  /** Origins such as `https://example.com` whose pages may send such requests, and open websockets. */
  trustedOrigins?: readonly string[];
  /** Milliseconds between pings to the peers of websockets. Default 0: none are sent. */
  websocketPingIntervalMs?: number;
  /** Milliseconds in which a pong must come after a ping, at most the interval, the default; 0: none need come. */
  websocketPingTimeoutMs?: number;
  /** Bytes of a websocket's message, inflated; a larger one closes with 1009. Default 10 MiB. */
  websocketMaxMessageBytes?: number;
  /** Where `requireUser` sends those that it does not know. */
  loginUrl?: string;
  /** A folder whose files are served below `staticUrlPrefix` (`/static/`), and `/favicon.ico` and `/robots.txt`. */
  staticPath?: string;
  /** Where the files of `staticPath` are found. Default `/static/`. */
  staticUrlPrefix?: string;
  /** The class that serves them. Default: StaticFileHandler. */
  staticHandlerClass?: typeof StaticFileHandler;
  /** Further options of that class. Default: none. */
  staticHandlerOptions?: Omit<StaticFileOptions, "path">;
  /** The host whose routes also answer requests for hosts that have none. */
  defaultHost?: string;
  /** Answers what no route is for. Default: 404. */
  defaultHandlerClass?: HandlerClass;
  /** What the `initialize` of `defaultHandlerClass` is given. */
  defaultHandlerOptions?: object;
  /** Called with each request before its handler, in this order: `cors`, `rateLimit`, or functions of your own. */
  middleware?: readonly Middleware[];
  /** Where handlers log. Default: where their server does. */
  logger?: Logger;
  /** Bodies are compressed where that pays: see ServerOptions. Default: false. */
  compressResponse?: ServerOptions["compressResponse"];
  /** Options of the servers that `listen` and the command make for this application. */
  server?: ServerOptions;
}

/** A route with a name and options, as an object. Its options are those that its handler's `initialize` takes. */
export class URLSpec<Handler extends HandlerClass> extends Rule<Target> {
  constructor(
    pattern: string | RegExp,
    handler: Handler,
    ...rest: [...options: Parameters<InstanceType<Handler>["initialize"]>, name?: string]
  ) {
    const [options, name] = rest as unknown as [object | undefined, string | undefined];
    super(new PathMatches(pattern), handler, options, name);
  }
}

/** The routes of an application, or of a part of it. */
class ApplicationRouter extends TargetRouter<Target> {
  readonly #application: Application;

  constructor(application: Application, routes: readonly RouteInput[] = []) {
    super();
    this.#application = application;
    this.addRules(routes.map((route) => this.ruleOf(route)));
  }

  ruleOf(route: RouteInput): Rule<Target> {
    const { matcher, target, options, name } = route instanceof Rule ? route : ruleFrom(route);
    if (isList(target)) return new Rule(matcher, new ApplicationRouter(this.#application, target), undefined, name);
    if (typeof target === "function" || isRouter(target)) return new Rule(matcher, target, options, name);
    throw new OptionError("a route needs a RequestHandler class, a function, an Application or a router");
  }

  protected override findTarget(
    rule: Rule<Target>,
    args: readonly PathArgument[],
    request: HTTPServerRequest,
    logger: Logger,
  ): RequestCallback | null {
    const { target, options } = rule;
    if (isHandlerClass(target)) return (given) => new target(this.#application, given).execute(args, options, logger);
    return super.findTarget(rule, args, request, logger);
  }
}

function ruleFrom([pattern, target, options, name]: Exclude<RouteInput, Rule<Target>>): Rule<Target> {
  const isPattern = typeof pattern === "string" || pattern instanceof RegExp;
  return new Rule(isPattern ? new PathMatches(pattern) : pattern, target, options, name);
}

function isList(target: Target): target is readonly RouteInput[] {
  return Array.isArray(target);
}

/** `Own`: settings of the application's own, beside those that are known. */
export class Application<Own extends object = object> implements Router {
  /** The settings that it was made with. */
  readonly settings: Readonly<ApplicationSettings & Own>;
  /** Routes by host, then `#routes` for all hosts. */
  readonly #router: ApplicationRouter;
  readonly #routes: ApplicationRouter;

  /** @internal Options of servers for this application. */
  readonly serverOptions: ServerOptions;

  /** Throws OptionError for a route that can never work. */
  constructor(routes: readonly RouteInput[] = [], settings: ApplicationSettings & Own = {} as Own) {
    this.settings = settings;
    this.serverOptions = { compressResponse: settings.compressResponse, ...settings.server };
    this.#routes = new ApplicationRouter(this, [...routes, ...staticRoutes(settings)]);
    this.#router = new ApplicationRouter(this);
    this.#router.addRules([new Rule<Target>(new AnyMatches(), this.#routes)]);
  }

  /**
   * Adds routes for hosts whose name matches, a text or a regular expression; they come before those of the
   * constructor.
   */
  addHandlers(host: string | RegExp, routes: readonly RouteInput[]): void {
    const matcher = new HostMatches(host);
    const router = new ApplicationRouter(this, routes);
    this.#router.addRules([new Rule<Target>(matcher, router)], 1);
    const { defaultHost } = this.settings;
    if (defaultHost === undefined || !matcher.matchesHost(defaultHost.toLowerCase())) return;
    this.#routes.addRules([new Rule<Target>(new NotForwarded(), router)]);
  }

  findHandler(request: HTTPServerRequest, logger: Logger): RequestCallback {
    const { middleware = [] } = this.settings;
    if (middleware.length === 0) return this.#findRoute(request, logger);
    const route: RequestCallback = (given) => this.#findRoute(given, logger)(given);
    return (given) => {
      const refuse = (error: unknown) => this.#refuse(given, error, logger);
      try {
        const answered = through(middleware, given, route);
        return answered instanceof Promise ? answered.catch(refuse) : answered;
      } catch (error) {
        return refuse(error);
      }
    };
  }

  #findRoute(request: HTTPServerRequest, logger: Logger): RequestCallback {
    const found = this.#router.findHandler(request, logger);
    if (found !== null) return found;
    const { defaultHandlerClass, defaultHandlerOptions } = this.settings;
    if (defaultHandlerClass === undefined)
      return (given) => new ErrorHandler(this, given).execute([], NOT_FOUND, logger);
    return (given) => new defaultHandlerClass(this, given).execute([], defaultHandlerOptions, logger);
  }

  /** Answers a request; errors are written to `logger`. */
  handle(request: HTTPServerRequest, logger: Logger): Answering {
    try {
      return this.findHandler(request, logger)(request);
    } catch (error) {
      // Handlers never throw: the path was not one, or a target that is no handler has failed.
      return this.#refuse(request, error, logger);
    }
  }

  /** Answers with the status of `error`, or throws it when it has none that is for the client. */
  #refuse(request: HTTPServerRequest, error: unknown, logger: Logger): Answering {
    const isAnswer = error instanceof HTTPInputError || error instanceof HTTPError;
    if (!isAnswer || request.started) throw error;
    return new ErrorHandler(this, request).execute([], error, logger);
  }

  /**
   * The path of the route with this name, with values for the groups of its pattern: in their order, or one object that
   * has them by name. Throws OptionError without such a route.
   */
  reverseUrl(name: string, ...values: readonly PathValue[] | [Readonly<Record<string, PathValue>>]): string {
    const [first] = values;
    const given = typeof first === "object" ? first : (values as PathValues);
    const path = this.reversePath(name, given);
    if (path === null) throw new OptionError(`there is no route called ${JSON.stringify(name)}`);
    return path;
  }

  /** @internal The same for a router that this is a part of. */
  reversePath(name: string, values: PathValues): string | null {
    return this.#router.reversePath(name, values);
  }

  /** Serves this on a port (0: a free one). The server is listening when this resolves; `server.stop()` ends it. */
  async listen(
    port: number,
    address?: string,
    options: ServerOptions & Omit<BindOptions, "runtime"> = {},
  ): Promise<HTTPServer> {
    const server = new HTTPServer(this, { ...this.serverOptions, ...options });
    await server.listen(port, address, options);
    return server;
  }

  /** Answers a request that never was on a network: for tests. */
  inject(request: InjectedRequest | string = {}): Promise<InjectedAnswer> {
    return inject(new HTTPServer(this, this.serverOptions), request);
  }
}

const NOT_FOUND = { status: 404 };

/** Everything but what a proxy has forwarded: it may be for a host of the proxy's. */
class NotForwarded implements Matcher {
  match(request: HTTPServerRequest): Match {
    return request.headers.has("x-real-ip") ? null : [];
  }
}

function staticRoutes(settings: ApplicationSettings): RouteInput[] {
  const { staticPath, staticUrlPrefix = "/static/", staticHandlerClass = StaticFileHandler } = settings;
  if (staticPath === undefined) return [];
  const options: StaticFileOptions = { ...settings.staticHandlerOptions, path: staticPath };
  const prefix = staticUrlPrefix.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return [`${prefix}(.*)`, "/(favicon\\.ico)", "/(robots\\.txt)"].map(
    (path) => [path, staticHandlerClass, options] as const,
  );
}
