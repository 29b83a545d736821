/** A middleware that names each request. */
import { idFrom } from "../http/requestids.js";
import type { Middleware } from "./middleware.js";

/** What `requestId` takes. */
export interface RequestIdOptions {
  /** The name of the header field. Default `X-Request-Id`. */
  header?: string;
  /** The client's own is kept, for servers behind a proxy that sets it. Default: false. */
  trust?: boolean;
}

/**
 * Gives each request an id, which its handler finds in `request.headers`, its client in the answer's field of the same
 * name, and the operator in the access log. One of the client's that is not kept is replaced.
 */
export function requestId({ header = "X-Request-Id", trust = false }: RequestIdOptions = {}): Middleware {
  return (request, next) => {
    const id = idFrom(trust ? request.headers.get(header) : null);
    request.requestId = id;
    request.headers.set(header, id);
    request.answerHeaders.set(header, id);
    return next();
  };
}
