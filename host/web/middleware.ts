/**
 * Functions around an application's handlers: the setting `middleware`.
 *
 * Invariant: whatever a function does with `next`, the handler is called at most once, and what it rejects with reaches
 * the server.
 */
import { OptionError } from "../core/errors.js";
import { ignore } from "../core/promises.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { Answering, RequestCallback } from "../server/httpserver.js";

/**
 * Is called with each request of an application before its route is looked up. It answers the request itself, as any
 * handler does, or calls `next`, which calls the next function of the list, behind the last one the handler, and gives
 * what that gives. What it returns is the answer; when that is nothing, what `next` gave is. An HTTPError that it
 * throws is answered with its status.
 */
export type Middleware = (request: HTTPServerRequest, next: () => Answering) => Answering;

/** Has the functions of `list`, from the one at `at` on, and then `handler` answer `request`. */
export function through(
  list: readonly Middleware[],
  request: HTTPServerRequest,
  handler: RequestCallback,
  at = 0,
): Answering {
  const middleware = list[at];
  if (middleware === undefined) {
    const answer = handler(request);
    if (answer === undefined && !request.started) request.isLeft = true; // a function may answer later
    return answer;
  }
  const rest = { isCalled: false, answer: undefined as Answering };
  const next = (): Answering => {
    if (rest.isCalled) throw new OptionError("a middleware has called next() twice");
    rest.isCalled = true;
    rest.answer = through(list, request, handler, at + 1);
    return rest.answer;
  };
  const given = middleware(request, next);
  if (given === undefined) return rest.answer;
  return given instanceof Promise ? settled(request, given, rest) : given;
}

/** What an async function gives; a failure of `rest` that it has answered itself is over. */
async function settled(
  request: HTTPServerRequest,
  given: Promise<Awaited<Answering>>,
  rest: { readonly answer: Answering },
): Promise<Awaited<Answering>> {
  try {
    const value = await given;
    if (value !== undefined) return value;
    if (!request.finished) return await rest.answer;
  } finally {
    void ignore(Promise.resolve(rest.answer));
  }
}
