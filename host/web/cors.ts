/**
 * A middleware for cross-origin requests: which pages of other sites may read answers.
 *
 * Invariant: an answer that depends on the request's Origin says so in Vary; a page that is not allowed gets no field
 * that would let it read.
 * Reference: https://fetch.spec.whatwg.org/#http-cors-protocol.
 */
import { OptionError } from "../core/errors.js";
import { HTTPError } from "./errors.js";
import type { Middleware } from "./middleware.js";

/** What `cors` takes. */
export interface CORSOptions {
  /** Whose pages may read answers: `"*"` for all, a list such as `["https://example.com"]`, or a function. */
  origins: "*" | readonly string[] | ((origin: string) => boolean);
  /** Methods of requests that a browser asks about first. Default: GET, HEAD, POST, PUT, PATCH, DELETE. */
  methods?: readonly string[];
  /** Header fields that such requests may have. Default: Content-Type and Authorization. */
  allowHeaders?: readonly string[];
  /** Fields of answers that pages may read beside the usual ones. Default: none. */
  exposeHeaders?: readonly string[];
  /** Requests may come with cookies. Default: false. */
  credentials?: boolean;
  /** Seconds for which a browser need not ask again. Default 600. */
  maxAgeS?: number;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const ALLOWED = ["Content-Type", "Authorization"];
const MAX_AGE_S = 600;

/**
 * Lets pages of other sites read answers (CORS), and answers the browser's question beforehand: 204, or 403 for a page
 * that may not. Throws OptionError for `credentials` with the origins `"*"`.
 */
export function cors(options: CORSOptions): Middleware {
  const { origins, methods = METHODS, allowHeaders = ALLOWED, exposeHeaders = [], credentials = false } = options;
  if (credentials && origins === "*") throw new OptionError("cors: credentials need a list of origins");
  const isAllowed = (origin: string) =>
    typeof origins === "function" ? origins(origin) : origins === "*" || origins.includes(origin);
  return (request, next) => {
    const { answerHeaders, headers } = request;
    if (origins !== "*") answerHeaders.add("Vary", "Origin");
    const origin = headers.get("origin");
    const isPreflight = request.method === "OPTIONS" && origin !== null && headers.has("access-control-request-method");
    if (origin === null || !isAllowed(origin)) {
      if (isPreflight) throw new HTTPError(403, `${origin} is none of the allowed origins`);
      return next();
    }
    answerHeaders.set("Access-Control-Allow-Origin", origins === "*" ? "*" : origin);
    if (credentials) answerHeaders.set("Access-Control-Allow-Credentials", "true");
    if (!isPreflight) {
      if (exposeHeaders.length > 0) answerHeaders.set("Access-Control-Expose-Headers", exposeHeaders.join(", "));
      return next();
    }
    request.respond(204, {
      "Access-Control-Allow-Methods": methods.join(", "),
      "Access-Control-Allow-Headers": allowHeaders.join(", "),
      "Access-Control-Max-Age": options.maxAgeS ?? MAX_AGE_S,
    });
  };
}
