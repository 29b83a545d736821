/**
 * Decorators for the methods of a RequestHandler: `authenticated`, `addslash` and `removeslash`. `requireUser()`, which
 * also gives the user its type, `requireSlash()` and `requireNoSlash()` do the same where no compiler knows decorators.
 */
import type { PathArgument } from "./pathpattern.js";
import type { RequestHandler } from "./requesthandler.js";

/** A method of a RequestHandler. */
type Method<This, Args extends PathArgument[], Result> = (this: This, ...args: Args) => Result;

/**
 * A method that is called for users only: `@authenticated override get() { … }`. Needs a compiler that knows
 * decorators: `waterspout run` has one, and tsx and tsc are others; Node's own type stripping is none.
 */
export function authenticated<This extends RequestHandler, Args extends PathArgument[], Result>(
  method: Method<This, Args, Result>,
  _context: ClassMethodDecoratorContext<This, Method<This, Args, Result>>,
): Method<This, Args, Result> {
  return function (this: This, ...args: Args): Result {
    this.requireUser();
    return method.apply(this, args);
  };
}

/**
 * A method that is called at addresses with a slash at their end: `@addslash override get() { … }` on a route such as
 * `"/notes/?"`. GET and HEAD of the address without it are sent there, other methods get 404. Needs a compiler that
 * knows decorators.
 */
export function addslash<This extends RequestHandler, Args extends PathArgument[], Result>(
  method: Method<This, Args, Result>,
  _context: ClassMethodDecoratorContext<This, Method<This, Args, Result>>,
): Method<This, Args, Result> {
  return function (this: This, ...args: Args): Result {
    this.requireSlash();
    return method.apply(this, args);
  };
}

/** The same for addresses without a slash at their end. */
export function removeslash<This extends RequestHandler, Args extends PathArgument[], Result>(
  method: Method<This, Args, Result>,
  _context: ClassMethodDecoratorContext<This, Method<This, Args, Result>>,
): Method<This, Args, Result> {
  return function (this: This, ...args: Args): Result {
    this.requireNoSlash();
    return method.apply(this, args);
  };
}
