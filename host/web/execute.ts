/**
 * The way of a request through its RequestHandler:
 *
 *     initialize → the request's origin is checked → prepare → get, post, … → finish → onFinish
 *
 * Invariants: what user code throws, or a promise of it rejects with, becomes an answer or ends the connection, and is
 * logged once; a handler that waits holds up no other request; without anything to wait for the answer leaves in the
 * same turn.
 *
 * Reference: Tornado's web.RequestHandler._execute.
 */
import { StreamClosedError, WaterspoutError } from "../core/errors.js";
import { isBodyless } from "../http/response.js";
import { errorPage } from "./errorpage.js";
import { Finish, HTTPError } from "./errors.js";
import type { HandlerAnswer } from "./handleranswer.js";
import type { Answered } from "./handlerclass.js";
import type { PathArgument } from "./pathpattern.js";
import type { RequestHandler } from "./requesthandler.js";
import { foreignOrigin } from "./xsrf.js";

/** A handler whose settings and user may be of any type. */
export type AnyHandler = RequestHandler<unknown, object>;

type Method = (...args: PathArgument[]) => Answered;

/** Methods that change nothing. */
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** Has `handler` answer its request; `options` are those of its route. Never throws and never rejects. */
export function execute(handler: AnyHandler, answer: HandlerAnswer, options: object | undefined): Answered {
  try {
    handler.setDefaultHeaders();
    handler.initialize(options);
    if (handler.request.hasBody) return executeWithBody(handler, answer);
    const prepared = prepare(handler);
    if (prepared !== undefined) return executeLater(handler, answer, prepared);
    if (answer.finished) return;
    const answered = callMethod(handler);
    if (answered !== undefined) return finishLater(handler, answer, answered);
    if (!answer.finished) handler.finish();
  } catch (error) {
    failed(handler, answer, error);
  }
}

async function executeLater(handler: AnyHandler, answer: HandlerAnswer, prepared: Promise<void>): Promise<void> {
  watch(handler);
  try {
    await prepared;
    await callMethodAndFinish(handler, answer);
  } catch (error) {
    failed(handler, answer, error);
  }
}

async function finishLater(handler: AnyHandler, answer: HandlerAnswer, answered: Promise<void>): Promise<void> {
  watch(handler);
  try {
    await answered;
    if (!answer.finished) handler.finish();
  } catch (error) {
    failed(handler, answer, error);
  }
}

async function executeWithBody(handler: AnyHandler, answer: HandlerAnswer): Promise<void> {
  watch(handler);
  try {
    const streams = (handler.constructor as typeof RequestHandler).streamRequestBody;
    if (!streams) await handler.takeBody();
    await prepare(handler);
    if (streams && !answer.finished) await receive(handler, answer);
    await callMethodAndFinish(handler, answer);
  } catch (error) {
    failed(handler, answer, error);
  }
}

async function receive(handler: AnyHandler, answer: HandlerAnswer): Promise<void> {
  for await (const chunk of handler.request.body) {
    await handler.dataReceived(chunk);
    if (answer.finished) return;
  }
}

function prepare(handler: AnyHandler): Answered {
  const { method } = handler.request;
  if (!handler.takesAllMethods && !supportedMethods(handler).includes(method)) throw methodNotAllowed(handler);
  checkForgery(handler);
  return handler.prepare();
}

async function callMethodAndFinish(handler: AnyHandler, answer: HandlerAnswer): Promise<void> {
  if (answer.finished) return;
  await callMethod(handler);
  if (!answer.finished) handler.finish();
}

function callMethod(handler: AnyHandler): Answered {
  const method = methodOf(handler, handler.request.method);
  if (method === undefined) throw methodNotAllowed(handler);
  return method.apply(handler, handler.pathArguments as PathArgument[]);
}

/** Throws HTTPError 403 for a request that another site may have sent. */
function checkForgery(handler: AnyHandler): void {
  const { xsrfCookies, crossOriginProtection } = handler.application.settings;
  if (xsrfCookies !== true && crossOriginProtection !== true) return;
  const { request } = handler;
  if (SAFE_METHODS.includes(request.method)) return;
  if (xsrfCookies === true) handler.checkXSRFCookie();
  if (crossOriginProtection !== true) return;
  const foreign = foreignOrigin(request, (origin) => handler.checkTrustedOrigin(origin));
  if (foreign !== null) throw new HTTPError(403, foreign);
}

