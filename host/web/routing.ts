/**
 * Which handler answers a request: rules in their order, the first that matches and has a handler wins.
 * Reference: Tornado's routing module, whose names these are.
 *
 * Invariant: routers keep nothing of a request: what they return is called once, or never.
 */
import { OptionError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { Answering, RequestCallback, RequestListener } from "../server/httpserver.js";
import { NO_ARGUMENTS, type PathArgument, type PathValue, type PathValues, Pattern } from "./pathpattern.js";

/** What a matcher has found in the path, for the handler's method; null when it does not match. */
export type Match = readonly PathArgument[] | null;

/** Whether a rule is for a request. `path` is the request's, as it came. */
export interface Matcher {
  /** What it has found in the path, empty for nothing; null: it does not match. */
  match(request: HTTPServerRequest, path: string): Match;
  /** The path that this matches with these values; null for a matcher that knows none. */
  reverse?(values: PathValues): string;
  /** What it matches, for the metrics: `request.route`. */
  readonly route?: string;
}

/** Matches every request. */
export class AnyMatches implements Matcher {
  match(): Match {
    return NO_ARGUMENTS;
  }
}

/** Matches by the Host header, without its port: plain text, or a regular expression. Case does not count. */
export class HostMatches implements Matcher {
  readonly #pattern: Pattern;

  constructor(pattern: string | RegExp) {
    this.#pattern = new Pattern(pattern, "i");
  }

  match(request: HTTPServerRequest): Match {
    return this.matchesHost(hostOf(request)) ? NO_ARGUMENTS : null;
  }

  /** Whether it matches a host's name. */
  matchesHost(host: string): boolean {
    return this.#pattern.match(host) !== null;
  }
}

/** Matches by the path: see `Pattern`. */
export class PathMatches implements Matcher {
  readonly #pattern: Pattern;

  readonly route: string;

  constructor(pattern: string | RegExp) {
    this.#pattern = new Pattern(pattern);
    this.route = typeof pattern === "string" ? pattern : pattern.source;
  }

  match(_request: HTTPServerRequest, path: string): Match {
    return this.#pattern.match(path);
  }

  reverse(values: PathValues): string {
    return this.#pattern.reverse(values);
  }
}

/** The name of the host that was asked for, in lower case and without its port. */
function hostOf(request: HTTPServerRequest): string {
  return request.host.replace(/:[0-9]*$/, "").toLowerCase();
}

/** What can answer a request, or say that it is not its own by null. */
export interface Router {
  /** The handler for the request; errors are written to `logger`. */
  findHandler(request: HTTPServerRequest, logger: Logger): RequestCallback | null;
  /** The path of the route with this name; null without one. */
  reversePath?(name: string, values: PathValues): string | null;
}

/** A function as a route's target: it gets what the path's groups hold behind the request. */
export type RouteFunction = {
  /** Answers the request. */
  call(request: HTTPServerRequest, ...args: PathArgument[]): Answering;
}["call"];

/** A matcher, and the handler for what it matches. */
export class Rule<Target = Router | RouteFunction> {
  constructor(
    /** Says whether the rule is for a request. */
    readonly matcher: Matcher,
    /** Answers what matches. */
    readonly target: Target,
    /** What the `initialize` of a RequestHandler class is given. */
    readonly options?: object,
    /** What `reverseUrl` knows the route by. */
    readonly name?: string,
  ) {}

  /** The path that it matches, with values as for `reverseUrl`. Throws OptionError for a matcher that knows none. */
  reverse(...values: readonly PathValue[] | [Readonly<Record<string, PathValue>>]): string {
    const [first] = values;
    return this.reverseWith(typeof first === "object" ? first : (values as PathValues));
  }

  /** @internal */
  reverseWith(values: PathValues): string {
    if (this.matcher.reverse === undefined) throw new OptionError(`the route ${this.name ?? ""} is not one by path`);
    return this.matcher.reverse(values);
  }
}

/** Rules in their order, for targets of any kind; a server takes it in place of a function. */
export class TargetRouter<Target> implements Router, RequestListener {
  readonly #rules: Rule<Target>[] = [];
  readonly #named = new Map<string, Rule<Target>>();

  constructor(rules: readonly Rule<Target>[] = []) {
    this.addRules(rules);
  }

  /**
   * Adds rules behind those that it has, or before the last `before` of them. Throws OptionError for a name that is
   * taken.
   */
  addRules(rules: readonly Rule<Target>[], before = 0): void {
    for (const rule of rules) {
      if (rule.name === undefined) continue;
      if (this.#named.has(rule.name)) throw new OptionError(`two routes are called ${JSON.stringify(rule.name)}`);
      this.#named.set(rule.name, rule);
    }
    this.#rules.splice(this.#rules.length - before, 0, ...rules);
  }

  findHandler(request: HTTPServerRequest, logger: Logger): RequestCallback | null {
    const { path } = request;
    for (const rule of this.#rules) {
      const args = rule.matcher.match(request, path);
      if (args === null) continue;
      const found = this.findTarget(rule, args, request, logger);
      if (found === null) continue;
      if (request.route === "" && rule.matcher.route !== undefined) request.route = rule.matcher.route; // the innermost
      return found;
    }
    return null;
  }

  /** What to call for a rule that has matched; null: the next rule is asked. */
  protected findTarget(
    rule: Rule<Target>,
    args: readonly PathArgument[],
    request: HTTPServerRequest,
    logger: Logger,
  ): RequestCallback | null {
    const { target } = rule;
    if (isRouter(target)) return target.findHandler(request, logger);
    return (given) => (target as RouteFunction)(given, ...args);
  }

  /** Answers a request: with 404 when no rule is for it. */
  handle(request: HTTPServerRequest, logger: Logger): Answering {
    const found = this.findHandler(request, logger);
    return found === null ? request.respond(404) : found(request);
  }

  reversePath(name: string, values: PathValues): string | null {
    const rule = this.#named.get(name);
    if (rule !== undefined) return rule.reverseWith(values);
    for (const { target } of this.#rules) {
      const found = isRouter(target) ? target.reversePath?.(name, values) : undefined;
      if (found !== undefined && found !== null) return found;
    }
    return null;
  }
}

/** Rules in their order, whose targets are functions and other routers. */
export class RuleRouter extends TargetRouter<Router | RouteFunction> {}

/** Whether something is a router, of this copy of the package or of another. */
export function isRouter(value: unknown): value is Router {
  return typeof value === "object" && value !== null && typeof (value as Router).findHandler === "function";
}
