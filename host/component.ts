/**
 * What `import … from "waterspout"` gives in a component (docs/edge.md): the part of host/index.ts that needs no Node.
 *
 * Invariant: a name that is not here is refused when the component is built. What these modules import of Node has its
 * place taken by modules of edge/ (scripts/bundle.mjs).
 */

export {
  AlreadyReadingError,
  BodyTooLargeError,
  HeaderError,
  HTTPInputError,
  HTTPOutputError,
  NoAnswerError,
  OptionError,
  StreamBufferFullError,
  StreamClosedError,
  StreamNotIdleError,
  UnsatisfiableReadError,
  WaterspoutError,
  WebSocketClosedError,
} from "./core/errors.js";
export { escapeHTML } from "./core/escape.js";
export { parseCookies, setCookie } from "./http/cookies.js";
export { HTTPHeaders } from "./http/headers.js";
export { HTTPServerRequest } from "./http/request.js";
export { HTTPConnection } from "./http/response.js";
export { TCPServer } from "./server/tcpserver.js";
export { IOStream } from "./stream/iostream.js";
export { URLSpec } from "./web/application.js";
export { cors } from "./web/cors.js";
export { addslash, authenticated, removeslash } from "./web/decorators.js";
export { Finish, HTTPError, MissingArgumentError, ValidationError } from "./web/errors.js";
export { EventStream } from "./web/eventstream.js";
export { ErrorHandler, FallbackHandler, RedirectHandler } from "./web/handlers.js";
export { rateLimit } from "./web/ratelimit.js";
export { RequestHandler } from "./web/requesthandler.js";
export { requestId } from "./web/requestid.js";
export { AnyMatches, HostMatches, PathMatches, Rule, RuleRouter } from "./web/routing.js";
export { createSignedValue, decodeSignedValue } from "./web/signedvalue.js";
export { Application } from "./web/typedapplication.js";
export { validate, validated } from "./web/validate.js";
export { WebSocketHandler } from "./web/websockethandler.js";
