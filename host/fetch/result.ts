/**
 * What a handler function gives back. Invariant: an answer is sent, a mistake is said; neither is passed over.
 */
import { NoAnswerError } from "../core/errors.js";
import type { HTTPServerRequest } from "../http/request.js";
import { isResponse, sendAnswer } from "./send.js";

/**
 * Takes what a handler called `name` has given at last: sends a `Response`; throws NoAnswerError for anything else,
 * unless the request is answered, or handed over to code that will answer it.
 */
export function answerWith(request: HTTPServerRequest, value: unknown, name: string): void | Promise<void> {
  if (isResponse(value) && request.onGone === null) return sendAnswer(request, value);
  if (!request.isTaken) throw withoutAnswer(request, name, value);
}

/** The error for a handler that has given `value` and no answer. */
export function withoutAnswer({ route }: HTTPServerRequest, name: string, value?: unknown): NoAnswerError {
  const who = route !== "" ? `the handler of the route ${route}` : name !== "" ? `the handler ${name}` : "the handler";
  const did = value === undefined ? "has ended without an answer" : `has given ${kindOf(value)} and no answer`;
  return new NoAnswerError(`${who} ${did}: it must call request.respond(), or return a Response`);
}

/** `value` in words. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
  return `a ${typeof value}`;
}
