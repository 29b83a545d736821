/**
 * How a request of AsyncHTTPClient can fail after it was sent. Before that it is ConnectError. Reference: Tornado's
 * httpclient.HTTPClientError, simple_httpclient.HTTPTimeoutError and HTTPStreamClosedError.
 */
import { WaterspoutError } from "../core/errors.js";
import type { HTTPResponse } from "./httpresponse.js";

/**
 * The answer's status is not one from 200 to 299, or, with the status 599, there is no whole answer. `code` is
 * `"HTTP_CLIENT"`; for an answer above its bounds `"ANSWER_TOO_LARGE"`, for one that is no HTTP `"BAD_ANSWER"`.
 */
export class HTTPClientError extends WaterspoutError {
  /** The answer's status, or 599. */
  readonly status: number;
  /** The answer, with its body; null: there is none. */
  readonly response: HTTPResponse | null;

  constructor(
    status: number,
    message: string,
    { code = "HTTP_CLIENT", response = null, ...options }: HTTPClientErrorOptions = {},
  ) {
    super(code, message, options);
    this.status = status;
    this.response = response;
  }
}

/** What an HTTPClientError is made with besides its status and message. */
export interface HTTPClientErrorOptions extends ErrorOptions {
  /** Default `"HTTP_CLIENT"`. */
  code?: string;
  /** Default null. */
  response?: HTTPResponse | null;
}

/** The time for the connection or for the whole request is over: 599, `code` `"HTTP_TIMEOUT"`. */
export class HTTPTimeoutError extends HTTPClientError {
  constructor(message: string) {
    super(599, message, { code: "HTTP_TIMEOUT" });
  }
}

/** The connection has ended before the answer was whole: 599, `code` `"HTTP_STREAM_CLOSED"`. */
export class HTTPStreamClosedError extends HTTPClientError {
  constructor(message = "the connection was closed before the answer was whole", options: ErrorOptions = {}) {
    super(599, message, { code: "HTTP_STREAM_CLOSED", ...options });
  }
}
