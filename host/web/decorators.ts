/** The decorator for methods that need a user. `requireUser()` does the same, and gives the user its type. */
import type { PathArgument } from "./pathpattern.js";
import type { RequestHandler } from "./requesthandler.js";

/**
 * A method that is called for users only: `@authenticated override get() { … }`. Needs a compiler that knows
 * decorators: tsx and tsc do, Node's own type stripping does not.
 */
export function authenticated<This extends RequestHandler, Args extends PathArgument[], Result>(
  method: (this: This, ...args: Args) => Result,
  _context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Result>,
): (this: This, ...args: Args) => Result {
  return function (this: This, ...args: Args): Result {
    this.requireUser();
    return method.apply(this, args);
  };
}