/** The request listens for its client's end only when the handler has a method for it. */
function watch(handler: AnyHandler): void {
  if (!handler.overrides("onConnectionClose")) return;
  const { signal } = handler.request;
  const onAbort = () => {
    if (handler.finished) return;
    try {
      handler.onConnectionClose();
    } catch (error) {
      handler.logException(error);
    }
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
}

// --- methods ---

function supportedMethods(handler: AnyHandler): readonly string[] {
  return (handler.constructor as typeof RequestHandler).SUPPORTED_METHODS;
}

/** What answers requests of a method that is supported. */
function methodOf(handler: AnyHandler, method: string): Method | undefined {
  return (handler as unknown as Record<string, Method | undefined>)[method.toLowerCase()];
}

/** 405, with the methods that the handler's class has written. */
export function methodNotAllowed(handler: AnyHandler): HTTPError {
  const supported = supportedMethods(handler);
  const allowed = supported.filter(
    (method) => methodOf(handler, method) !== undefined && handler.overrides(method.toLowerCase()),
  );
  const lacksHead = allowed.includes("GET") && !allowed.includes("HEAD");
  if (lacksHead && supported.includes("HEAD")) allowed.splice(1, 0, "HEAD");
  return new HTTPError(405, { headers: { Allow: allowed.join(", ") } });
}

// --- how it ends ---

/** The answer is complete, whatever it was. */
export function callOnFinish(handler: AnyHandler): void {
  try {
    handler.onFinish();
  } catch (error) {
    handler.logException(error);
  }
}

function failed(handler: AnyHandler, answer: HandlerAnswer, error: unknown): void {
  try {
    if (error instanceof Finish) {
      if (!answer.finished) handler.finish(error.chunk as string);
      return;
    }
    if (error instanceof StreamClosedError && error === handler.request.leaving) {
      handler.logger.debug({ err: error }, "a client has left before its answer");
      return cut(handler, answer);
    }
    const status = statusOf(error) ?? 500;
    if (handler.request.observation !== null && status >= 500) handler.request.observation.error = error;
    handler.logException(error);
    handler.sendError(status, { error });
  } catch (failure) {
    lastResort(handler, answer, failure);
  }
}

/** RequestHandler.sendError. */
export function sendError(
  handler: AnyHandler,
  answer: HandlerAnswer,
  status: number,
  reason: string | undefined,
  error: unknown,
): void {
  if (answer.finished) return;
  if (answer.headersWritten) {
    handler.logger.error("an error page cannot be sent behind the head of another answer");
    return cut(handler, answer);
  }
  handler.clear();
  handler.setStatus(status, reason ?? (error instanceof HTTPError ? (error.reason ?? undefined) : undefined));
  if (error instanceof HTTPError && error.headers !== null) addHeaders(handler, error);
  const written = isBodyless(status) ? undefined : handler.writeError(status, error);
  if (written === undefined) {
    if (!answer.finished) handler.finish();
  } else {
    written
      .then(() => (answer.finished ? undefined : handler.finish()))
      .catch((failure) => lastResort(handler, answer, failure));
  }
}

function addHeaders(handler: AnyHandler, { headers }: HTTPError): void {
  const pairs =
    Symbol.iterator in (headers as object)
      ? (headers as Iterable<[string, string]>)
      : Object.entries(headers as object);
  for (const [name, value] of pairs) for (const single of [value].flat()) handler.addHeader(name, single);
}

/** The page of an error has failed itself. */
function lastResort(handler: AnyHandler, answer: HandlerAnswer, failure: unknown): void {
  handler.logger.error({ err: failure }, "an error page failed");
  if (answer.finished) return;
  const { request } = handler;
  if (!request.started) {
    request.respond(500, { "Content-Type": "text/html; charset=UTF-8" }, errorPage(500, "Internal Server Error"));
  }
  cut(handler, answer);
}

/** Ends an answer that cannot be completed. */
function cut(handler: AnyHandler, answer: HandlerAnswer): void {
  if (!handler.request.finished) handler.request.cancel();
  answer.abandon();
  callOnFinish(handler);
}

/** The status that an error is about; null for one that is not of HTTP. */
export function statusOf(error: unknown): number | null {
  const status = error instanceof WaterspoutError ? (error as { status?: unknown }).status : undefined;
  return typeof status === "number" ? status : null;
}
