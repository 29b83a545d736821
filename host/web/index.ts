/** The web layer, as `host/index.ts` gives it out. */

export { type ApplicationSettings, type CheckedRoutes, type RouteInput, type Target, URLSpec } from "./application.js";
export type { ArgumentOptions, Arguments } from "./arguments.js";
export { type CORSOptions, cors } from "./cors.js";
export { addslash, authenticated, removeslash } from "./decorators.js";
export {
  Finish,
  HTTPError,
  type HTTPErrorOptions,
  MissingArgumentError,
  ValidationError,
  type ValidationIssue,
} from "./errors.js";
export { EventStream, type EventStreamOptions, type ServerSentEvent } from "./eventstream.js";
export type { Chunk, HandlerClass, HandlerCookieAttributes, SignedCookieAttributes } from "./handlerclass.js";
export { HandlerInput } from "./handlerinput.js";
export { ErrorHandler, FallbackHandler, RedirectHandler, type RedirectOptions } from "./handlers.js";
export type { HeaderValue } from "./headers.js";
export type { Middleware } from "./middleware.js";
export type { PathArgument, PathGroups, PathValue, PathValues } from "./pathpattern.js";
export { type RateLimitOptions, rateLimit } from "./ratelimit.js";
export { RequestHandler } from "./requesthandler.js";
export { type RequestIdOptions, requestId } from "./requestid.js";
export {
  AnyMatches,
  HostMatches,
  type Match,
  type Matcher,
  PathMatches,
  type RouteFunction,
  type Router,
  Rule,
  RuleRouter,
} from "./routing.js";
export {
  type CookieSecret,
  createSignedValue,
  decodeSignedValue,
  getSignatureKeyVersion,
  type SignedValueOptions,
  type SignedValueVersion,
} from "./signedvalue.js";
export type { SchemaFailure, SchemaIssue, SchemaSuccess, StandardSchema } from "./standardschema.js";
export { type FileContent, StaticFileHandler, type StaticFileOptions } from "./staticfiles.js";
export type { StaticSettings } from "./staticurl.js";
export { Application } from "./typedapplication.js";
export { type RequestSchemas, type Valid, validate, validated } from "./validate.js";
export type { XSRFVersion } from "./xsrf.js";
