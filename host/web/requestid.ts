/**
 * A middleware that names each request. Invariant: the name is one that a log line and a header field can have, of a
 * bounded length.
 */
import { randomUUID } from "node:crypto";
import { REQUEST_ID_CHARS_MAX } from "../core/limits.js";
import type { Middleware } from "./middleware.js";

/** What `requestId` takes. */
export interface RequestIdOptions {
  /** The name of the header field. Default `X-Request-Id`. */
  header?: string;
  /** The client's own is kept, for servers behind a proxy that sets it. Default: false. */
  trust?: boolean;
}

const ID = /^[\w.~+/=-]+$/;

/**
 * Gives each request an id, which its handler finds in `request.headers` and its client in the answer's field of the
 * same name. One of the client's that is not kept is replaced.
 */
export function requestId({ header = "X-Request-Id", trust = false }: RequestIdOptions = {}): Middleware {
  return (request, next) => {
    const given = trust ? (request.headers.get(header) ?? "") : "";
    const isKept = given.length <= REQUEST_ID_CHARS_MAX && ID.test(given);
    const id = isKept ? given : randomUUID();
    request.headers.set(header, id);
    request.answerHeaders.set(header, id);
    return next();
  };
}
